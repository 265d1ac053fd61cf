# SPDX-License-Identifier: MIT
"""phxspec-client against the reference server, on both transports and with both serializers."""

import json
import time

import pytest

from testenv.client import Client, run

BOTH = pytest.mark.parametrize("transport", ["websocket", "longpoll"])


@pytest.fixture
def start_client(tmp_path):
    """Starts clients; each must have ended, or is killed."""
    clients = []

    def start(*arguments):
        clients.append(Client(tmp_path, *arguments))
        return clients[-1]

    yield start
    for client in clients:
        client.kill()


def with_both(server, transport, *commands, **settings):
    """A run on a mount of short windows."""
    return run("--transport", transport, f"{server.url}/tight", *commands, **settings)


# ---- the protocol ----


@BOTH
@pytest.mark.parametrize("vsn", ["1.0.0", "2.0.0"])
def test_join_push_broadcast_leave(server, transport, vsn):
    done = run(
        *("--vsn", vsn, "--transport", transport, f"{server.url}/tight"),
        *("join", "phxspec:a", '{"reply":{"x":1}}'),
        *("push", "echo", '{"b":"ä\\n"}'),
        *("send", "broadcast", '{"event":"news","payload":{"n":1}}', "expect", "news"),
        *("send", "push", '{"event":"own","payload":{"n":2}}', "expect", "own"),
        *("push", "reply", '{"status":"ok","response":[1,"two"]}'),
        *("leave", "join", "phxspec:a"),
    )
    assert done.code == 0, done.out + done.err
    joined = [event for event in done.events if event["type"] == "joined"]
    assert [event["payload"] for event in joined] == [{"x": 1}, {}]
    replies = [event["payload"] for event in done.events if event["type"] == "reply"]
    assert replies == [{"b": "ä\n"}, [1, "two"]]
    messages = [(event["event"], event["payload"]) for event in done.events if event["type"] == "message"]
    assert messages == [("news", {"n": 1}), ("own", {"n": 2})]
    assert done.events[-1]["type"] == "closed"


def test_bytes(server):
    done = run(
        *(f"{server.url}/socket", "join", "phxspec:a"),
        *("push", "echo", "base64:AAH/", "push", "echo", "base64:"),
        *("push", "reply", '{"status":"ok","response":{"$base64":"/w=="}}'),
        *("send", "broadcast", '{"event":"b","payload":{"$base64":"AQ=="}}', "expect", "b"),
    )
    assert done.code == 0, done.out + done.err
    replies = [event["payload"] for event in done.events if event["type"] == "reply"]
    assert replies == [{"$base64": "AAH/"}, {"$base64": ""}, {"$base64": "/w=="}]
    assert done.only("message")["payload"] == {"$base64": "AQ=="}


def test_bytes_to_the_server_over_longpoll(server):
    """Only that way: a server cannot send any there (LP-BIN-03)."""
    done = with_both(
        server, "longpoll", "join", "phxspec:a", "send", "noreply", "base64:AAH/", "push", "echo"
    )
    assert done.code == 0, done.out + done.err


@BOTH
def test_params_token_and_headers(server, transport):
    done = run(
        *("--transport", transport, "--token", "se/cr+et==?", "--param", "user_id=ü&=", "--param", "b=2"),
        *("--header", "X-Mine: yes", f"{server.url}/socket", "join", "phxspec:a", "push", "connect_info"),
    )
    assert done.code == 0, done.out + done.err
    info = done.only("reply")["payload"]
    assert info["params"] == {"user_id": "ü&=", "b": "2", "vsn": "2.0.0"}
    assert info["auth_token"] == "se/cr+et==?"
    assert info["x_headers"]["x-mine"] == "yes"
    assert info["user_agent"].startswith("phxspec-client/")


def test_nested_params_and_a_token_file(server, tmp_path):
    (tmp_path / "token").write_text("from a file\n")
    done = run(
        *("--params", '{"a":{"b":["x",1]},"c":null}', "--token-file", tmp_path / "token"),
        *(f"{server.url}/socket", "join", "phxspec:a", "push", "connect_info"),
    )
    assert done.code == 0, done.out + done.err
    info = done.only("reply")["payload"]
    assert info["params"] == {"a": {"b": {"0": "x", "1": "1"}}, "vsn": "2.0.0"}
    assert info["auth_token"] == "from a file"


@BOTH
def test_many_messages_at_once(server, transport):
    """More than a batch of long-poll holds, in order."""
    lines = ["join phxspec:a"]
    lines += [f'send push {{"event":"e","payload":{{"n":{n}}}}}' for n in range(250)]
    lines += ["push echo 1"]
    done = with_both(server, transport, stdin="\n".join(lines))
    assert done.code == 0, done.out + done.err
    numbers = [event["payload"]["n"] for event in done.events if event["type"] == "message"]
    assert numbers == list(range(250))


