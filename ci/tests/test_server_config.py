# SPDX-License-Identifier: MIT
"""phxspec-server's settings: the flags, the keys of a configuration file, its schema and the manual are the same."""

import json
import re
import subprocess

import jsonschema
import pytest

from testenv import env
from testenv.server import run_server as run

MANUAL = env.ROOT / "reference-server" / "phxspec-server.1"
SCHEMA = json.loads((env.VECTORS / "schema" / "server-config.schema.json").read_text())
OUTSIDE = {"config", "mount", "help", "version"}  # of the command line only


def in_help():
    """The options of --help with their arguments; of the server, and of a mount."""
    server, mount = run("--help").stdout.split("\nA mount;")
    listed = re.compile(r"^  --([a-z-]+) ([A-Z]+) ", re.MULTILINE)
    return dict(listed.findall(server)), dict(listed.findall(mount))


def in_manual():
    text = MANUAL.read_text()
    server, mount = text.split(".Ss A mount")
    listed = re.compile(r"^\.It Fl Fl ([a-z-]+)(?: Ar ([A-Z]+))?$", re.MULTILINE)
    return dict(listed.findall(server)), dict(listed.findall(mount.split(".Ss Others")[0]))


def flags(properties):
    return {key.replace("_", "-") for key in properties}


def test_help_manual_and_schema_know_the_same_settings():
    server, mount = in_help()
    assert len(server) > 10 and len(mount) > 10
    assert in_manual() == (server, mount)
    assert flags(SCHEMA["properties"]) - {"mounts"} == set(server) - OUTSIDE
    assert flags(SCHEMA["$defs"]["mount"]["properties"]) == set(mount) - OUTSIDE
    assert set(re.findall(r"^\.It Fl Fl (\w+)$", MANUAL.read_text(), re.MULTILINE)) == {"help", "version"}


def test_help_and_manual_name_the_same_defaults():
    def defaults(text):
        numbers = re.findall(r"\((\d+)[;)]|\((true)[;)]|tight\s(\d+)\)", text)
        return sorted("".join(found) for found in numbers)

    manual = re.sub(r"\n(?:\.Pa )?", " ", MANUAL.read_text().split(".Sh CONFIGURATION")[0])
    manual = manual.replace("takes a free one (0)", "takes a free one")
    assert defaults(manual) == defaults(re.sub(r"\s+", " ", run("--help").stdout))


def test_the_manual_is_well_formed():
    lint = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", MANUAL], capture_output=True, text=True, check=False
    )
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", "")
    page = subprocess.run(
        ["man", "--warnings", "-l", MANUAL],
        capture_output=True,
        text=True,
        check=False,
        env={**env.environment(), "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
    )
    assert page.returncode == 0 and page.stderr == ""
    assert "EXIT STATUS" in page.stdout


# ---- configuration files ----

EVERYTHING = {
    "port": 0,
    "address": "127.0.0.1",
    "reuse_port": True,
    "phoenix": "1.8.12",
    "secret": "s",
    "redis": "redis://127.0.0.1:1",
    "cluster": "nobody",
    "node_name": "own@here",
    "presence_down_ms": 5000,
    "max_connections": 100,
    "max_sessions": 1,
    "max_queued_bytes": 1000000,
    "max_longpoll_bytes": 1000000,
    "max_total_queued_bytes": 1000000,
    "max_total_received_bytes": 1000000,
    "max_head_bytes": 8000,
    "max_headers": 30,
    "head_timeout_ms": 5000,
    "request_timeout_ms": 5000,
    "mounts": {
        "/own": {
            "idle_timeout_ms": 1000,
            "window_ms": 150,
            "pubsub_timeout_ms": 100,
            "max_channels": 1,
            "max_frame_bytes": 4096,
            "max_body_bytes": 100,
            "token_max_age_s": 10,
            "origins": ["//localhost", "//*.example.com:81"],
            "auth_token": False,
            "subprotocols": ["b", "a"],
            "websocket": True,
            "longpoll": True,
        },
        "/tight": {"origins": "any", "longpoll": False},
    },
}


def write(tmp_path, config):
    path = tmp_path / "server.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    return path


def complaints(config):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(config))


