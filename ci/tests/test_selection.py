# SPDX-License-Identifier: MIT
"""What `phxspec server` runs, what --list names, and what `phxspec explain` tells."""

import json
import os
import re
import shlex

import pytest

from testenv import env
from testenv.harness import LACKS, cases, judge, phxspec, requirements
from testenv.harness import summary_of_vectors as summary
from testenv.peers import Silent

CASES = {case["id"]: case for case in cases()}
RULES = requirements()


def listed(*arguments):
    """What would be run, as --list --json has it."""
    run = phxspec("server", "--list", "--json", *arguments)
    assert run.code == 0, run.err
    return json.loads(run.out)


def names(*arguments):
    return [entry["variant"] for entry in listed(*arguments)]


def test_list_names_every_variant_of_every_case():
    entries = listed()
    assert {entry["case"] for entry in entries} == set(CASES)
    assert len({entry["variant"] for entry in entries}) == len(entries)
    for entry in entries:
        case = CASES[entry["case"]]
        assert entry["title"] == case["title"] and entry["level"] == case["level"]
        assert entry["requirements"] == case["requirements"] and entry["group"] == case["id"].split(".")[0]
        assert entry["transport"] in case.get("transports", ["websocket", "longpoll"])
        assert entry["vsn"] in case.get("vsn", ["1.0.0", "2.0.0"])


def test_the_list_is_aligned_and_says_what_is_not_applicable():
    run = phxspec("server", "--list", "--without", LACKS)
    lines = run.out.splitlines()
    levels = {re.search(r" (must|should|may) ", line).start(1) for line in lines}
    assert len(levels) == 1, levels
    assert len(lines) == len(listed())
    lacking = [line for line in lines if "(not applicable: capability cluster)" in line]
    assert len(lacking) == sum("not_applicable" in e for e in listed("--without", "cluster")) > 0


