# SPDX-License-Identifier: MIT
"""A Redis of a test's own, and a link to it that can be cut, held up and mended."""

import shutil
import socket
import subprocess
import threading
import time

from . import env


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Redis:
    """redis-server in memory, on 127.0.0.1."""

    def __init__(self, folder, password=None, port=None):
        self.program = shutil.which("redis-server")
        if not self.program:
            raise RuntimeError("redis-server is missing: ci/setup installs it")
        self.folder = folder
        self.options = ["--requirepass", password] if password else []
        self.port = port or free_port()
        self.start()

    def start(self):
        """On the same port, where it ran before."""
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--save", "", "--appendonly", "no", *self.options]
        with open(self.folder / "redis.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + env.PROMPT
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, "redis-server did not start"
                time.sleep(0.01)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Link:
    """A TCP port that leads to another, as long as it is not cut."""

    def __init__(self, port):
        self.upstream = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = True
        self.flowing = threading.Event()
        self.flowing.set()
        self.sockets = set()
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                if not self.open:
                    raise OSError("cut")
                server = socket.create_connection(("127.0.0.1", self.upstream), 1)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.sockets |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source, target):
        try:
            while data := source.recv(1 << 16):
                self.flowing.wait()
                target.sendall(data)
        except OSError:
            pass
        self._drop({source, target})

    def _drop(self, sockets):
        for end in sockets:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        with self.lock:
            self.sockets -= sockets

    def cut(self):
        """Ends all connections, and new ones at once."""
        self.open = False
        with self.lock:
            sockets = set(self.sockets)
        self._drop(sockets)
        self.flowing.set()

    def hold(self):
        """Passes nothing on any more; nobody is told."""
        self.flowing.clear()

    def mend(self):
        self.open = True
        self.flowing.set()

    def close(self):
        self.cut()
        self.listener.close()
