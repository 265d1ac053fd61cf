# SPDX-License-Identifier: MIT
"""phxspec client: the reference client passes, clients with a bug do not, and a bad driver costs one case."""

import json
import re
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
SILENT = [sys.executable, DRIVERS / "silent.py"]


def reference():
    return [program(), "--driver"]


def judge(*arguments, driver=None, **settings):
    return phxspec("client", *arguments, "--", *(driver or reference()), **settings)


def between(*misdeed):
    return [sys.executable, DRIVERS / "between.py", *misdeed, "--", *reference()]


def test_the_reference_client_passes_everything(report):
    run = judge("--strict", "--jobs", 24, report=report)
    assert run.code == 0, run.out
    counts = summary(run)
    assert counts["pass"] > 250
    # what takes a browser is judged with one: test_client_drivers.py
    left = [name for name, verdict in run.verdicts.items() if verdict != "pass"]
    assert left and all(name.startswith("client_transport.page-") for name in left)
    assert counts["pass"] + counts["not applicable"] == sum(counts.values())


def test_a_client_that_does_nothing_passes_nothing(report):
    run = judge("--strict", "--transport", "ws", "--vsn", 2, "--jobs", 80, "--quiet", driver=SILENT, report=report)
    assert run.code == 1
    counts = summary(run)
    assert counts["fail"] == sum(counts.values()) > 75


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
    "misdeed, reason",
    [
        ("crash", "the driver ended with exit code 7"),
        ("hang", "nothing came within"),
        ("babble", "the driver wrote to stdout what is no event: this is no event"),
    ],
)
def test_a_bad_driver_costs_one_case(misdeed, reason, report):
    chosen = ["client_heartbeat.ping/ws/v2", "client_connect.url/ws/v2", "client_close.code/ws/v2"]
    words = [word for name in chosen for word in ("--run", name)]
    run = judge("--strict", *words, "--jobs", 1, driver=between(misdeed), report=report)
    assert run.code == 1
    failed = [name for name, verdict in run.verdicts.items() if verdict != "pass"]
    assert failed == chosen[:1] and len(run.verdicts) == 3, run.out
    assert reason in run.out
    assert ("driver, stderr: between: this is the end" in run.out) == (misdeed == "crash")


def test_what_is_said_follows_the_schemas(tmp_path):
    log = tmp_path / "log"
    run = judge("--transport", "ws", "--jobs", 8, driver=between("log", log))
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


def test_capabilities_are_the_same_everywhere():
    page = (env.ROOT / "harness/DRIVER.md").read_text().split("## Capabilities")[1]
    schemas = json.loads((env.VECTORS / "schema/driver-events.schema.json").read_text())
    known = set(schemas["$defs"]["capability"]["enum"])
    assert known <= set(re.findall(r"`([a-z0-9_]+)`", page))
    run = judge("--run", "client_push.reply", driver=between("log", "/dev/null"))
    assert "capability" not in run.out
    wrong = [sys.executable, "-c", "print('{\"event\":\"hello\",\"protocol\":1,\"capabilities\":[\"fly\"]}')"]
    run = judge("--run", "client_push.reply", driver=wrong)
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
        (["--", "/nosuch/driver"], 3, "the driver could not be started: no such file"),
        (["--driver", "echo oops >&2"], 3, "oops"),
        (["--", "true"], 3, "ended with exit code 0, before its hello"),
        (["--driver", "echo '{\"event\":\"hello\",\"protocol\":2}'"], 3, "DRIVER.md"),
    ],
)
def test_wrong_use(arguments, code, says):
    run = phxspec("client", *arguments)
    assert run.code == code and says in run.err, run.err


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


def test_a_harness_that_stood_still_has_measured_nothing():
    chosen = ["--run", "client_heartbeat.interval/ws/v2"]
    command = [str(word) for word in (env.harness(), "client", "--strict", *chosen, "--", *reference())]
    with subprocess.Popen(command, cwd=env.ROOT, env=env.environment(), stdout=subprocess.PIPE, text=True) as process:
        time.sleep(0.4)  # in the middle of the first half second that the case measures
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.2)
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, out
