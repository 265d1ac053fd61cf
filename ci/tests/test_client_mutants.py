# SPDX-License-Identifier: MIT
"""Clients that break a rule on purpose: built only when asked for, and noticed by the vectors."""

import json
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
    assert {mutant["fault"]: mutant["requirements"] for mutant in mutants()} == listed()
    assert len({mutant["id"] for mutant in mutants()}) == len(mutants()) >= 40


def test_a_dozen_is_killed():
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
        "client_push.own-join-ref",
    ]
    options = [option for mutant in chosen for option in ("--run", mutant)]
    run = phxspec("mutants", "--client", "--spawn", driver(), "--quick", "--jobs", 8, *options, timeout=120)
    assert run.code == 0, run.out + run.err
    assert "12 mutants: killed 12," in run.out


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
