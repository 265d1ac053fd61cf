# SPDX-License-Identifier: MIT
"""What a failure, and a pass, means for a run: levels, known failures and their reasons."""

import json
import re
import shlex

import jsonschema
import pytest

from testenv import env
from testenv.harness import judge, phxspec
from testenv.harness import summary_of_vectors as summary
from testenv.peers import Change, Proxy, Silent

GOOD_URL = "http://127.0.0.1:1"  # nobody is there: whatever is refused is refused before that


class OtherClose(Change):
    """The phx_close behind the answer to a leave says something: a must."""

    def messages(self, message, held):
        if message.event == "phx_close":
            message.payload = {"said": "bye"}
        return [message]


class Stored(Change):
    """Answers may be stored: a should."""

    def exchange(self, head, body):
        return head.replace("no-store", "public"), body


@pytest.fixture
def broken(server):
    with Proxy(server.port, OtherClose()) as proxy:
        yield proxy


LEAVE = ("--run", "leave.ok", "--run", "leave.unjoined", "--vsn", "2")
FAILING = {"leave.ok/ws/v2", "leave.ok/lp/v2"}
PASSING = {"leave.unjoined/ws/v2", "leave.unjoined/lp/v2"}


def entry(case, reason="no time yet", verdict="fail", **more):
    return {"case": case, "verdict": verdict, "reason": reason, **more}


