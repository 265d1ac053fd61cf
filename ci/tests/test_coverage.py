# SPDX-License-Identifier: MIT
"""The coverage gate: every rule has a vector or a reason, every vector a rule, every bug of a server a vector."""

import json
import re
import subprocess
import sys

import pytest

from testenv import env

sys.path.insert(0, str(env.ROOT / "ci"))

from spec import coverage  # noqa: E402
from spec.data import Suite, for_clients, for_servers  # noqa: E402


@pytest.fixture(scope="module")
def suite():
    return Suite()


@pytest.fixture
def changed(tmp_path):
    """A suite of one rule, one case and one bug, with something in it changed."""

    def change(rule=None, case=None, bug=None, head=None, client_case=None):
        (tmp_path / "server").mkdir(parents=True, exist_ok=True)
        rule = {
            "id": "HB-02",
            "section": "heartbeat",
            "level": "must",
            "role": "server",
            "observed": "vector",
            **(rule or {}),
        }
        requirements = {
            "sections": [{"id": "heartbeat", "title": "Heartbeats"}],
            "rules": [rule],
            **(head or {}),
        }
        source = [{"bug": "owner/repository#1"}]
        case = {"id": "a.b", "requirements": ["HB-02"], "level": "must", "source": source, **(case or {})}
        bug = {
            "number": 1,
            "concerns": ["server"],
            "refs": ["owner/repository#1"],
            "requirements": ["HB-02"],
            **(bug or {}),
        }
        write(tmp_path / "requirements.json", requirements)
        write(tmp_path / "bugs.json", {"bugs": [bug]})
        write(tmp_path / "server" / "a.json", {"cases": [case] if case["requirements"] is not None else []})
        if client_case:
            (tmp_path / "client").mkdir(exist_ok=True)
            write(tmp_path / "client" / "a.json", {"cases": [client_case]})
        return list(coverage.flaws(Suite(tmp_path)))

    return change


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


NO_CASE = {"requirements": None}
NO_BUG = {"concerns": ["client"]}


def test_the_suite_is_covered(suite):
    assert list(coverage.flaws(suite)) == []


def test_a_small_suite_without_flaws_has_none(changed):
    assert changed() == []


@pytest.mark.parametrize(
    "parts,named",
    [
        ({"case": NO_CASE, "bug": NO_BUG}, "HB-02: no vector cites it, and no reason"),
        ({"case": {"requirements": ["HB-99"]}}, "a.b: there is no requirement HB-99"),
        ({"case": {"requirements": []}}, "a.b: cites no requirement"),
        ({"rule": {"level": "should"}}, "a.b: level must, and no requirement of it is as strict"),
        ({"rule": {"unobservable": "So it is", "observed": "none"}}, "HB-02: has a vector, so its reason"),
        ({"rule": {"role": "client"}}, "a.b: HB-02 is no requirement for servers"),
        ({"rule": {"role": "both"}}, "HB-02: no vector for clients cites it"),
        (
            {"client_case": {"id": "c.d", "requirements": ["HB-02"], "level": "must"}},
            "c.d: HB-02 is no requirement for clients",
        ),
        (
            {
                "rule": {"role": "both", "unobservable_client": "So it is."},
                "client_case": {"id": "c.d", "requirements": ["HB-02"], "level": "must"},
            },
            "HB-02: has a vector for clients, so its reason",
        ),
        (
            {
                "rule": {"role": "both"},
                "bug": {"concerns": ["client", "server"]},
                "client_case": {"id": "c.d", "requirements": ["HB-02"], "level": "must"},
            },
            "bug 1 .*: concerns clients, no vector for them",
        ),
        (
            {
                "rule": {"role": "both"},
                "bug": {"no_client_vector": "So it is."},
                "client_case": {
                    "id": "c.d",
                    "requirements": ["HB-02"],
                    "level": "must",
                    "source": [{"bug": "owner/repository#1"}],
                },
            },
            "bug 1 .*: has a vector for clients, so its reason",
        ),
        ({"rule": {"section": "nosuch"}}, "HB-02: section nosuch"),
        ({"rule": {"recordings": ["no.such"]}}, "HB-02: there is no recording no.such"),
        ({"rule": {"since": ["1.8.9", "1.7.24"]}}, "HB-02: since is not in order"),
        ({"rule": {"changes": [{"since": "1.8.9", "until": "1.8.3"}]}}, "HB-02: a change ends before"),
        ({"bug": {"refs": ["owner/repository#2"]}}, "bug 2?1? \\(owner/repository#2\\): concerns servers"),
        ({"bug": {"no_vector": "So it is"}}, "bug 1 .*: has a vector, so its reason"),
        ({"bug": {"requirements": ["HB-99"]}}, "bug 1 .*: there is no requirement HB-99"),
        (
            {"case": {"source": [{"bug": "owner/repository#3"}]}, "bug": NO_BUG},
            "a.b: the bug owner/repository#3 is not in bugs.json",
        ),
    ],
)
def test_what_the_gate_stops(changed, parts, named):
    assert [flaw for flaw in changed(**parts) if re.match(named, flaw)], changed(**parts)


def test_a_rule_there_twice_is_noticed(changed):
    rule = {"id": "HB-02", "section": "heartbeat", "level": "must", "role": "server", "observed": "vector"}
    assert "HB-02: there twice" in changed(head={"rules": [rule, rule]})


def test_the_table_counts_every_rule_once(suite):
    *sections, (_, total) = coverage.counts_by_section(suite)
    assert total["rules"] == len(suite.rules) == sum(counts["rules"] for _, counts in sections)
    ways = ("vector", "recording", "reason", "missing")
    assert sum(total[way] for way in ways) == sum(map(for_servers, suite.rules))
    ways = ("client vector", "client reason", "client missing")
    assert sum(total[way] for way in ways) == sum(map(for_clients, suite.rules))


def test_the_program_prints_the_table_and_what_has_no_vector(suite):
    run = subprocess.run(
        [env.ROOT / "ci" / "coverage", "--list"], capture_output=True, text=True, check=False, timeout=env.PROMPT
    )
    assert run.returncode == 0 and run.stderr == ""
    assert re.search(rf"^all +{len(suite.rules)} ", run.stdout, re.M)
    for rule in suite.rules:
        missing = for_servers(rule) and not suite.citing(rule["id"])
        assert bool(re.search(rf"^{rule['id']} \(", run.stdout, re.M)) == missing, rule["id"]


def test_the_program_refuses_what_it_does_not_know():
    run = subprocess.run(
        [env.ROOT / "ci" / "coverage", "--lost"], capture_output=True, text=True, check=False, timeout=env.PROMPT
    )
    assert run.returncode == 2 and "ci/coverage" in run.stderr
