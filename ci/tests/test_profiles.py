# SPDX-License-Identifier: MIT
"""Profiles: the shipped ones, what a target wants to be told, the bare tier, releases and divergences."""

import fnmatch
import json

import pytest

from test_data import complaints, schema
from testenv import env
from testenv.bare import Bare
from testenv.harness import LACKS, cases, phxspec, read_recordings, summary_of_vectors
from testenv.peers import Change, Message, Proxy, Silent

PROFILES = env.VECTORS / "profiles"
SHIPPED = sorted(PROFILES.glob("*.json"))


def read(name):
    return json.loads((PROFILES / name).read_text(encoding="utf-8"))


@pytest.fixture
def write(tmp_path):
    def write(**members):
        path = tmp_path / "profile.json"
        profile = {"profile": 1, "name": "test", "mounts": {"main": {"path": "/socket"}}, "capabilities": []}
        path.write_text(json.dumps({**profile, **members}), encoding="utf-8")
        return path

    return write


def names_of(run):
    return sorted(name for name, verdict in run.verdicts.items() if verdict == "pass")


# ---- the shipped ones ----


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_profile_can_be_used(path):
    run = phxspec("server", "--profile", path, "--list")
    assert run.code == 0 and run.err == "", run.err
    applicable = [line for line in run.out.splitlines() if "not applicable" not in line]
    assert len(applicable) > 50


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_divergences_are_about_cases_that_exist(path):
    ids = [case["id"] for case in cases()]
    for divergence in json.loads(path.read_text(encoding="utf-8")).get("divergences", []):
        assert fnmatch.filter(ids, divergence["case"].split("/")[0])


@pytest.mark.parametrize("adapter", ["bandit", "cowboy"])
def test_the_profiles_of_phoenix_say_what_was_recorded(adapter):
    folder = env.VECTORS / "recorded" / f"phoenix-1.8.12-{adapter}"
    profile = read(f"phoenix-1.8-{adapter}.json")
    assert profile["phoenix"] == "1.8.12"
    seen = set()
    for path in folder.glob("*.jsonl"):
        for recording in read_recordings(path):
            config = recording[0]["config"]
            mount = {"/tight": "tight", "/sub": "sub"}.get(config.get("mount", ""), "main")
            said = profile["mounts"][mount]
            # some scenarios change one setting for themselves
            if "longpoll_token_max_age_s" in config or config.get("auth_token") is False and mount == "main":
                continue
            seen.add(mount)
            for key, value in {
                "websocket_timeout_ms": said["websocket"]["timeout_ms"],
                "longpoll_window_ms": said["longpoll"]["window_ms"],
                "longpoll_pubsub_timeout_ms": said["longpoll"]["pubsub_timeout_ms"],
                "max_channels": said["limits"]["max_channels"],
                "max_frame_size": said["limits"]["max_frame_bytes"],
            }.items():
                assert config.get(key, value) == value, (recording[0]["scenario"], key)
            if recording[0]["scenario"] == "ws.idle-timeout":
                codes = {
                    line["code"] for line in recording[1:] if line.get("kind") == "close" and line["dir"] == "in"
                }
                diverges = any(entry["case"] == "idle.close-code" for entry in profile.get("divergences", []))
                assert codes == ({1000} if diverges else {1002})
    assert seen == {"main", "tight", "sub"}


def test_a_broken_profile_is_named_with_the_place(write):
    run = phxspec("server", "--profile", write(mounts={"main": {"path": "x"}}), "--list")
    assert run.code == 2 and 'profile.json: mounts.main.path: a path begins with "/"' in run.err


@pytest.mark.parametrize("headers", [{"x-a": "b\r\nx-c: d"}, {"x a": "b"}, {"x:a": "b"}, {"": "b"}, {"x-a": 1}])
def test_a_header_is_one_line(write, headers):
    run = phxspec("server", "--profile", write(connect={"headers": headers}), "--list")
    assert run.code == 2 and "profile.json: connect.headers" in run.err and run.err.count("\n") == 1


def test_what_nothing_comes_of_is_said(write):
    entries = [{"case": "idle.no-such", "reason": "r"}, {"case": "idle.*", "reason": "r"}]
    run = phxspec("server", "--profile", write(phoenix="9.9.9", divergences=entries), "--list")
    assert run.code == 0 and "divergences[0], idle.no-such: it matches no case" in run.err
    assert "the rules of Phoenix 9.9.9 are not known: those of " in run.err and run.err.count("\n") == 2


