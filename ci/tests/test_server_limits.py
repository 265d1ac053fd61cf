# SPDX-License-Identifier: MIT
"""What the reference server does about clients that want too much: it stays within bounds, and the others notice nothing."""

import struct
import time

import pytest

from testenv.crowd import MB, Readers, forgeries, push_until_dropped
from testenv.server import wait_until
from testenv.wire import (
    BINARY,
    HEARTBEAT,
    TEXT,
    frame,
    message,
    request,
)


class Memory:
    """What a server's memory grows by; told in the output (pytest -s), and bounded."""

    def __init__(self, server, what, limit):
        self.server, self.what, self.limit = server, what, limit

    def __enter__(self):
        self.before = self.peak = self.server.memory_bytes()
        return self

    def look(self):
        self.peak = max(self.peak, self.server.memory_bytes())

    def __exit__(self, kind, *_):
        if kind is None:
            self.look()
            grown = (self.peak - self.before) / MB
            print(f"{self.what}: {self.before / MB:.1f} MB, and {grown:.1f} MB more at most")
            assert grown * MB < self.limit, f"{grown:.1f} MB"


def end_of(connection):
    """Reads what is left; a reset is an end, too."""
    try:
        return connection.read_to_end()
    except ConnectionResetError:
        return b""


def those_with_something(connections, count):
    """Those that were answered, when they are `count` at least."""

    def found():
        return [connection for connection in connections if connection.has_something()]

    wait_until(lambda: len(found()) >= count, f"an answer to {count} of them")
    return found()


# ---- joins ----


def test_joins_over_the_limit_are_refused_and_cost_nothing(server):
    client, other = server.websocket(), server.websocket()
    other.join("phxspec:other")
    topics = [f"phxspec:flood-{n}" for n in range(3000)]
    with Memory(server, "3000 joins where 100 are allowed", 12 * MB):
        client.send(b"".join(frame(TEXT, message("1", "1", topic, "phx_join", {})) for topic in topics))
        answers = [client.receive()[4] for _ in topics]
    assert [answer["status"] for answer in answers] == ["ok"] * 100 + ["error"] * 2900
    assert answers[-1]["response"] == {"reason": "too many channels joined"}
    assert other.call("phxspec:other", "echo", {"n": 1}) == {"n": 1}


def test_long_topics_count(start_server):
    """A channel keeps its topic: a hundred of 9 MB would be a lot."""
    server = start_server("--max-total-received-bytes", str(20 * MB))
    client, other = server.websocket(), server.websocket()
    with Memory(server, "topics of 5 MB", 120 * MB) as memory:
        for n in range(20):
            join = frame(TEXT, message("1", "1", f"phxspec:{n}" + "x" * 5_000_000, "phx_join", {}))
            push_until_dropped(client, join, len(join), memory.look)
    joined = 0
    while (answer := client.read_frame()).opcode == TEXT:
        joined += b'"ok"' in answer.payload
    assert answer.code in (1011, 1013) and joined < 4
    other.heartbeat()


def test_commands_nested_without_end_hold_up_nobody(server):
    """To walk 20 000 lists within each other takes minutes; the channel fails instead."""
    client, other = server.websocket(), server.websocket()
    client.join("phxspec:deep")
    for depth, answer in ((9, "phx_reply"), (20000, "phx_error")):
        begin, end = '{"event":"sequence","payload":{"commands":[', "]}}"
        inner = '{"event":"echo","payload":{"[[":"\\\\\\"[["}}'
        commands = begin * depth + inner + end * depth
        client.send(frame(TEXT, b'["1","1","phxspec:deep","sequence",{"commands":[%s]}]' % commands.encode()))
        other.heartbeat()
        assert client.receive()[3] == answer


# ---- large messages ----


