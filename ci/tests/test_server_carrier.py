# SPDX-License-Identifier: MIT
"""The reference server below the channels: what clients do with their connections, in order or not."""

import base64
import json
import socket
import struct
import time

import pytest

from testenv.server import Watch, wait_until
from testenv.wire import (
    BINARY,
    CLOSE,
    HEARTBEAT,
    HEARTBEAT_REPLY,
    PING,
    PONG,
    TEXT,
    Connection,
    Ended,
    close_frame,
    frame,
    message,
    request,
    upgrade,
)

# ---- pipelined requests ----


def test_pipelined_get_and_post_are_answered_in_order(server):
    session = server.longpoll()
    connection = server.connect()
    connection.send(request("GET", "/tight/longpoll?vsn=2.0.0") + session.post_request(HEARTBEAT))
    opened = connection.response().json
    assert opened["status"] == 410 and opened["token"] != session.token
    assert connection.response().json == {"status": 200}
    assert session.messages(1) == [HEARTBEAT_REPLY]


def test_pipelined_posts_are_answered_and_handled_in_order(server):
    session = server.longpoll()
    posts = [session.post_request(message(None, str(n), "phoenix", "heartbeat", {})) for n in range(20)]
    connection = server.connect()
    connection.send(b"".join(posts))
    assert [connection.response().json for _ in posts] == [{"status": 200}] * 20
    assert [m[1] for m in session.messages(20)] == [str(n) for n in range(20)]


def test_a_post_behind_a_held_poll_waits_without_spinning(start_server):
    server = start_server("--mount", "/tight", "--window-ms", "1000")
    session = server.longpoll()
    connection = server.connect()
    with Watch(server):
        connection.send(session.poll_request() + session.post_request(HEARTBEAT))
        assert connection.response().json["status"] == 204
    assert connection.response().json == {"status": 200}
    assert session.messages(1) == [HEARTBEAT_REPLY]


def test_requests_split_anywhere_are_understood(server):
    session = server.longpoll()
    data = session.post_request(HEARTBEAT)
    connection = server.connect()
    for cut in range(1, len(data)):
        connection.send(data[:cut])
        connection.send(data[cut:])
        assert connection.response().json == {"status": 200}
    assert len(session.messages(len(data) - 1)) == len(data) - 1


# ---- a held poll and the end of its client ----


def leave_by_closing(connection):
    connection.close()


def leave_by_half_closing(connection):
    connection.half_close()
    connection.read_to_end()  # whether it is answered or not: it must end


def leave_by_resetting(connection):
    connection.reset()


LEAVINGS = [leave_by_closing, leave_by_half_closing, leave_by_resetting]


@pytest.mark.parametrize("leave", LEAVINGS)
def test_a_poll_whose_client_leaves_costs_nothing(start_server, leave):
    server = start_server("--mount", "/tight", "--window-ms", "1000")
    session = server.longpoll()
    connection = server.connect()
    connection.send(session.poll_request())
    with Watch(server):
        leave(connection)
        server.let_a_window_pass()


@pytest.mark.parametrize("leave", LEAVINGS)
def test_a_message_is_kept_when_the_client_of_a_poll_has_left(start_server, leave):
    server = start_server("--mount", "/tight", "--window-ms", "4000")
    idle = server.descriptors()
    session = server.longpoll()
    wait_until(lambda: server.descriptors() == idle, "the end of the session's first connection")
    connection = server.connect()
    connection.send(session.poll_request())
    wait_until(lambda: server.descriptors() > idle, "the poll")
    leave(connection)
    wait_until(lambda: server.descriptors() == idle, "the end of the poll's connection")
    assert session.post(HEARTBEAT) == {"status": 200}
    body = session.poll()
    assert body["status"] == 200 and [json.loads(m) for m in body["messages"]] == [HEARTBEAT_REPLY]


def test_a_request_pipelined_behind_a_held_poll_waits_without_spinning(start_server):
    server = start_server("--mount", "/tight", "--window-ms", "1000")
    session = server.longpoll()
    connection = server.connect()
    connection.send(session.poll_request())
    with Watch(server):
        connection.send(session.poll_request())
        assert connection.response().json["status"] == 204
        assert connection.response().json["status"] == 204


