# SPDX-License-Identifier: MIT
"""phxspec-client --driver, as harness/DRIVER.md says."""

import json
import os
import re
import time

import pytest

from testenv import env
from testenv.client import Client, Cutter, Scripted

SHORT = {"reconnect_ms": [20, 40], "rejoin_ms": [30], "timeout_ms": 2000}


class Driver(Client):
    """The program as a driver: commands with ids, events by name."""

    def __init__(self, folder):
        super().__init__(folder, "--driver")
        self.id = 0
        self.hello = self.await_event("hello")

    def await_event(self, name, **fields):
        while True:
            event = self.event()
            assert event is not None, self.stderr()
            if event["event"] == name and all(event.get(key) == value for key, value in fields.items()):
                return event

    def do(self, command, **members):
        """Gives a command; returns why it failed, or None."""
        self.id += 1
        self.say(json.dumps({"do": command, "id": self.id, **members}))
        while True:
            event = self.event()
            if event.get("id") == self.id:
                return event.get("text") if event["event"] == "failed" else None
            self.passed.append(event)

    passed = []  # events that came before an answer


@pytest.fixture
def driver(tmp_path):
    driver = Driver(tmp_path)
    driver.passed = []
    yield driver
    try:
        driver.end(0)
    finally:
        driver.kill()


def joined(driver, url, channel="c", topic="phxspec:a", **options):
    assert driver.do("socket", socket="s", url=url, options={**SHORT, **options}) is None
    assert driver.do("channel", channel=channel, socket="s", topic=topic) is None
    assert driver.do("connect", socket="s") is None
    assert driver.do("join", channel=channel) is None
    assert driver.await_event("joined") == {"event": "joined", "channel": channel, "response": {}}


def test_hello(driver):
    assert driver.hello["protocol"] == 1 and driver.hello["name"] == "phxspec-client"
    page = (env.ROOT / "harness/DRIVER.md").read_text()
    for capability in driver.hello["capabilities"]:
        assert f"`{capability}`" in page


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
@pytest.mark.parametrize("vsn", ["1.0.0", "2.0.0"])
def test_a_conversation(server, driver, transport, vsn):
    joined(driver, f"{server.url}/tight", transport=transport, vsn=vsn, params={"a": {"b": "c"}}, token="t")
    assert driver.do("push", push="p1", channel="c", name="echo", payload={"n": [1]}) is None
    assert driver.await_event("reply") == {
        **{"event": "reply", "push": "p1", "status": "ok", "response": {"n": [1]}},
    }
    assert driver.do("push", push="p2", channel="c", name="connect_info") is None
    info = driver.await_event("reply")["response"]
    assert info["params"]["a"] == {"b": "c"} and info["auth_token"] == "t"
    sent = {"event": "news", "payload": {"x": 1}}
    assert driver.do("push", push="p3", channel="c", name="broadcast", payload=sent) is None
    assert driver.await_event("message") == {
        **{"event": "message", "channel": "c", "name": "news", "payload": {"x": 1}},
    }
    assert driver.do("push", push="p4", channel="c", name="noreply", timeout_ms=50) is None
    assert driver.await_event("push_timeout")["push"] == "p4"
    assert driver.do("leave", channel="c") is None
    assert driver.do("disconnect", socket="s") is None
    driver.await_event("close", socket="s")
    names = [event["event"] for event in driver.passed]
    assert "open" in [event["event"] for event in driver.seen] and names.count("channel_close") == 1


def test_bytes(server, driver):
    joined(driver, f"{server.url}/socket")
    for number, payload in enumerate([{"$base64": "AAH/"}, {"$base64": ""}, {"$base64": "AA==", "more": 1}]):
        assert driver.do("push", push=f"p{number}", channel="c", name="echo", payload=payload) is None
        assert driver.await_event("reply")["response"] == payload


