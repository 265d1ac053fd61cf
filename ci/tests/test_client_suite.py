# SPDX-License-Identifier: MIT
"""phxspec client: the reference client passes, clients with a bug do not, and a bad driver costs one case."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

from test_data import complaints, schema
from testenv import env
from testenv.client import program
from testenv.harness import phxspec
from testenv.harness import summary_of_vectors as summary

DRIVERS = env.ROOT / "ci/tests/testenv/drivers"
SILENT = [sys.executable, DRIVERS / "vacuous.py", "silent"]
VACUOUS = json.loads((env.ROOT / "ci/tests/data/vacuous_clients.json").read_text(encoding="utf-8"))


def reference():
    return [program(), "--driver"]


def hello(**members):
    return json.dumps({"event": "hello", "protocol": 1, "name": "n", "version": "1", "capabilities": [], **members})


def judge(*arguments, driver=None, **settings):
    return phxspec("client", *arguments, "--", *(driver or reference()), **settings)


def between(*misdeed):
    return [sys.executable, DRIVERS / "between.py", *misdeed, "--", *reference()]


def test_the_reference_client_passes_everything(report):
    run = judge("--strict", "--jobs", 24, report=report)
    assert run.code == 0, run.out
    counts = summary(run)
    assert counts["pass"] + counts["not applicable"] == sum(counts.values()) > 250
    # a close with 1000, as phoenix.js takes it since 1.8.16; and what takes a browser, judged in test_client_drivers.py
    left = [name for name, verdict in run.verdicts.items() if verdict == "not applicable"]
    assert len([name for name in left if not name.startswith("client_transport.page-")]) == 2 and len(left) == 10


def test_a_machine_without_fifos_is_told_of(tmp_path, monkeypatch):
    """What a driver wrote has coarser times then: said once, and the run goes on."""
    case = ("--run", "client_channel.join/ws/v2", "--jobs", 3)
    assert "FIFO" not in judge(*case).err
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    run = judge(*case)
    assert run.code == 0
    assert run.err.count("phxspec client: no FIFO can be made in ") == 1 and "nowhere ($TMPDIR" in run.err


@pytest.mark.parametrize("kind", VACUOUS)
def test_nothing_passes_that_is_not_listed(kind, report):
    driver = [sys.executable, DRIVERS / "vacuous.py", kind]
    run = judge("--strict", "--vsn", 2, "--jobs", 130, "--quiet", driver=driver, report=report)
    assert run.code in (1, 3)  # 3: so many drivers may make this machine stand still
    counts = summary(run)
    assert counts["not run"] == 0 and counts["fail"] > 100
    passed = {variant.split("/")[0] for variant, verdict in run.verdicts.items() if verdict == "pass"}
    assert passed == VACUOUS[kind].keys(), (
        f"of a client that knows nothing these passed: {sorted(passed)}; give each a control that such a client "
        "fails, or list it in data/vacuous_clients.json with the reason why it cannot have one"
    )


@pytest.mark.parametrize(
    "mutant, killer",
    [
        ("null-join-ref", "client_push.reply"),
        ("own-join-ref", "client_channel.join-ref"),
        ("no-heartbeat", "client_heartbeat.goes-on"),
        ("no-leave", "client_channel.duplicate"),
        ("number-refs", "client_push.reply"),
        ("one-ref", "client_push.refs"),
        ("join-twice", "client_connect.buffered"),
        ("push-twice", "client_close.no-repeat"),
        ("null-payload", "client_push.no-payload"),
        ("deaf-to-close", "client_channel.close"),
        ("deaf-to-error", "client_channel.error"),
        ("takes-stale", "client_channel.stale-message"),
        ("takes-stale", "client_channel.stale-reply"),
        ("delivers-twice", "client_channel.first-message"),
        ("forget", "client_longpoll.order"),
    ],
)
def test_a_client_with_a_bug_fails(mutant, killer, report):
    transport = "lp" if "longpoll" in killer else "ws"
    expected = {f"{killer}/{transport}/v2": "fail", f"client_connect.url/{transport}/v2": "pass"}
    chosen = [word for name in expected for word in ("--run", name)]
    run = judge("--strict", *chosen, driver=between(mutant), report=report)
    assert run.code == 1 and run.verdicts == expected, run.out


@pytest.mark.parametrize(
    "misdeed, reason, verdict",
    [
        ("crash", "the driver ended with exit code 7", "fail"),
        ("hang", "nothing came within", "fail"),
        ("babble", "the driver wrote to stdout what is no event: this is no event", "fail"),
        ("bytes", "the driver wrote to stdout what is no event: ", "fail"),
        ("cut", "the driver wrote to stdout what is no event: {", "fail"),
        ("flood", "the driver flooded: it said more than 20000 lines in one case", "fail"),
        ("flood-stderr", "the driver flooded: it wrote more than 48 MB in one case", "fail"),
        ("endless-line", "the driver wrote a line of more than 16 MB to stdout", "fail"),
        ("close-stdout", "the driver closed its stdout", "fail"),
        ("halves", "", "pass"),
    ],
)
def test_a_bad_driver_costs_one_case(misdeed, reason, verdict, report):
    chosen = ["client_heartbeat.ping/ws/v2", "client_connect.url/ws/v2", "client_close.code/ws/v2"]
    words = [word for name in chosen for word in ("--run", name)]
    run = judge("--strict", *words, "--jobs", 1, driver=between(misdeed), report=report)
    assert run.code == (verdict == "fail"), run.out
    assert run.verdicts == {chosen[0]: verdict, chosen[1]: "pass", chosen[2]: "pass"}, run.out
    assert reason in run.out
    assert ("driver, stderr: between: this is the end" in run.out) == (misdeed == "crash")
    kept = run.out.count("driver, stderr: between: and on it goes")
    assert kept > 0 if misdeed == "flood-stderr" else kept == 0
    assert report.stat().st_size < 1 << 20


def test_a_driver_that_never_reads(report):
    deaf = "echo '{\"event\":\"hello\",\"protocol\":1,\"name\":\"deaf\",\"version\":\"0\",\"capabilities\":[\"websocket\",\"vsn2\"]}'; exec sleep 100"
    run = phxspec("client", "--run", "client_connect.url", "--driver", f"sh -c {shlex.quote(deaf)}", report=report)
    assert run.code == 1 and list(run.verdicts.values()).count("fail") == 1, run.out
    assert "the client did not try to connect within 2000 ms" in run.out


def test_a_driver_that_does_not_start_again(tmp_path, report):
    """It says hello once; what is left has no verdict, and why is said with its last words."""
    once, starts = tmp_path / "once", tmp_path / "starts"
    hello = json.dumps({"event": "hello", "protocol": 1, "name": "x", "version": "0", "capabilities": ["websocket", "vsn2"]})
    script = f"echo >> {starts}; if mkdir {once}; then echo '{hello}'; else echo out of licences >&2; exit 4; fi"
    driver = f"sh -c {shlex.quote(script)}"
    run = phxspec("client", "--run", "client_connect.*", "--jobs", 4, "--driver", driver, report=report)
    assert run.code == 3 and "not run" in run.verdicts.values(), run.out
    assert "no driver starts any more: the driver ended with exit code 4; it wrote to stderr: " in run.out
    assert "out of licences" in run.out
    assert len(starts.read_text()) <= 1 + 4 + 2  # four at once, and one more for each of the first two that failed


def test_what_is_said_follows_the_schemas(tmp_path):
    log = tmp_path / "log"
    run = judge("--transport", "ws", "--jobs", 24, driver=between("log", log))
    assert run.code == 0, run.out
    validators = {"command": schema("driver-commands.schema.json"), "event": schema("driver-events.schema.json")}
    seen = {"command": set(), "event": set()}
    for line in log.read_text().splitlines():
        direction, message = json.loads(line)
        assert complaints(validators[direction], message) == [], message
        seen[direction].add(message["do" if direction == "command" else "event"])
    page = (env.ROOT / "harness/DRIVER.md").read_text()
    commands, events = page.split("## Events")
    for name in seen["command"]:
        assert f"`{name}`" in commands
    for name in seen["event"]:
        assert f"`{name}`" in events
    assert len(seen["command"]) == 13 and len(seen["event"]) == 12


def example():
    """The lines of DRIVER.md's example: who says it, and what."""
    page = (env.ROOT / "harness/DRIVER.md").read_text()
    lines = re.findall(r"^    ([<>]) (.*)$", page, re.M)
    return [({"<": "event", ">": "command"}[direction], json.loads(line)) for direction, line in lines]


