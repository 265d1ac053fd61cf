# SPDX-License-Identifier: MIT
"""How `phxspec server` runs its cases: when the machine stands still, when it is interrupted, when a server
floods, and how it finds connections to have closed."""

import asyncio
import json
import re
import shutil
import signal
import subprocess
import time

import pytest

from testenv import env
from testenv.harness import LACKS, judge, phxspec
from testenv.peers import Change, Chatter, Proxy, Silent
from testenv.server import wait_until
from testenv.vacuous import Agrees, Echoes
from testenv.wire import CLOSE, PING, TEXT, frame

# ---- closings are judged apart ----


class Closing(Proxy):
    """Passes everything on, but answers a close in its own way."""

    def __init__(self, port, how):
        self.how = how
        super().__init__(port, Change())

    async def _frame(self, reader, vsn, held):
        data = await super()._frame(reader, vsn, held)
        return await self.how(data) if data[0] & 15 == CLOSE else data


async def cut(data):
    return None  # the connection ends


async def ignore(data):
    await asyncio.sleep(30)


async def another_code(data):
    return frame(CLOSE, (1001).to_bytes(2, "big"), masked=False)


async def talk_on(data):
    return data + frame(TEXT, b"[null,null,\"t\",\"e\",{}]", masked=False)


async def as_it_is(data):
    return data