def test_trouble_is_told(start_server, driver):
    server = start_server()
    joined(driver, f"{server.url}/socket")
    assert driver.do("channel", channel="no", socket="s", topic="phxspec:b", payload={"reject": 1}) is None
    assert driver.do("join", channel="no") is None
    assert driver.await_event("refused") == {
        **{"event": "refused", "channel": "no", "status": "error", "response": 1},
    }
    assert (
        driver.do("channel", channel="late", socket="s", topic="phxspec:l", payload={"delay_ms": 300}) is None
    )
    assert driver.do("join", channel="late", timeout_ms=50) is None
    driver.await_event("join_timeout", channel="late")
    assert driver.do("leave", channel="late") is None  # or its rejoins would hold up all the others (JOIN-14)
    assert driver.do("leave", channel="no") is None
    assert driver.do("push", push="p", channel="c", name="raise") is None
    driver.await_event("channel_error", channel="c")
    driver.await_event("joined", channel="c")
    server.signal()
    assert driver.await_event("close")["code"] == 1012
    driver.await_event("error", socket="s")
    server.wait()
    start_server("--port", str(server.port))
    driver.await_event("open")
    driver.await_event("joined", channel="c")


def test_presence(driver):
    async def script(talk, _number):
        join = await talk.message()
        await talk.ok(join)
        entry = {"metas": [{"phx_ref": "1"}], "x": 1}
        await talk.send(None, None, "t", "presence_state", {"ann": entry})
        await talk.send(None, None, "t", "presence_diff", {"joins": {}, "leaves": {"ann": entry}})
        await talk.frame()

    with Scripted(script) as peer:
        assert driver.do("socket", socket="s", url=f"{peer.url}/s") is None
        assert driver.do("channel", channel="c", socket="s", topic="t") is None
        assert driver.do("presence", channel="c") is None
        assert driver.do("join", channel="c") is None
        assert driver.do("connect", socket="s") is None
        entry = {"metas": [{"phx_ref": "1"}], "x": 1}
        assert driver.await_event("presence_join") == {
            **{"event": "presence_join", "channel": "c", "key": "ann", "current": None, "joined": entry},
        }
        assert driver.await_event("presence_sync")["list"] == {"ann": entry}
        assert driver.await_event("presence_leave")["current"] == {"metas": [], "x": 1}
        assert driver.await_event("presence_sync")["list"] == {}
        assert driver.do("reset") is None


@pytest.mark.parametrize(
    "command, members, text",
    [
        ("fly", {}, "do: no such command"),
        ("connect", {}, "socket: missing"),
        ("connect", {"socket": 7}, "socket: not a string"),
        ("connect", {"socket": "x"}, "socket: there is none of this name"),
        ("socket", {"socket": "s", "url": "ws://h"}, "socket: the name is taken"),
        ("socket", {"socket": "n", "url": "ftp://h"}, "begins with ws://"),
        ("socket", {"socket": "n", "url": "ws://h", "options": {"vsn": "9"}}, "vsn: not one"),
        ("socket", {"socket": "n", "url": "ws://h", "options": {"reconnect_ms": [1, -2]}}, "reconnect_ms"),
        (
            "socket",
            {"socket": "n", "url": "ws://h", "options": {"reconnect_ms": []}},
            "table of delays is empty",
        ),
        ("socket", {"socket": "n", "url": "ws://h", "options": {"heartbeat_ms": "1"}}, "heartbeat_ms"),
        ("join", {"channel": "c"}, "already"),
        ("push", {"push": "p", "channel": "new", "name": "e"}, "not told to join"),
        ("push", {"push": "p", "channel": "c", "name": "e", "payload": {"$base64": "!"}}, "not base64"),
        ("push", {"push": "p", "channel": "gone", "name": "e"}, "closed"),
    ],
)
def test_commands_that_fail(server, tmp_path, command, members, text):
    driver = Driver(tmp_path)
    driver.passed = []
    try:
        joined(driver, f"{server.url}/socket")
        assert driver.do("channel", channel="new", socket="s", topic="phxspec:n") is None
        assert driver.do("channel", channel="gone", socket="s", topic="phxspec:g") is None
        assert driver.do("leave", channel="gone") is None
        assert text in driver.do(command, **members)
        driver.say("no JSON", "[1]", '{"do": 1}')
        for _ in range(3):
            assert driver.await_event("failed")["id"] is None
        assert driver.do("push", push="p", channel="c", name="echo") is None  # and all the rest still works
        driver.await_event("reply", push="p")
        driver.end(0)
    finally:
        driver.kill()


