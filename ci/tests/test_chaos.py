# SPDX-License-Identifier: MIT
"""The reference client against the reference server through a proxy that refuses, delays, stalls and cuts (ci/chaos runs more)."""

import re
import subprocess

from testenv import env
from testenv.client import program

ROUNDS = 30


def test_everything_ends_once_and_works_again(start_server):
    server = start_server("--window-ms", "600")
    run = subprocess.run(
        [program().parent / "tests/chaos", str(server.port), str(ROUNDS)],
        env=env.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr
    assert f"0 of {ROUNDS} rounds went wrong" in run.stdout
    counted = {what: int(count) for count, what in re.findall(r"(\d+) (pushes|replied|cut|outages)", run.stdout)}
    assert counted["cut"] > ROUNDS and counted["outages"] > ROUNDS
    assert counted["pushes"] > 20 * ROUNDS and counted["replied"] > counted["pushes"] / 2
