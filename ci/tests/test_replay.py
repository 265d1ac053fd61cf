# SPDX-License-Identifier: MIT
"""`phxspec replay`: recordings of Phoenix against a server, good, altered and useless ones."""

import json
import re
import shlex

import pytest

from testenv import env
from testenv.harness import (
    LACKS,
    RECORDED,
    name_of,
    phxspec,
    read_recordings,
    spawn_template,
    write_recordings,
)
from testenv.peers import Change, Garbage, Hangup, Proxy, Silent
from testenv.server import wait_until

HEARTBEAT = RECORDED / "heartbeat.jsonl"
REFERENCE = ("--without", LACKS, "--assume", "longpoll_pubsub_timeout_ms")


def replay(*arguments, spawn=None, **settings):
    return phxspec("replay", *REFERENCE, "--spawn", spawn or spawn_template(), *arguments, **settings)


def summary(run):
    """The counts of the closing line, which must be those of the report."""
    last = run.out.strip().splitlines()[-1]
    counts = {
        verdict: int(count)
        for verdict, count in re.findall(
            r"(agree|disagree|expected|not applicable|not run|harness error) (\d+)", last
        )
    }
    planned = int(re.search(r"of (\d+) recordings", last).group(1))
    assert sum(counts.values()) == planned
    if run.lines:
        closing = run.lines[-1]["summary"]
        assert closing["planned"] == planned == len(run.verdicts) and closing["complete"]
        assert closing["verdicts"] == counts
        for verdict, count in counts.items():
            assert run.count(verdict) == count
    return counts


@pytest.fixture
def recording():
    """One recording over WebSocket: join, echo and the like, on one connection."""
    return next(r for r in read_recordings(RECORDED / "join.jsonl") if name_of(r).endswith("/join.ok.ws.v2"))


def answer_of(recording):
    """The recorded event of the first answer."""
    return next(event for event in recording[1:] if event.get("dir") == "in" and "phx_reply" in event["text"])


# ---- what agrees ----


def test_a_file_agrees(report):
    run = replay(HEARTBEAT, report=report)
    assert run.code == 0, run.out
    assert summary(run)["agree"] == len(read_recordings(HEARTBEAT))


def test_all_of_a_server_agrees(tmp_path, report):
    """Phoenix 1.8.12 under Bandit, with the reference server's own expectations."""
    given = json.loads((env.VECTORS / "expectations" / "reference-server.json").read_text(encoding="utf-8"))
    expected = tmp_path / "expect.json"
    expected.write_text(
        json.dumps({**given, "expected": [e for e in given["expected"] if "*-bandit" in e["recording"]]}),
        encoding="utf-8",
    )
    run = replay("--expect", expected, RECORDED, report=report)
    assert run.code == 0, run.out + run.err
    assert summary(run)["agree"] > 700
    assert run.count("disagree") == run.count("not run") == run.count("harness error") == 0
    assert all(name_of(r) in run.verdicts for path in RECORDED.glob("*.jsonl") for r in read_recordings(path))


def test_one_recording_in_a_file_of_its_own_agrees(tmp_path, recording):
    single = tmp_path / "join.ok.ws.v2.json"
    single.write_text(json.dumps({**recording[0], "events": recording[1:]}), encoding="utf-8")
    run = replay(single)
    assert run.code == 0 and summary(run)["agree"] == 1


def test_only_and_skip_choose_by_name(report):
    run = replay("--only", "*/heartbeat.ok.*", "--skip", "*.lp.*", HEARTBEAT, report=report)
    assert run.code == 0
    assert sorted(run.verdicts) == [
        "phoenix-1.8.12-bandit/heartbeat.ok.ws.v1",
        "phoenix-1.8.12-bandit/heartbeat.ok.ws.v2",
    ]


def test_a_server_at_a_url_is_replayed_to(server, report):
    run = phxspec("replay", "--without", LACKS, HEARTBEAT, server.url, report=report)
    assert run.code == 0 and summary(run)["agree"] == len(run.verdicts)