def test_the_example_of_the_page_is_what_is_said(tmp_path):
    """Line by line, with the reference client and a case that has the same in it."""
    (tmp_path / "vectors/client").mkdir(parents=True)
    for name in ("requirements.json", "client-beginnings.json"):
        shutil.copy(env.VECTORS / name, tmp_path / "vectors")
    steps, server = [], {
        "connect": [{"accept": "a"}],
        "join": [
            {"expect": [{"$capture": "j"}, {"$capture": "r"}, "room:1", "phx_join", {}]},
            {"send": ["${j}", "${r}", "room:1", "phx_reply", {"status": "ok", "response": {}}]},
        ],
        "push": [
            {"expect": ["${j}", {"$capture": "p"}, "room:1", "say", {"n": 1}]},
            {"send": ["${j}", "${p}", "room:1", "phx_reply", {"status": "ok", "response": {"n": 2}}]},
            {"send": ["${j}", None, "room:1", "news", {}]},
        ],
    }
    for direction, line in example()[1:-4]:
        members = {name: value for name, value in line.items() if name not in ("do", "event", "url")}
        if direction == "event":
            steps.append({"event": line["event"], "with": members})
        else:
            steps += [{"do": line["do"], "with": members}, *server.get(line["do"], [])]
    case = {"id": "example.page", "title": "As the page says", "requirements": ["HB-01"], "level": "must"}
    case |= {"transports": ["websocket"], "vsn": ["2.0.0"], "steps": steps}
    group = {"vectors": 1, "group": "example", "about": "The example of DRIVER.md.", "cases": [case]}
    (tmp_path / "vectors/client/example.json").write_text(json.dumps(group))
    run = judge("--vectors", tmp_path / "vectors", driver=between("log", tmp_path / "log"))
    assert run.code == 0, run.out + run.err
    said = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    hello = next(i for i, (direction, line) in enumerate(said) if line.get("do") == "connect") - 1
    said = said[hello:]  # the first process says its hello, and no more
    shown = example()
    assert len(said) == len(shown)
    for (direction, line), (shown_direction, wanted) in zip(said, shown, strict=True):
        assert direction == shown_direction
        if line.get("event") == "hello":
            assert line["protocol"] == wanted["protocol"] and line.keys() >= wanted.keys()
        else:
            different = {name for name, value in wanted.items() if line.get(name) != value}
            assert different <= {"url"}, (line, wanted)


