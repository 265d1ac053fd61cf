# SPDX-License-Identifier: MIT
"""`phxspec server` used wrongly, or with vectors and profiles that are broken."""

import json
import shutil
import subprocess

import pytest

from testenv import env
from testenv.harness import RECORDED, judge, phxspec
from testenv.harness import summary_of_vectors as summary

# ---- wrong use ----


@pytest.mark.parametrize(
    "arguments,named",
    [
        (["--run", "no-such.*"], "no-such.*"),
        (["--skip", "*"], "--skip"),
        (["--no-such-option"], "--no-such-option"),
        (["--jobs", "0"], "--jobs"),
        (["--jobs", "many"], "--jobs"),
        (["--without", "no-such-capability"], "no-such-capability"),
        (["--level", "perhaps"], "--level"),
        (["--profile", "/no/such/file"], "/no/such/file"),
        (["--vectors", "/no/such/folder"], "/no/such/folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_named(arguments, named):
    run = phxspec("server", *arguments, "http://127.0.0.1:1")
    assert run.code == 2 and named in run.err, run


@pytest.mark.parametrize(
    "url", ["127.0.0.1:4000", "ftp://127.0.0.1", "http://127.0.0.1:4000/socket", "http://", "http://h:99999"]
)
def test_a_wrong_url_is_named(url):
    run = phxspec("server", url)
    assert run.code == 2 and url in run.err


def test_no_url_is_wrong_use():
    run = phxspec("server")
    assert run.code == 2 and run.err


def test_no_applicable_case_is_not_green(server):
    run = judge(
        server.url,
        "--run",
        "broadcast.*",
        "--without",
        "broadcast,broadcast_to,intercept,push,websocket,longpoll",
    )
    assert run.code == 2, run.out


def test_a_report_that_cannot_be_written_is_an_error(server, tmp_path):
    run = judge(server.url, report=tmp_path / "no" / "such" / "folder" / "report")
    assert run.code in (2, 3) and "report" in run.err


@pytest.mark.parametrize(
    "arguments,code",
    [([], 2), (["--help"], 0), (["--version"], 0), (["nonsense"], 2)],
    ids=lambda value: str(value),
)
def test_phxspec_itself(arguments, code):
    run = phxspec(*arguments)
    assert run.code == code
    assert ("replay" in run.out + run.err) or "--version" in arguments or "nonsense" in run.err


def test_a_folder_without_vectors_is_named_with_the_way_out(tmp_path):
    for command in (["server", "--list"], ["client", "--list"], ["lint"], ["explain", "join.ok"]):
        run = phxspec(command[0], "--vectors", tmp_path, *command[1:])
        assert run.code == 2 and run.err.count("\n") == 1, run.err
        assert f"{tmp_path} is no folder of vectors" in run.err and "--vectors DIR or $PHXSPEC_VECTORS" in run.err


# ---- broken vectors and profiles ----


GOOD = {
    "vectors": 1,
    "group": "made",
    "about": "For a test.",
    "cases": [
        {
            "id": "made.up",
            "title": "Made up",
            "requirements": ["HB-02"],
            "level": "must",
            "transports": ["websocket"],
            "vsn": ["2.0.0"],
            "steps": [
                {"connect": "a"},
                {"send": [None, "1", "phoenix", "heartbeat", {}]},
                {"expect": [None, "1", "phoenix", "phx_reply", {"status": "ok", "response": {}}]},
            ],
        }
    ],
}


def vectors_with(tmp_path, text):
    """A folder of vectors that has this one file."""
    folder = tmp_path / "vectors"
    (folder / "server").mkdir(parents=True)
    shutil.copy(env.VECTORS / "requirements.json", folder)
    (folder / "server" / "made.json").write_text(text, encoding="utf-8")
    return folder


def changed(path, value):
    """The good vectors with one thing in them changed; None takes it out."""
    vectors = json.loads(json.dumps(GOOD))
    *way, last = path
    inner = vectors
    for key in way:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(vectors)


def test_a_good_file_of_ones_own_runs(server, tmp_path):
    run = judge(server.url, "--vectors", vectors_with(tmp_path, json.dumps(GOOD)))
    assert run.code == 0 and summary(run)["pass"] == 1


CASE = ("cases", 0)
STEPS = (*CASE, "steps")


@pytest.mark.parametrize(
    "text,named",
    [
        ("", ["made.json"]),
        ("{", ["made.json"]),
        ("[]", ["made.json"]),
        ("{}", ["made.json"]),
        ('{"vectors": 1, "vectors": 1}', ["made.json"]),
        (changed(["vectors"], 2), ["made.json", "vectors"]),
        (changed(["cases"], []), ["made.json", "cases"]),
        (changed(["group"], 5), ["made.json", "group"]),
        (changed(["no-such-member"], 5), ["made.json", "no-such-member"]),
        (changed([*CASE, "title"], None), ["made.json", "made.up", "title"]),
        (changed([*CASE, "id"], "other.group"), ["made.json", "other.group"]),
        (changed([*CASE, "id"], None), ["made.json", "id"]),
        (changed([*CASE, "level"], "perhaps"), ["made.json", "made.up", "level"]),
        (changed([*CASE, "requirements"], ["HB-99"]), ["made.json", "made.up", "HB-99"]),
        (changed([*CASE, "requirements"], []), ["made.json", "made.up", "requirements"]),
        (changed([*CASE, "needs"], ["magic"]), ["made.json", "made.up", "magic"]),
        (changed([*CASE, "vsn"], ["3.0.0"]), ["made.json", "made.up", "3.0.0"]),
        (changed([*CASE, "transports"], ["pigeon"]), ["made.json", "made.up", "pigeon"]),
        (changed([*CASE, "mount"], "nowhere"), ["made.json", "made.up", "mount"]),
        (changed([*CASE, "nonsense"], 1), ["made.json", "made.up", "nonsense"]),
        (changed([*CASE, "steps"], []), ["made.json", "made.up", "steps"]),
        (changed([*STEPS, 1], {"snd": []}), ["made.json", "made.up", "step 2"]),
        (changed([*STEPS, 1], "send"), ["made.json", "made.up", "step 2"]),
        (changed([*STEPS, 1], {"send": [1, 2, 3]}), ["made.json", "made.up", "step 2"]),
        (changed([*STEPS, 1, "on"], "nobody"), ["made.json", "made.up", "step 2", "on"]),
        (changed([*STEPS, 0], {"expect": [None, "1", "t", "e", {}]}), ["made.json", "made.up", "step"]),
        (changed([*STEPS, 2, "expect", 4], {"$type": "colour"}), ["made.json", "made.up", "step 3", "$type"]),
        (
            changed([*STEPS, 2, "expect", 4], {"$no_such_matcher": 1}),
            ["made.json", "made.up", "step 3", "$no_such_matcher"],
        ),
        (
            changed([*STEPS, 2, "expect", 4], {"$equals": "never captured"}),
            ["made.json", "made.up", "step 3", "$equals"],
        ),
    ],
    ids=lambda value: " ".join(value[1:])[:40] or "file" if isinstance(value, list) else "",
)
def test_a_malformed_file_is_named_with_case_and_step(tmp_path, text, named):
    run = judge("http://127.0.0.1:1", "--vectors", vectors_with(tmp_path, text))
    assert run.code == 2, run
    for word in named:
        assert word in run.err, run.err


def test_an_id_that_is_there_twice_is_named(tmp_path):
    vectors = json.loads(json.dumps(GOOD))
    vectors["cases"] *= 2
    run = judge("http://127.0.0.1:1", "--vectors", vectors_with(tmp_path, json.dumps(vectors)))
    assert run.code == 2 and "made.up" in run.err and "made.json" in run.err


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"profile": 2}', '{"profile": 1, "capabilities": ["magic"]}']
)
def test_a_malformed_profile_is_named(tmp_path, text):
    profile = tmp_path / "profile.json"
    profile.write_text(text)
    run = judge("http://127.0.0.1:1", "--profile", profile)
    assert run.code == 2 and str(profile) in run.err


def test_the_profile_in_the_tree_is_the_built_in_one(server, report):
    built_in = judge(server.url, report=report)
    given = judge(server.url, "--profile", env.VECTORS / "profiles" / "reference-server.json", report=report)
    assert given.code == built_in.code == 0
    assert given.verdicts == built_in.verdicts


@pytest.mark.parametrize("command", ["server", "client", "explain", "lint", "mutants", "probe", "proxy", "report"])
def test_an_option_that_is_not_there_is_named(command):
    run = phxspec(command, "--nonsense")
    assert run.code == 2
    assert run.err == (
        f"phxspec {command}: --nonsense: no such option, or its value is missing; "
        f"phxspec {command} --help tells the options\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["explain", "join.ok"],
        ["lint"],
        ["server", "--list"],
        ["mutants", "--run", "leave.unanswered", "URL", "--", "--run", "leave.*"],
    ],
    ids=lambda words: words[0],
)
def test_an_answer_that_cannot_be_written_is_no_success(server, words):
    command = [env.harness(), *(server.url if word == "URL" else word for word in words)]
    with open("/dev/full", "w") as full:
        run = subprocess.run(command, cwd=env.ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 3 and run.stderr == "phxspec: standard output: No space left on device\n"


@pytest.mark.parametrize(
    "command, option",
    [
        ("server", "profile"),
        ("server", "expect"),
        ("mutants", "mutants"),
        ("probe", "from"),
        ("replay", "expect"),
        ("replay", "rules"),
    ],
)
def test_a_file_that_is_not_there_is_named_with_its_option(command, option):
    recordings = [RECORDED] if command == "replay" else []
    run = phxspec(command, f"--{option}", "/no/such", *recordings, "http://127.0.0.1:1")
    assert run.code == 2
    assert run.err == f"phxspec {command}: --{option} /no/such: No such file or directory\n"