@pytest.mark.parametrize(
    "arguments,chosen",
    [
        (["--run", "join"], lambda e: e["group"] == "join"),
        (["--run", "join.ok"], lambda e: e["case"] == "join.ok"),
        (["--run", "join.ok/lp"], lambda e: e["case"] == "join.ok" and e["transport"] == "longpoll"),
        (["--run", "join.ok/lp/v1"], lambda e: e["variant"] == "join.ok/lp/v1"),
        (["--run", "join*"], lambda e: e["case"].startswith("join")),
        (["--run", "*/lp/v2"], lambda e: e["transport"] == "longpoll" and e["vsn"] == "2.0.0"),
        (["--run", "req:JREF-02"], lambda e: "JREF-02" in e["requirements"]),
        (["--run", "req:JREF-*"], lambda e: any(r.startswith("JREF-") for r in e["requirements"])),
        (["--run", "level:should"], lambda e: e["level"] == "should"),
        (["--level", "should"], lambda e: e["level"] != "may"),
        (["--transport", "ws"], lambda e: e["transport"] == "websocket"),
        (["--transport", "longpoll"], lambda e: e["transport"] == "longpoll"),
        (["--vsn", "1"], lambda e: e["vsn"] == "1.0.0"),
        (["--vsn", "2.0.0"], lambda e: e["vsn"] == "2.0.0"),
        (["--run", "join", "--run", "leave", "--vsn", "2"], lambda e: e["group"] in ("join", "leave")),
        (["--skip", "join", "--skip", "*/ws"], lambda e: e["group"] != "join" and e["transport"] == "longpoll"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_selections_choose_what_one_expects(arguments, chosen):
    expected = [entry for entry in listed() if chosen(entry)]
    if "--vsn" in arguments:
        expected = [entry for entry in expected if entry["vsn"][0] == arguments[-1][0]]
    assert listed(*arguments) == expected != []


def test_patterns_may_be_in_a_file(tmp_path):
    patterns = tmp_path / "patterns"
    patterns.write_text("# what we look at\n\n  join.ok   # first\nleave\n")
    assert names("--run", f"@{patterns}") == names("--run", "join.ok", "--run", "leave")
    skipped = names("--run", "join", "--skip", "join.ok")
    assert names("--run", "join", "--skip", f"@{patterns}") == skipped != []


def test_a_wrong_pattern_in_a_file_is_named_with_its_line(tmp_path):
    patterns = tmp_path / "patterns"
    patterns.write_text("join.ok\n# gone\njoin.okk\n")
    run = phxspec("server", "--list", "--run", f"@{patterns}")
    assert run.code == 2 and f"--run {patterns}:3: join.okk matches no case; did you mean join.ok?" in run.err


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["--run", "jion"], ["--run jion matches no case", "did you mean join", "--list"]),
        (["--run", "join.okk/ws/v2"], ["join.okk/ws/v2", "did you mean join.ok"]),
        (["--skip", "req:JREF-99"], ["--skip req:JREF-99", "did you mean", "JREF-0"]),
        (["--run", "tag:no-such-tag"], ["--run tag:no-such-tag matches no case"]),
        (["--run", "join", "--skip", "join"], ["no case is left"]),
        (["--run", "@/no/such/file"], ["/no/such/file"]),
        (["--transport", "udp"], ["--transport udp", "ws or lp"]),
        (["--vsn", "3"], ["--vsn 3", "1 or 2"]),
        (["--level", "perhaps"], ["--level perhaps", "must, should or may"]),
        (["--level=perhaps"], ["--level perhaps", "must, should or may"]),
        (["--list", "--run"], ["--run", "value is missing"]),
        (["--json", "http://127.0.0.1:1"], ["--json", "--list"]),
        (["--update-expectations", "http://127.0.0.1:1"], ["--update-expectations", "--expect"]),
        (["--retry", "3"], ["--retry"]),
    ],
    ids=lambda value: " ".join(value) if value[0].startswith("--") else "",
)
def test_a_selection_that_is_wrong_is_named(arguments, said):
    list_too = [] if {"--json", "--update-expectations", "--list"} & set(arguments) else ["--list"]
    run = phxspec("server", *arguments, *list_too)
    assert run.code == 2 and run.out == "", run
    for words in said:
        assert words in run.err, run.err


def test_a_run_is_what_its_list_names(server, report):
    chosen = ("--run", "req:JREF-*", "--skip", "level:may", "--transport", "lp")
    run = judge(server.url, *chosen, report=report)
    assert run.code == 0, run.out
    assert list(run.verdicts) == names(*chosen)
    assert summary(run)["pass"] > 0


def test_the_help_fits_a_terminal_and_names_every_option():
    run = phxspec("server", "--help")
    assert run.code == 0 and max(map(len, run.out.splitlines())) <= 80
    options = "run skip level transport vsn list strict expect update-expectations"
    for option in options.split():
        assert f"--{option} " in run.out or f"--{option}\n" in run.out
    assert "--retry" not in run.out


# ---- explain ----


def test_every_case_is_explained_in_words():
    run = phxspec("explain", *CASES)
    assert run.code == 0, run.err
    for text in re.split(r"\n\n\n", run.out):
        name = re.match(r"\S+", text).group()
        case = CASES[name]
        assert case["title"] in text
        for rule in case["requirements"]:
            assert f"{rule} ({RULES[rule]['level']}, {RULES[rule]['role']}): {RULES[rule]['text']}" in text
        steps = re.search(r"^Steps.*?\n\n", text, re.M | re.S).group()
        assert len(re.findall(r"^ +\d+  \S", steps, re.M)) == len(case["steps"])
        # A step that explain has no words for comes out as its JSON.
        assert not re.search(r"\$[a-z]|; [a-z_]+: ", steps), f"{name}:\n{steps}"
        for source in case.get("source", []):
            for value in source.values():
                assert value in text, f"{name}: {value}"
            if "recording" in source:
                file = source["recording"].split(".")[0]
                assert f"vectors/recorded/phoenix-1.8.12-bandit/{file}.jsonl" in text
            if re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", source.get("bug", "")):
                assert "https://github.com/" + source["bug"].replace("#", "/issues/") in text