def test_the_examples_follow_the_schemas():
    validators = {"command": schema("driver-commands.schema.json"), "event": schema("driver-events.schema.json")}
    for direction, line in example():
        assert complaints(validators[direction], line) == [], line


def test_capabilities_are_the_same_everywhere():
    page = (env.ROOT / "harness/DRIVER.md").read_text().split("## Capabilities")[1]
    schemas = json.loads((env.VECTORS / "schema/driver-events.schema.json").read_text())
    known = set(schemas["$defs"]["capability"]["enum"])
    assert known <= set(re.findall(r"`([a-z0-9_]+)`", page))
    run = judge("--run", "client_push.reply", driver=between("log", "/dev/null"))
    assert "capability" not in run.out
    run = judge("--run", "client_push.reply", driver=["echo", hello(capabilities=["fly"])])
    assert run.code == 3 and set(re.findall(r"[a-z0-9_]+", run.err.split("known are")[1])) == known


@pytest.mark.parametrize(
    "arguments, code, says",
    [
        ([], 2, "the command of a driver is needed behind --"),
        (["--driver", "x", "--", "y"], 2, "there are two drivers"),
        (["--jobs", "0", "--", "x"], 2, "--jobs 0: a whole number"),
        (["--fly", "--", "x"], 2, "--fly: no such option"),
        (["--run", "nosuch", "--", *SILENT], 2, "nosuch"),
        (["--without", "fly", "--", *SILENT], 2, 'no capability of drivers is called "fly"'),
        (["--json", "--", "x"], 2, "--json goes with --list"),
        (["--update-expectations", "--", "x"], 2, "--expect FILE"),
        (["--", "/nosuch/driver"], 3, "the driver /nosuch/driver could not be started: no such file"),
        (["--driver", "echo oops >&2"], 3, "oops"),
        (["--", "true"], 3, "ended with exit code 0, before its hello"),
        (["--hello", "1", "--", "sleep", "9"], 3, "said no hello within 1 s"),
        (["--hello", "0", "--", "x"], 2, "--hello 0: a whole number of seconds"),
        (["--driver", "printf '\\377\\376\\n'"], 3, "what is no event"),
        (["--phoenix", "1.x", "--", *SILENT], 2, '"1.x" is no release of Phoenix'),
        (["--", "echo", '{"event":"hello","protocol":1}'], 3, "DRIVER.md"),
        (["--", "echo", hello(protocol=2)], 3, "speaks version 2 of the driver protocol, and this phxspec knows version 1"),
        (["--", "echo", hello(tolerance={"early_ms": -1})], 3, "the driver's tolerance is not"),
        (["--", "echo", hello(tolerance=5)], 3, "the driver's tolerance is not"),
    ],
)
def test_wrong_use(arguments, code, says):
    run = phxspec("client", *arguments)
    assert run.code == code and says in run.err, run.err


