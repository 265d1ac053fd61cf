# SPDX-License-Identifier: MIT
"""`ci/load` runs, in its small form, and finds the server within bounds."""

import subprocess

from testenv import env

LOAD_S = 120


def load(*arguments):
    return subprocess.run(
        [env.ROOT / "ci/load", *arguments], capture_output=True, text=True, timeout=LOAD_S, check=False
    )


def test_the_bystander_is_unharmed_by_every_load():
    done = load("--quick", env.server(plain=True).parents[1])
    assert done.returncode == 0, done.stdout + done.stderr
    rows = done.stdout.splitlines()[1:]
    assert len(rows) == 8 and not [row for row in rows if row.endswith("over")], done.stdout


def test_a_build_that_is_not_there(tmp_path):
    done = load(tmp_path)
    assert done.returncode == 2 and "is not there; build it" in done.stderr
