# SPDX-License-Identifier: MIT
"""Stand-ins for a server: useless ones, and a proxy that lets a good one say something else."""

import asyncio
import base64
import dataclasses
import hashlib
import json
import struct
import threading

from .wire import CLOSE, TEXT, frame


class Peer:
    """A TCP server on a thread of its own; `serve(reader, writer)` is one connection."""

    context = None  # of TLS

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        started.wait()
        self.url = f"http://127.0.0.1:{self.port}"

    def _run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(
                self._guarded, "127.0.0.1", 0, limit=1 << 25, backlog=1024, ssl=self.context
            )
        )
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    async def _guarded(self, reader, writer):
        try:
            await self.serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def serve(self, reader, writer):
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


class Silent(Peer):
    """Takes what it is given and never says a word."""

    async def serve(self, reader, writer):
        while await reader.read(1 << 16):
            pass


class Hangup(Peer):
    """Ends every connection at once."""

    async def serve(self, reader, writer):
        pass


class Garbage(Peer):
    """Answers whatever it gets with bytes that are no HTTP."""

    async def serve(self, reader, writer):
        while await reader.read(1 << 16):
            writer.write(b"\x00\xff\r\n\r\n" + b"garbage " * 100)
            await writer.drain()


class Chatter(Peer):
    """Switches to WebSocket and then says whatever is given, at once and for nothing."""

    def __init__(self, data):
        self.data = data
        super().__init__()

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(
            (
                line.partition(b":")[2].strip()
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"sec-websocket-key:")
            ),
            b"",
        )
        writer.write(self.handshake(key.decode("latin-1")) + self.data)
        await writer.drain()
        await self.after_upgrade(reader, writer)

    @staticmethod
    def handshake(key):
        accept = hashlib.sha1(key.encode("latin-1") + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n"
        )

    async def after_upgrade(self, reader, writer):
        while await reader.read(1 << 16):
            pass


# ---- the proxy ----


@dataclasses.dataclass
class Message:
    """A text message of the server, whatever its serializer; 1.0.0 has no join_ref."""

    join_ref: object
    ref: object
    topic: object
    event: object
    payload: object
    vsn: str

    @classmethod
    def read(cls, text, vsn):
        """None where it is no message."""
        try:
            value = json.loads(text)
        except ValueError:
            return None
        if vsn == "2" and isinstance(value, list) and len(value) == 5:
            return cls(*value, vsn)
        if vsn == "1" and isinstance(value, dict) and value.keys() == {"topic", "event", "payload", "ref"}:
            return cls(None, value["ref"], value["topic"], value["event"], value["payload"], vsn)
        return None

    def text(self):
        if self.vsn == "2":
            return json.dumps([self.join_ref, self.ref, self.topic, self.event, self.payload])
        return json.dumps(
            {"topic": self.topic, "event": self.event, "payload": self.payload, "ref": self.ref}
        )

    @property
    def is_reply(self):
        return self.event == "phx_reply"

    @property
    def is_broadcast(self):
        return self.ref is None and self.join_ref is None and not str(self.event).startswith("phx_")


class Change:
    """What a proxy does to what a server says; this one leaves everything as it is.

    One object serves all connections; `held` is a connection's (or a session's) own, and its to use."""

    def messages(self, message, held):
        """The messages to send in place of this one."""
        return [message]

    def close_code(self, code):
        return code

    def exchange(self, head, body):
        """A response of HTTP: head as text, body as bytes."""
        return head, body


class Proxy(Peer):
    """Passes a client's bytes on as they are, and the server's after a change."""

    def __init__(self, port, change):
        self.upstream = port
        self.change = change
        self.sessions = {}  # what is held for long-poll, by token
        super().__init__()

    async def serve(self, reader, writer):
        server_reader, server_writer = await asyncio.open_connection(
            "127.0.0.1", self.upstream, limit=1 << 25
        )
        targets = asyncio.Queue()
        pumps = [
            asyncio.ensure_future(self._requests(reader, server_writer, targets)),
            asyncio.ensure_future(self._responses(server_reader, writer, targets)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if pumps[0].done():  # the client has sent all; the server's last words may still come
                await asyncio.wait(pumps[1:], timeout=5)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            server_writer.close()

    async def _requests(self, reader, writer, targets):
        """Forwards the client's bytes; notes which target each response will be for."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                method, target = (lines[0].split(" ") + ["", ""])[:2]
                headers = {
                    name.strip().lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines[1:])
                }
                length = headers.get("content-length", "0")
                targets.put_nowait((method, target))
                writer.write(head)
                await writer.drain()
                if headers.get("upgrade", "").lower() == "websocket" or not length.isdigit():
                    break  # from now on it is none of our business
                writer.write(await reader.readexactly(int(length)))
                await writer.drain()
        except asyncio.IncompleteReadError as end:
            writer.write(end.partial)
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def _responses(self, reader, writer, targets):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status = head.split(" ", 2)[1]
            method, target = await targets.get() if status != "100" else ("", "")
            lengths = [
                line.partition(":")[2]
                for line in head.split("\r\n")
                if line.lower().startswith("content-length:")
            ]
            body = b""
            if lengths and method != "HEAD":
                body = await reader.readexactly(int(lengths[0]))
            vsn = "2" if "vsn=2.0" in target else "1"
            if status != "101":
                if method != "HEAD":
                    head, body = self._exchange(head, body, vsn)
                writer.write(head.encode("latin-1") + body)
                await writer.drain()
                continue
            writer.write(self.change.exchange(head, b"")[0].encode("latin-1"))
            held = []
            while (data := await self._frame(reader, vsn, held)) is not None:
                writer.write(data)
                await writer.drain()

    async def _frame(self, reader, vsn, held):
        """The bytes to send for the server's next frame."""
        first, length = await reader.readexactly(2)
        if length == 126:
            length = struct.unpack(">H", await reader.readexactly(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", await reader.readexactly(8))[0]
        payload = await reader.readexactly(length)
        opcode = first & 15
        if opcode == CLOSE and length >= 2:
            code = self.change.close_code(int.from_bytes(payload[:2], "big"))
            return frame(CLOSE, code.to_bytes(2, "big") + payload[2:], masked=False)
        message = Message.read(payload, vsn) if opcode == TEXT else None
        if message is None:
            return frame(opcode, payload, masked=False)
        return b"".join(
            frame(TEXT, text.encode(), masked=False) for text in self._texts(message, payload.decode(), held)
        )

    def _texts(self, message, text, held):
        """The texts to send for a message; one that is not changed goes out as it came."""
        before = dataclasses.replace(message)
        changed = self.change.messages(message, held)
        return [text if other == before else other.text() for other in changed]

    def _exchange(self, head, body, vsn):
        try:
            value = json.loads(body)
            messages = value.get("messages")
        except (ValueError, AttributeError):
            messages = None
        if messages:
            held = self.sessions.setdefault(value["token"], [])
            texts = []
            for text in messages:
                message = Message.read(text, vsn)
                texts += [text] if message is None else self._texts(message, text, held)
            value["messages"] = texts
            body = json.dumps(value).encode()
        head, body = self.change.exchange(head, body)
        lines = [
            f"content-length: {len(body)}" if line.lower().startswith("content-length:") else line
            for line in head.split("\r\n")
        ]
        return "\r\n".join(lines), body