def test_a_step_waits_as_long_as_the_profile_says(write, report):
    with Silent() as silent:
        options = ["--profile", write(patience_ms=300, capabilities=["websocket", "longpoll"]), "--run", "heartbeat.ok"]
        run = phxspec("server", *options, silent.url, report=report)
    assert run.code == 1 and set(run.verdicts.values()) == {"fail"}
    verdicts = [line for line in run.lines if line["event"] == "verdict"]
    assert all("within 300 ms" in line["reason"] for line in verdicts)
    assert min(line["ms"] for line in verdicts) < 1900, "they waited as usual"
    wrong = phxspec("server", "--profile", write(patience_ms=0), "--list")
    assert wrong.code == 2 and "profile.json: patience_ms: a whole number above 0" in wrong.err


# ---- the bare tier ----

BARE = {
    "handshake.ok/ws/v2",
    "version.unsupported/lp/v2",
    "heartbeat.ok/lp/v1",
    "join.unmatched-join-ref/ws/v2",
    "join_ref.leave-null/ws/v2",
    "leave.ok/ws/v1",
    "leave.twice/lp/v2",
    "leave.unjoined/ws/v2",
    "malformed.topic-no-string/ws/v2",
    "close.codes/ws/v2",
    "control.unmasked/ws/v2",
    "longpoll.open/lp/v2",
    "longpoll_post.content-types/lp/v2",
}


def test_the_bare_tier_takes_a_url_and_one_topic(server, write, report):
    profile = write(topic="phxspec:lobby", capabilities=["websocket", "longpoll"])
    run = phxspec("server", "--profile", profile, server.url, report=report)
    assert run.code == 0, run.out
    counts = summary_of_vectors(run)
    assert counts["fail"] == 0 and counts["pass"] >= 120
    assert BARE <= set(names_of(run))
    reasons = {line["variant"]: line.get("reason") for line in run.lines if "variant" in line}
    assert reasons["push.echo/ws/v2"] == "capability conformance"
    assert reasons["longpoll_faults.unreadable/lp/v2"] == "mount tight"
    assert reasons["leave.payload/ws/v2"] == "a topic with {unique} in it: the case joins several"


def test_with_topics_of_its_own_and_three_mounts_the_bare_tier_is_larger(server, report):
    run = phxspec("server", "--without", f"{LACKS},conformance", server.url, report=report)
    assert run.code == 0, run.out
    counts = summary_of_vectors(run)
    assert counts["fail"] == 0 and counts["pass"] >= 220


def test_without_a_topic_no_case_joins_one(server, write, report):
    run = phxspec(
        "server", "--profile", write(topic=None, capabilities=["websocket"]), server.url, report=report
    )
    assert run.code == 0 and "heartbeat.ok/ws/v2" in names_of(run)
    assert run.verdicts["leave.ok/ws/v2"] == "not applicable"


def test_timers_and_limits_that_are_left_out(server, write, report):
    profile = read("reference-server.json")
    del profile["mounts"]["tight"]["websocket"]
    del profile["mounts"]["tight"]["limits"]["max_channels"]
    run = phxspec(
        "server", "--profile", write(**profile), "--run", "idle.*", "--run", "limits.*", server.url, report=report
    )
    assert run.code == 0
    assert run.verdicts["idle.silence/ws/v2"] == run.verdicts["limits.channels/ws/v2"] == "not applicable"
    assert run.verdicts["limits.frame/ws/v2"] == "pass"


# ---- what a target wants to be told ----

TOLD = {
    "topic": "room:lobby",
    "vsn": ["2.0.0"],
    "capabilities": ["websocket"],
    "connect": {"params": {"token": "s3cret"}, "headers": {"X-Token": "s3cret"}},
    "join": {
        "params": {"token": "s3cret"},
        "response": {"$partial": {"user": 7}},
        "allow": [[{"$any": True}, None, "${topic}", "welcome", {"n": 1}]],
    },
}
ASKED = ["--run", "leave.ok", "--run", "heartbeat.ok", "--run", "push.unjoined"]