def test_a_frame_of_100_mb_is_refused_by_its_head(server):
    client = server.websocket()
    client.heartbeat()
    with Memory(server, "a frame of 100 MB, announced", MB):
        client.send(b"\x82\xff" + struct.pack(">Q", 100_000_000) + b"mask")
        assert client.read_close() == 1009


@pytest.mark.parametrize("kind", ["frame", "fragments", "post", "chunked-post"])
def test_100_mb_are_not_kept(server, kind):
    """Whoever goes on sending them is not read, or read and forgotten."""
    other = server.websocket()
    with Memory(server, f"100 MB in a {kind}", 40 * MB) as memory:
        if kind == "frame":
            connection = server.websocket()
            head, data = b"\x82\xff" + struct.pack(">Q", 100_000_000) + b"mask", b"x" * MB
        elif kind == "fragments":
            connection = server.websocket()
            head, data = frame(BINARY, b"x", fin=False), frame(0, b"x" * MB, fin=False)
        else:
            session = server.longpoll()
            connection = server.connect()
            length = [("Content-Length", "100000000")]
            coding = [("Transfer-Encoding", "chunked")]
            headers = length if kind == "post" else coding
            head = request("POST", f"{session.target}&token={session.token}", headers)
            data = b"x" * MB if kind == "post" else b"%x\r\n%s\r\n" % (MB, b"x" * MB)
        connection.send(head)
        push_until_dropped(connection, data, 100_000_000 - 100 * (kind == "post"), memory.look)
        other.heartbeat()
    if kind == "post":
        connection.send(b"x" * MB)
        assert connection.response().status == 400


# ---- all together ----


def test_parts_of_messages_have_a_bound_for_all_clients_together(start_server):
    server = start_server("--max-total-received-bytes", str(16 * MB))
    other = server.websocket()
    other.join("phxspec:other")
    part = b"\x82\xff" + struct.pack(">Q", 9_000_000) + b"mask" + b"x" * 4_000_000
    clients = [server.websocket() for _ in range(12)]
    with Memory(server, "12 WebSockets with 4 MB of a message each", 90 * MB) as memory:
        for client in clients:
            push_until_dropped(client, part, len(part), memory.look)
    # A message that is small, though it comes in two parts, does not suffer from it.
    whole = frame(TEXT, message("1", "7", "phxspec:other", "echo", {"x": "y" * 30000}))
    other.send(whole[:20000])
    other.send(whole[20000:])
    assert other.receive()[4]["status"] == "ok"
    dropped = those_with_something(clients, 8)
    assert len(dropped) < 12
    assert {client.read_close() for client in dropped} == {1013}
    for client in dropped:
        client.close()
    for client in clients:
        client.close()
    late = server.websocket()  # and what is free again can be used again
    late.join("phxspec:late")
    payload = {"x": "y" * 8_000_000}
    assert late.call("phxspec:late", "echo", payload) == payload


def test_slow_posts_have_the_same_bound(start_server):
    server = start_server("--max-total-received-bytes", str(8 * MB))
    session = server.longpoll("/socket")
    head = request("POST", f"{session.target}&token={session.token}", [("Content-Length", "7000000")])
    connections = [server.connect() for _ in range(10)]
    with Memory(server, "10 POSTs with 3 MB of a body each", 60 * MB) as memory:
        for connection in connections:
            connection.send(head)
            push_until_dropped(connection, b"x" * 3_000_000, 3_000_000, memory.look)
        refused = those_with_something(connections, 7)
        memory.look()
    assert len(refused) < 10
    assert {connection.response().status for connection in refused} == {503}
    assert session.post(HEARTBEAT) == {"status": 200}


