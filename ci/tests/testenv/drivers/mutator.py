# SPDX-License-Identifier: MIT
"""Between a client and the scripted server: messages of a WebSocket are changed, as a client with a bug would."""

import json
import socket
import struct
import threading

TEXT = 1


def null_join_ref(message):
    if message[3] != "phx_join":
        message[0] = None
    return [message]


def own_join_ref(message):
    if message[3] != "phx_join":
        message[0] = "4711"
    return [message]


def without(event):
    """Messages of this event get lost."""
    return lambda message: [] if message[3] == event else [message]


def number_refs(message):
    return [[message[0], int(message[1]), *message[2:]]]


def one_ref(message):
    return [[message[0], "1", *message[2:]]]


def twice(event=None):
    return lambda message: [message, message] if event in (None, message[3]) else [message]


def no_payload(message):
    message[4] = message[4] or None
    return [message]


def no_join_ref(message):
    """What comes for an earlier join is taken for the current one's."""
    message[0] = None
    return [message]


# What is done to messages of the client, and to those of the server.
MUTANTS = {
    "null-join-ref": (null_join_ref, None),
    "own-join-ref": (own_join_ref, None),
    "no-heartbeat": (without("heartbeat"), None),
    "no-leave": (without("phx_leave"), None),
    "number-refs": (number_refs, None),
    "one-ref": (one_ref, None),
    "join-twice": (twice("phx_join"), None),
    "push-twice": (twice("say"), None),
    "null-payload": (no_payload, None),
    "deaf-to-close": (None, without("phx_close")),
    "deaf-to-error": (None, without("phx_error")),
    "takes-stale": (None, no_join_ref),
    "delivers-twice": (None, twice("news")),
}


def read_exactly(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def read_frame(stream):
    first, second = read_exactly(stream, 2)
    length = second & 127
    if length > 125:
        form = ">H" if length == 126 else ">Q"
        length = struct.unpack(form, read_exactly(stream, struct.calcsize(form)))[0]
    mask = read_exactly(stream, 4) if second & 128 else bytes(4)
    data = read_exactly(stream, length)
    return first & 15, bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)), bool(second & 128)


def frame_of(opcode, data, masked):
    bit = 128 if masked else 0
    length = bytes([bit | len(data)]) if len(data) < 126 else bytes([bit | 126]) + struct.pack(">H", len(data))
    return bytes([128 | opcode]) + length + (bytes(4) if masked else b"") + data


def changed(opcode, data, change):
    if change is None or opcode != TEXT:
        return [data]
    return [json.dumps(message).encode() for message in change(json.loads(data))]


def pump(source, target, change):
    try:
        with source.makefile("rb") as stream:
            while (line := stream.readline()) != b"\r\n":  # the handshake
                target.sendall(line)
                if not line:
                    return
            target.sendall(line)
            while True:
                opcode, data, masked = read_frame(stream)
                for result in changed(opcode, data, change):
                    target.sendall(frame_of(opcode, result, masked))
    except (EOFError, OSError):
        pass
    finally:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Mutator:
    def __init__(self, url, name):
        self.port = int(url.split(":")[2].split("/")[0])
        self.changes = MUTANTS[name]
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}/socket"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.port))
            for source, target, change in ((client, server, self.changes[0]), (server, client, self.changes[1])):
                threading.Thread(target=pump, args=(source, target, change), daemon=True).start()
