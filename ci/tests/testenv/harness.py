# SPDX-License-Identifier: MIT
"""phxspec as a program: run to its end, its report read."""

import json
import os
import re
import signal
import subprocess
import time
from typing import NamedTuple

from . import env
from .server import sanitizer_report

LACKS = "cluster,deflate"  # of the reference server; as in ci/reference-server

RECORDED = env.VECTORS / "recorded" / "phoenix-1.8.12-bandit"


def spawn_template(program=None, phoenix="{release}"):
    """How a recording's release and config are told to the reference server; as in ci/judge."""
    flags = {
        "mount": "mount",
        "idle-timeout-ms": "websocket_timeout_ms",
        "window-ms": "longpoll_window_ms",
        "max-channels": "max_channels",
        "max-frame-bytes": "max_frame_size",
        "token-max-age-s": "longpoll_token_max_age_s",
        "auth-token": "auth_token",
        "subprotocols": "subprotocols",
    }
    return " ".join(
        [str(program or env.server()), "--port {port}", f"--phoenix {phoenix}"]
        + [f"[--{flag} {{{key}}}]" for flag, key in flags.items()]
    )


class Run(NamedTuple):
    code: int
    out: str
    err: str
    seconds: float
    lines: list  # of the report; empty without one

    @property
    def verdicts(self):
        """The verdict of each recording or variant, by its name."""
        named = [
            (line.get("recording") or line.get("variant"), line["verdict"])
            for line in self.lines
            if "verdict" in line
        ]
        assert len(dict(named)) == len(named), "a name has two verdicts"
        return dict(named)

    def count(self, verdict):
        return list(self.verdicts.values()).count(verdict)


def phxspec(*arguments, report=None, timeout=60, interrupt_after=None):
    """Runs phxspec from the project's root. `report` is a file for --report, read when it ends;
    `interrupt_after(process)` returns when Ctrl-C is to be pressed."""
    command = [str(env.harness()), *map(str, arguments)]
    if report:
        command[2:2] = ["--report", str(report)]
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=env.ROOT,
        env=env.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        if interrupt_after:
            interrupt_after(process)
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            out, err = process.communicate(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
        raise TimeoutError(
            f"{' '.join(command)}: no end within {timeout} s\n{out[-2000:]!r}\n{err[-2000:]!r}"
        ) from None
    out, err = out.decode(), err.decode()
    found = sanitizer_report(err)
    assert found is None, found
    assert process.returncode in (0, 1, 2, 3), f"exit code {process.returncode}\n{err}"
    lines = []
    if report and os.path.exists(report):
        with open(report, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
    return Run(process.returncode, out, err, time.monotonic() - began, lines)


# ---- vectors ----


def judge(url, *arguments, **settings):
    return phxspec("server", "--without", LACKS, *arguments, url, **settings)


def summary_of_vectors(run):
    """The counts of the closing line, which must be those of the report, which must be whole."""
    last = run.out.strip().splitlines()[-1]
    planned = int(re.match(r"(\d+) planned:", last).group(1))
    counts = {
        name: int(count)
        for name, count in re.findall(r"(?:: |, )([a-z ]+) (\d+)", last)
    }
    assert sum(counts.values()) == planned
    if run.lines:
        first, closing = run.lines[0], run.lines[-1]
        assert first["event"] == "run" and first["planned"] == planned == len(run.verdicts)
        assert closing["event"] == "summary" and closing["complete"] is True and closing["planned"] == planned
        assert closing["counts"] == counts and closing["exit"] == run.code
        for name, count in counts.items():
            assert run.count(name) == count
    return counts


def assert_fails(run):
    """The run has failures, and no other trouble. Where this machine stood still, a failure may have proven nothing:
    then, and only then, it may be a harness error. Returns the counts of verdicts."""
    counts = summary_of_vectors(run)
    reasons = [
        line["reason"]
        for line in run.lines
        if line["event"] == "verdict" and line["verdict"] == "harness error"
    ]
    assert all(reason.startswith("this machine stood still for ") for reason in reasons), reasons
    assert counts["fail"] > 0 and counts["not run"] == 0
    assert run.code == (3 if reasons else 1)
    return counts


def cases():
    """All cases of the suite."""
    for path in sorted((env.VECTORS / "server").rglob("*.json")):
        yield from json.loads(path.read_text(encoding="utf-8"))["cases"]


def requirements():
    """The requirements, by id."""
    file = json.loads((env.VECTORS / "requirements.json").read_text(encoding="utf-8"))
    return {rule["id"]: rule for rule in file["rules"]}


# ---- recordings ----


def read_recordings(path):
    """The recordings of a file, each a list: its header, then its events."""
    recordings = []
    for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
        value = json.loads(line)
        if "recording" in value:
            recordings.append([value])
        else:
            recordings[-1].append(value)
    return recordings


def write_recordings(path, recordings):
    lines = [json.dumps(line) for recording in recordings for line in recording]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def name_of(recording):
    header = recording[0]
    server = "{name}-{version}-{adapter}".format(**header["server"])
    transport = {"websocket": "ws", "longpoll": "lp"}[header["transport"]]
    return f"{server}/{header['scenario']}.{transport}.v{header['vsn'][0]}"