@BOTH
def test_large_messages(server, transport):
    text = "x" * 1_000_000
    done = run(
        "--transport",
        transport,
        f"{server.url}/socket",
        stdin=f'join phxspec:a\npush echo {{"t":"{text}"}}\n',
    )
    assert done.code == 0, done.err
    assert done.only("reply")["payload"] == {"t": text}


@BOTH
def test_several_topics(server, transport):
    done = with_both(
        *(server, transport, "join", "phxspec:a", "join", "phxspec:b", "push", "echo", '"b"'),
        *("topic", "phxspec:a", "push", "echo", '"a"'),
    )
    assert done.code == 0, done.out + done.err
    replies = [(event["topic"], event["payload"]) for event in done.events if event["type"] == "reply"]
    assert replies == [("phxspec:b", "b"), ("phxspec:a", "a")]


# ---- what goes wrong ----


@BOTH
@pytest.mark.parametrize(
    "topic, payload, reason",
    [
        ("phxspec:a", '{"reject":{"why":"no"}}', {"why": "no"}),
        ("phxspec:a", '{"crash":true}', {"reason": "join crashed"}),
        ("nowhere", "{}", {"reason": "unmatched topic"}),
    ],
)
def test_a_refused_join_is_the_end(server, transport, topic, payload, reason):
    done = with_both(server, transport, "join", topic, payload, "push", "echo")
    assert done.code == 1
    assert done.only("refused")["payload"] == reason
    assert "push" not in done.types()


def test_a_refused_join_is_tried_again(server):
    client = run(
        *("--rejoin", "20,40", f"{server.url}/socket"),
        stdin='join phxspec:a {"reject":{}}\nsleep 150\n',
    )
    assert client.code == 1
    texts = [event["text"] for event in client.events if event["type"] == "rejoining"]
    assert texts[:3] == ["attempt 1 in 20 ms", "attempt 2 in 40 ms", "attempt 3 in 40 ms"]


@BOTH
def test_a_push_that_fails(server, transport):
    done = with_both(
        server, transport, "join", "phxspec:a", "push", "reply", '{"status":"error","response":{}}', "ping"
    )
    assert done.code == 1 and done.only("reply")["status"] == "error" and "ping" not in done.types()


def test_a_push_without_a_reply(server):
    done = run("--timeout", "200", f"{server.url}/socket", "join", "phxspec:a", "push", "noreply")
    assert done.code == 1 and done.only("no reply")["text"] == "in time"


def test_an_event_that_does_not_come(server):
    done = run("--timeout", "100", f"{server.url}/socket", "join", "phxspec:a", "expect", "nothing")
    assert done.code == 1 and done.err == ""
    missed = done.only("no message")
    assert missed["topic"] == "phxspec:a" and missed["event"] == "nothing" and missed["text"] == "in time"


def test_a_join_that_is_not_answered_in_time(server):
    """It is left, and joined again (CL-CHAN-08)."""
    done = run(
        *("--raw", "--timeout", "150", "--rejoin", "100", f"{server.url}/socket"),
        stdin='join phxspec:a {"delay_ms":400}\nsleep 300\n',
    )
    assert done.code == 1 and "join timeout" in done.types()
    sent = [json.loads(event["message"]) for event in done.events if event["type"] == "sent"]
    assert [(message[0], message[3]) for message in sent][:3] == [
        ("1", "phx_join"),
        ("1", "phx_leave"),
        ("3", "phx_join"),
    ]


@pytest.mark.parametrize(
    "transport, param, text",
    [
        ("websocket", "reject=true", "HTTP 403"),
        ("websocket", "reject=reason", "HTTP 429: Too many requests"),
        ("longpoll", "reject=true", "status 403"),
    ],
)
def test_a_refused_connection(server, transport, param, text):
    done = run("--transport", transport, "--param", param, f"{server.url}/socket", "watch")
    assert done.code == 3 and text in done.err and "reconnecting" not in done.types()


@BOTH
def test_a_crash_brings_a_rejoin(server, transport):
    done = run(
        *("--rejoin", "30", "--transport", transport, f"{server.url}/tight"),
        stdin="join phxspec:a\npush raise\npush echo 7\n",
    )
    assert done.code == 1, done.out + done.err  # the push that crashed it
    kinds = [kind for kind in done.types() if kind in ("joined", "errored", "rejoining", "reply")]
    assert kinds == ["joined", "errored", "rejoining", "joined", "reply"]
    assert done.only("errored")["payload"] == {"reason": "channel_crash"}


