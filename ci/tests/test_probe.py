# SPDX-License-Identifier: MIT
"""phxspec probe: what it finds, what it says it did not, and how it ends when there is nothing to find."""

import json

import pytest

from test_data import complaints, schema
from testenv import env
from testenv.bare import Bare
from testenv.harness import phxspec
from testenv.peers import Chatter, Garbage, Hangup, Silent

BOUND = 20.0  # seconds, whatever the peer does
UNSEEN = {"spawn", "cluster"}  # no URL tells


def probe(*arguments, code=0):
    run = phxspec("probe", *arguments)
    assert run.code == code, run.err
    assert run.seconds < BOUND
    return run


def profile_of(run):
    profile = json.loads(run.out)
    assert complaints(schema("profile.schema.json"), profile) == []
    return profile


def test_the_reference_servers_profile_is_found(server, tmp_path):
    """In substance: what nobody can see is assumed, and said to be."""
    output = tmp_path / "profile.json"
    run = probe("--output", output, "--wait", "2", server.url)
    assert run.out == ""
    found = json.loads(output.read_text(encoding="utf-8"))
    assert complaints(schema("profile.schema.json"), found) == []
    shipped = json.loads((env.VECTORS / "profiles" / "reference-server.json").read_text(encoding="utf-8"))
    assert set(found["capabilities"]) == set(shipped["capabilities"]) - UNSEEN
    assert found["topic"] == shipped["topic"] and found["origin"] == shipped["origin"]
    assert found["mounts"].keys() == shipped["mounts"].keys()
    for name, mount in shipped["mounts"].items():
        seen = found["mounts"][name]
        assert seen["path"] == mount["path"] and seen["limits"] == mount["limits"]
        for timer, value in (
            (seen["websocket"]["timeout_ms"], mount["websocket"]["timeout_ms"]),
            (seen["longpoll"]["window_ms"], mount["longpoll"]["window_ms"]),
        ):
            assert value <= timer <= 1.3 * value, name  # a busy machine sees them late
    assumed = [line for line in run.err.splitlines() if "assumed" in line]
    assert any("mounts.main.websocket.timeout_ms 60000" in line for line in assumed)
    assert not any("mounts.tight.websocket.timeout_ms" in line for line in assumed)

    # and it can be used
    run = phxspec("server", "--profile", output, "--run", "heartbeat.*", "--run", "limits.*", server.url)
    assert run.code == 0, run.out


def test_other_settings_are_found(start_server):
    settings = "--origins any --mount /tight --idle-timeout-ms 1500 --window-ms 600 --max-channels 7"
    server = start_server(*settings.split(), "--max-frame-bytes", "3000", "--longpoll", "true")
    run = probe("--wait", "2", server.url)
    profile = profile_of(run)
    tight = profile["mounts"]["tight"]
    assert tight["limits"] == {"max_frame_bytes": 3000, "max_channels": 7}
    assert 1500 <= tight["websocket"]["timeout_ms"] <= 1950 and 600 <= tight["longpoll"]["window_ms"] <= 780
    assert "origin" not in profile and "origin" not in profile["capabilities"]
    assert "no capability origin: http://evil.test is not refused" in run.err


def test_a_server_without_the_application(tmp_path):
    with Bare() as peer:
        run = probe("--topic", "room:lobby", "--wait", "1", f"{peer.url}/socket")
        profile = profile_of(run)
        assert profile["capabilities"] == ["websocket"] and profile["vsn"] == ["2.0.0"]
        assert profile["topic"] == "room:lobby" and list(profile["mounts"]) == ["main"] and "join" not in profile
        for said in ("no longpoll", "vsn 1.0.0 is not spoken", "no conformance application", "no capability origin"):
            assert said in run.err
        path = tmp_path / "profile.json"
        path.write_text(run.out, encoding="utf-8")
        cases = ["--run", "heartbeat.ok", "--run", "leave.*", "--run", "push.unjoined", "--run", "version.unsupported"]
        run = phxspec("server", "--profile", path, *cases, peer.url)
        assert run.code == 0, run.out


def test_what_a_join_is_answered_with_is_noted():
    with Bare(response={"user": 7}, welcome="hello") as peer:
        run = probe("--topic", "room:lobby", "--wait", "1", peer.url)
        assert profile_of(run)["join"] == {
            "response": {"$any": True},
            "allow": [[{"$any": True}, None, "${topic}", {"$any": True}, {"$any": True}]],
        }
        assert "narrow it" in run.err


def test_a_topic_that_cannot_be_joined_is_none():
    with Bare() as peer:
        run = probe("--topic", "other:topic", "--wait", "1", peer.url)
        assert profile_of(run)["topic"] is None
        assert 'no topic is known: "other:topic" cannot be joined; --topic names another' in run.err


def test_what_is_known_is_taken_over(tmp_path):
    known = {
        "profile": 1,
        "name": "known",
        "topic": "room:lobby",
        "mounts": {"main": {"path": "/socket"}},
        "connect": {"params": {"token": "s"}, "headers": {"x-token": "s"}},
        "join": {"params": {"token": "s"}},
        "capabilities": [],
    }
    path = tmp_path / "known.json"
    path.write_text(json.dumps(known), encoding="utf-8")
    with Bare(token="s") as peer:
        profile = profile_of(probe("--from", path, "--wait", "1", peer.url))
        assert profile["topic"] == "room:lobby"
        assert profile["connect"] == known["connect"] and profile["join"] == known["join"]
        probe("--topic", "room:lobby", peer.url, code=3)


@pytest.mark.parametrize(
    "peer",
    [Silent, Hangup, Garbage, lambda: Chatter(b""), lambda: Chatter(b"\x81\x02{}" * 1000)],
    ids=["silent", "hangup", "garbage", "upgrade-only", "nonsense"],
)
def test_where_nothing_speaks_the_protocol(peer):
    with peer() as there:
        run = probe(there.url, code=3)
    assert run.out == ""
    assert "nothing here speaks the protocol; where it is mounted elsewhere, --mount says so" in run.err
    assert "/socket/websocket, vsn 2.0.0: " in run.err


def test_a_mount_that_is_not_there_is_named(server):
    run = probe(f"{server.url}/nosuch", code=0)
    assert "no mount main: nothing speaks the protocol at /nosuch; --mount names its path" in run.err
    assert "main" not in json.loads(run.out)["mounts"]


def test_a_server_that_is_deaf_but_for_heartbeats():
    with Bare(deaf=True) as peer:
        run = probe("--topic", "room:lobby", "--wait", "1", peer.url)
        assert profile_of(run)["topic"] is None


@pytest.mark.parametrize(
    "arguments, code, says",
    [
        (["http://127.0.0.1:1"], 3, "no connection to 127.0.0.1:1"),
        (["ftp://127.0.0.1"], 2, "is no base URL"),
        ([], 2, "one URL is needed"),
        (["--mount", "socket", "http://127.0.0.1:1"], 2, 'a path begins with "/"'),
        (["--wait", "11", "http://127.0.0.1:1"], 2, "a whole number from 1 to 10"),
        (["--from", "/no/such/file", "http://127.0.0.1:1"], 2, "/no/such/file"),
        (["--vectors", "/no/such", "http://127.0.0.1:1"], 2, "/no/such is no folder of vectors"),
    ],
)
def test_wrong_use(arguments, code, says):
    assert says in probe(*arguments, code=code).err


def test_a_profile_that_cannot_be_written():
    with Bare() as peer:
        run = probe("--wait", "1", "--output", "/no/such/folder/profile.json", peer.url, code=2)
    assert "/no/such/folder/profile.json: " in run.err