def test_at_a_url_recordings_with_a_config_are_not_run_by_name(server):
    run = phxspec(
        "replay", "--without", LACKS, "--verbose", RECORDED / "later.jsonl", RECORDED / "ws.jsonl", server.url
    )
    counts = summary(run)
    assert counts["not run"] > 0 and counts["agree"] > 0
    assert re.search(
        r"^not run +phoenix-1.8.12-bandit/ws.idle-timeout.ws.v2: .*config", run.out, re.M
    ), run.out


def test_verbose_names_every_recording_and_quiet_none_that_agrees():
    names = [name_of(r) for r in read_recordings(HEARTBEAT)]
    verbose, quiet = replay("--verbose", HEARTBEAT), replay("--quiet", HEARTBEAT)
    assert all(name in verbose.out for name in names)
    assert len(quiet.out.splitlines()) == 1


# ---- what disagrees ----


def test_one_altered_byte_in_an_answer_is_found_and_named(tmp_path, report, recording):
    answer = answer_of(recording)
    altered = answer["text"].replace('"ok"', '"oj"', 1)
    assert altered != answer["text"]
    answer["text"] = altered
    path = write_recordings(tmp_path / "altered.jsonl", [recording, *read_recordings(HEARTBEAT)])
    run = replay(path, report=report)
    assert run.code == 1
    assert summary(run)["disagree"] == 1 and run.verdicts[name_of(recording)] == "disagree"
    assert f"disagree       {name_of(recording)}" in run.out
    assert recording[0]["title"] in run.out
    number = recording.index(answer)
    assert f"event {number} of {len(recording) - 1}" in run.out
    assert re.search(r'^ *- .*"oj"', run.out, re.M) and re.search(r'^ *\+ .*"ok"', run.out, re.M), run.out


def of_scenario(group, scenario):
    return next(
        r for r in read_recordings(RECORDED / f"{group}.jsonl") if name_of(r).endswith(f"/{scenario}")
    )


def frames_in(recording):
    """The places of the recorded messages of the server over WebSocket."""
    return [
        i
        for i, event in enumerate(recording)
        if i and event.get("dir") == "in" and event["kind"] in ("text", "binary")
    ]


@pytest.mark.parametrize(
    "group,scenario",
    [
        ("push", "push.reply-many.ws.v2"),
        ("leave", "leave.ok.ws.v1"),
        ("crash", "crash.raise.ws.v1"),
        ("broadcast", "broadcast.two-clients.ws.v2"),
        ("heartbeat", "heartbeat.pipelined.ws.v2"),
        ("stop", "stop.normal.ws.v2"),
    ],
)
@pytest.mark.parametrize("which", [0, -1], ids=["first", "last"])
def test_a_message_that_was_not_recorded_is_found(tmp_path, report, group, scenario, which):
    """Taken out of the recording, it is one too many of the server."""
    recording = of_scenario(group, scenario)
    recording.pop(frames_in(recording)[which])
    recording[0]["events"] -= 1
    run = replay(write_recordings(tmp_path / "short.jsonl", [recording]), report=report)
    assert run.code == 1 and run.count("disagree") == 1, run.out


def test_a_message_of_a_poll_that_was_not_recorded_is_found(tmp_path, report):
    recording = of_scenario("push", "push.reply-many.lp.v2")
    for event in recording[1:]:
        body = json.loads(event["response"]["body"])
        if len(body.get("messages", [])) > 1:
            event["response"]["body"] = json.dumps({**body, "messages": body["messages"][:-1]})
            break
    else:
        raise AssertionError("no poll of the recording has two messages")
    run = replay(write_recordings(tmp_path / "short.jsonl", [recording]), report=report)
    assert run.code == 1 and run.count("disagree") == 1, run.out


@pytest.mark.parametrize("group,scenario", [("push", "push.reply-many.ws.v2"), ("leave", "leave.ok.ws.v1")])
def test_a_message_that_does_not_come_is_found(tmp_path, report, group, scenario):
    recording = of_scenario(group, scenario)
    last = frames_in(recording)[-1]
    recording.insert(last, recording[last])
    recording[0]["events"] += 1
    run = replay(write_recordings(tmp_path / "long.jsonl", [recording]), report=report, timeout=20)
    assert run.code == 1 and run.count("disagree") == 1, run.out