def expect(path, *entries, **head):
    """Writes the file in the form in which phxspec does."""
    path.write_text(json.dumps({"expectations": 1, **head, "expected": list(entries)}), encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "expect.json"


def entries_of(file):
    value = json.loads(file.read_text(encoding="utf-8"))
    schema = json.loads((env.VECTORS / "schema" / "expectations.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(value)
    return value["expected"]


def outcomes(run):
    return {name: verdict.replace("_", " ") for name, verdict in run.verdicts.items()}


# ---- levels ----


def test_a_should_fails_the_run_with_strict_only(server, report):
    with Proxy(server.port, Stored()) as proxy:
        lenient = judge(proxy.url, "--run", "longpoll_http.no-store", "--vsn", "2", report=report)
        assert lenient.code == 0 and summary(lenient)["fail"] == 1
        assert next(line for line in lenient.lines if line["event"] == "verdict")["tolerated"] is True
        strict = judge(proxy.url, "--strict", "--run", "longpoll_http.no-store", "--vsn", "2", report=report)
        assert strict.code == 1 and summary(strict)["fail"] == 1
    assert re.search(r"^fail  longpoll_http\.no-store/lp/v2  \(should: .*--strict", lenient.out, re.M)
    assert "LP-HTTP-03 (should, server)" in lenient.out
    again = shlex.split(re.search(r"again: (.*)", strict.out).group(1))
    assert "--strict" in again


def test_a_must_fails_the_run(broken):
    run = judge(broken.url, *LEAVE)
    assert run.code == 1 and summary(run)["fail"] == len(FAILING)
    assert not re.search(r"^fail .*strict", run.out, re.M)


# ---- what is expected ----


def test_a_failure_that_is_expected_is_green_and_tells_why(broken, report, file):
    expect(file, entry("leave.ok", link="https://example.org/issue/1"))
    run = judge(broken.url, *LEAVE, "--expect", file, report=report)
    assert run.code == 0, run.out
    assert outcomes(run) == {
        **dict.fromkeys(FAILING, "expected failure"),
        **dict.fromkeys(PASSING, "pass"),
    }
    assert summary(run)["expected failure"] == len(FAILING)
    for name in FAILING:
        assert f"expected failure  {name}: no time yet  https://example.org/issue/1" in run.out
    assert "bye" not in run.out  # an expected failure is told in one line, but for those who want it
    assert "bye" in judge(broken.url, *LEAVE, "--expect", file, "--verbose").out


def test_a_pass_that_is_not_expected_fails_the_run_and_names_the_entry(server, report, file):
    expect(file, entry("leave.unjoined"), entry("leave.ok/ws", reason="never was true"))
    run = judge(server.url, *LEAVE, "--skip", "leave.unjoined", "--expect", file, "--quiet", report=report)
    assert run.code == 1
    assert outcomes(run) == {"leave.ok/ws/v2": "unexpected pass", "leave.ok/lp/v2": "pass"}
    assert re.search(
        rf"^unexpected pass  leave\.ok/ws/v2: {re.escape(str(file))}, entry 2, expects leave\.ok/ws to fail "
        r"\(never was true\)",
        run.out,
        re.M,
    ), run.out


def test_a_wider_entry_does_not_hide_what_passes(broken, report, file):
    run = judge(broken.url, *LEAVE, "--expect", expect(file, entry("leave.*")), report=report)
    assert run.code == 1
    assert {name for name, verdict in outcomes(run).items() if verdict == "unexpected pass"} == PASSING


def test_what_is_not_selected_is_not_judged(server, file):
    expect(file, entry("leave.ok"))
    assert judge(server.url, "--run", "heartbeat.ok", "--expect", file).code == 0


def test_an_unexplained_entry_is_told_every_time(broken, file):
    run = judge(broken.url, *LEAVE, "--expect", expect(file, entry("leave.ok", reason="TODO: say why")))
    assert run.code == 0 and f"{file}: entry 1, leave.ok: its reason is still to be written" in run.err


def test_a_harness_error_and_what_was_not_run_are_not_excused(file, report, server):
    """A run that ends at its deadline."""
    expect(file, entry("idle"))
    with Silent() as silent:
        run = judge(silent.url, "--run", "idle", "--deadline", "1", "--expect", file, report=report)
    assert run.code == 3 and set(outcomes(run).values()) == {"not run"}


def test_not_applicable_may_be_expected(server, file, report):
    expect(file, entry("broadcast.*", verdict="not applicable", reason="there is no broadcast yet"))
    lacking = ("--run", "broadcast", "--run", "heartbeat.ok", "--without", "broadcast,broadcast_to,push")
    run = judge(server.url, *lacking, "--expect", file, report=report)
    applicable = {name for name in run.verdicts if run.verdicts[name] != "not applicable"}
    unexpected = {name for name, verdict in outcomes(run).items() if verdict == "unexpected pass"}
    assert unexpected == {name for name in applicable if name.startswith("broadcast.")}


# ---- wrong files ----


@pytest.mark.parametrize(
    "text,named",
    [
        ("", []),
        ("[]", ["expectations"]),
        ('{"expectations": 2, "expected": []}', ["expectations"]),
        ('{"expectations": 1}', ["expected"]),
        ('{"expectations": 1, "expected": [], "retry": 3}', ["retry"]),
        ('{"expectations": 1, "expected": [5]}', ["entry 1"]),
        ({"case": "join.ok", "verdict": "fail"}, ["entry 1, join.ok", "reason"]),
        ({"case": "join.ok", "reason": "r"}, ["entry 1, join.ok", "verdict"]),
        (entry("join.ok", verdict="harness error"), ["entry 1, join.ok", "never"]),
        (entry("join.ok", verdict="not run"), ["entry 1, join.ok", "never"]),
        (entry("join.ok", since="1.8"), ["entry 1, join.ok", "since"]),
        (entry("join.okk"), ["entry 1, join.okk", "matches no case", "did you mean join.ok"]),
        (entry("nothing.like-it*"), ["entry 1, nothing.like-it*", "matches no case"]),
    ],
    ids=str,
)
def test_a_wrong_file_is_named_with_the_entry(file, text, named):
    if isinstance(text, dict):
        expect(file, text)
    else:
        file.write_text(text)
    run = judge(GOOD_URL, "--expect", file)
    assert run.code == 2 and run.out == ""
    for word in [str(file), *named]:
        assert word in run.err, run.err


def test_a_file_that_is_not_there_is_named():
    run = judge(GOOD_URL, "--expect", "/no/such/file.json")
    assert run.code == 2 and "/no/such/file.json" in run.err


def test_an_entry_that_others_leave_nothing_to_is_named(file):
    run = judge(GOOD_URL, "--expect", expect(file, entry("join.*"), entry("join.ok")))
    assert run.code == 2 and "entry 2, join.ok" in run.err


# ---- the update ----


def update(url, file, *arguments):
    return judge(url, "--expect", file, "--update-expectations", "--quiet", *(arguments or LEAVE))


def test_an_update_of_a_new_file_makes_the_next_run_green(broken, file):
    run = update(broken.url, file)
    assert run.code == 1 and "2 added" in run.err
    assert [(e["case"], e["reason"][:4]) for e in entries_of(file)] == [
        ("leave.ok/ws/v2", "TODO"),
        ("leave.ok/lp/v2", "TODO"),
    ]
    again = judge(broken.url, *LEAVE, "--expect", file)
    assert again.code == 0 and again.err.count("its reason is still to be written") == 2


def test_an_update_keeps_what_holds_and_drops_what_does_not(broken, file):
    kept = entry("leave.ok", reason='it is "difficult": ü', link="https://example.org/2")
    untried = entry("push.*", reason="not run this time")
    replayed = {"recording": "*/join.ok.*", "verdict": "disagree", "reason": "for phxspec replay"}
    expect(file, entry("leave.unjoined/*/v2"), replayed, untried, kept, about="ours")
    run = update(broken.url, file)
    assert run.code == 1 and "3 kept, 0 narrowed, 1 dropped, 0 added" in run.err
    assert entries_of(file) == [replayed, untried, kept]
    assert json.loads(file.read_text())["about"] == "ours" and "ü" in file.read_text(encoding="utf-8")
    before = file.read_bytes()
    assert update(broken.url, file).code == 0
    assert file.read_bytes() == before, "the second update changed something"


def test_an_update_narrows_a_glob_to_what_is_left_of_it(broken, file):
    expect(file, entry("leave.*", link="https://example.org/3"))
    assert "0 kept, 1 narrowed, 0 dropped, 0 added" in update(broken.url, file, "--run", "leave").err
    left = entries_of(file)
    assert all(e["reason"] == "no time yet" and e["link"] == "https://example.org/3" for e in left)
    names = {e["case"] for e in left}
    assert "leave.ok" in names and "leave.unjoined" not in names and "leave.*" not in names
    assert judge(broken.url, "--run", "leave", "--expect", file).code == 0


def test_an_update_does_not_expect_what_is_tolerated(server, file):
    with Proxy(server.port, Stored()) as proxy:
        chosen = ("--run", "longpoll_http.no-store")
        assert update(proxy.url, file, *chosen).code == 0 and entries_of(file) == []
        assert update(proxy.url, file, "--strict", *chosen).code == 1
    assert [e["case"] for e in entries_of(file)] == ["longpoll_http.no-store"]


def test_an_update_after_half_a_run_leaves_the_file_alone(file):
    before = expect(file, entry("idle")).read_bytes()
    with Silent() as silent:
        run = update(silent.url, file, "--run", "idle", "--deadline", "1")
    assert run.code == 3 and f"{file} is left as it is" in run.err
    assert file.read_bytes() == before


def test_an_update_that_cannot_be_written_is_an_error_before_the_run(tmp_path):
    run = update("http://127.0.0.1:1", tmp_path / "no" / "such" / "folder.json")
    assert run.code == 2 and "folder.json cannot be written: No such file or directory" in run.err