def test_the_server_stops_the_channel(server):
    done = run(
        *("--rejoin", "30", f"{server.url}/socket"),
        stdin='join phxspec:a\nsend stop {"reason":"normal"}\nsleep 150\npush echo\n',
    )
    assert done.code == 1 and "no topic is joined" in done.err
    assert "ended" in done.types() and "rejoining" not in done.types()


@BOTH
def test_disconnected_by_id(server, transport):
    """Closed with 1001, or the session just gone: the client comes back and joins again."""
    done = run(
        *("--param", "user_id=7", "--transport", transport, f"{server.url}/tight"),
        stdin='join phxspec:a {"after_join":[{"event":"push","payload":{"event":"here","payload":{}}}]}\n'
        "expect here\n"
        'send disconnect {"id":"user:7"}\nexpect here\npush echo 1\n',
    )
    assert done.code == 0, done.out + done.err
    assert [event["code"] for event in done.events if event["type"] == "closed"][0] == (
        1001 if transport == "websocket" else 3410
    )
    assert done.types().count("joined") == 2


# ---- the server goes and comes back ----


@BOTH
def test_a_restart_of_the_server(start_server, start_client, transport):
    server = start_server()
    client = start_client("--reconnect", "20,40,80", "--transport", transport, f"{server.url}/tight")
    client.say("join phxspec:a", "push echo 1")
    client.until("reply", payload=1)
    server.signal()
    if transport == "websocket":
        assert client.until("closed")["code"] == 1012  # DRAIN-04
    else:
        client.until("closed")
    assert server.wait() == 0
    client.say("push echo 2")  # waits for the join
    client.until("failed")
    start_server("--port", str(server.port))
    client.until("joined")
    client.until("reply", payload=2)
    client.end()


def test_pushes_wait_while_there_is_no_server(start_server, start_client):
    server = start_server()
    client = start_client("--reconnect", "30", f"{server.url}/socket")
    client.say("join phxspec:a")
    client.until("joined")
    server.signal()
    client.until("closed")
    server.wait()
    client.say(*(f'send push {{"event":"e","payload":{{"n":{n}}}}}' for n in range(3)), "push echo 1")
    client.until("failed")
    start_server("--port", str(server.port))
    assert [client.until("message")["payload"]["n"] for _ in range(3)] == [0, 1, 2]
    client.until("reply", payload=1)
    client.end()


def test_retry_waits_for_a_server_to_come(start_server, start_client):
    server = start_server()
    server.signal()
    server.wait()
    client = start_client("--retry", "--reconnect", "20", f"{server.url}/socket")
    client.say("join phxspec:a", "push echo 1")
    client.until("failed")
    client.until("failed")
    start_server("--port", str(server.port))
    client.until("reply", payload=1)
    client.end()


def test_disconnect_and_connect(server):
    done = run(
        *(f"{server.url}/socket", "join", "phxspec:a", "disconnect", "4000", "connect", "sleep", "1"),
        *("push", "echo", "1"),
    )
    assert done.code == 0, done.out + done.err
    assert done.types().count("joined") == 2


def test_fallback_to_longpoll(start_server):
    server = start_server("--mount", "/socket", "--websocket", "false", "--window-ms", "300")
    done = run("--fallback", "3000", f"{server.url}/socket", "join", "phxspec:a", "push", "echo", "1")
    assert done.code == 0, done.out + done.err
    assert done.only("open")["text"] == "longpoll" and "404" in done.only("longpoll")["text"]


def test_a_healthy_websocket_needs_no_fallback(server):
    done = run(
        "--fallback", "300", f"{server.url}/socket", "join", "phxspec:a", "sleep", "500", "push", "echo"
    )
    assert done.code == 0 and done.only("open")["text"] == "websocket"


def test_heartbeats_keep_it_open(start_server):
    """The server ends WebSockets that are silent for 400 ms."""
    server = start_server("--mount", "/socket", "--idle-timeout-ms", "400")
    done = run(
        "--heartbeat", "100", f"{server.url}/socket", "join", "phxspec:a", "sleep", "900", "push", "echo"
    )
    assert done.code == 0 and done.types().count("closed") == 1


# ---- the end ----


@pytest.mark.parametrize("commands", [["watch"], ["join", "phxspec:a", "watch"], []])
def test_ctrl_c_ends_it_in_order(server, start_client, commands):
    client = start_client(f"{server.url}/socket", *commands)
    client.until("open" if len(commands) < 2 else "joined")
    client.interrupt()
    assert client.until("closed")["code"] == 1000
    assert client.event() is None
    client.check(0)


def test_time_goes_on_while_the_server_is_slow(server, start_client):
    client = start_client(f"{server.url}/socket")
    client.say("join phxspec:a", 'push sleep {"ms":300}', "ping")
    client.until("push")
    began = time.monotonic()
    client.interrupt()
    client.until("closed")
    assert time.monotonic() - began < 3
    client.check(1)  # not all was done
