# SPDX-License-Identifier: MIT
"""phxspec-client as a program: run to its end, or talked to line by line."""

import asyncio
import json
import os
import random
import select
import signal
import ssl
import subprocess
import time
from typing import NamedTuple

from . import env
from .peers import Chatter, Peer
from .server import sanitizer_report
from .wire import TEXT, frame, mask_bytes


def program(plain=False):
    return env.program("reference-client/phxspec-client", plain)


class Run(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def types(self):
        return [event["type"] for event in self.events]

    def only(self, kind):
        """The one event of that type."""
        found = [event for event in self.events if event["type"] == kind]
        assert len(found) == 1, (kind, self.out)
        return found[0]


def run(*arguments, stdin=None, timeout=30, pretty=False):
    """A run that must end by itself, with nothing that a sanitizer minds."""
    command = [program(), *([] if pretty else ["--json"]), *map(str, arguments)]
    done = subprocess.run(
        command,
        env=env.environment(),
        capture_output=True,
        timeout=timeout,
        **({"input": stdin.encode()} if stdin is not None else {"stdin": subprocess.DEVNULL}),
    )
    err = done.stderr.decode()
    assert sanitizer_report(err) is None, err
    assert done.returncode in (0, 1, 2, 3), f"exit code {done.returncode}\n{err}"
    return Run(done.returncode, done.stdout.decode(), err)


class Client:
    """A client whose commands are given while it runs; `--json` lines are its events."""

    def __init__(self, folder, *arguments):
        self.errors = folder / f"client-{time.monotonic_ns()}"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [program(), "--json", *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env.environment(),
            )
        self.unread = b""
        self.seen = []

    def stderr(self):
        return self.errors.read_text(errors="replace")

    def say(self, *lines):
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.process.stdin.flush()

    def event(self, timeout=env.PROMPT):
        """The next event; None at the end."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self.unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError(f"no event in time; before: {self.seen[-20:]}; stderr:\n{self.stderr()}")
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                return None
            self.unread += data
        line, _, self.unread = self.unread.partition(b"\n")
        self.seen.append(json.loads(line))
        return self.seen[-1]

    def until(self, kind, timeout=env.PROMPT, **fields):
        """The next event of that type, with these fields; what comes before it is passed over."""
        deadline = time.monotonic() + timeout
        while True:
            event = self.event(max(0.001, deadline - time.monotonic()))
            assert event is not None, f"it ended without {kind}: {self.seen[-20:]}; stderr:\n{self.stderr()}"
            if event["type"] == kind and all(event.get(name) == value for name, value in fields.items()):
                return event

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self, code=0):
        """No more commands: it must end by itself, in order."""
        self.process.stdin.close()
        while self.event() is not None:
            pass
        self.check(code)

    def check(self, code):
        found = self.process.wait(env.PROMPT)
        report = sanitizer_report(self.stderr())
        assert report is None, report
        assert found == code, f"exit code {found}; {self.seen[-20:]}; stderr:\n{self.stderr()}"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.stdout.close()


# ---- servers for it ----


class Conversation:
    """A server's end of a WebSocket, for Scripted."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    async def frame(self):
        """The next frame's opcode and payload."""
        first, second = await self.reader.readexactly(2)
        assert second & 0x80, "a client's frames are masked"
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
        mask = await self.reader.readexactly(4)
        return first & 15, mask_bytes(await self.reader.readexactly(length), mask)

    async def message(self):
        opcode, payload = await self.frame()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    async def send(self, *fields):
        await self.raw(frame(TEXT, json.dumps(fields).encode(), masked=False))

    async def raw(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def ok(self, message, response=None):
        """Replies ok to a message."""
        join_ref, ref, topic = message[:3]
        await self.send(join_ref, ref, topic, "phx_reply", {"status": "ok", "response": response or {}})


class Scripted(Chatter):
    """Upgrades, then does what `script(conversation, number)` says; connections are numbered from 0. What goes
    wrong in a script is raised where the server is left."""

    def __init__(self, script):
        self.script = script
        self.count = 0
        self.wrong = []
        super().__init__(b"")

    async def after_upgrade(self, reader, writer):
        number = self.count
        self.count += 1
        try:
            await self.script(Conversation(reader, writer), number)
        except AssertionError as error:
            self.wrong.append(error)
            raise

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        if self.wrong:
            raise self.wrong[0]


class Answer(Peer):
    """Answers each request with the same bytes and ends the connection."""

    def __init__(self, data):
        self.data = data
        self.heads = []
        super().__init__()

    async def serve(self, reader, writer):
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
        writer.write(self.data)
        await writer.drain()


class TlsFront(Peer):
    """Ends TLS in front of a server."""

    def __init__(self, port, certificate, key):
        self.upstream = port
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        super().__init__()

    async def serve(self, reader, writer):
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        await asyncio.wait(
            [
                asyncio.ensure_future(pump)
                for pump in (copy(reader, server_writer), copy(server_reader, writer))
            ],
            return_when=asyncio.FIRST_COMPLETED,
        )
        server_writer.close()


async def copy(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


class Cutter(Peer):
    """A network in front of a server that cuts connections, splits and delays what they carry, at random from
    a seed, until it is told to be good."""

    def __init__(self, port, seed):
        self.upstream = port
        self.random = random.Random(seed)
        self.good = False
        self.cuts = 0
        super().__init__()

    async def pump(self, reader, writer):
        while data := await reader.read(1 << 16):
            if not self.good:
                await asyncio.sleep(self.random.choice((0, 0, 0.001, 0.01)))
                at = self.random.randrange(len(data) + 1)
                writer.write(data[:at])
                await asyncio.sleep(0)
                data = data[at:]
            writer.write(data)
            await writer.drain()

    async def serve(self, reader, writer):
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        pumps = [
            asyncio.ensure_future(pump)
            for pump in (self.pump(reader, server_writer), self.pump(server_reader, writer))
        ]
        life = None if self.good else self.random.uniform(0.002, 0.3)
        try:
            done, _ = await asyncio.wait(pumps, timeout=life, return_when=asyncio.FIRST_COMPLETED)
            self.cuts += not done
        finally:
            for pump in pumps:
                pump.cancel()
            server_writer.transport.abort()
            writer.transport.abort()
        await asyncio.gather(*pumps, return_exceptions=True)
