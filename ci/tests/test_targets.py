# SPDX-License-Identifier: MIT
"""Servers of others (ci/targets). To build and run them is not a test's business; that what is said of them can be used is."""

import json
import subprocess

import pytest

from testenv import env
from testenv.harness import phxspec

TARGETS = env.ROOT / "ci" / "targets"
NAMES = sorted(path.parent.name for path in TARGETS.glob("*/profile.json"))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_of_a_server_is_about_cases_it_can_run(name):
    folder = TARGETS / name
    known = json.loads((folder / "expectations.json").read_text(encoding="utf-8"))["expected"]
    assert known and all(len(entry["reason"]) > 20 and entry["link"] for entry in known)
    options = ["--profile", folder / "profile.json", "--skip", f"@{folder}/unsteady"]
    run = phxspec("server", *options, "--expect", folder / "expectations.json", "--list")
    assert run.code == 0 and run.err == "", run.err
    assert len([line for line in run.out.splitlines() if "not applicable" not in line]) > 100


def test_the_page_names_every_server():
    page = (TARGETS / "README.md").read_text(encoding="utf-8")
    assert NAMES and all(f"| `{name}` |" in page for name in NAMES)


@pytest.mark.parametrize("command", ["setup", "run"])
def test_one_that_is_not_there_is_named(command):
    run = subprocess.run(
        [TARGETS / command, "nosuch"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert run.returncode in (2, 3) and run.stderr, run
