# SPDX-License-Identifier: MIT
"""Clients that want too much, and many of them."""

import selectors
import socket
import time

from .wire import TEXT, frame, message

MB = 1 << 20


def push_until_dropped(connection, data, limit, look):
    """Sends `data` over and over, `limit` bytes of it, unless the peer ends the connection or takes no more."""
    connection.socket.settimeout(1)
    view, sent = memoryview(data), 0
    try:
        while sent < limit:
            at = sent % len(data)
            sent += connection.socket.send(view[at : at + limit - sent])
            look()
    except (BrokenPipeError, ConnectionResetError, socket.timeout):
        pass


class Readers:
    """Many WebSockets that joined a topic, and read what comes; what is in it is not looked at."""

    def __init__(self, server, count, topic):
        self.selector = selectors.DefaultSelector()
        self.received = {}
        join = frame(TEXT, message("1", "1", topic, "phx_join", {}))
        for _ in range(count):
            client = server.websocket(first=join)
            assert client.receive()[4]["status"] == "ok"
            client.socket.setblocking(False)
            self.selector.register(client.socket, selectors.EVENT_READ)
            self.received[client.socket] = 0

    def read(self, length, deadline):
        """Until each has `length` bytes."""
        left = sum(count < length for count in self.received.values())
        while left:
            assert time.monotonic() < deadline, f"{left} clients have not got everything"
            for key, _ in self.selector.select(0.1):
                got = len(key.fileobj.recv(MB))
                assert got, "a client that reads was dropped"
                before = self.received[key.fileobj]
                self.received[key.fileobj] += got
                left -= before < length <= self.received[key.fileobj]


def forgeries(token):
    """Each with a name."""
    claim, _, mac = token.partition(".")
    flipped = "B" if token[-1] != "B" else "C"
    yield "empty", ""
    yield "one-short", token[:-1]
    yield "one-long", token + "A"
    yield "claim-only", claim
    yield "mac-only", mac
    yield "other-mac", token[:-1] + flipped
    yield "other-id", ("B" if token[0] != "B" else "C") + token[1:]
    yield "other-birth", claim[:-1] + ("A" if claim[-1] != "A" else "B") + "." + mac
    yield "upper", token.upper()
    yield "nul", token[:40] + "%00" + token[41:]
    yield "no-utf-8", "%80" * 76
    yield "huge", "A" * 60000
