# SPDX-License-Identifier: MIT
"""Exchanges out of the recordings of Phoenix, written for a reader."""

import base64
import json
import re
import urllib.parse

SERVER = "phoenix-1.8.12-bandit"
TRANSPORTS = {"ws": "websocket", "lp": "longpoll"}
VERSIONS = {"v1": "1.0.0", "v2": "2.0.0"}
SAID = ("cache-control", "content-type", "access-control-", "sec-websocket-", "x-phoenix-")


class Recordings:
    """The recordings of one server, by scenario, transport and version."""

    def __init__(self, folder):
        self.named = {}
        for path in sorted((folder / "recorded" / SERVER).glob("*.jsonl")):
            events = None
            for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
                value = json.loads(line)
                if "recording" in value:
                    events = []
                    self.named[value["scenario"], value["transport"], value["vsn"]] = (value, events)
                else:
                    events.append(value)

    def get(self, scenario, variant):
        transport, version = variant.split(".")
        return self.named[scenario, TRANSPORTS[transport], VERSIONS[version]]


def render(recordings, arguments):
    """`SCENARIO VARIANT [FROM-TO] [upgrade]`: the events FROM to TO, or all but the client's closing at the end; with
    `upgrade` the handshake of the first connection before them."""
    scenario, variant, *rest = arguments.split()
    upgrade = "upgrade" in rest
    ranges = [word for word in rest if word != "upgrade"]
    header, events = recordings.get(scenario, variant)
    if ranges:
        first, last = map(int, ranges[0].split("-"))
        events = events[first - 1 : last]
    else:
        events = _without_farewell(events)
    names = len({event["conn"] for event in events}) > 1
    lines = []
    if upgrade:
        name, connection = next(iter(header["connections"].items()))
        lines += [*_handshake(connection), ""]
    for event in events:
        who = f"{event['conn']} " if names else ""
        lines += _http(event, who) if event["kind"] == "http" else _frame(event, who)
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(["```text", *lines, "```"])


def _without_farewell(events):
    events = list(events)
    while events and events[-1]["kind"].startswith("tcp_"):
        events.pop()
    last = [(event["kind"], event.get("dir")) for event in events[-2:]]
    return events[:-2] if last == [("close", "out"), ("close", "in")] else events


def _handshake(connection):
    yield f"→ GET {connection['url']} HTTP/1.1"
    yield "  connection: Upgrade"
    yield "  upgrade: websocket"
    yield "  sec-websocket-version: 13"
    yield "  sec-websocket-key: …"
    for name, value in connection["request_headers"].items():
        if name.lower().startswith(SAID):
            yield f"  {name.lower()}: {value}"
    yield f"← HTTP/1.1 {connection['status']}"
    for name, value in connection["response_headers"].items():
        if name in ("connection", "upgrade") or name.startswith("sec-websocket-"):
            yield f"  {name}: {'…' if name == 'sec-websocket-accept' else value}"


def _frame(event, who):
    arrow = "→" if event["dir"] == "out" else "←"
    if event["kind"] == "text":
        return [f"{who}{arrow} {event['text']}"]
    if event["kind"] == "close":
        code = "without a code" if event.get("code") is None else event["code"]
        return [f"{who}{arrow} close {code}"]
    if event["kind"] == "binary":
        data = base64.b64decode(event["base64"])
        return [f"{who}{arrow} binary", *_binary(data, event["dir"] == "out")]
    return [f"{who}{arrow} {event['kind']}"]


def fields_of_binary(data, client):
    """The parts of a binary message, each (bytes, what they are): kind, sizes, strings, data."""
    layouts = {
        (0, True): ("push", ("join_ref", "ref", "topic", "event")),
        (0, False): ("push", ("join_ref", "topic", "event")),
        (1, False): ("reply", ("join_ref", "ref", "topic", "status")),
        (2, False): ("broadcast", ("topic", "event")),
    }
    kind, names = layouts[data[0], client]
    yield data[:1], f"kind {data[0]}: {kind}"
    sizes = data[1 : 1 + len(names)]
    for name, size in zip(names, sizes):
        yield bytes([size]), f"size of {name}: {size}"
    at = 1 + len(names)
    for name, size in zip(names, sizes):
        if size:
            yield data[at : at + size], f'{name}: "{data[at : at + size].decode()}"'
        at += size
    if at < len(data):
        yield data[at:], "data"


def _binary(data, client):
    for part, meaning in fields_of_binary(data, client):
        rows = [part[start : start + 12].hex(" ") for start in range(0, len(part), 12)]
        yield f"    {rows[0]:<36}{meaning}"
        for row in rows[1:]:
            yield f"    {row}"


def _http(event, who):
    request, response = event["request"], event["response"]
    query = _shorten(urllib.parse.unquote(request.get("query") or ""))
    yield f"{who}→ {request['method']} {request['path']}{'?' + query if query else ''}"
    for name, value in request.get("headers", {}).items():
        if name.lower().startswith(SAID) or name.lower() == "origin":
            yield f"    {name.lower()}: {_shorten(value)}"
    for line in (request.get("body") or "").split("\n"):
        if line:
            yield f"    {line}"
    yield f"{who}← HTTP {response['status']}"
    for name, value in response["headers"].items():
        if request["method"] == "OPTIONS" and name.startswith("access-control-"):
            yield f"    {name}: {value}"
    if response.get("body"):
        yield f"    {_shorten(_ordered(response['body']))}"
    yield ""


def _ordered(body):
    """The body of an answer with `status` first, as one reads it."""
    value = json.loads(body)
    keys = sorted(value, key=["status", "token", "messages"].index)
    return json.dumps({key: value[key] for key in keys}, ensure_ascii=False, separators=(",", ":"))


def _shorten(text):
    return re.sub(r"(SFMyNTY\.)[\w.=-]+", r"\1…", text)
