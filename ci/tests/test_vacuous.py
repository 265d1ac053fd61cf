# SPDX-License-Identifier: MIT
"""Servers that always do the same: what they pass is known by name and reason, and nothing else passes."""

import json
import pathlib

import pytest

from testenv.harness import assert_fails, cases, judge
from testenv.peers import Hangup, Silent
from testenv.vacuous import Agrees, Echoes, Refuses

LISTED = json.loads((pathlib.Path(__file__).parent / "data" / "vacuous.json").read_text(encoding="utf-8"))
PEERS = {
    "silent": Silent,
    "hangup": Hangup,
    "echo": Echoes,
    "403": lambda: Refuses(403),
    "400": lambda: Refuses(400),
    "ok": Agrees,
}
ENOUGH_S = 15


@pytest.mark.parametrize("name", PEERS)
def test_nothing_passes_that_is_not_listed(name, report):
    with PEERS[name]() as useless:
        run = judge(useless.url, "--quiet", report=report, timeout=4 * ENOUGH_S)
    assert_fails(run)
    passed = {variant.split("/")[0] for variant, verdict in run.verdicts.items() if verdict == "pass"}
    listed = set(LISTED[name])
    assert passed <= listed, (
        f"these pass against a server that knows nothing: {sorted(passed - listed)}; give each a control that "
        "such a server fails, or list it in data/vacuous.json with the reason why it cannot have one"
    )
    assert listed <= passed, f"no longer passed; take out of data/vacuous.json: {sorted(listed - passed)}"
    assert run.seconds < ENOUGH_S


def test_what_is_listed_exists_and_is_a_small_part():
    ids = {case["id"] for case in cases()}
    assert LISTED.keys() == PEERS.keys()
    for name, listed in LISTED.items():
        assert listed.keys() <= ids and all(listed.values())
        assert len(listed) < len(ids) / 8, f"{name} passes {len(listed)} of {len(ids)} cases"