@pytest.mark.parametrize("closed, code", [("<&-", 0), (">&-", 3), ("2>&-", 0), ("<&- >&- 2>&-", 3)])
def test_standard_descriptors_that_are_closed(closed, code):
    """No socket takes their place, and verdicts that nobody got are no success."""
    command = [env.harness(), "client", "--run", "client_push.reply", "--", *reference()]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *map(str, command)],
        cwd=env.ROOT,
        capture_output=True,
        text=True,
        env=env.environment(),
        timeout=30,
    )
    assert done.returncode == code, done.stderr
    assert closed != ">&-" or done.stderr == (
        "phxspec client: standard output: Bad file descriptor; the report is not whole\n"
    )


def test_what_a_driver_lacks_is_not_applicable(report):
    run = judge("--without", "presence,vsn1", "--run", "client_presence", "--run", "client_push.reply", report=report)
    assert run.code == 0
    for name, verdict in run.verdicts.items():
        applies = name.startswith("client_push") and name.endswith("v2")
        assert verdict == ("pass" if applies else "not applicable")


def test_a_known_failure_is_expected(tmp_path, report):
    expected = tmp_path / "expected.json"
    entry = {"case": "client_heartbeat.goes-on", "verdict": "fail", "reason": "It has none.", "link": "a/b#1"}
    expected.write_text(json.dumps({"expectations": 1, "expected": [entry]}))
    chosen = ["--run", "client_heartbeat.goes-on/ws/v2", "--expect", expected]
    run = judge(*chosen, driver=between("no-heartbeat"), report=report)
    assert run.code == 0 and list(run.verdicts.values()) == ["expected failure"]
    assert judge(*chosen).code == 1  # it passes, and should not have