def test_parameters_headers_and_answers_of_a_target_of_its_own(write, report):
    with Bare(token="s3cret", response={"user": 7}, welcome="welcome") as peer:
        run = phxspec("server", "--profile", write(**TOLD), *ASKED, peer.url, report=report)
        assert run.code == 0, run.out
        assert names_of(run) == ["heartbeat.ok/ws/v2", "leave.ok/ws/v2", "push.unjoined/ws/v2"]
        assert run.verdicts["heartbeat.ok/ws/v1"] == "not applicable"


@pytest.mark.parametrize(
    "without, fails",
    [
        (("connect", "params"), "heartbeat.ok/ws/v2"),
        (("connect", "headers"), "heartbeat.ok/ws/v2"),
        (("join", "params"), "leave.ok/ws/v2"),
        (("join", "response"), "leave.ok/ws/v2"),
        (("join", "allow"), "leave.ok/ws/v2"),
    ],
    ids=".".join,
)
def test_each_of_them_is_needed(write, report, without, fails):
    told = json.loads(json.dumps(TOLD))
    del told[without[0]][without[1]]
    with Bare(token="s3cret", response={"user": 7}, welcome="welcome") as peer:
        run = phxspec("server", "--profile", write(**told), *ASKED, peer.url, report=report)
        assert run.code == 1 and run.verdicts[fails] == "fail"


class WithJoinRef(Message):
    def text(self):
        return json.dumps({**json.loads(super().text()), "join_ref": None})


class JoinRefInVersion1(Change):
    """As one server does: its messages have a join_ref in version 1.0.0, too."""

    def messages(self, message, held):
        return [WithJoinRef(**vars(message)) if message.vsn == "1" else message]


def test_a_join_ref_in_version_1_is_overlooked_where_a_profile_says_so(server, write, report):
    own = read("reference-server.json")
    asked = ["--run", "join.ok", "--run", "broadcast.to-all", "--run", "req:V1-03", "--transport", "ws"]
    with Proxy(server.port, JoinRefInVersion1()) as proxy:
        strict = phxspec("server", "--profile", write(**own), *asked, proxy.url, report=report)
        assert strict.code == 1
        failed = {name for name, verdict in strict.verdicts.items() if verdict == "fail"}
        assert failed == {name for name in strict.verdicts if name.endswith("/v1")}
        told = phxspec("server", "--profile", write(**own, v1_join_ref=True), *asked, proxy.url, report=report)
        assert told.code == 1
        failed = {name for name, verdict in told.verdicts.items() if verdict == "fail"}
        assert failed == {"format.v1-answers/ws/v1"}
    assert phxspec("server", "--profile", write(**own, v1_join_ref=1), server.url).code == 2


class OddHeartbeats(Change):
    """As one server does: the response to a heartbeat is null."""

    def messages(self, message, held):
        if message.topic == "phoenix":
            message.payload = {"status": "ok", "response": None}
        return [message]


def test_how_heartbeats_are_answered_fails_cases_about_heartbeats_only(server, report):
    with Proxy(server.port, OddHeartbeats()) as proxy:
        asked = ["--without", LACKS, "--run", "heartbeat.ok/ws/v2", "--run", "push.noreply/ws/v2"]
        run = phxspec("server", *asked, proxy.url, report=report)
    assert run.verdicts == {"heartbeat.ok/ws/v2": "fail", "push.noreply/ws/v2": "pass"}


def test_a_mount_may_be_at_an_address_of_its_own(server, write, report):
    profile = read("reference-server.json")
    main, tight = profile["mounts"]["main"], profile["mounts"]["tight"]
    main["url"] = server.url + main.pop("path")
    tight["url"] = server.url + tight.pop("path")
    with Silent() as silent:
        run = phxspec(
            "server", "--profile", write(**profile), "--run", "heartbeat.ok", "--run", "idle.close-code",
            "--run", "longpoll.open", silent.url, report=report,
        )  # fmt: skip
    assert run.code == 0, run.out
    assert len(names_of(run)) == 7


NODE = {
    "id": "g.node",
    "title": "t",
    "requirements": ["HB-02"],
    "level": "must",
    "vsn": ["2.0.0"],
    "steps": [
        {"connect": "a", "node": "second"},
        {"barrier": "heartbeat"},
        {
            "http": {"method": "GET", "path": "${longpoll}", "query": {"vsn": "2.0.0"}},
            "node": "second",
            "expect": {"status": 200},
        },
    ],
}


