# SPDX-License-Identifier: MIT
"""Releases of Phoenix: the reference server follows the rules of one; recordings and vectors hold it to them."""

import fnmatch
import json
import subprocess

import pytest

from testenv import env
from testenv.harness import LACKS, phxspec, spawn_template
from testenv.wire import Connection, LongPoll, WebSocket, message

RELEASES = ("1.7.24", "1.8.2", "1.8.11", "1.8.12")

# Scenarios that Phoenix itself answered otherwise from one release to the next.
CHANGED = """
    binary.join-ref-of-integer-join binary.stale-join-ref crash.* disconnect.own-id handshake.auth-token*
    handshake.vsn-array join.channel-limit join.null-join-ref* leave.null-join-ref leave.v1-join-ref-key
    longpoll.bad-token longpoll.ndjson-101 longpoll.ndjson-bad-base64 longpoll.token-in-header presence.disconnect
    push.integer-join-ref-for-string push.null-join-ref push.stale-join-ref push.v1-join-ref-key
""".split()


# ---- recordings ----


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """The recordings of these scenarios, of all servers."""
    folder = tmp_path_factory.mktemp("changed")
    with (folder / "changed.jsonl").open("w", encoding="utf-8") as out:
        for path in sorted((env.VECTORS / "recorded").glob("*/*.jsonl")):
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    header = json.loads(line)
                    chosen = any(fnmatch.fnmatch(header["scenario"], glob) for glob in CHANGED)
                    own = [line] + [next(lines) for _ in range(header["events"])]
                    out.writelines(own if chosen else [])
    return folder


def replay(path, report, only=(), **settings):
    rules = env.VECTORS / "recorded" / "varies.json"
    return phxspec(
        *("replay", "--without", LACKS, "--assume", "longpoll_pubsub_timeout_ms", "--rules", rules),
        *("--spawn", spawn_template(**settings), path, *(part for glob in only for part in ("--only", glob))),
        report=report,
    )


def test_what_changed_agrees_by_the_rules_of_its_release(changed, report):
    run = replay(changed, report)
    assert run.code == 0, run.out + run.err
    assert run.count("agree") == len(run.verdicts) > 6 * len(CHANGED)


def test_by_the_rules_of_another_release_it_disagrees(changed, report):
    run = replay(changed, report, phoenix="1.8.12", only=("phoenix-1.8.11-*.ws.*", "phoenix-1.8.12-*.ws.*"))
    wrong = {name for name, verdict in run.verdicts.items() if verdict == "disagree"}
    assert run.code == 1
    assert {name.rsplit(".", 2)[0] for name in wrong} == {
        f"phoenix-1.8.11-bandit/{scenario}"
        for scenario in (
            *("join.null-join-ref", "leave.null-join-ref", "push.null-join-ref"),
            *("leave.v1-join-ref-key", "push.v1-join-ref-key"),
        )
    }


# ---- vectors ----


def number(release):
    return tuple(int(part) for part in release.split("."))


def covers(ranges, release):
    ranges = ranges if isinstance(ranges, list) else [ranges]
    return any(
        number(each.get("since", "0.0.0")) <= number(release) <= number(each.get("until", "9.9.9")) for each in ranges
    )


CASES = [
    case
    for path in sorted((env.VECTORS / "server").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]
]
RELEASED = [case for case in CASES if "phoenix" in case or "known_defects" in case]


def judge(server, release, report, *arguments):
    return phxspec(
        *("server", "--strict", "--without", LACKS, "--phoenix", release, *arguments, server.url), report=report
    )


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_has_its_rules_and_its_known_defects(start_server, report, tmp_path, release):
    chosen = tmp_path / "cases"
    chosen.write_text("".join(f"{case['id']}\n" for case in RELEASED), encoding="utf-8")
    run = judge(start_server("--phoenix", release), release, report, "--run", f"@{chosen}")
    assert run.code == 0, run.out + run.err
    defective = {
        case["id"]
        for case in RELEASED
        if any(covers(defect["phoenix"], release) for defect in case.get("known_defects", []))
    }
    shown = {name.split("/")[0] for name, verdict in run.verdicts.items() if verdict == "expected failure"}
    assert shown == defective
    assert (release == "1.8.12") == (not defective)


def test_a_defect_of_one_release_fails_another(start_server, report):
    """Phoenix 1.8.11's loss of pushes without join_ref, on a server that claims to be 1.8.12."""
    run = judge(start_server("--phoenix", "1.8.11"), "1.8.12", report, "--run", "join_ref.push-null")
    assert run.code == 1 and set(run.verdicts.values()) == {"fail"}


# ---- what no recording has ----


@pytest.mark.parametrize("release", ["", "1.8", "1.8.13", "1.9.0", "1.5.14", "newest", "1.8.011"])
def test_an_unknown_release_is_wrong_use(release):
    run = subprocess.run(
        [env.server(), "--port", "0", "--phoenix", release], capture_output=True, text=True, env=env.environment()
    )
    assert run.returncode == 2
    assert "--phoenix" in run.stderr and "1.6.0 to 1.8.12" in run.stderr


def test_a_plain_get_was_answered_by_the_http_server(start_server):
    for release, status in (("1.7.9", 426), ("1.7.10", 400)):
        server = start_server("--phoenix", release)
        assert Connection(server.port).exchange("GET", "/socket/websocket?vsn=2.0.0").status == status


def heartbeat(ref):
    return message(None, ref, "phoenix", "heartbeat", {})


def test_before_1_7_a_body_is_one_message(start_server):
    poll = LongPoll(start_server("--phoenix", "1.6.16").port)
    assert poll.post(heartbeat("1"))["status"] == 200
    assert [each[1] for each in poll.messages(1)] == ["1"]
    assert poll.post(heartbeat("2"), heartbeat("3"))["status"] == 408, "two lines are no JSON"


def test_before_1_7_7_a_line_is_text(start_server):
    poll = LongPoll(start_server("--phoenix", "1.7.6").port)
    assert poll.post(heartbeat("1"), b"AAAA")["status"] == 408, "base64 is no JSON"


def test_a_batch_had_no_limit(start_server):
    poll = LongPoll(start_server("--phoenix", "1.8.8").port)
    assert poll.post(*(heartbeat(str(i)) for i in range(150)))["status"] == 200
    assert len(poll.messages(150)) == 150


@pytest.mark.parametrize("release,late", [("1.8.5", 200), ("1.8.6", 500), ("1.8.7", 200)])
def test_a_late_post(start_server, release, late):
    server = start_server("--phoenix", release)
    poll = LongPoll(server.port)
    connection = Connection(server.port)
    connection.send(poll.post_request(message("1", "1", "phxspec:late", "phx_join", {"delay_ms": 900})))
    response = connection.response()
    assert response.status == late
    assert late == 500 or response.json == {"status": 408}


def test_a_drain_closed_with_1000(start_server):
    for release, code in (("1.7.3", 1000), ("1.7.4", 1012)):
        server = start_server("--phoenix", release)
        client = WebSocket(server.port)
        client.join("phxspec:drain")
        server.signal()
        assert client.read_close() == code
        client.close()


def test_a_leave_that_is_stale_was_heeded(start_server):
    for release, left in (("1.6.15", True), ("1.6.16", False)):
        client = WebSocket(start_server("--phoenix", release).port)
        client.join("phxspec:stale")
        client.push("phxspec:stale", "phx_leave", {}, join_ref="other")
        client.push("phoenix", "heartbeat", {}, join_ref=None)
        answers = [client.receive()[3:] for _ in range(3 if left else 1)]
        assert (["phx_close", {}] in answers) == left