def test_a_failure_can_be_run_again():
    run = judge("--run", "client_push.refs/ws/v2", driver=between("one-ref"))
    again = re.search(r"again: .*? client (.*)", run.out).group(1)
    assert "--driver" in again and again.endswith("--run client_push.refs/ws/v2")


def listed(*arguments):
    run = phxspec("client", "--list", "--json", *arguments)
    assert run.code == 0, run.err
    return {entry["variant"]: entry for entry in json.loads(run.out)}


def test_cases_are_chosen_as_those_for_servers(tmp_path):
    chosen = tmp_path / "chosen"
    chosen.write_text("# what matters\nclient_push.reply\nreq:WS-CLOSE-07\n")
    assert {name.split("/")[0] for name in listed("--run", f"@{chosen}", "--skip", "*/v1")} >= {
        "client_push.reply",
        "client_close.own",
    }
    assert all("/lp/" in name for name in listed("--transport", "lp"))
    assert all(name.endswith("/v1") for name in listed("--vsn", 1))
    assert {entry["level"] for entry in listed("--level", "should").values()} == {"must", "should"}
    assert {entry["level"] for entry in listed("--run", "level:may").values()} == {"may"}
    wrong = phxspec("client", "--list", "--run", "client_push.replx")
    assert wrong.code == 2 and "did you mean client_push.reply" in wrong.err


def test_the_release_chooses_the_rules(report):
    old, new = "client_close.normal-for-good/ws/v2", "client_close.normal/ws/v2"
    for release, verdicts in (("1.8.15", ["pass", "not applicable"]), ("1.8.16", ["not applicable", "fail"])):
        run = judge("--phoenix", release, "--run", old, "--run", new, report=report)
        assert [run.verdicts[old], run.verdicts[new]] == verdicts, run.out
    assert "Phoenix 1.8.16: it holds up to 1.8.15" in run.out


def test_cases_are_explained():
    run = phxspec("explain", "client_heartbeat.interval", "WS-CLOSE-07", "HB-01")
    assert run.code == 0, run.err
    for words in (
        "the client must send on a: a heartbeat",
        "phxspec client --run client_heartbeat.interval -- DRIVER",
        "client_close.normal-for-good",
        "phxspec client --run req:HB-01 -- DRIVER",
    ):
        assert words in run.out


def test_every_case_is_explained_in_words():
    ids = sorted({entry["case"] for entry in listed().values()})
    run = phxspec("explain", *ids)
    assert run.code == 0, run.err
    steps = "\n".join(re.findall(r"^ {1,4}\d+  .*$", run.out, re.M))
    assert len(steps.splitlines()) > 4 * len(ids)
    assert not re.search(r"\$[a-z]+\"", steps), re.search(r".*\$[a-z]+\".*", steps).group()


def test_flaws_of_cases_are_named(tmp_path):
    (tmp_path / "client").mkdir()
    for name in ("requirements.json", "client-beginnings.json"):
        shutil.copy(env.VECTORS / name, tmp_path)
    group = json.loads((env.VECTORS / "client/push.json").read_text())
    group["cases"] = group["cases"][:1]
    group["cases"][0] |= {"begin": "connected", "steps": [{"do": "sync"}], "requirements": ["HB-11"]}
    (tmp_path / "client/push.json").write_text(json.dumps(group))
    run = phxspec("lint", "--vectors", tmp_path, tmp_path / "client/push.json")
    assert run.code == 1 and "level: must, and none of its requirements is stronger than may" in run.out, run.out
    del group["cases"][0]["begin"]
    group["cases"][0]["steps"] = [{"expect": [1, 2]}]
    (tmp_path / "client/push.json").write_text(json.dumps(group))
    run = phxspec("lint", "--vectors", tmp_path, tmp_path / "client/push.json")
    assert run.code == 2 and "step 1, expect: " in run.err, run.err


