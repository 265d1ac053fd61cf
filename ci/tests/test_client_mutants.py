# SPDX-License-Identifier: MIT
"""Clients that break a rule on purpose: built only when asked for, and noticed by the vectors."""

import json
import re
import subprocess

import pytest

from testenv import env
from testenv.client import program
from testenv.harness import phxspec, requirements

MUTANTS = env.VECTORS / "client-mutants"


def mutants():
    return [
        mutant
        for path in sorted(MUTANTS.glob("*.json"))
        for mutant in json.loads(path.read_text(encoding="utf-8"))["mutants"]
    ]


def listed():
    """The faults of the client, and what each breaks."""
    run = subprocess.run(
        [env.faulty_client(), "--driver", "--fault", "list"], capture_output=True, text=True, check=True
    )
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    return {name: breaks.split() for name, breaks, _ in rows}


def driver():
    return f"{env.faulty_client()} --driver --fault {{fault}}"


@pytest.mark.parametrize("plain", [False, True])
def test_a_client_that_is_used_has_no_faults(plain):
    run = subprocess.run(
        [program(plain), "--driver", "--fault", "none"], capture_output=True, text=True, check=False, timeout=10
    )
    assert run.returncode == 2 and "no such option" in run.stderr
    binary = program(plain).read_bytes()
    help_ = subprocess.run([program(plain), "--help"], capture_output=True, text=True, check=True).stdout
    assert "--fault " not in help_
    for name in listed():
        assert name.upper().replace("-", "_").encode() + b"\0" not in binary, name


def test_mutants_and_faults_are_the_same():
    rules = requirements()
    for path in MUTANTS.glob("*.json"):
        for mutant in json.loads(path.read_text(encoding="utf-8"))["mutants"]:
            assert mutant["id"].startswith(f"client_{path.stem}."), mutant["id"]
            assert set(mutant["requirements"]) <= set(rules), mutant["id"]
    built_in = [mutant for mutant in mutants() if "fault" in mutant]
    assert {mutant["fault"]: mutant["requirements"] for mutant in built_in} == listed()
    assert len(mutants()) - len(built_in) >= 12
    assert len({mutant["id"] for mutant in mutants()}) == len(mutants()) >= 40


def test_some_of_each_kind_are_killed():
    """Some by the proxy among them: so the run without a fault, which must pass as a whole, goes through it, too."""
    chosen = [
        "client_binary.size-characters",
        "client_connection.waiting-twice",
        "client_heartbeat.kept",
        "client_heartbeat.unanswered-final",
        "client_join.refused-drops-pushes",
        "client_join.rejoin-once",
        "client_leave.joining-rejoins",
        "client_longpoll.post-unlimited",
        "client_longpoll.session-goes-on",
        "client_message.stale-close",
        "client_presence.metas-doubled",
        "client_proxied.close-lost",
        "client_proxied.deaf-to-close",
        "client_proxied.join-ref-null",
        "client_push.own-join-ref",
    ]
    options = [option for mutant in chosen for option in ("--run", mutant)]
    run = phxspec("mutants", "--client", "--spawn", driver(), "--quick", "--jobs", 8, *options, timeout=120)
    assert run.code == 0, run.out + run.err
    assert "15 mutants: killed 15," in run.out


def through_proxy(*options):
    return phxspec("client", "--quiet", *options, "--driver", f"{program()} --driver", timeout=60)


def test_any_client_breaks_a_rule_behind_the_proxy():
    """Without --spawn and mutants: this takes whatever client there is."""
    faults = ["--faults", MUTANTS, "--run", "client_push.reply"]
    run = through_proxy(*faults, "--mutant", "client_proxied.ref-null")
    assert run.code == 1
    assert re.search(r"phxspec client: [1-9]\d* times something was altered", run.err)
    again = next(line for line in run.out.splitlines() if " --run client_push.reply/ws/v1" in line)
    assert f"--faults {MUTANTS} --mutant client_proxied.ref-null" in again
    run = through_proxy(*faults, "--mutant", "none")
    assert run.code == 0
    assert "phxspec client: 0 times something was altered" in run.err


@pytest.mark.parametrize(
    "options, words",
    [
        (["--mutant", "client_push.untimed"], "--mutant is one of the file that --faults names"),
        (["--faults", "/no/such/file"], "/no/such/file"),
        (["--faults", MUTANTS], "--mutant says which"),
        (["--faults", MUTANTS, "--mutant", "client_push.no"], 'no mutant "client_push.no"'),
        (["--faults", MUTANTS, "--mutant", "client_push.untimed"], 'has the fault "push-untimed" built in'),
    ],
)
def test_faults_that_are_not_there(options, words):
    run = through_proxy("--run", "client_push.reply", *options)
    assert run.code == 2 and words in run.err, run.err


def test_a_client_that_breaks_nothing_survives(tmp_path):
    path = tmp_path / "mutants.json"
    page = tmp_path / "page.md"
    path.write_text(
        json.dumps({"mutants": [{"id": "x.none", "title": "t", "requirements": ["LEAVE-01"], "fault": "none"}]})
    )
    run = phxspec(
        "mutants", "--client", "--spawn", driver(), "--mutants", path, "--page", page, "--", "--run", "req:LEAVE-01",
        timeout=60,
    )
    assert run.code == 1
    assert "survived          x.none" in run.out
    assert "| x.none | LEAVE-01 | t | **survived** |" in page.read_text()


@pytest.mark.parametrize(
    "options, code, words",
    [
        (["--client"], 2, "--client needs --spawn"),
        (["--client", "--spawn", "driver"], 2, "{fault} has to stand where"),
        (["--client", "--spawn", "driver {fault}", "http://127.0.0.1:1"], 2, "no URL is needed"),
        (["--client", "--spawn", "false {fault}", "--run", "client_leave.twice"], 3, "the run without a fault"),
    ],
)
def test_wrong_use_is_told(options, code, words):
    run = phxspec("mutants", *options, timeout=60)
    assert run.code == code and words in run.err, run.err
