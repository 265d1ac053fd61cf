# SPDX-License-Identifier: MIT
"""A server of the protocol without the conformance application: WebSocket and version 2.0.0 only, one topic."""

import base64
import hashlib
import json
import struct
import urllib.parse

from .peers import Peer
from .wire import CLOSE, PING, PONG, TEXT, frame, mask_bytes


class Bare(Peer):
    """`token`: demanded as a parameter, as the header x-token and in joins. `response` and `welcome` are what a
    join is answered with, and followed by. `deaf`: nothing but heartbeats is answered."""

    def __init__(self, topic="room:lobby", token=None, response=None, welcome=None, deaf=False):
        self.topic = topic
        self.token = token
        self.response = response or {}
        self.welcome = welcome
        self.deaf = deaf
        super().__init__()

    def _status(self, target, headers):
        url = urllib.parse.urlsplit(target)
        params = dict(urllib.parse.parse_qsl(url.query))
        if url.path.rstrip("/") != "/socket/websocket":
            return 404
        if "sec-websocket-key" not in headers:
            return 400
        known = not self.token or params.get("token") == headers.get("x-token") == self.token
        return 101 if known and params.get("vsn") == "2.0.0" else 403

    async def serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        status = self._status(head[0].split(" ")[1], headers)
        if status != 101:
            writer.write(f"HTTP/1.1 {status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
            return
        guid = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + guid).digest()).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        joined = {}
        while True:
            first, length = await reader.readexactly(2)
            length &= 127
            if length == 126:
                length = struct.unpack(">H", await reader.readexactly(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", await reader.readexactly(8))[0]
            key = await reader.readexactly(4)
            payload = mask_bytes(await reader.readexactly(length), key) if length else b""
            if first & 15 == CLOSE:
                writer.write(frame(CLOSE, payload, masked=False))
                return
            if first & 15 == PING:
                writer.write(frame(PONG, payload, masked=False))
            if first & 15 == TEXT:
                for answer in self._answers(json.loads(payload), joined):
                    writer.write(frame(TEXT, json.dumps(answer).encode(), masked=False))
            await writer.drain()

    def _answers(self, message, joined):
        join_ref, ref, topic, event, payload = message

        def reply(response, status="ok", join_ref=join_ref):
            return [join_ref, ref, topic, "phx_reply", {"status": status, "response": response}]

        if topic == "phoenix" and event == "heartbeat":
            yield reply({}, join_ref=None)
        elif self.deaf:
            return
        elif event == "phx_join" and topic == self.topic:
            if self.token and payload.get("token") != self.token:
                yield reply({"reason": "unauthorized"}, "error")
                return
            if topic in joined:
                yield [joined[topic], joined[topic], topic, "phx_close", {}]
            joined[topic] = join_ref
            yield reply(self.response)
            if self.welcome:
                yield [join_ref, None, topic, self.welcome, {"n": 1}]
        elif event == "phx_leave":
            if topic in joined:
                closed = joined.pop(topic)
                yield reply({}, join_ref=closed)
                yield [closed, closed, topic, "phx_close", {}]
            else:
                yield reply({})
        elif topic in joined:
            yield [joined[topic], joined[topic], topic, "phx_error", {"reason": "channel_crash"}]
        else:
            yield reply({"reason": "unmatched topic"}, "error", None)