def test_a_run_that_is_ended_says_what_it_knows(report):
    def some_verdicts(process):
        for line in process.stdout:
            if line.startswith(b"pass"):
                return

    run = judge("--jobs", 2, report=report, interrupt_after=some_verdicts)
    assert run.code == 3 and "the run was ended early" in run.out
    summary = run.lines[-1]
    assert sum(summary["counts"].values()) == summary["planned"] == len(run.verdicts)
    assert not summary["complete"] and summary["counts"]["pass"] and summary["counts"]["not run"]
    assert re.search(r"requirements: \d+ passed, \d+ not decided, ", run.out), run.out
    run = judge("--deadline", 1, "--jobs", 2, report=report)
    assert run.code == 3 and "the deadline of the whole run had passed" in run.out


def test_expectations_are_written_anew(tmp_path, report):
    path = tmp_path / "expected.json"
    chosen = ["--run", "client_push.refs/ws/v2", "--run", "client_connect.url/ws/v2", "--expect", path]
    assert judge(*chosen, "--update-expectations", driver=between("one-ref")).code == 1
    entries = json.loads(path.read_text())["expected"]
    assert [entry["verdict"] for entry in entries] == ["fail"]
    again = judge(*chosen, driver=between("one-ref"), report=report)
    assert again.code == 0 and sorted(again.verdicts.values()) == ["expected failure", "pass"]
    better = judge(*chosen, report=report)
    assert better.code == 1 and "unexpected pass" in better.verdicts.values()


def test_what_a_failure_says(tmp_path):
    """The rule, the step in words, what came, what was said by whom, and how to see it again."""
    chosen = ["--run", "client_push.refs/ws/v2", "--run", "client_heartbeat.ping/ws/v2"]
    one = judge(*chosen, driver=between("one-ref"), report=tmp_path / "one.jsonl")
    for said in (
        r"[A-Z]+-\d\d \(\w+, client\): ",
        r"step \d+ of \d+: the client must send on a: \"phx_join\"",
        r"another message came on a: ref: expected anything but",
        r"- expected, \+ got:",
        r"a  → \[",
        r"· driver, do: {",
        r"· driver: {",
        r"again: \S+ client --driver .* --run client_push.refs/ws/v2",
    ):
        assert re.search(said, one.out), f"{said}\n{one.out}"
    crash = judge(*chosen[2:], driver=between("crash"), report=tmp_path / "crash.jsonl")
    # either may be seen first: that its connection ends, or that it does
    assert re.search(r"^ +(.*instead came: the end of TCP; )?the driver ended with exit code 7$", crash.out, re.M), crash.out
    page = tmp_path / "both.html"
    side = phxspec("report", tmp_path / "one.jsonl", tmp_path / "crash.jsonl", "--report", page)
    assert side.code == 1
    text = page.read_text()
    for words in ("client_push", "client_heartbeat", "between: this is the end", "not in this run"):
        assert words in text


@pytest.mark.parametrize(
    "case, before_s, code, says",
    [
        # the heartbeat is to be answered within half a second, and is not
        ("client_heartbeat.interval/ws/v2", 0.3, 3, "this machine stood still"),
        # the kernel tells when the client came back, however late that is read
        ("client_connect.backoff/ws/v2", 0.5, 0, "pass 1"),
    ],
)
def test_a_harness_that_stood_still_judges_nothing_by_its_own_clock(case, before_s, code, says, tmp_path):
    stream = tmp_path / "events.jsonl"
    os.mkfifo(stream)
    command = [env.harness(), "client", "--strict", "--run", case, "--report", stream, "--", *reference()]
    with subprocess.Popen(
        [str(word) for word in command], cwd=env.ROOT, env=env.environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        with stream.open() as events:
            while json.loads(events.readline())["event"] != "started":
                pass
            time.sleep(before_s)
            process.send_signal(signal.SIGSTOP)
            time.sleep(1.2)
            process.send_signal(signal.SIGCONT)
            events.read()
        out, _ = process.communicate(timeout=30)
    assert process.returncode == code and says in out, out
