# SPDX-License-Identifier: MIT
"""The bench runs and counts; what it finds is for a quiet machine to tell, and no test."""

import json
import subprocess

from testenv import env

BENCH_S = 60


def bench(*options):
    programs = (env.server(), *(env.program(f"reference-server/bench/{name}") for name in ("yardstick", "floor")))
    return subprocess.run(
        [env.program("reference-server/bench/phxspec-bench"), *options, *programs],
        capture_output=True,
        text=True,
        timeout=BENCH_S,
    )


def test_every_kind_of_scenario():
    names = ("echo 100x1", "echo 50x20", "broadcast 100", "join/leave", "connect", "long-poll", "memory")
    done = bench("--quick", "--json", *(part for name in names for part in ("--run", name)))
    assert done.returncode == 0, done.stderr
    rows = {row["scenario"]: row for row in json.loads(done.stdout)["rows"]}
    assert all(any(name in scenario for scenario in rows) for name in names), rows.keys()
    assert all(row["phxspec"] > 0 for row in rows.values()), rows
    assert all(row["ratio"] > 0 for row in rows.values() if "bare" in row)
    assert all("bare" in rows[name] and rows[name]["kernel_ratio"] > 0 for name in ("echo 100x1", "broadcast 100"))


def test_a_goal_that_is_missed():
    """Under sanitizers the goal of memory is out of reach, and --check says so."""
    done = bench("--quick", "--check", "--run", "memory")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.splitlines()[1].endswith("over")


def test_wrong_use():
    assert bench("--fast").returncode == 2
    assert bench("--run", "no such scenario").returncode == 2


def test_a_server_that_does_not_start():
    program = env.program("reference-server/bench/phxspec-bench")
    done = subprocess.run(
        [program, "--run", "memory", "/bin/false", "/bin/false", "/bin/false"], capture_output=True, text=True, timeout=BENCH_S
    )
    assert done.returncode == 3 and "/bin/false did not say" in done.stderr, done