def test_the_command_that_a_disagreement_ends_with_runs_it_alone(tmp_path, recording):
    answer_of(recording)["text"] = "[]"
    path = write_recordings(tmp_path / "altered.jsonl", [recording, *read_recordings(HEARTBEAT)])
    first = replay(path)
    command = re.search(r"run it alone:\n\s+(.*)", first.out).group(1)
    words = shlex.split(command)
    assert words[0].endswith("phxspec")
    again = phxspec(*words[1:])
    assert again.code == 1 and summary(again)["disagree"] == 1 and sum(summary(again).values()) == 1


def test_a_server_that_says_something_else_disagrees(server, report):
    class OtherStatus(Change):
        def messages(self, message, held):
            if message.is_reply:
                message.payload = {"status": "error", "response": {}}
            return [message]

    with Proxy(server.port, Change()) as proxy:
        run = phxspec("replay", HEARTBEAT, proxy.url, report=report)
        assert run.code == 0, run.out
    with Proxy(server.port, OtherStatus()) as proxy:
        run = phxspec("replay", HEARTBEAT, proxy.url, report=report)
    assert run.code == 1
    assert run.count("disagree") == len(run.verdicts)


def test_trace_shows_the_whole_timeline(recording, tmp_path):
    run = replay("--trace", write_recordings(tmp_path / "one.jsonl", [recording]))
    assert run.code == 0
    assert run.out.count("phx_join") >= 1 and run.out.count("phx_reply") >= 1


# ---- expectations ----


def expectations(tmp_path, *entries):
    path = tmp_path / "expect.json"
    expected = [{"recording": glob, "verdict": "disagree", "reason": "on purpose"} for glob in entries]
    path.write_text(json.dumps({"expectations": 1, "expected": expected}), encoding="utf-8")
    return path


def test_an_expected_disagreement_is_green_and_counted(tmp_path, report, recording):
    answer_of(recording)["text"] = "[]"
    path = write_recordings(tmp_path / "altered.jsonl", [recording, *read_recordings(HEARTBEAT)])
    run = replay("--expect", expectations(tmp_path, name_of(recording)), path, report=report)
    assert run.code == 0 and summary(run)["expected"] == 1 and run.verdicts[name_of(recording)] == "expected"


def test_an_expectation_that_does_not_come_true_fails(tmp_path, recording):
    path = write_recordings(tmp_path / "good.jsonl", [recording])
    run = replay("--expect", expectations(tmp_path, name_of(recording)), path)
    assert run.code == 1
    assert name_of(recording) in run.out


def test_an_expectation_that_matches_nothing_is_an_error(tmp_path, recording):
    path = write_recordings(tmp_path / "good.jsonl", [recording])
    run = replay("--expect", expectations(tmp_path, "*/no-such-scenario.*"), path)
    assert run.code == 2 and "*/no-such-scenario.*" in run.err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "[",
        '{"expectations": 1, "expected": [1]}',
        '{"expectations": 1, "expected": [{"recording": "*", "verdict": "disagree"}]}',
        '{"expectations": 1, "expected": [{"recording": "*", "verdict": "fail", "reason": "so"}]}',
    ],
)
def test_broken_expectations_are_an_error(tmp_path, recording, text):
    path = write_recordings(tmp_path / "good.jsonl", [recording])
    broken = tmp_path / "expect.json"
    broken.write_text(text)
    run = replay("--expect", broken, path)
    assert run.code == 2 and str(broken) in run.err


# ---- what cannot be judged ----


def test_a_key_without_a_place_is_not_run_by_name(tmp_path, report, recording):
    recording[0]["config"] = {"hitherto_unheard_of": 5}
    path = write_recordings(tmp_path / "key.jsonl", [recording, *read_recordings(HEARTBEAT)])
    run = replay("--verbose", path, report=report)
    assert run.verdicts[name_of(recording)] == "not run"
    assert summary(run)["not run"] == 1
    assert re.search(
        rf"^not run +{re.escape(name_of(recording))}: .*hitherto_unheard_of", run.out, re.M
    ), run.out