def test_a_file_sets_everything(start_server, tmp_path):
    assert complaints(EVERYTHING) == []
    assert flags(EVERYTHING) | {"tls-cert", "tls-key"} == flags(SCHEMA["properties"])
    assert flags(EVERYTHING["mounts"]["/own"]) == flags(SCHEMA["$defs"]["mount"]["properties"])
    server = start_server("--config", write(tmp_path, EVERYTHING))
    client = server.websocket("/own", headers=[("Sec-WebSocket-Protocol", "a, b"), ("Origin", "http://localhost:9")])
    assert client.handshake.headers["sec-websocket-protocol"] == "b"
    client.join("phxspec:one")
    info = client.call("phxspec:one", "connect_info", {})
    assert info["auth_token"] is None and info["node"] == "own@here"
    client.push("phxspec:two", "phx_join", {}, "2")
    assert client.receive()[4] == {"status": "error", "response": {"reason": "too many channels joined"}}
    server.websocket("/tight", headers=[("Origin", "http://anywhere.test")]).heartbeat()
    connection = server.connect()
    assert connection.exchange("GET", "/tight/longpoll?vsn=2.0.0").status == 404
    session = server.longpoll("/own")
    assert session.poll()["status"] == 204
    headers = [(f"x-{n}", "y") for n in range(40)]
    assert server.connect().exchange("GET", "/own/longpoll?vsn=2.0.0", headers).status == 431


def test_flags_win_wherever_the_file_stands(start_server, tmp_path):
    config = write(tmp_path, {"mounts": {"/socket": {"window_ms": 5000}, "/tight": {"window_ms": 5000}}})
    server = start_server("--window-ms", "100", "--config", config, "--mount", "/tight", "--window-ms", "120")
    for mount in ("/socket", "/tight"):
        assert server.longpoll(mount).poll(timeout=3)["status"] == 204


def test_an_empty_configuration_changes_nothing(start_server, tmp_path):
    start_server("--config", write(tmp_path, {})).websocket().heartbeat()


@pytest.mark.parametrize(
    "config,said",
    [
        ({"prot": 0}, '"prot": no such setting'),
        ({"window_ms": 100}, '"window_ms": no such setting: it belongs to a mount'),
        ({"mounts": {"/x": {"port": 1}}}, 'mounts, "/x", "port": no such setting: it belongs outside'),
        ({"mounts": {"/x": {"window": 1}}}, 'mounts, "/x", "window": no such setting'),
        ({"max-sessions": 1}, '"max-sessions": no such setting'),
        ({"config": "x"}, '"config": no such setting'),
        ({"port": "4000"}, '"port": give a whole number'),
        ({"port": 70000}, '"port": 70000: give a whole number from 0 to 65535'),
        ({"port": 1.5}, '"port": give a whole number'),
        ({"max_sessions": 0}, '"max_sessions": 0: give a whole number from 1'),
        ({"max_sessions": -1}, '"max_sessions": -1: give a whole number from 1'),
        ({"address": "localhost"}, '"address": localhost: give a numeric address'),
        ({"phoenix": "1.9.0"}, '"phoenix"'),
        ({"secret": ""}, '"secret"'),
        ({"secret": None}, '"secret": give a string'),
        ({"mounts": []}, '"mounts": give an object of paths'),
        ({"mounts": {"x": {}}}, 'mounts, "x": a path begins with /'),
        ({"mounts": {"/x": 1}}, 'mounts, "/x": give an object of settings'),
        ({"mounts": {"/x": {"auth_token": "true"}}}, '"auth_token": give true or false'),
        ({"mounts": {"/x": {"origins": "//localhost"}}}, '"origins": a policy is'),
        ({"mounts": {"/x": {"origins": ["localhost"]}}}, "an origin is //HOST"),
        ({"mounts": {"/x": {"origins": ["//"]}}}, "an origin is //HOST"),
        ({"mounts": {"/x": {"origins": []}}}, "give at least one element"),
        ({"mounts": {"/x": {"subprotocols": "a"}}}, '"subprotocols": give a list of strings'),
        ({"mounts": {"/x": {"subprotocols": ["a,b"]}}}, "without commas"),
        ({"mounts": {"/x": {"subprotocols": [1]}}}, "an element is a string"),
        ({"mounts": {"/x": {"subprotocols": ["a"] * 33}}}, "too many elements"),
        ({"tls_cert": "cert.pem"}, "--tls-cert and --tls-key"),
        ([], "a configuration is a JSON object"),
        ("{", ":1:1: "),
        ('{"port": 0, "port": 1}', "duplicate object key"),
        ('{"port": 0} x', "end of file expected"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path, config, said):
    path = write(tmp_path, config)
    done = run("--config", path)
    assert done.returncode == 2 and done.stdout == ""
    assert said in done.stderr and len(done.stderr.splitlines()) == 1
    if "tls" not in said:
        assert str(path) in done.stderr
    if not isinstance(config, str):
        assert complaints(config), "the schema takes it"


def test_a_missing_file_is_named():
    done = run("--config", "/nowhere/server.json")
    assert done.returncode == 2 and "/nowhere/server.json" in done.stderr and done.stdout == ""
