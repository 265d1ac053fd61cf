# SPDX-License-Identifier: MIT
"""A sample of everything under valgrind, which sees what the sanitizers do not: memory that was never set."""

import re
import subprocess

import pytest

from testenv import env
from testenv.harness import LACKS, RECORDED, spawn_template
from testenv.server import Server

VALGRIND = [
    "valgrind",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite,indirect,possible",
    "--error-exitcode=99",
    "--track-fds=no",
    "--num-callers=25",
]
SAMPLE = [RECORDED / f"{group}.jsonl" for group in ("join", "leave", "binary", "malformed")]


@pytest.fixture
def log(tmp_path):
    return tmp_path / "valgrind.log"


def check(log):
    text = log.read_text(errors="replace")
    assert re.search(r"ERROR SUMMARY: 0 errors", text), text[-5000:]
    assert "definitely lost: 0 bytes" in text or "no leaks are possible" in text, text[-5000:]


def run(command, timeout=120):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=env.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_the_server_while_vectors_and_recordings_are_run(tmp_path, log):
    server = Server(tmp_path, prefix=[*VALGRIND, f"--log-file={log}"], program=env.server(plain=True))
    harness = env.harness(plain=True)
    try:
        # Few at once: what valgrind runs is slow, and a busy server is no wrong one.
        run(
            [
                harness,
                "server",
                "--without",
                LACKS,
                "--jobs",
                "16",
                "--quiet",
                "--run",
                "join.*",
                "--run",
                "push.*",
                "--run",
                "longpoll.*",
                "--run",
                "handshake.*",
                "--run",
                "control.*",
                server.url,
            ]
        )
        run(
            [
                harness,
                "replay",
                "--without",
                LACKS,
                "--jobs",
                "8",
                "--quiet",
                "--only",
                "*/heartbeat.*",
                "--only",
                "*/leave.*",
                RECORDED / "heartbeat.jsonl",
                RECORDED / "leave.jsonl",
                server.url,
            ]
        )
        joined = server.websocket()
        joined.join("phxspec:end")
        server.signal()
        assert joined.read_close() == 1012
        joined.close()
        assert server.wait(timeout=30) == 0, log.read_text()[-5000:]
    finally:
        server.kill()
    check(log)


def test_the_harness_while_it_replays(log):
    run(
        [
            *VALGRIND,
            f"--log-file={log}",
            env.harness(plain=True),
            "replay",
            "--without",
            LACKS,
            "--assume",
            "longpoll_pubsub_timeout_ms",
            "--quiet",
            "--only",
            "*/join.*",
            "--only",
            "*/binary.*",
            "--skip",
            "*.v1",
            "--spawn",
            spawn_template(env.server(plain=True)),
            *SAMPLE,
        ]
    )
    check(log)


def test_the_harness_while_it_runs_vectors(start_plain_server, log):
    server = start_plain_server()
    run(
        [
            *VALGRIND,
            f"--log-file={log}",
            env.harness(plain=True),
            "server",
            "--without",
            LACKS,
            "--jobs",
            "32",
            "--quiet",
            "--run",
            "heartbeat.*",
            "--run",
            "join.*",
            "--run",
            "longpoll.*",
            "--run",
            "binary.*",
            server.url,
        ]
    )
    check(log)


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay", RECORDED / "heartbeat.jsonl", "http://127.0.0.1:1"],
        ["replay", "no-such-file", "http://127.0.0.1:1"],
        ["server", "--run", "no-such.*", "http://127.0.0.1:1"],
        ["server", "--expect", env.VECTORS / "expectations" / "reference-server.json", "http://127.0.0.1:1"],
        ["explain", "no-such.case"],
    ],
    ids=["unreachable-replay", "no-file", "no-case", "unreachable-server", "nothing-to-explain"],
)
def test_the_harness_when_it_fails_early(log, arguments):
    done = subprocess.run(
        [*VALGRIND, f"--log-file={log}", str(env.harness(plain=True)), *map(str, arguments)],
        cwd=env.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode in (2, 3), done
    check(log)
