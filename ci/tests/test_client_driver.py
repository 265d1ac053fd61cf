# SPDX-License-Identifier: MIT
"""phxspec-client --driver, as harness/DRIVER.md says."""

import json
import os
import time

import pytest

from testenv.client import Client, Cutter

SHORT = {"reconnect_ms": [20, 40], "rejoin_ms": [30], "timeout_ms": 2000}


class Driver(Client):
    """The program as a driver: commands, each followed by a sync, and events by name."""

    def __init__(self, folder):
        super().__init__(folder, "--driver")
        self.passed = []  # events that came before a command was done
        self.hello = self.await_event("hello")

    def await_event(self, name, **fields):
        while True:
            event = self.event()
            assert event is not None, self.stderr()
            if event["event"] == name and all(event.get(key) == value for key, value in fields.items()):
                return event

    def do(self, command, **members):
        """Gives a command; returns why it failed, or None."""
        self.say(json.dumps({"do": command, **members}), '{"do": "sync"}')
        failed = None
        while (event := self.event())["event"] != "synced":
            if event["event"] == "failed":
                failed = event["reason"]
            self.passed.append(event)
        return failed


@pytest.fixture
def driver(tmp_path):
    driver = Driver(tmp_path)
    yield driver
    try:
        driver.end(0)
    finally:
        driver.kill()


def connect(driver, url, transport="websocket", vsn="2.0.0", **members):
    assert driver.do("connect", url=url, transport=transport, vsn=vsn, **{"options": SHORT, **members}) is None


def joined(driver, url, channel="c", topic="phxspec:a", listen=(), **members):
    connect(driver, url, **members)
    assert driver.do("channel", channel=channel, topic=topic, listen=listen) is None
    assert driver.do("join", channel=channel) is None
    driver.await_event("channel", channel=channel, state="joined")


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
@pytest.mark.parametrize("vsn", ["1.0.0", "2.0.0"])
def test_a_conversation(server, driver, transport, vsn):
    url = f"{server.url}/tight"
    joined(driver, url, listen=["news"], transport=transport, vsn=vsn, params={"a": {"b": "c"}}, token="t")
    assert driver.do("push", push="p1", channel="c", name="echo", payload={"n": [1]}) is None
    answer = {"event": "reply", "channel": "c", "push": "p1", "status": "ok", "response": {"n": [1]}}
    assert driver.await_event("reply", push="p1") == answer
    assert driver.do("push", push="p2", channel="c", name="connect_info") is None
    info = driver.await_event("reply", push="p2")["response"]
    assert info["params"]["a"] == {"b": "c"} and info["auth_token"] == "t"
    sent = {"event": "news", "payload": {"x": 1}}
    assert driver.do("push", push="p3", channel="c", name="broadcast", payload=sent) is None
    news = {"event": "message", "channel": "c", "name": "news", "payload": {"x": 1}}
    assert driver.await_event("message") == news
    assert driver.do("push", push="p4", channel="c", name="noreply", timeout_ms=50) is None
    assert driver.await_event("reply", push="p4")["status"] == "timeout"
    assert driver.do("leave", channel="c") is None
    assert driver.do("disconnect") is None
    driver.await_event("close")


@pytest.mark.parametrize(
    "command, members, text",
    [
        ("fly", {}, "do: no such command"),
        ("connect", {}, "url: missing"),
        ("connect", {"url": 7}, "url: not a string"),
        ("connect", {"url": "ftp://h"}, "begins with ws://"),
        ("connect", {"url": "ws://h", "vsn": "9"}, "vsn: not one"),
        ("connect", {"url": "ws://h", "options": {"reconnect_ms": [1, -2]}}, "reconnect_ms"),
        ("connect", {"url": "ws://h", "options": {"reconnect_ms": []}}, "table of delays is empty"),
        ("connect", {"url": "ws://h", "options": {"heartbeat_ms": "1"}}, "heartbeat_ms"),
        ("channel", {"channel": "c", "topic": "t"}, "connect: was not told yet"),
        ("disconnect", {}, "connect: was not told yet"),
        ("ping", {}, "connect: was not told yet"),
    ],
)
def test_commands_that_fail_before_a_connect(driver, command, members, text):
    assert text in driver.do(command, **members)
    driver.say("no JSON", "[1]", '{"do": 1}')
    for _ in range(3):
        driver.await_event("failed")
    assert driver.do("reset") is None


