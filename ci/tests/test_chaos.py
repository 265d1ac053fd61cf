# SPDX-License-Identifier: MIT
"""The reference client against the reference server through a proxy that refuses, delays, stalls and cuts (ci/chaos runs more)."""

import re
import subprocess

import pytest

from testenv import env
from testenv.client import program

ROUNDS = 30


def chaos(server, rounds, client, fault=None):
    return subprocess.run(
        [client.parent / "chaos/chaos", str(server.port), str(rounds)],
        env={**env.environment(), "CHAOS_FAULT": fault or "none"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_everything_ends_once_and_works_again(start_server):
    run = chaos(start_server("--window-ms", "600"), ROUNDS, program())
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr
    assert f"0 of {ROUNDS} rounds went wrong" in run.stdout
    counted = {what: int(count) for count, what in re.findall(r"(\d+) (pushes|replied|cut|outages)", run.stdout)}
    assert counted["cut"] > ROUNDS and counted["outages"] > ROUNDS
    assert counted["pushes"] > 20 * ROUNDS and counted["replied"] > counted["pushes"] / 2


@pytest.mark.parametrize(
    "fault, words",
    [("buffer-twice", "came twice"), ("stale-close", "closed the channel")],
)
def test_a_client_with_a_fault_is_noticed(start_server, fault, words):
    run = chaos(start_server("--window-ms", "600"), ROUNDS, env.faulty_client(), fault)
    assert run.returncode == 1, run.stdout[-2000:]
    assert words in run.stdout.splitlines()[1], run.stdout[:2000]
