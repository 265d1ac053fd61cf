# SPDX-License-Identifier: MIT
"""The reference server's HTTP: what is none, what is too much, what is slow, what is old."""

import time

import pytest

from testenv.wire import HEARTBEAT, message, request

# ---- HTTP ----


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 64 + b"\r\n\r\n",
    ],
    ids=[
        "nul",
        "word",
        "method",
        "no-colon",
        "blank-in-name",
        "folded",
        "negative",
        "two-lengths",
        "length-and-chunked",
        "tls",
    ],
)
def test_what_is_no_http_is_answered_with_400(server, data):
    connection = server.connect()
    connection.send(data)
    assert connection.response().status == 400
    connection.half_close()
    assert connection.read_to_end() == b""


@pytest.mark.parametrize("version,status", [("HTTP/1.2", 505), ("HTTP/2.0", 505), ("HTTP/0.9", 505)])
def test_another_version_of_http_is_refused(server, version, status):
    connection = server.connect()
    connection.send(request("GET", "/socket/longpoll", version=version))
    assert connection.response().status == status


def test_a_head_over_the_limit_is_answered_with_431(server):
    connection = server.connect()
    connection.send(request("GET", "/socket/longpoll", [("x-long", "y" * 70000)]))
    assert connection.response().status == 431


def test_too_many_headers_are_answered_with_431(server):
    connection = server.connect()
    connection.send(request("GET", "/socket/longpoll", [(f"x-{n}", "y") for n in range(500)]))
    assert connection.response().status == 431


def test_a_target_over_the_limit_is_answered_with_414(server):
    connection = server.connect()
    connection.send(request("GET", "/socket/longpoll?" + "x" * 70000))
    assert connection.response().status == 414


def test_a_query_of_8000_bytes_reaches_the_application(server):
    client = server.websocket(query="&x=" + "y" * 8000)
    client.join("phxspec:query")
    assert client.call("phxspec:query", "connect_info", {})["params"]["x"] == "y" * 8000


def chunked(*chunks, trailer=b""):
    parts = [b"%x;ext=1\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return b"".join(parts) + b"0\r\n" + trailer + b"\r\n"


@pytest.mark.parametrize("trailer", [b"", b"X-Trailer: 1\r\n"], ids=["plain", "with-trailer"])
def test_a_chunked_post_is_understood(server, trailer):
    session = server.longpoll()
    head = request("POST", f"{session.target}&token={session.token}", [("Transfer-Encoding", "chunked")])
    connection = server.connect()
    connection.send(head + chunked(HEARTBEAT[:7], HEARTBEAT[7:], trailer=trailer))
    assert connection.response().json == {"status": 200}
    assert session.poll(connection)["status"] == 200


def test_an_unknown_transfer_encoding_is_answered_with_501(server):
    connection = server.connect()
    connection.send(request("POST", "/socket/longpoll", [("Transfer-Encoding", "gzip, chunked")]))
    assert connection.response().status == 501


def test_a_client_that_waits_for_100_continue_gets_it(server):
    session = server.longpoll()
    data = session.post_request(HEARTBEAT).replace(b"Host:", b"Expect: 100-continue\r\nHost:", 1)
    head, body = data[: -len(HEARTBEAT)], data[-len(HEARTBEAT) :]
    connection = server.connect()
    connection.send(head)
    assert connection.response().status == 100
    connection.send(body)
    assert connection.response().json == {"status": 200}


def test_an_http_1_0_client_is_served_and_its_connection_ends(server):
    connection = server.connect()
    connection.send(request("GET", "/tight/longpoll?vsn=2.0.0", version="HTTP/1.0"))
    response = connection.response()
    assert response.json["status"] == 410 and response.headers["connection"] == "close"
    assert connection.read_to_end() == b""


def test_a_client_that_asks_for_it_finds_its_connection_closed(server):
    connection = server.connect()
    connection.request("GET", "/tight/longpoll?vsn=2.0.0", [("Connection", "close")])
    assert connection.response().headers["connection"] == "close"
    assert connection.read_to_end() == b""


def test_a_head_request_has_no_body(server):
    connection = server.connect()
    connection.request("HEAD", "/socket/nowhere")
    connection.half_close()
    head, _, body = connection.read_to_end().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ") and body == b""


def test_another_path_is_answered_with_404(server):
    assert server.connect().exchange("GET", "/").status == 404


def test_a_body_over_the_limit_is_refused_without_being_kept(start_server):
    server = start_server("--max-body-bytes", "1000")
    session = server.longpoll("/socket")
    connection = server.connect()
    data = message(None, "1", "phoenix", "heartbeat", {"x": "y" * 2000})
    connection.request("POST", f"{session.target}&token={session.token}", body=data)
    assert connection.response().status in (400, 413)
    assert session.post(HEARTBEAT) == {"status": 200}


# ---- clients that are slow ----


@pytest.mark.parametrize("timeout", ["head", "request"])
def test_a_head_that_trickles_ends_with_its_timeout(start_server, timeout):
    """Which is never longer than that of the request."""
    server = start_server(f"--{timeout}-timeout-ms", "700", "--mount", "/clock", "--window-ms", "50")
    connection = server.connect()
    began = time.monotonic()
    for byte in request("GET", "/tight/longpoll?vsn=2.0.0", [("x-slow", "y" * 2000)]):
        try:
            connection.send(bytes([byte]))
        except (BrokenPipeError, ConnectionResetError):
            break
        if connection.has_something():
            break
        server.let_a_window_pass("/clock")
    assert 0.6 < time.monotonic() - began < 5
    assert connection.response().status == 408
    connection.half_close()
    assert connection.read_to_end() == b""


def test_a_body_that_does_not_come_ends_with_the_request_timeout(start_server):
    server = start_server("--request-timeout-ms", "300")
    session = server.longpoll()
    connection = server.connect()
    connection.send(session.post_request(HEARTBEAT)[:-3])
    assert connection.response().status == 408
    assert connection.read_to_end() == b""
    assert session.poll()["status"] in (204, 410)


@pytest.mark.parametrize("first", [False, True], ids=["at-once", "after-a-request"])
def test_a_connection_without_requests_ends_with_the_request_timeout(start_server, first):
    server = start_server("--request-timeout-ms", "300")
    connection = server.connect()
    if first:
        assert connection.exchange("GET", "/tight/longpoll?vsn=2.0.0").status == 200
    assert connection.read_to_end(timeout=5) == b""


def test_a_held_poll_may_last_longer_than_the_request_timeout(start_server):
    server = start_server("--request-timeout-ms", "200", "--mount", "/tight", "--window-ms", "700")
    assert server.longpoll().poll()["status"] == 204