@pytest.mark.parametrize(
    "command, members, text",
    [
        ("join", {}, "channel: missing"),
        ("join", {"channel": "x"}, "channel: there is none of this name"),
        ("join", {"channel": "c"}, "already"),
        ("channel", {"channel": "c", "topic": "phxspec:x"}, "the name is taken"),
        ("unlisten", {"channel": "c", "listener": "nobody"}, "listener: there is none of this name"),
        ("push", {"push": "p", "channel": "new", "name": "e"}, "not told to join"),
        ("push", {"push": "p", "channel": "c", "name": "e", "payload": {"$base64": "!"}}, "not base64"),
        ("push", {"push": "p", "channel": "gone", "name": "e"}, "closed"),
    ],
)
def test_commands_that_fail(server, driver, command, members, text):
    joined(driver, f"{server.url}/socket")
    assert driver.do("channel", channel="new", topic="phxspec:n") is None
    assert driver.do("channel", channel="gone", topic="phxspec:g") is None
    assert driver.do("leave", channel="gone") is None
    assert text in driver.do(command, **members)
    assert driver.do("push", push="p", channel="c", name="echo") is None  # and all the rest still works
    if not any(event.get("push") == "p" for event in driver.passed):
        driver.await_event("reply", push="p")


def test_reset_forgets_everything(server, driver):
    for _ in range(3):
        joined(driver, f"{server.url}/socket")
        assert driver.do("push", push="p", channel="c", name="noreply") is None
        assert driver.do("reset") is None
        assert driver.do("join", channel="c") == "channel: there is none of this name"
    closed = [event for event in driver.seen if event["event"] == "close" or event.get("state") == "closed"]
    assert closed == []


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
def test_a_network_that_cuts(server, driver, transport):
    """Each push ends once, none is answered with another's reply, and in the end all is well again."""
    seed = int(os.environ.get("PHX_SEED") or time.time_ns() % 1_000_000)
    print(f"repeat with PHX_SEED={seed}")
    with Cutter(server.port, seed) as network:
        url = f"{network.url}/tight"
        options = {"reconnect_ms": [5, 20], "rejoin_ms": [20], "timeout_ms": 1000}
        connect(driver, url, transport=transport, options=options)
        for name in ("a", "b"):
            assert driver.do("channel", channel=name, topic=f"phxspec:{name}") is None
            assert driver.do("join", channel=name) is None
        until = time.monotonic() + 2
        pushed = 0
        while time.monotonic() < until:
            for name in ("a", "b"):
                pushed += 1
                answer = driver.do("push", push=f"p{pushed}", channel=name, name="echo", payload=pushed)
                assert answer is None, answer
            time.sleep(0.005)
        network.good = True
        ends = {}
        until = time.monotonic() + 9
        last = []
        while not last or any(ends[push]["status"] != "ok" for push in last):
            # one that goes out on a connection just before it is found to be cut is lost
            assert time.monotonic() < until, "the network is good again, and nothing gets through"
            last = [f"p{pushed + 1}", f"p{pushed + 2}"]
            for name in ("a", "b"):
                pushed += 1
                assert driver.do("push", push=f"p{pushed}", channel=name, name="echo", payload=pushed) is None
            while len(ends) < pushed:
                event = driver.passed.pop(0) if driver.passed else driver.event()
                if event["event"] == "reply" and "push" in event:
                    assert event["push"] not in ends, event
                    ends[event["push"]] = event
    replies = [event for event in ends.values() if event["status"] != "timeout"]
    for event in replies:
        assert (event["status"], event["response"]) == ("ok", int(event["push"][1:])), event
    assert network.cuts > 1 and len(replies) > 20, (network.cuts, len(replies), pushed)
    assert driver.do("reset") is None