def test_a_step_may_go_to_another_node(server, write, report, tmp_path):
    folder = tmp_path / "vectors" / "server"
    folder.mkdir(parents=True)
    (folder.parent / "requirements.json").write_bytes((env.VECTORS / "requirements.json").read_bytes())
    vectors = {"vectors": 1, "group": "g", "about": "a", "cases": [NODE]}
    (folder / "g.json").write_text(json.dumps(vectors), encoding="utf-8")
    assert complaints(schema("vectors.schema.json"), vectors) == []
    profile = read("reference-server.json")
    command = ["server", "--vectors", folder.parent, "--profile"]
    with Silent() as silent:
        run = phxspec(*command, write(**profile, nodes={"second": server.url}), silent.url, report=report)
        assert run.code == 0 and names_of(run) == ["g.node/lp/v2", "g.node/ws/v2"], run.out
        run = phxspec(*command, write(**profile), silent.url, report=report)
        assert run.verdicts["g.node/ws/v2"] == "not applicable" and "node second" in run.out


def test_a_mount_nobody_listens_at_is_named(server, write):
    profile = read("reference-server.json")
    profile["mounts"]["sub"] = {"url": "http://127.0.0.1:1/sub"}
    run = phxspec("server", "--profile", write(**profile), server.url)
    assert run.code == 3 and "mount sub of the profile: no connection to 127.0.0.1:1" in run.err


# ---- releases and divergences ----


class NullJoinRefIsNotTaken(Change):
    """As Phoenix 1.8.3 to 1.8.11, but seen at once: a refusal instead of silence."""

    def messages(self, message, held):
        if message.is_reply and message.payload.get("response") == {"join_ref": None}:
            message.payload = {"status": "error", "response": {}}
        return [message]


def test_a_known_defect_excuses_a_failure_under_its_release_only(server, report):
    case = ["--without", LACKS, "--run", "join_ref.push-null/ws/v2"]
    with Proxy(server.port, NullJoinRefIsNotTaken()) as proxy:
        run = phxspec("server", *case, "--phoenix", "1.8.11", proxy.url, report=report)
        assert (run.code, run.verdicts["join_ref.push-null/ws/v2"]) == (0, "expected failure")
        assert "a push without join_ref is lost" in run.out
        for release in ("1.8.12", "1.8.2"):
            run = phxspec("server", *case, "--phoenix", release, proxy.url, report=report)
            assert (run.code, run.verdicts["join_ref.push-null/ws/v2"]) == (1, "fail")
    run = phxspec("server", *case, "--phoenix", "1.8.11", server.url, report=report)
    assert (run.code, run.verdicts["join_ref.push-null/ws/v2"]) == (0, "pass")


def test_a_rule_of_a_later_release_is_not_applicable(server, report):
    run = phxspec(
        "server", "--without", LACKS, "--run", "join_ref.*", "--phoenix", "1.7.24", server.url, report=report
    )
    assert run.code == 0 and run.verdicts["join_ref.push-stale/ws/v2"] == "not applicable"
    assert "Phoenix 1.7.24: it holds since 1.8.3" in run.out


@pytest.mark.parametrize("release, says", [("1.8", "is no release of Phoenix"), ("1.4.0", "are not known")])
def test_a_release_that_is_none(release, says):
    run = phxspec("server", "--phoenix", release, "--list")
    assert run.code == 2 and says in run.err


class ClosesAsCowboy(Change):
    def close_code(self, code):
        return 1000 if code == 1002 else code


def test_a_divergence_is_expected_and_held_against_the_target(server, report):
    case = ["--profile", PROFILES / "phoenix-1.8-cowboy.json", "--run", "idle.close-code"]
    with Proxy(server.port, ClosesAsCowboy()) as proxy:
        run = phxspec("server", *case, proxy.url, report=report)
        assert (run.code, run.verdicts["idle.close-code/ws/v2"]) == (0, "expected failure"), run.out
        assert "Cowboy closes an idle connection with 1000" in run.out
    run = phxspec("server", *case, server.url, report=report)
    assert (run.code, run.verdicts["idle.close-code/ws/v2"]) == (1, "unexpected pass")
    assert "a divergence of the profile expects idle.close-code to fail" in run.out