def test_reset_forgets_everything(server, driver):
    for _ in range(3):
        joined(driver, f"{server.url}/socket")
        assert driver.do("push", push="p", channel="c", name="noreply") is None
        assert driver.do("reset") is None
        assert driver.do("connect", socket="s") == "socket: there is none of this name"
    told = [event for event in driver.seen if event["event"] in ("push_cancelled", "channel_close", "close")]
    assert told == []


def test_several_sockets(server, driver):
    for name in ("a", "b"):
        assert driver.do("socket", socket=name, url=f"{server.url}/socket") is None
        assert driver.do("channel", channel=name, socket=name, topic="phxspec:a") is None
        assert driver.do("join", channel=name) is None
        assert driver.do("connect", socket=name) is None
    for name in ("a", "b"):
        if not any(event.get("channel") == name and event["event"] == "joined" for event in driver.seen):
            driver.await_event("joined", channel=name)
    assert (
        driver.do("push", push="p", channel="a", name="broadcast_from", payload={"event": "e", "payload": {}})
        is None
    )
    assert driver.await_event("message")["channel"] == "b"


def test_the_page_tells_every_command_and_event():
    page = (env.ROOT / "harness/DRIVER.md").read_text()
    source = "".join(path.read_text() for path in (env.ROOT / "reference-client/app").glob("driver*.c"))
    commands = re.findall(r'\{"([a-z]+)", do_', source)
    events = re.findall(
        r'(?:driver__begin|begin_about|say_of_channel|say_presence)\(\w+, "([a-z_]+)"', source
    )
    assert len(commands) == 9 and len(events) > 8
    for name in commands + events:
        assert f"`{name}`" in page or f'"event": "{name}"' in page, name


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
def test_a_network_that_cuts(server, driver, transport):
    """Each push ends once, none is answered with another's reply, and in the end all is well again."""
    seed = int(os.environ.get("PHX_SEED") or time.time_ns() % 1_000_000)
    print(f"repeat with PHX_SEED={seed}")
    with Cutter(server.port, seed) as network:
        url = f"{network.url}/tight"
        options = {"transport": transport, "reconnect_ms": [5, 20], "rejoin_ms": [20], "timeout_ms": 1000}
        assert driver.do("socket", socket="s", url=url, options=options) is None
        for name in ("a", "b"):
            assert driver.do("channel", channel=name, socket="s", topic=f"phxspec:{name}") is None
            assert driver.do("join", channel=name) is None
        assert driver.do("connect", socket="s") is None
        until = time.monotonic() + 2
        pushed = 0
        while time.monotonic() < until:
            for name in ("a", "b"):
                pushed += 1
                answer = driver.do("push", push=f"p{pushed}", channel=name, name="echo", payload=pushed)
                assert answer is None, answer
            time.sleep(0.005)
        network.good = True
        for name in ("a", "b"):
            assert (
                driver.do("push", push=f"last {name}", channel=name, name="echo", payload=0, timeout_ms=9000)
                is None
            )
        ends = {}
        while not {"last a", "last b"} <= ends.keys() or len(ends) < pushed + 2:
            event = driver.passed.pop(0) if driver.passed else driver.event()
            if event["event"] in ("reply", "push_timeout"):
                assert event["push"] not in ends, event
                ends[event["push"]] = event
    replies = [event for event in ends.values() if event["event"] == "reply"]
    for event in replies:
        if not event["push"].startswith("last"):
            assert (event["status"], event["response"]) == ("ok", int(event["push"][1:])), event
    assert {"last a", "last b"} <= {event["push"] for event in replies}
    assert network.cuts > 1 and len(replies) > 20, (network.cuts, len(replies), pushed)
    assert driver.do("reset") is None