def test_a_client_that_pipelines_behind_a_held_poll_and_leaves_is_noticed(start_server):
    """A connection that is not read from does not show its end by itself."""
    server = start_server(
        "--mount", "/tight", "--window-ms", "5000", "--mount", "/clock", "--window-ms", "1500"
    )
    session = server.longpoll()
    connection = server.connect()
    connection.send(session.poll_request() + session.poll_request())
    connection.close()
    with Watch(server):
        server.let_a_window_pass("/clock")
    assert session.post(HEARTBEAT) == {"status": 200}
    assert session.messages(1) == [HEARTBEAT_REPLY]


def test_what_comes_while_a_poll_is_held_wakes_it(server):
    session = server.longpoll("/socket")
    connection = server.connect()
    connection.send(session.poll_request())
    assert session.post(HEARTBEAT) == {"status": 200}
    assert [json.loads(m) for m in connection.response().json["messages"]] == [HEARTBEAT_REPLY]


# ---- the upgrade ----


@pytest.mark.parametrize("length", [1, 50, 200, 3000])
def test_a_bearer_token_of_any_length_reaches_the_application(server, length):
    token = ("t" * 19 + ".")[:length] * (length // 20 or 1)
    encoded = base64.b64encode(token.encode()).decode().rstrip("=")
    client = server.websocket(
        headers=[("Sec-WebSocket-Protocol", f"phoenix, base64url.bearer.phx.{encoded}")]
    )
    assert client.handshake.headers["sec-websocket-protocol"] == "phoenix"
    answered = {**client.handshake.headers, "sec-websocket-accept": "of chance: it may hold a short token"}
    assert encoded not in str(answered)
    client.join("phxspec:token")
    assert client.call("phxspec:token", "connect_info", {})["auth_token"] == token


def test_frames_in_one_segment_with_the_upgrade_request_are_answered(server):
    client = server.websocket(first=frame(TEXT, HEARTBEAT) * 3)
    assert [client.receive() for _ in range(3)] == [HEARTBEAT_REPLY] * 3


def test_an_upgrade_request_that_trickles_in_is_answered(server):
    head, accept = upgrade("/socket/websocket?vsn=2.0.0")
    connection = server.connect()
    for byte in head:
        connection.send(bytes([byte]))
    response = connection.response()
    assert response.status == 101 and response.headers["sec-websocket-accept"] == accept


def test_an_upgrade_behind_another_request_is_answered(server):
    head, accept = upgrade("/socket/websocket?vsn=2.0.0")
    connection = server.connect()
    connection.send(request("GET", "/tight/longpoll?vsn=2.0.0") + head)
    assert connection.response().json["status"] == 410
    response = connection.response()
    assert response.status == 101 and response.headers["sec-websocket-accept"] == accept


# ---- Close frames of the server ----


def finish(client, code):
    """The rest of a close handshake: when the client has answered, the server ends the connection at once."""
    assert client.read_close() == code
    began = time.monotonic()
    try:
        client.send(close_frame(code))
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert client.read_to_end() == b""
    assert time.monotonic() - began < 1.5, "it waited although the client had answered"


def ended_first(client, code):
    """The end that waits for nothing: the client has closed already, or cannot be understood any more."""
    began = time.monotonic()
    assert client.read_close() == code
    assert client.read_to_end() == b""
    assert time.monotonic() - began < 1.5, "it waited for an answer"


def test_a_disconnect_by_id_closes_with_1001(server):
    clients = [server.websocket(query="&user_id=u1") for _ in range(3)]
    other = server.websocket(query="&user_id=u2")
    other.join("phxspec:disconnect")
    other.push("phxspec:disconnect", "disconnect", {"id": "user:u1"})
    for client in clients:
        finish(client, 1001)
    other.heartbeat()


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b"x" * 4200),
        frame(TEXT, b"x" * 3000, fin=False) + frame(0, b"x" * 3000),
        b"\x81\xff" + struct.pack(">Q", 1 << 40) + b"mask",
    ],
    ids=["frame", "fragments", "announced"],
)
def test_what_is_too_large_closes_with_1009(server, data):
    client = server.websocket("/tight")
    client.heartbeat()
    client.send(data)
    ended_first(client, 1009)


@pytest.mark.parametrize("payload", [b"", b"{", b"[1,2,3,4]", b"{}", b"null"])
def test_what_cannot_be_read_closes_with_1011(server, payload):
    client = server.websocket()
    client.join("phxspec:unreadable")
    client.send(frame(TEXT, payload))
    finish(client, 1011)


