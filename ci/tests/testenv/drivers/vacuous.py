# SPDX-License-Identifier: MIT
"""Drivers of clients that know nothing, and always do the same.

    vacuous.py silent | ok | reports
"""

import json
import socket
import sys
import threading
from urllib.parse import urlsplit

CAPABILITIES = (
    "websocket longpoll vsn1 vsn2 binary presence token params_each token_each join_params_each heartbeat_ms timeout_ms "
    "push_timeout_ms reconnect_ms rejoin_ms longpoll_timeout_ms fallback_ms disconnect_code listeners "
    "replace_transport ping page"
)


def say(event, **members):
    print(json.dumps({"event": event, **members}), flush=True)


class Silent:
    """Does nothing."""

    def do(self, command):
        pass

    def reset(self):
        pass


class Ok(Silent):
    """Says of whatever it is told that all went well, and does nothing."""

    def do(self, command):
        name, channel = command["do"], command.get("channel")
        if name == "connect":
            say("open")
        elif name == "disconnect":
            say("close", code=1000)
        elif name in ("join", "leave"):
            say("reply", channel=channel, to=name, status="ok", response={})
            say("channel", channel=channel, state={"join": "joined", "leave": "closed"}[name])
        elif name == "push":
            say("reply", channel=channel, push=command["push"], status="ok", response={})
        elif name == "presence":
            say("presence", channel=channel, kind="sync", keys=[], list={})
        elif name == "ping":
            say("pong")


class Reports(Ok):
    """Opens a connection, too, and reports every event that there is."""

    def __init__(self):
        self.connections = []

    def do(self, command):
        if command["do"] == "connect":
            self.connect(command)
        super().do(command)
        channel = command.get("channel", "c")
        say("error", reason="maybe")
        say("close", code=1006)
        say("reply", channel=channel, to="join", status="timeout")
        for state in ("joined", "errored", "closed"):
            say("channel", channel=channel, state=state)
        say("failed", do=command["do"], reason="maybe")

    def connect(self, command):
        url = urlsplit(command["url"])
        connection = socket.create_connection((url.hostname, url.port))
        connection.sendall(
            f"GET {url.path}/websocket?vsn={command['vsn']} HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.connections.append(connection)
        threading.Thread(target=self.read, args=[connection], daemon=True).start()

    def read(self, connection):
        try:
            while connection.recv(1 << 16):
                pass
        except OSError:
            pass

    def reset(self):
        for connection in self.connections:
            connection.close()
        self.connections = []


def main(kind):
    client = {"silent": Silent, "ok": Ok, "reports": Reports}[kind]()
    say("hello", protocol=1, name=kind, version="0", capabilities=CAPABILITIES.split())
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "reset":
            client.reset()
            say("reset")
        elif command["do"] == "sync":
            say("synced")
        else:
            client.do(command)


main(sys.argv[1])
