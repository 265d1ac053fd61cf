# SPDX-License-Identifier: MIT
"""The reference server as a program: started, watched, stopped, and looked over at its end."""

import os
import re
import resource
import select
import signal
import subprocess
import time

from . import env
from .wire import Connection, LongPoll, WebSocket

REPORT = re.compile(r"ERROR: \w+Sanitizer|SUMMARY: \w+Sanitizer|runtime error: ")
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def sanitizer_report(text):
    """The report in a program's standard error; None if there is none."""
    found = REPORT.search(text)
    return text[max(0, found.start() - 200) :] if found else None


def wait_until(condition, what, timeout=env.PROMPT):
    """For what can only be asked about."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about in {timeout} s"
        time.sleep(0.005)


class Program:
    """A running program whose standard error is kept in a file."""

    def __init__(self, command, folder, descriptors=None):
        self.errors = folder / f"stderr-{time.monotonic_ns()}"

        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env.environment(),
                preexec_fn=limit if descriptors else None,
            )
        self.pid = self.process.pid

    def stderr(self):
        return self.errors.read_text(errors="replace")

    def read_line(self, timeout=env.PROMPT):
        """The next line of standard output, without its end."""
        line = b""
        deadline = time.monotonic() + timeout
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError(f"no line from {self.process.args}; stderr:\n{self.stderr()}")
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                raise EOFError(f"{self.process.args} ended without a line; stderr:\n{self.stderr()}")
            line += byte
        return line.decode().rstrip("\n")

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, timeout=env.PROMPT):
        """The exit code."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"{self.process.args[0]} still runs after {timeout} s; stderr:\n{self.stderr()}"
            ) from None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def cpu_seconds(self):
        """The processor time it has taken."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def descriptors(self):
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory_bytes(self):
        """The memory it occupies."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * PAGE


def run_server(*options):
    """A run of phxspec-server that must end by itself."""
    done = subprocess.run(
        [env.server(), *options],
        env=env.environment(),
        capture_output=True,
        text=True,
        timeout=env.PROMPT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert sanitizer_report(done.stderr) is None, done.stderr
    return done


class Server(Program):
    """phxspec-server on a port of its own choice, and clients of it, which end with it."""

    def __init__(self, folder, *options, program=None, prefix=(), descriptors=None):
        super().__init__([*prefix, program or env.server(), *options], folder, descriptors)
        self.clients = []
        self.tls = None  # a client's ssl.SSLContext, where the server speaks TLS
        try:
            line = self.read_line(timeout=30 if prefix else env.PROMPT)
            assert line.startswith(("ready http://127.0.0.1:", "ready https://127.0.0.1:")), line
            self.url = line.removeprefix("ready ")
            self.port = int(line.rpartition(":")[2])
        except BaseException:
            self.kill()
            raise

    def _client(self, client):
        self.clients.append(client)
        return client

    def connect(self):
        return self._client(Connection(self.port, tls=self.tls))

    def websocket(self, mount="/socket", query="", **options):
        return self._client(
            WebSocket(self.port, f"{mount}/websocket?vsn=2.0.0{query}", tls=self.tls, **options)
        )

    def longpoll(self, mount="/tight", query="", connection=None):
        return LongPoll(self.port, mount, query, connection, self.tls)

    def let_a_window_pass(self, mount="/tight"):
        """Waits by the server's own clock: a poll that nothing answers runs through its window."""
        assert self.longpoll(mount).poll()["status"] == 204

    def check(self, code):
        """An end in order: this exit code, and nothing that a sanitizer minds."""
        report = sanitizer_report(self.stderr())
        assert report is None, report
        assert code == 0, f"exit code {code}; stderr:\n{self.stderr()}"

    def stop(self):
        """Ends it as a service manager does, its clients first."""
        try:
            for client in self.clients:
                client.close()
            if self.process.poll() is None:
                self.signal()
            self.check(self.wait())
        finally:
            self.kill()


# A loop that spins takes all of a processor; one that waits takes next to nothing, even under the sanitizers.
BUSY = 0.3


class Watch:
    """Measures a server's processor time over a stretch in which it has nothing to do but wait."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.began = time.monotonic()
        self.cpu = self.server.cpu_seconds()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            wall = time.monotonic() - self.began
            share = (self.server.cpu_seconds() - self.cpu) / wall
            assert wall >= 0.5, f"a stretch of {wall:.2f} s tells nothing"
            assert (
                share < BUSY
            ), f"the server took {share:.0%} of a processor while it had to wait {wall:.1f} s"