@pytest.mark.parametrize(
    "data,code",
    [
        (frame(TEXT, HEARTBEAT, masked=False), 1002),
        (frame(TEXT, HEARTBEAT, rsv=4), 1002),
        (frame(3, b""), 1002),
        (frame(11, b""), 1002),
        (frame(0, b"x"), 1002),
        (frame(TEXT, b"[", fin=False) + frame(TEXT, b"]"), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(PING, b"x", fin=False), 1002),
        (frame(TEXT, b'["\xff"]'), 1007),
    ],
    ids=[
        "unmasked",
        "rsv",
        "opcode-3",
        "opcode-11",
        "continuation",
        "in-fragments",
        "long-ping",
        "part-of-ping",
        "utf-8",
    ],
)
def test_what_is_no_websocket_closes_with_its_code(server, data, code):
    client = server.websocket()
    client.heartbeat()
    client.send(data)
    ended_first(client, code)


def test_a_silent_client_is_closed_with_1002(server):
    client = server.websocket("/tight")
    client.heartbeat()
    began = time.monotonic()
    finish(client, 1002)
    assert time.monotonic() - began > 0.9


def test_frames_of_any_kind_keep_a_client(start_server):
    server = start_server(
        "--mount", "/tight", "--idle-timeout-ms", "600", "--mount", "/clock", "--window-ms", "250"
    )
    client = server.websocket("/tight")
    for data in (frame(PONG), frame(PING), frame(TEXT, HEARTBEAT), frame(PONG)) * 2:
        client.send(data)
        server.let_a_window_pass("/clock")
    kinds = [client.read_frame().opcode for _ in range(4)]
    assert kinds == [PONG, TEXT] * 2
    assert client.read_close() == 1002


def test_clients_that_do_not_answer_a_close_are_let_go(start_server):
    """They have two seconds, whatever the close is for."""
    server = start_server()
    failing, disconnected, stopped = (server.websocket(query="&user_id=u1") for _ in range(3))
    idle = server.websocket("/tight")
    stopped.join("phxspec:ends")
    failing.send(frame(TEXT, b"{"))
    closed = {}
    for client, code in ((failing, 1011), (idle, 1002)):
        assert client.read_close() == code
        closed[client] = time.monotonic()
    stopped.push("phxspec:ends", "disconnect", {"id": "user:u1"})
    assert disconnected.read_close() == 1001
    closed[disconnected] = time.monotonic()
    for client, since in closed.items():
        assert client.read_to_end(timeout=6) == b""
        assert 0.5 < time.monotonic() - since < 5


def test_a_server_that_stops_does_not_wait_long_for_its_clients(start_server):
    server = start_server()
    client = server.websocket()
    client.join("phxspec:ends")
    server.signal()
    assert client.read_close() == 1012
    began = time.monotonic()
    assert server.wait() == 0
    assert 1 < time.monotonic() - began < 5
    assert client.read_to_end() == b""


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
def test_a_clients_close_is_answered_and_the_connection_ends(server, code):
    client = server.websocket()
    client.heartbeat()
    client.send(close_frame(code))
    assert client.read_close() in (code, 1000)
    assert client.read_to_end() == b""


@pytest.mark.parametrize(
    "payload,answer",
    [
        (struct.pack(">H", 999), 1002),
        (struct.pack(">H", 1005), 1002),
        (struct.pack(">H", 2000), 1002),
        (b"\x03", 1002),
        (struct.pack(">H", 1000) + b"\xff", 1007),
    ],
    ids=["999", "1005", "2000", "one-byte", "reason"],
)
def test_a_close_that_may_not_be_sent_is_answered_so(server, payload, answer):
    client = server.websocket()
    client.heartbeat()
    client.send(frame(CLOSE, payload))
    ended_first(client, answer)


# ---- writing ----


def test_the_answers_to_many_frames_leave_in_few_writes(server):
    client = server.websocket()
    client.heartbeat()
    before = client.data_segments()
    client.send(frame(TEXT, HEARTBEAT) * 500)
    assert [client.receive() for _ in range(500)] == [HEARTBEAT_REPLY] * 500
    assert client.data_segments() - before <= 5


def test_a_broadcast_reaches_a_client_with_many_channels_in_few_writes(server):
    receiver, sender = server.websocket(), server.websocket()
    receiver.join("phxspec:burst")
    sender.join("phxspec:burst")
    before = receiver.data_segments()
    commands = [
        {"event": "broadcast_from", "payload": {"event": "n", "payload": {"n": n}}} for n in range(200)
    ]
    sender.push("phxspec:burst", "sequence", {"commands": commands})
    assert [receiver.receive()[4]["n"] for _ in range(200)] == list(range(200))
    assert receiver.data_segments() - before <= 5


