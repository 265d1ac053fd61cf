# SPDX-License-Identifier: MIT
"""Mutants of every kind against the vectors; all of them are `ci/mutants`, and these a few seconds of it."""

import json
import re
import subprocess

import pytest

from testenv import env
from testenv.harness import LACKS, RECORDED, phxspec, spawn_template
from testenv.redis import Redis
from testenv.server import run_server

TABLE = env.ROOT / "reference-server" / "src" / "faults.def"

# Of each part one whose case is the only one to notice it, or nearly so.
SOME = [
    "frames.tcp-stays",
    "handshake.token-everywhere",
    "idle.own-frames",
    "join.duplicate-haunts",
    "join_ref.null-push-dropped",
    "leave.overtakes",
    "limits.leaks",
    "longpoll.forged-token",
    "longpoll.out-of-order",
    "longpoll.posts-keep",
    "message.two-in-one-frame",
    "presence.ghosts",
    "push.busy-drops",
    "routes.last",
]


# And of several nodes.
OF_A_CLUSTER = [
    "cluster.batch-whole",
    "cluster.disconnect-deaf",
    "cluster.last-waits",
    "cluster.text-only",
]

# What no vector can notice, since none shuts a server down: recordings do.
OF_A_SHUTDOWN = ["drain-normal", "drain-cut", "drain-all"]


def faults():
    return re.findall(r'^FAULT\(\w+, "([^"]+)"', TABLE.read_text(encoding="utf-8"), re.MULTILINE)


def test_a_server_built_as_usual_has_no_faults():
    assert len(faults()) >= 40
    program = env.server().read_bytes()
    for fault in faults():
        assert b"\0" + fault.encode() + b"\0" not in program, fault
    assert "--fault" not in run_server("--help").stdout
    refused = run_server("--fault", faults()[0])
    assert refused.returncode == 2 and "no such option" in refused.stderr


def test_every_fault_is_a_mutant_and_every_mutant_a_fault():
    built_in = [
        mutant["fault"]
        for path in (env.VECTORS / "mutants").glob("*.json")
        for mutant in json.loads(path.read_text(encoding="utf-8"))["mutants"]
        if "fault" in mutant
    ]
    assert sorted(built_in + OF_A_SHUTDOWN) == sorted(faults())


def test_a_server_with_faults_lists_them_and_refuses_others():
    listed = subprocess.run([env.faulty_server(), "--fault", "list"], capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == faults()
    wrong = subprocess.run([env.faulty_server(), "--fault", "x"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "--fault list" in wrong.stderr


def test_mutants_of_every_part_are_killed(start_server):
    sound = start_server(program=env.faulty_server())
    options = [word for mutant in SOME for word in ("--run", mutant)]
    spawn = f"{env.faulty_server()} --port {{port}} --fault {{fault}}"
    run = phxspec(
        "mutants", "--quick", *options, "--spawn", spawn, sound.url, "--", "--without", LACKS, timeout=120
    )
    assert run.code == 0, run.out + run.err
    assert f"{len(SOME)} mutants: killed {len(SOME)}," in run.out


def test_mutants_of_a_cluster_are_killed():
    options = [word for mutant in OF_A_CLUSTER for word in ("--run", mutant)]
    build = env.harness().parents[1]
    assert env.faulty_server().parents[1] == build.with_name(build.name + "-faults"), "as ci/test names them"
    run = subprocess.run(
        [env.ROOT / "ci" / "mutants", build, "--quick", *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(OF_A_CLUSTER)} mutants: killed {len(OF_A_CLUSTER)}," in run.stdout


def test_a_linked_node_that_ends_says_so(tmp_path):
    redis = Redis(tmp_path)
    try:
        linked = [env.ROOT / "ci" / "linked-node", tmp_path, str(redis.port)]
        run = subprocess.run(
            [*linked, env.faulty_server(), "--fault", "x"], capture_output=True, text=True, timeout=30, check=False
        )
    finally:
        redis.stop()
    assert run.returncode == 2 and "--fault list" in run.stderr and "ready" not in run.stdout


@pytest.mark.parametrize("fault", OF_A_SHUTDOWN)
def test_recordings_notice_how_a_server_shuts_down(fault):
    spawn = spawn_template(f"{env.faulty_server()} --fault {fault}")
    run = phxspec(
        *("replay", "--without", LACKS, "--only", "*/drain.joined.ws.v2", "--only", "*/drain.not-joined.ws.v2"),
        *("--spawn", spawn, RECORDED / "drain.jsonl"),
    )
    assert run.code == 1 and re.search(r"agree [01], disagree [12],.* of 2 recordings", run.out), run.out


@pytest.mark.parametrize("fault", ["busy-blocks", "busy-heartbeat"])
def test_every_case_about_a_busy_channel_notices(start_server, fault):
    server = start_server("--fault", fault, program=env.faulty_server())
    cases = [word for case in ("push.busy-channel", "broadcast_mixed.while-busy") for word in ("--run", case)]
    run = phxspec("server", *cases, "--without", LACKS, server.url)
    assert "8 planned: pass 0, fail 8 " in run.out, run.out