def test_the_variants_of_a_case_are_those_that_are_run():
    run = phxspec("explain", "join_ref.push-null")
    shown = re.findall(r"^    (join_ref\.push-null/\S+)$", run.out, re.M)
    assert shown == names("--run", "join_ref.push-null") and len(shown) > 1


def test_the_recording_can_be_replayed_as_it_says(server):
    text = phxspec("explain", "join_ref.push-null").out
    only, file = re.search(r"phxspec replay --only '(phoenix-1\.8\.12-bandit/[^']+)' (\S+) URL", text).groups()
    words = ["replay", "--only", only, file, "--assume-config", server.url]
    run = phxspec(*words)
    assert run.code == 0 and re.search(r"agree 2\b", run.out), run.out + run.err


def test_a_requirement_is_explained_by_its_cases():
    run = phxspec("explain", "JREF-02")
    assert run.code == 0 and RULES["JREF-02"]["text"] in run.out
    for case in CASES.values():
        assert (f"    {case['id']} " in run.out) == ("JREF-02" in case["requirements"])


@pytest.mark.parametrize(
    "rule,said",
    [
        ("TOK-05", ["\n    auth token configured; ", "\n    since Phoenix 1.8.0\n"]),
        ("JREF-02", ["\n    Phoenix 1.8.3 to 1.8.11: such pushes were dropped, too\n"]),
        ("WS-CLOSE-07", ["\n    Phoenix up to 1.6.2: ", "\n    Phoenix from 1.8.16 on: "]),
        ("LP-POST-09", ["\n    Phoenix 1.8.6: HTTP status 500\n"]),
        ("DRAIN-01", ["no case for servers: the server has to be shut down"]),
        ("PRES-18", ["no case for clients: "]),
        ("LP-BIN-03", ["longpoll_binary.not-utf8", "no case for clients: "]),
    ],
)
def test_a_requirement_is_explained_by_what_is_known_of_it(rule, said):
    run = phxspec("explain", rule)
    assert run.code == 0 and all(words in run.out for words in said), run.out


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["join.okk"], ["join.okk", "did you mean join.ok"]),
        (["JREF-99"], ["JREF-99", "did you mean"]),
        (["join"], ["join is a group of cases", "phxspec server --list --run join"]),
        ([], ["id"]),
        (["--vectors", "/no/such/folder", "join.ok"], ["/no/such/folder"]),
        (["--nonsense"], ["--help"]),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_what_cannot_be_explained_is_said(arguments, said):
    run = phxspec("explain", *arguments)
    assert run.code == 2 and run.out == ""
    for words in said:
        assert words in run.err, run.err


def test_what_can_be_explained_beside_it_is():
    run = phxspec("explain", "no.such", "join.ok")
    assert run.code == 2 and "no.such" in run.err and run.out == phxspec("explain", "join.ok").out != ""


def test_the_folder_of_the_environment_stands_in_the_command_to_run_again(tmp_path):
    """Whoever copies the command need not know the environment of the run."""
    folder = tmp_path / "vectors with a blank"
    os.symlink(env.VECTORS, folder)
    os.environ["PHXSPEC_VECTORS"] = str(folder)
    try:
        with Silent() as silent:
            run = phxspec("server", "--run", "heartbeat.ok/ws/v2", silent.url)
    finally:
        del os.environ["PHXSPEC_VECTORS"]
    assert run.code == 1
    words = shlex.split(re.search(r"again: (.*)", run.out).group(1))
    assert words == [
        str(env.harness()),
        "server",
        "--vectors",
        str(folder),
        silent.url,
        "--run",
        "heartbeat.ok/ws/v2",
    ]