def test_large_messages_come_whole(server):
    client = server.websocket()
    client.join("phxspec:large")
    for length in (125, 126, 65535, 65536, 3_000_000):
        payload = {"x": "y" * length}
        assert client.call("phxspec:large", "echo", payload) == payload


def test_binary_frames_cross_unharmed(server):
    client = server.websocket()
    client.join("phxspec:bytes")
    payload = bytes(range(256)) * 300
    head = bytes([0, 1, 1, len("phxspec:bytes"), 4]) + b"12phxspec:bytesecho"
    client.send(frame(BINARY, head + payload))
    got = client.read_frame()
    assert got.opcode == BINARY and got.payload[0] == 1 and got.payload.endswith(payload)


# ---- clients that do not read ----


def flood(client, data, limit, alive):
    """Sends until the server takes no more (False), or drops the client or has taken `limit` bytes (True)."""
    client.socket.settimeout(0.5)
    sent = 0
    try:
        while sent < limit:
            sent += client.socket.send(data)
            alive()
    except socket.timeout:
        return False
    except (BrokenPipeError, ConnectionResetError):
        return True
    return True


def test_a_client_that_reads_no_answers_cannot_fill_the_memory(start_server):
    server = start_server("--max-queued-bytes", "1000000")
    client, other = server.websocket(receive_buffer=4096), server.websocket()
    client.join("phxspec:slow")
    other.heartbeat()
    before = server.memory_bytes()
    echo = frame(TEXT, message("1", "1", "phxspec:slow", "echo", {"x": "y" * 60000}))
    flood(client, echo, 200_000_000, other.heartbeat)
    assert server.memory_bytes() - before < 80_000_000
    with Watch(server):
        server.let_a_window_pass()
        server.let_a_window_pass()
    other.heartbeat()


def test_a_client_that_reads_no_broadcasts_is_dropped(start_server):
    server = start_server("--max-queued-bytes", "1000000")
    slow, sender, other = server.websocket(receive_buffer=4096), server.websocket(), server.websocket()
    for client in (slow, sender, other):
        client.join("phxspec:slow")
    before = server.memory_bytes()
    payload = {"event": "news", "payload": {"x": "y" * 60000}}
    total = 500
    for _ in range(total):
        sender.push("phxspec:slow", "broadcast_from", payload)
        assert other.receive()[3] == "news"
    sender.heartbeat()
    assert server.memory_bytes() - before < 80_000_000
    assert len(slow.read_to_end()) < total * 60000
    other.heartbeat()


# ---- many connections ----


def test_at_the_limit_of_descriptors_more_clients_are_refused_and_those_served_stay(start_server):
    server = start_server(descriptors=48)
    served, refused = [], []

    def try_one():
        """A WebSocket if the server takes the connection; None if it ends it."""
        try:
            client = server.websocket()
            client.heartbeat()
            return client
        except (Ended, ConnectionResetError, BrokenPipeError):
            return None

    for _ in range(60):
        client = try_one()
        (served if client else refused).append(client)
    assert len(served) >= 8 and len(refused) >= 8
    waiting = [server.connect() for _ in range(30)]
    with Watch(server):
        for connection in waiting:
            assert connection.read_to_end() == b""
        deadline = time.monotonic() + 0.6
        while time.monotonic() < deadline:
            served[0].socket.settimeout(0.1)
            with pytest.raises(socket.timeout):
                served[0].socket.recv(1)
    for client in served:
        client.heartbeat()
    for client in served[:4]:
        client.send(close_frame())
        assert client.read_close() == 1000
        client.close()
    assert [try_one() is not None for _ in range(4)] == [True] * 4


def test_more_connections_than_asked_for_are_refused(start_server):
    server = start_server("--max-connections", "3")
    served = [server.websocket() for _ in range(3)]
    assert server.connect().read_to_end() == b""
    for client in served:
        client.heartbeat()


def test_many_clients_that_come_and_go_leave_nothing_behind(server):
    first = server.websocket()
    first.heartbeat()
    for _ in range(150):
        client = Connection(server.port)
        client.send(upgrade("/socket/websocket?vsn=2.0.0")[0] + frame(TEXT, HEARTBEAT))
        client.close()
        client = Connection(server.port)
        client.send(request("GET", "/tight/longpoll?vsn=2.0.0"))
        client.reset()
    server.let_a_window_pass()
    first.heartbeat()
