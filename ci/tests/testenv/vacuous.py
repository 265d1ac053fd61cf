# SPDX-License-Identifier: MIT
"""Servers that know nothing of the protocol and always do the same. What they pass proves nothing."""

import asyncio
import json

from .peers import Chatter, Peer
from .wire import BINARY, CLOSE, PING, PONG, TEXT, frame


async def read_request(reader):
    """Method, target, headers and body of the next request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target = (head[0].split(" ") + ["", ""])[:2]
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
    }
    length = headers.get("content-length", "0")
    body = await reader.readexactly(int(length)) if length.isdigit() else b""
    return method, target, headers, body


async def read_frame(reader):
    """The opcode and the payload of a client's next frame."""
    first, second = await reader.readexactly(2)
    length = second & 127
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8), "big")
    key = await reader.readexactly(4) if second & 128 else bytes(4)
    data = await reader.readexactly(length)
    pad = (key * (length // 4 + 1))[:length]
    return first & 15, (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(length, "big")


def answer(status, body=b"", content="application/json"):
    return (
        f"HTTP/1.1 {status} Whatever\r\nContent-Type: {content}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


class Refuses(Peer):
    """Answers every request with one status, and nothing beside it."""

    def __init__(self, status):
        self.status = status
        super().__init__()

    async def serve(self, reader, writer):
        while True:
            await read_request(reader)
            writer.write(answer(self.status))
            await writer.drain()


class Upgrades(Chatter):
    """A WebSocket for whoever asks for one; other requests are answered by `exchange`."""

    def __init__(self):
        super().__init__(b"")

    async def serve(self, reader, writer):
        while True:
            method, target, headers, body = await read_request(reader)
            if headers.get("upgrade", "").lower() == "websocket":
                writer.write(self.handshake(headers.get("sec-websocket-key", "")))
                await writer.drain()
                await self.frames(reader, writer, "1" if "vsn=1" in target else "2")
                return
            writer.write(await self.exchange(method, target, body))
            await writer.drain()

    async def frames(self, reader, writer, vsn):
        while True:
            for data in self.answers(*await read_frame(reader), vsn):
                writer.write(data)
                if data[0] & 15 == CLOSE:
                    return
            await writer.drain()


class Echoes(Upgrades):
    """Sends back every frame and every body as it came."""

    def answers(self, opcode, payload, vsn):
        return [frame(opcode, payload, masked=False)]

    async def exchange(self, method, target, body):
        return answer(200, body)


def ok(value):
    """The reply that agrees to a message, in the form the message has; None: it is none."""
    reply = {"status": "ok", "response": {}}
    if isinstance(value, list) and len(value) == 5:
        return [value[0], value[1], value[2], "phx_reply", reply]
    if isinstance(value, dict):
        return {**value, "event": "phx_reply", "payload": reply}
    return {"event": "phx_reply", "payload": reply}


def replies(text):
    """An `ok` for each message in the text, be it none."""
    for line in text.decode("utf-8", "replace").split("\n"):
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        yield json.dumps(ok(value))


def layout(payload):
    """A binary message of a client as the five fields; None where it is none."""
    if len(payload) < 5:
        return None
    sizes, at, fields = payload[1:5], 5, []
    for size in sizes:
        fields.append(payload[at : at + size].decode("utf-8", "replace"))
        at += size
    return [*fields, {}]


class Agrees(Upgrades):
    """Replies `ok` to whatever it is told, over either transport; pings are answered, and closes."""

    def __init__(self):
        self.waiting = {}  # what the next poll of a session brings
        self.told = asyncio.Condition()
        super().__init__()

    def answers(self, opcode, payload, vsn):
        if opcode == CLOSE:
            return [frame(CLOSE, payload, masked=False)]
        if opcode == PING:
            return [frame(PONG, payload, masked=False)]
        if opcode == BINARY:
            return [frame(TEXT, json.dumps(ok(layout(payload))).encode(), masked=False)]
        return [frame(TEXT, text.encode(), masked=False) for text in replies(payload)]

    async def exchange(self, method, target, body):
        token = target.partition("token=")[2].partition("&")[0]
        if method == "POST":
            async with self.told:
                self.waiting.setdefault(token, []).extend(replies(body))
                self.told.notify_all()
            return answer(200, b'{"status":200}')
        if not token:
            token = f"token-{len(self.waiting)}"
            self.waiting[token] = []
            return answer(200, json.dumps({"status": 410, "token": token, "messages": []}).encode())
        async with self.told:
            try:
                await asyncio.wait_for(self.told.wait_for(lambda: self.waiting.get(token)), 1)
            except asyncio.TimeoutError:
                pass
            messages, self.waiting[token] = self.waiting.get(token, []), []
        status = 200 if messages else 204
        return answer(200, json.dumps({"status": status, "token": token, "messages": messages}).encode())