def test_a_lacking_capability_is_not_applicable_by_name(report):
    run = replay(
        "--without", "presence", "--verbose", RECORDED / "presence.jsonl", HEARTBEAT, report=report
    )
    names = [name_of(r) for r in read_recordings(RECORDED / "presence.jsonl")]
    assert run.code == 0
    for name in names:
        assert run.verdicts[name] == "not applicable"
        assert re.search(rf"^not applicable {re.escape(name)}: .*presence", run.out, re.M)
    assert summary(run)["not applicable"] == len(names)


def test_nothing_to_judge_is_not_green():
    run = replay("--without", "presence", RECORDED / "presence.jsonl")
    assert run.code == 2, run.out


@pytest.mark.parametrize("arguments", [["--only", "no-such-*"], ["--skip", "*"]])
def test_an_empty_selection_is_an_error(arguments):
    run = replay(*arguments, HEARTBEAT)
    assert run.code == 2 and run.err


# ---- broken files ----


def test_a_file_that_is_not_there_is_named(tmp_path):
    run = replay(tmp_path / "nowhere.jsonl")
    assert run.code == 2 and "nowhere.jsonl" in run.err


def test_a_folder_without_recordings_is_named(tmp_path):
    run = replay(tmp_path)
    assert run.code == 2 and run.err


@pytest.mark.parametrize("keep", [0.05, 0.3, 0.6, 0.95])
def test_a_file_cut_short_is_named_with_the_line(tmp_path, keep):
    whole = HEARTBEAT.read_bytes()
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(whole[: int(len(whole) * keep)])
    run = replay(cut)
    assert run.code == 2
    assert re.search(r"cut\.jsonl:\d+:", run.err), run.err


def test_a_file_cut_between_two_lines_is_noticed(tmp_path):
    lines = HEARTBEAT.read_text(encoding="utf-8").splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    cut.write_text("".join(lines[:3]), encoding="utf-8")
    run = replay(cut)
    assert run.code == 2
    assert re.search(r"cut\.jsonl:[1-4]:", run.err), run.err


