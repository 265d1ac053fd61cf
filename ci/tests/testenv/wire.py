# SPDX-License-Identifier: MIT
"""HTTP, WebSocket and channel messages on plain sockets, the wrong ones included."""

import base64
import hashlib
import json
import os
import select
import socket
import struct
import time
from typing import NamedTuple

from .env import PROMPT

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Ended(Exception):
    """The peer ended the connection before it sent what was waited for."""


# ---- TCP ----


class Connection:
    """A TCP connection; what it reads stays in order, and no wait is without a deadline."""

    def __init__(self, port, receive_buffer=None, tls=None):
        """`tls` is an ssl.SSLContext: then it speaks TLS."""
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(PROMPT)
        self.socket.connect(("127.0.0.1", port))
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.host = f"127.0.0.1:{port}"
        self.unread = b""

    def send(self, data):
        self.socket.sendall(data)

    def fill(self, deadline, what):
        """Waits for more bytes."""
        self.socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionResetError:
            data = b""
        except socket.timeout:
            raise TimeoutError(f"no {what}; unread: {self.unread[:200]!r}") from None
        if not data:
            raise Ended(f"ended before {what}; unread: {self.unread[:200]!r}")
        self.unread += data

    def read(self, count, deadline, what):
        while len(self.unread) < count:
            self.fill(deadline, what)
        data, self.unread = self.unread[:count], self.unread[count:]
        return data

    def read_until(self, marker, deadline, what):
        while marker not in self.unread:
            self.fill(deadline, what)
        data, _, self.unread = self.unread.partition(marker)
        return data

    def read_to_end(self, timeout=PROMPT):
        """All that comes until the peer ends the connection, which it must within `timeout`."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self.fill(deadline, "end of the connection")
        except Ended:
            data, self.unread = self.unread, b""
            return data

    def has_something(self):
        """True if there is something to read now, be it the end."""
        return bool(self.unread or select.select([self.socket], [], [], 0)[0])

    def data_segments(self):
        """How many segments with data came so far."""
        info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        return struct.unpack_from("I", info, 152)[0]  # tcpi_data_segs_in of linux/tcp.h

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()

    # ---- HTTP ----

    def request(self, method, target, headers=(), body=None):
        self.send(request(method, target, headers, body, host=self.host))

    def response(self, timeout=PROMPT):
        """The next response; one to HEAD has no body and cannot be read with this."""
        deadline = time.monotonic() + timeout
        head = self.read_until(b"\r\n\r\n", deadline, "HTTP response").decode("latin-1").split("\r\n")
        version, status, *reason = head[0].split(" ", 2)
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = 0 if int(status) < 200 else int(headers.get("content-length", 0))
        body = self.read(length, deadline, f"body of {length} bytes")
        return Response(version, int(status), " ".join(reason), headers, body)

    def exchange(self, method, target, headers=(), body=None, timeout=PROMPT):
        self.request(method, target, headers, body)
        return self.response(timeout)


class Response(NamedTuple):
    version: str
    status: int
    reason: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def request(method, target, headers=(), body=None, host="127.0.0.1", version="HTTP/1.1"):
    """A request's bytes; `headers` are pairs."""
    lines = [f"{method} {target} {version}", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


# ---- WebSocket ----


class Frame(NamedTuple):
    fin: bool
    rsv: int
    opcode: int
    payload: bytes

    @property
    def code(self):
        """The code of a Close; None where it has none."""
        assert self.opcode == CLOSE, f"no Close: {self}"
        return int.from_bytes(self.payload[:2], "big") if len(self.payload) >= 2 else None


def frame(opcode, payload=b"", fin=True, rsv=0, masked=True):
    """A frame's bytes; nothing is checked."""
    head = bytes([fin << 7 | rsv << 4 | opcode])
    mask = masked << 7
    if len(payload) < 126:
        head += bytes([mask | len(payload)])
    elif len(payload) < 1 << 16:
        head += bytes([mask | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([mask | 127]) + struct.pack(">Q", len(payload))
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + mask_bytes(payload, key)


def mask_bytes(payload, key):
    pad = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(payload), "big")


def close_frame(code=1000):
    return frame(CLOSE, struct.pack(">H", code))


def upgrade(target, headers=(), host="127.0.0.1"):
    """An upgrade request's bytes, and the Sec-WebSocket-Accept it asks for."""
    key = base64.b64encode(os.urandom(16)).decode()
    accept = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    standard = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
    ]
    return request("GET", target, [*standard, *headers], host=host), base64.b64encode(accept).decode()


class WebSocket(Connection):
    """A client's WebSocket, speaking vsn 2.0.0. `first` goes out in one segment with the request."""

    def __init__(
        self, port, target="/socket/websocket?vsn=2.0.0", headers=(), first=b"", receive_buffer=None, tls=None
    ):
        super().__init__(port, receive_buffer, tls)
        head, accept = upgrade(target, headers, self.host)
        self.send(head + first)
        self.handshake = self.response()
        assert self.handshake.status == 101, self.handshake
        assert self.handshake.headers["sec-websocket-accept"] == accept
        self.refs = 0

    def read_frame(self, timeout=PROMPT):
        deadline = time.monotonic() + timeout
        first, second = self.read(2, deadline, "frame")
        assert second < 128, "a server's frames are not masked"
        length = second
        if second == 126:
            length = struct.unpack(">H", self.read(2, deadline, "length"))[0]
        elif second == 127:
            length = struct.unpack(">Q", self.read(8, deadline, "length"))[0]
        payload = self.read(length, deadline, f"payload of {length} bytes")
        return Frame(first >= 128, first >> 4 & 7, first & 15, payload)

    def read_close(self, timeout=PROMPT):
        """The code of the server's Close, which must be the next frame."""
        return self.read_frame(timeout).code

    # ---- messages ----

    def push(self, topic, event, payload, join_ref="1"):
        """Sends a message under a ref of its own, which it returns."""
        self.refs += 1
        ref = str(self.refs)
        self.send(frame(TEXT, message(join_ref, ref, topic, event, payload)))
        return ref

    def receive(self, timeout=PROMPT):
        got = self.read_frame(timeout)
        assert got.opcode == TEXT, f"no text: {got}"
        return json.loads(got.payload)

    def call(self, topic, event, payload, join_ref="1", status="ok"):
        """Pushes, and returns the response of the answer, which must be the next message."""
        ref = self.push(topic, event, payload, join_ref)
        answer = self.receive()
        assert answer[1:4] == [ref, topic, "phx_reply"] and answer[4]["status"] == status, answer
        return answer[4]["response"]

    def join(self, topic, payload=None, join_ref="1"):
        return self.call(topic, "phx_join", payload or {}, join_ref)

    def heartbeat(self):
        return self.call("phoenix", "heartbeat", {}, None)


def message(join_ref, ref, topic, event, payload):
    """A message in the serializer 2.0.0."""
    return json.dumps([join_ref, ref, topic, event, payload], separators=(",", ":")).encode()


HEARTBEAT = message(None, "1", "phoenix", "heartbeat", {})
HEARTBEAT_REPLY = [None, "1", "phoenix", "phx_reply", {"status": "ok", "response": {}}]


# ---- long-poll ----


class LongPoll:
    """A session of vsn 2.0.0; unless it is given a connection, each exchange has its own."""

    def __init__(self, port, mount="/tight", query="", connection=None, tls=None):
        self.port = port
        self.tls = tls
        self.target = f"{mount}/longpoll?vsn=2.0.0{query}"
        body = self._exchange(request("GET", self.target), connection)
        assert body["status"] == 410, body
        self.token = body["token"]

    def _exchange(self, data, connection=None, timeout=PROMPT):
        own = connection or Connection(self.port, tls=self.tls)
        try:
            own.send(data)
            response = own.response(timeout)
            assert response.status == 200, response
            return response.json
        finally:
            if connection is None:
                own.close()

    def poll_request(self):
        return request("GET", f"{self.target}&token={self.token}")

    def post_request(self, *messages):
        headers = [("Content-Type", "application/x-ndjson")]
        return request("POST", f"{self.target}&token={self.token}", headers, b"\n".join(messages))

    def poll(self, connection=None, timeout=PROMPT):
        return self._exchange(self.poll_request(), connection, timeout)

    def post(self, *messages, connection=None, timeout=PROMPT):
        return self._exchange(self.post_request(*messages), connection, timeout)

    def messages(self, count, timeout=PROMPT):
        """Polls until `count` messages have come."""
        deadline = time.monotonic() + timeout
        got = []
        while len(got) < count:
            assert time.monotonic() < deadline, f"{count} messages wanted, got {got}"
            body = self.poll()
            assert body["status"] in (200, 204), body
            got += [json.loads(text) for text in body["messages"]]
        return got