def test_slow_posts_and_heads_end(start_server):
    server = start_server("--head-timeout-ms", "500", "--request-timeout-ms", "900")
    idle = server.descriptors()
    session = server.longpoll()
    heads = [server.connect() for _ in range(60)]
    bodies = [server.connect() for _ in range(60)]
    for connection in heads:
        connection.send(b"GET /socket/longpoll HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    for connection in bodies:
        connection.send(session.post_request(HEARTBEAT)[:-1])
    began = time.monotonic()
    server.websocket().heartbeat()
    assert {connection.response().status for connection in heads} == {408}
    assert {connection.response().status for connection in bodies} == {408}
    assert time.monotonic() - began < 4
    for client in server.clients:
        client.close()
    wait_until(lambda: server.descriptors() <= idle, "the end of all connections")


# ---- clients that do not read ----


def test_those_who_leave_most_unread_are_dropped_when_all_leave_too_much(start_server):
    server = start_server("--max-total-queued-bytes", str(8 * MB))
    clients = [server.websocket(receive_buffer=4096) for _ in range(5)]
    sender = server.websocket()
    for n, client in enumerate(clients):
        client.join(f"phxspec:{n}")
    sender.join("phxspec:sender")
    all_there = server.descriptors()

    def news(n):
        payload = {"event": "news", "payload": {"x": "y" * 60000}}
        sender.push("phxspec:sender", "broadcast_to", {"topic": f"phxspec:{n}", **payload})

    modest = clients[0]
    for _ in range(3):
        news(0)
    with Memory(server, "4 clients that do not read 5 MB each", 50 * MB) as memory:
        for _ in range(85):
            for n in range(1, 5):
                news(n)
            sender.heartbeat()
            memory.look()
    wait_until(lambda: server.descriptors() < all_there, "the end of somebody")
    assert all_there - server.descriptors() <= 4
    for _ in range(3):
        assert modest.receive()[3] == "news"
    modest.heartbeat()


def test_a_client_is_not_answered_on_and_on_that_is_to_be_dropped(start_server):
    """All those replies would take minutes to write."""
    server = start_server("--max-queued-bytes", "1000000")
    client, other = server.websocket(receive_buffer=4096), server.websocket()
    client.join("phxspec:many")
    commands = [{"event": "reply_many", "payload": {"count": 100000}}] * 3000
    client.push("phxspec:many", "sequence", {"commands": commands})
    other.heartbeat()
    end_of(client)
    session = server.longpoll("/socket")
    assert session.post(message("1", "1", "phxspec:many", "phx_join", {})) == {"status": 200}
    assert session.messages(1)[0][4]["status"] == "ok"
    session.post(message("1", "2", "phxspec:many", "sequence", {"commands": commands}))
    other.heartbeat()
    assert session.post(HEARTBEAT) == {"status": 410}


def slow_reader_among(server, count, total, size):
    """A slow reader among `count` subscribers of a topic to which `total` messages are sent."""
    slow, sender = server.websocket(receive_buffer=4096), server.websocket()
    for client in (slow, sender):
        client.join("phxspec:busy")
    readers = Readers(server, count, "phxspec:busy")
    payload = {"event": "news", "payload": {"x": "y" * size}}
    wire = len(frame(TEXT, message(None, None, "phxspec:busy", "news", payload["payload"]), masked=False))
    began, cpu = time.monotonic(), server.cpu_seconds()
    with Memory(server, f"a slow reader among {count}, {total} messages of {size} bytes", 60 * MB) as memory:
        for n in range(total):
            sender.push("phxspec:busy", "broadcast_from", payload)
            if n % 10 == 9:
                readers.read((n + 1) * wire, time.monotonic() + 20)
                memory.look()
    sender.heartbeat()
    took, cpu = time.monotonic() - began, server.cpu_seconds() - cpu
    print(f"{count * total / took:.0f} deliveries/s, {cpu / count / total * 1e6:.2f} µs of CPU each")
    return slow, wire


def test_a_slow_reader_among_a_thousand_is_dropped_and_nobody_else(start_server):
    server = start_server("--max-queued-bytes", "100000")
    slow, wire = slow_reader_among(server, 1000, 100, 6000)
    assert len(end_of(slow)) < 100 * wire


def test_a_session_that_does_not_poll_ends_when_too_much_waits(start_server):
    server = start_server("--max-longpoll-bytes", "300000", "--mount", "/tight", "--window-ms", "5000")
    session, sender = server.longpoll(), server.websocket()
    sender.join("phxspec:lp")
    assert session.post(message("1", "1", "phxspec:lp", "phx_join", {})) == {"status": 200}
    assert session.messages(1)[0][4]["status"] == "ok"
    for _ in range(10):
        sender.push("phxspec:lp", "broadcast", {"event": "news", "payload": {"x": "y" * 60000}})
        assert sender.receive()[3] == "news"
    assert session.post(HEARTBEAT) == {"status": 410}


# ---- what waits ----


def test_a_busy_channel_cannot_be_filled_without_end(start_server):
    server = start_server("--max-queued-bytes", "1000000")
    client, other = server.websocket(), server.websocket()
    client.join("phxspec:busy")
    client.push("phxspec:busy", "sleep", {"ms": 60000})
    client.heartbeat()
    data = frame(TEXT, message("1", "1", "phxspec:busy", "echo", {"x": "y" * 50000}))
    with Memory(server, "100 MB for a busy channel", 40 * MB) as memory:
        push_until_dropped(client, data, 100_000_000, memory.look)
    assert client.read_close() == 1011
    other.heartbeat()


def test_broadcasts_behind_a_pending_join_are_bounded(start_server):
    server = start_server("--max-queued-bytes", "1000000")
    client, sender = server.websocket(), server.websocket()
    for one in (client, sender):
        one.join("phxspec:news")
    client.push("phxspec:slow", "phx_join", {"delay_ms": 60000})
    server.let_a_window_pass()  # in which that is taken up
    with Memory(server, "30 MB behind a pending join", 40 * MB) as memory:
        for _ in range(500):
            sender.push("phxspec:news", "broadcast", {"event": "news", "payload": {"x": "y" * 60000}})
            assert sender.receive()[3] == "news"
            memory.look()
    assert client.read_close() == 1011
    sender.heartbeat()


def test_posts_behind_a_pending_join_are_bounded(start_server):
    server = start_server("--mount", "/tight", "--window-ms", "1500")
    session = server.longpoll()
    first = server.connect()
    first.send(session.post_request(message("1", "j", "phxspec:slow", "phx_join", {"delay_ms": 1800})))
    connections = []
    for n in range(130):
        connections.append(server.connect())
        connections[-1].send(session.post_request(message(None, str(n), "phoenix", "heartbeat", {})))
    for connection in (first, *connections):
        assert connection.response(timeout=5).json == {"status": 408}
    got = session.messages(100)
    assert got[0][:2] == ["1", "j"] and len(got) == 100
    assert session.post(HEARTBEAT) == {"status": 200}
    assert session.messages(1)[0][1] == "1"


def test_a_large_post_behind_a_pending_join_is_not_piled_up(start_server):
    server = start_server("--mount", "/tight", "--window-ms", "200")
    session = server.longpoll()
    assert session.post(message("1", "j", "phxspec:slow", "phx_join", {"delay_ms": 2000})) == {"status": 408}
    large = message(None, "1", "phoenix", "heartbeat", {"x": "y" * 3_000_000})
    poll = server.connect()
    with Memory(server, "5 POSTs of 3 MB behind a pending join", 40 * MB) as memory:
        for _ in range(5):
            poll.send(session.poll_request())
            assert session.post(large)["status"] == 408
            memory.look()
            assert poll.response().json["status"] == 204
    assert [got[1] for got in session.messages(2)] == ["j", "1"]
    assert session.post(message(None, "2", "phoenix", "heartbeat", {})) == {"status": 200}
    assert session.messages(1)[0][1] == "2"


# ---- how many ----


def test_sessions_are_limited(start_server):
    server = start_server("--max-sessions", "3")
    sessions = [server.longpoll() for _ in range(3)]
    answer = server.connect().exchange("GET", "/tight/longpoll?vsn=2.0.0")
    assert (answer.status, answer.body) == (503, b"")
    assert sessions[0].post(HEARTBEAT) == {"status": 200}
    server.websocket().heartbeat()
    wait_until(
        lambda: server.connect().exchange("GET", "/tight/longpoll?vsn=2.0.0").status == 200,
        "a session, when others have ended",
    )


def test_requests_without_a_session_do_not_make_one(server):
    with Memory(server, "2000 requests with forged tokens", 30 * MB):
        connection = server.connect()
        for n in range(2000):
            target = f"/socket/longpoll?vsn=2.0.0&token={n:076d}"
            assert connection.exchange("POST", target, body=HEARTBEAT).json == {"status": 410}


# ---- tokens ----


def test_a_token_is_one_or_it_is_none(server):
    session = server.longpoll("/socket")
    for name, forged in forgeries(session.token):
        connection = server.connect()
        target = f"/socket/longpoll?vsn=2.0.0&token={forged}"
        posted = connection.exchange("POST", target, body=HEARTBEAT)
        wanted = (400, None) if name == "no-utf-8" else (200, {"status": 410})
        assert (posted.status, posted.json if posted.status == 200 else None) == wanted, name
        header = [("X-Phoenix-Longpoll-Token", forged[:1000])]
        answer = connection.exchange("GET", session.target, header).json
        assert answer["status"] == 410 and answer["token"] != session.token, name
    assert session.post(HEARTBEAT) == {"status": 200}
    assert session.poll()["status"] == 200


def test_a_token_is_good_for_its_time_and_its_server(start_server):
    server = start_server(
        "--secret", "one", "--token-max-age-s", "1", "--mount", "/tight", "--window-ms", "600"
    )
    same, other = start_server("--secret", "one"), start_server("--secret", "two")
    session = server.longpoll("/socket")
    for elsewhere in (same, other):
        answer = elsewhere.connect().exchange("POST", f"{session.target}&token={session.token}", body=HEARTBEAT)
        assert answer.json == {"status": 410}
    assert session.post(HEARTBEAT) == {"status": 200}
    server.let_a_window_pass()
    server.let_a_window_pass()
    assert session.post(HEARTBEAT) == {"status": 410}


# ---- origins ----


@pytest.mark.parametrize(
    "policy,allowed,refused",
    [
        ("any", ["http://a.test", "null", ""], []),
        ("host", ["http://127.0.0.1", "https://127.0.0.1:9"], ["http://localhost", "null"]),
        ("conn", ["http://127.0.0.1:{port}"], ["https://127.0.0.1:{port}", "http://127.0.0.1", "null"]),
        (
            "//*.a.test,https://b.test",
            ["http://a.test:9", "ws://x.y.a.test", "https://b.test"],
            ["http://b.test", "https://b.test:9", "http://xa.test", "http://a.test.evil.test", "null"],
        ),
    ],
    ids=["any", "host", "conn", "list"],
)
def test_origins_by_policy_and_mount(start_server, policy, allowed, refused):
    server = start_server("--origins", policy, "--mount", "/tight", "--origins", "//elsewhere.test")
    connection = server.connect()

    def status(mount, origin):
        headers = [("Origin", origin.format(port=server.port))]
        polled = connection.exchange("GET", f"{mount}/longpoll?vsn=2.0.0", headers).json["status"]
        handshake = connection.exchange("GET", f"{mount}/websocket?vsn=2.0.0", headers).status
        assert (polled == 403) == (handshake == 403)  # 400: no upgrade
        return polled

    assert [status("/socket", origin) for origin in allowed] == [410] * len(allowed)
    assert [status("/socket", origin) for origin in refused] == [403] * len(refused)
    assert [status("/tight", origin) for origin in allowed] == [403] * len(allowed)
    assert status("/tight", "http://elsewhere.test") == 410