@pytest.mark.parametrize(
    "how,says",
    [
        (as_it_is, "clean"),
        (cut, "unclean: a: the server ended TCP and did not answer the close"),
        (ignore, "unclean: a: the server did not answer the close within 1000 ms"),
        (another_code, "unclean: a: the server answered the close with code 1001, not 1000"),
        (talk_on, "unclean: a: a frame came behind the server's close"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_how_a_connection_closes_is_told_and_changes_no_verdict(server, report, how, says):
    with Closing(server.port, how) as proxy:
        run = judge(proxy.url, "--run", "heartbeat.ok", "--run", "join.ok", report=report)
    assert run.code == 0 and set(run.verdicts.values()) == {"pass"}
    closings = {line["variant"]: line.get("closing") for line in run.lines if line["event"] == "verdict"}
    assert {says} == {closing for variant, closing in closings.items() if "/ws/" in variant}
    assert {None} == {closing for variant, closing in closings.items() if "/lp/" in variant}
    assert (says in run.out) == (says != "clean")


# ---- cases that would disturb others ----


def test_what_would_disturb_others_runs_when_they_are_over(server, report):
    run = judge(server.url, "--run", "broadcast", "--run", "idle.silence", report=report)
    assert run.code == 0
    started = [line["variant"] for line in run.lines if line["event"] == "started"]
    assert all(variant.startswith("broadcast.to-nobody/") for variant in started[-4:]), started
    with (env.VECTORS / "server" / "broadcast.json").open(encoding="utf-8") as file:
        ids = [case["id"] for case in json.load(file)["cases"]]
    assert ids[-1] != "broadcast.to-nobody", "else it would come last anyway"


# ---- servers that send without end ----


class Pings(Chatter):
    """Switches to WebSocket and sends pings for ever."""

    def __init__(self):
        super().__init__(b"")

    async def after_upgrade(self, reader, writer):
        while True:
            writer.write(frame(PING, b"p" * 100, masked=False) * 100)
            await writer.drain()


class EndlessFrame(Chatter):
    """Switches to WebSocket and begins a message that does not end."""

    def __init__(self):
        super().__init__(b"\x81\x7f" + (1 << 25).to_bytes(8, "big"))

    async def after_upgrade(self, reader, writer):
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()


@pytest.mark.parametrize("peer,says", [(Pings, "flooded: "), (EndlessFrame, "33554432")])
def test_a_server_that_floods_costs_a_case_and_no_memory(peer, says, report):
    with peer() as flooding:
        began = time.monotonic()
        run = judge(flooding.url, "--run", "heartbeat.*/ws/*", report=report, timeout=60)
    assert run.code == 1 and set(run.verdicts.values()) == {"fail"}
    assert all(says in line["reason"] for line in run.lines if line["event"] == "verdict"), run.out
    assert time.monotonic() - began < 20


# ---- a harness that stands still ----


class Answers(Change):
    """Notes that an answer came to the client."""

    def __init__(self):
        self.seen = False

    def messages(self, message, held):
        self.seen = True
        return [message]


def stopped(url, report, pattern, reached, seconds, then=lambda: None):
    """A run that is stopped for a while where it has `reached` a point: its exit code and its verdicts."""
    command = [env.harness(), "server", "--without", LACKS, "--run", pattern, "--report", report, url]
    process = subprocess.Popen(command, cwd=env.ROOT, env=env.environment(), stdout=subprocess.PIPE)
    try:
        wait_until(reached, "the point to stop at")
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)
        then()
        process.communicate(timeout=60)
    finally:
        process.kill()
    events = [json.loads(line) for line in report.read_text().splitlines()]
    return process.returncode, [event for event in events if event["event"] == "verdict"]


def test_what_fails_because_the_harness_stood_still_is_no_failure(server, report):
    answers = Answers()
    with Proxy(server.port, answers) as proxy:
        code, verdicts = stopped(proxy.url, report, "idle.*-keep", lambda: answers.seen, 1.5)
    late = [event for event in verdicts if event["verdict"] != "pass"]
    assert code == 3 and late
    for event in late:
        assert event["verdict"] == "harness error" and "stood still for" in event["reason"], event
        assert "proves nothing" in event["reason"]


def test_no_wait_ends_because_the_whole_machine_stood_still(server, report):
    """Steps wait for 2 seconds. Here neither the harness nor the server has them, and the server wakes up last."""

    def wake_server():
        time.sleep(0.4)
        server.process.send_signal(signal.SIGCONT)

    def some_began():
        return report.exists() and '"started"' in report.read_text(encoding="utf-8")

    server.process.send_signal(signal.SIGSTOP)
    code, verdicts = stopped(server.url, report, "heartbeat.*", some_began, 2.5, wake_server)
    assert code == 0, [event for event in verdicts if event["verdict"] != "pass"]


# ---- what is said of a failure ----


def test_a_step_over_version_1_says_what_becomes_of_its_join_ref(report):
    with Agrees() as useless:
        run = judge(useless.url, "--run", "join.ok/ws", "--run", "format.v1-ends-with-join-ref", report=report)
    words = {line["variant"]: line["step_text"] for line in run.lines if line["event"] == "verdict"}
    told = "; version 1.0.0 does without the join_ref"
    assert words["join.ok/ws/v1"].endswith(told) and 'join_ref "1"' in words["join.ok/ws/v2"]
    assert all(told not in text for name, text in words.items() if name != "join.ok/ws/v1"), words


@pytest.mark.parametrize(
    "peer, case, says",
    [
        (Agrees, "format.v1-other-keys/lp/v1", "this is no message: an object with keys that no message has"),
        (Agrees, "handshake.no-upgrade/ws/v2", "HTTP status: expected one of 400, 426, got 200"),
        (Echoes, "handshake.wrong-path/lp/v2", "status one of 400, 403, 404, 405 is expected, and came: HTTP status 200 without a body"),
    ],
)
def test_a_reason_says_what_was_wrong_with_what_came(peer, case, says, report):
    with peer() as useless:
        run = judge(useless.url, "--run", case, report=report)
    (verdict,) = (line for line in run.lines if line["event"] == "verdict")
    assert says in verdict["reason"], verdict["reason"]


# ---- runs that are ended early ----


def test_an_interrupted_run_tells_what_it_knows(server, report):
    def some_are_over(process):
        wait_until(lambda: report.exists() and '"pass"' in report.read_text(), "a verdict")

    run = phxspec("server", "--without", LACKS, server.url, report=report, interrupt_after=some_are_over)
    assert run.code == 3
    planned = run.lines[0]["planned"]
    assert len(run.verdicts) == planned and run.count("pass") > 0 and run.count("not run") > 0
    unplayed, words = run.count("not run"), " ".join(run.out.split())
    assert f"not run {unplayed} variants: the run was interrupted" in words
    assert f"the run was ended early; {unplayed} of {planned} variants were not judged" in words
    assert not re.search(r"requirements: .*\bfailed", words), "what was not run has not failed"
    assert run.lines[-1]["event"] == "summary" and run.lines[-1]["complete"] is False


def test_the_deadline_of_the_run_leaves_a_verdict_for_each_case(report):
    with Silent() as silent:
        run = judge(silent.url, "--deadline", "1", "--quiet", report=report)
    assert run.code == 3 and run.count("not run") == len(run.verdicts) - run.count("not applicable")
    assert "the deadline of the whole run had passed" in json.dumps(run.lines)
    assert run.seconds < 10


def test_a_refused_connection_keeps_no_case_waiting(server, report):
    """Whether the server ends TCP behind a refusal is nobody's business. It used to be waited for, a second long."""
    run = judge(server.url, "--run", "admission.reject", report=report)
    assert run.code == 0 and run.count("pass") == 4
    assert min(line["ms"] for line in run.lines if line["event"] == "verdict") < 900


# ---- lint ----


def folder_with(tmp_path, **changes):
    """A copy of the vectors with one group in it, which is changed."""
    folder = tmp_path / "vectors"
    (folder / "server").mkdir(parents=True)
    shutil.copy(env.VECTORS / "requirements.json", folder)
    group = json.loads((env.VECTORS / "server" / "heartbeat.json").read_text())
    group["cases"][0].update(changes)
    (folder / "server" / "heartbeat.json").write_text(json.dumps(group))
    return folder


def test_the_vectors_have_no_flaw():
    run = phxspec("lint", "--vectors", env.VECTORS)
    assert run.code == 0 and run.out.endswith(", 0 flaws\n"), run.out


def test_lint_takes_files_and_folders(tmp_path):
    one = phxspec("lint", env.VECTORS / "server" / "join.json")
    assert one.code == 0 and "in 1 file," in one.out
    two = phxspec("lint", "--vectors", env.VECTORS, env.VECTORS / "server" / "join.json", folder_with(tmp_path) / "server")
    assert two.code == 0 and "in 2 files" in two.out


def test_lint_names_what_is_worth_little(tmp_path):
    folder = folder_with(tmp_path, steps=[{"connect": "a", "refused": 403}])
    run = phxspec("lint", "--vectors", folder)
    assert run.code == 1
    assert "heartbeat.json: case heartbeat." in run.out and "no positive control" in run.out


BROKEN = {
    "capability": ({"needs": ["magic"]}, "magic"),
    "transport twice": ({"transports": ["longpoll", "longpoll"]}, '"longpoll" stands in it twice'),
    "id": ({"id": "heartbeat.OK"}, 'here "heartbeat.NAME"'),
    "former id": ({"formerly": ["heartbeat"]}, "formerly"),
    "requirement": ({"requirements": ["HB-98"]}, "HB-98"),
    "release": ({"phoenix": {"since": "1.8"}}, "phoenix"),
    "timer": ({"steps": [{"connect": "a"}, {"wait": {"ms": 100}}]}, "step 2 (wait)"),
    "unknown timer": ({"steps": [{"connect": "a"}, {"wait": {"timer": "tea"}}]}, "step 2 (wait)"),
    "matcher": ({"steps": [{"connect": "a"}, {"expect": [1, 2, 3, 4, {"$maybe": 1}]}]}, "$maybe"),
    "capture": ({"steps": [{"connect": "a"}, {"send": ["${x}", "2", "t", "e", {}]}]}, "step 2 (send)"),
    "verb": ({"steps": [{"shout": "a"}]}, "step 1"),
}


@pytest.mark.parametrize("command", ["lint", "server"])
@pytest.mark.parametrize("changes,named", BROKEN.values(), ids=BROKEN)
def test_broken_input_is_named_with_its_place(tmp_path, command, changes, named):
    folder = folder_with(tmp_path, **changes)
    url = ["http://127.0.0.1:1"] if command == "server" else []
    run = phxspec(command, "--vectors", folder, *url)
    assert run.code == 2
    assert named in run.err and "heartbeat.json: case heartbeat." in run.err, run.err


@pytest.mark.parametrize("command", ["lint", "server"])
def test_a_file_cut_short_and_an_id_used_again_are_broken_input(tmp_path, command):
    url = ["http://127.0.0.1:1"] if command == "server" else []
    folder = folder_with(tmp_path)
    group = json.loads((folder / "server" / "heartbeat.json").read_text())
    ids = [case["id"] for case in group["cases"]]
    group["cases"][1]["formerly"] = [ids[0]]
    (folder / "server" / "heartbeat.json").write_text(json.dumps(group))
    run = phxspec(command, "--vectors", folder, *url)
    assert run.code == 2 and f"case {ids[1]}: formerly: " in run.err, run.err
    whole = (folder / "server" / "heartbeat.json").read_text()
    (folder / "server" / "heartbeat.json").write_text(whole[: len(whole) // 2])
    run = phxspec(command, "--vectors", folder, *url)
    assert run.code == 2 and "heartbeat.json:1:" in run.err, run.err


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["/no/such/file"], ["--vectors", "/no/such/folder"]])
def test_lint_used_wrongly(arguments):
    run = phxspec("lint", *arguments)
    assert run.code == 2 and arguments[-1] in run.err


def test_complaints_hold_no_control_characters(tmp_path):
    run = phxspec("lint", "--vectors", folder_with(tmp_path, id="heartbeat.\x1b[31mred"))
    assert run.code == 2 and r"case heartbeat.\x1b[31mred: " in run.err and "\x1b" not in run.err


def test_a_group_without_a_name_is_one_flaw(tmp_path):
    folder = folder_with(tmp_path)
    path = folder / "server" / "heartbeat.json"
    group = json.loads(path.read_text())
    del group["group"]
    path.write_text(json.dumps(group))
    run = phxspec("lint", "--vectors", folder)
    assert run.code == 2 and "heartbeat.json: group: a string is needed here" in run.err and run.err.count("\n") == 1