@pytest.mark.parametrize(
    "line,text",
    [
        (1, "{"),
        (1, "nonsense"),
        (2, '{"t_ms":1,'),
        (3, "[]"),
        (3, "{}"),
        (2, '{"t_ms":0,"conn":"x","dir":"in"}'),
        (2, '{"t_ms":"now","conn":"a","dir":"out","kind":"text","text":""}'),
        (1, '{"recording":2}'),
        (2, "\xff"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_malformed_line_is_named(tmp_path, line, text):
    lines = HEARTBEAT.read_text(encoding="utf-8").splitlines()
    lines[line - 1] = text
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes("\n".join(lines).encode("latin-1" if text == "\xff" else "utf-8"))
    run = replay(broken)
    assert run.code == 2
    assert re.search(rf"broken\.jsonl:{line}:", run.err), run.err


@pytest.mark.parametrize(
    "arguments,named",
    [
        (["--no-such-option"], "--no-such-option"),
        (["--jobs", "0"], "--jobs"),
        (["--jobs", "x"], "--jobs"),
        (["--spawn-ready", "soon"], "--spawn-ready"),
        (["--only"], "--only"),
        ([], "recording"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_named(arguments, named):
    run = phxspec(
        "replay", *arguments, *([HEARTBEAT, "http://127.0.0.1:1"] if arguments and named != "--only" else [])
    )
    assert run.code == 2 and named in run.err


def test_who_chooses_nothing_is_told_what_names_are_like():
    run = phxspec("replay", "--only", "heartbeat.*", HEARTBEAT, "http://127.0.0.1:1")
    assert run.code == 2 and re.search(r"names are like phoenix-1\.8\.12-bandit/heartbeat\.\S+: look at --only", run.err)


def test_neither_url_nor_spawn_is_wrong_use():
    run = phxspec("replay", HEARTBEAT)
    assert run.code == 2 and "--spawn" in run.err


# ---- servers that are not there ----


def test_an_unreachable_url_ends_quickly():
    run = phxspec("replay", HEARTBEAT, "http://127.0.0.1:1", timeout=10)
    assert run.code == 3 and "127.0.0.1:1" in run.err
    assert run.seconds < 3


@pytest.mark.parametrize(
    "command,said",
    [
        ("echo what it said; exit 7", "what it said"),
        ("/no/such/program {port}", "/no/such/program"),
        ("sh -c 'echo to stderr >&2; kill -9 $$'", "to stderr"),
        ("echo ready nonsense; sleep 5", "nonsense"),
    ],
    ids=["exit", "missing", "killed", "nonsense"],
)
def test_a_server_that_does_not_start_is_shown_with_its_output(command, said):
    run = replay(HEARTBEAT, spawn=command, timeout=15)
    assert run.code == 3
    assert said in run.err + run.out
    assert summary(run)["harness error"] == len(read_recordings(HEARTBEAT))


def test_a_server_that_never_gets_ready_ends_the_run():
    run = replay(
        "--only", "*/heartbeat.ok.ws.*", HEARTBEAT, spawn="echo starting; exec sleep 100", timeout=25
    )
    assert run.code == 3 and "starting" in run.err


def test_a_server_without_a_ready_line_is_awaited_by_its_port(report):
    run = replay("--spawn-ready", "tcp", HEARTBEAT, report=report)
    assert run.code == 0 and summary(run)["agree"] > 0


@pytest.mark.parametrize("peer", [Silent, Hangup, Garbage])
def test_a_useless_server_disagrees_on_every_recording_within_seconds(peer, report):
    with peer() as useless:
        run = phxspec("replay", HEARTBEAT, useless.url, report=report, timeout=30)
    assert run.code == 1
    counts = summary(run)
    assert counts["agree"] == 0 and counts["disagree"] == sum(counts.values())
    assert run.seconds < 15


def test_a_server_that_dies_costs_no_other_recording(tmp_path, report, recording):
    """The mount /tight is served by a program that ends as soon as it is spoken to."""
    tight = next(
        r for r in read_recordings(RECORDED / "ws.jsonl") if name_of(r).endswith("ws.idle-timeout.ws.v2")
    )
    path = write_recordings(tmp_path / "two.jsonl", [recording, tight])
    script = tmp_path / "server.sh"
    script.write_text(f"""case "$*" in
*--idle-timeout-ms*) exec /usr/bin/python3 -c '
import socket
listener = socket.create_server(("127.0.0.1", 0))
print("ready http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
listener.accept()' ;;
*) exec {env.server()} "$@" ;;
esac
""")
    run = replay(path, spawn=spawn_template(f"sh {script}"), report=report, timeout=30)
    assert run.code in (1, 3)
    assert run.verdicts[name_of(recording)] == "agree"
    assert run.verdicts[name_of(tight)] != "agree"


# ---- other ends ----


def test_ctrl_c_tells_what_is_known_and_leaves_no_server(tmp_path, report):
    marker = tmp_path / "pids"
    script = tmp_path / "server.sh"
    script.write_text(f'echo $$ >>{marker}\nexec {env.server()} "$@"\n')

    def some_verdicts(process):
        wait_until(
            lambda: report.exists() and report.read_text().count('"agree"') > 5, "the first verdicts", 30
        )

    run = replay(RECORDED, spawn=spawn_template(f"sh {script}"), report=report, interrupt_after=some_verdicts)
    assert run.code != 0
    counts = summary(run)
    assert 0 < counts["agree"] < sum(counts.values())
    pids = marker.read_text().split()
    assert pids
    for pid in pids:
        wait_until(lambda: not is_running(pid), f"the end of server {pid}")


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_report_that_cannot_be_written_is_an_error(tmp_path):
    run = replay(HEARTBEAT, report=tmp_path / "no" / "such" / "folder" / "report.jsonl")
    assert run.code == 2 and "report.jsonl: No such file or directory" in run.err


@pytest.mark.parametrize("name", ["x.xml", "x", ".jsonl"])
def test_a_report_in_another_format_is_refused(name):
    run = replay("--report", name, HEARTBEAT)
    assert run.code == 2 and f"--report {name}: replay writes JSON lines only" in run.err
    assert not (env.ROOT / name).exists()


def test_a_format_may_be_named_for_a_report(tmp_path):
    path = tmp_path / "report"
    assert replay("--report", f"jsonl={path}", HEARTBEAT).code == 0
    assert '"verdict"' in path.read_text()
