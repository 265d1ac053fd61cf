# SPDX-License-Identifier: MIT
"""ci/drivers: clients of others, and what is known of them. `ci/drivers/setup` installs those that are run here."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from testenv import env
from testenv.harness import Run, summary_of_vectors

DRIVERS = env.ROOT / "ci/drivers"
NAMES = sorted(path.parent.name for path in DRIVERS.glob("*/expectations.json"))

IN_A_BROWSER = [
    "client_connect.url",
    "client_connect.token",
    "client_connect.token-longpoll",
    "client_connect.backoff",
    "client_channel.join-ref",
    "client_channel.duplicate",
    "client_push.timeout",
    "client_push.one-ref",
    "client_close.cut",
    "client_close.code",
    "client_heartbeat.goes-on",
    "client_longpoll.session-lost",
    "client_longpoll.order",
    "client_longpoll.cut",
    "client_binary.push",
    "client_binary.longpoll",
    "client_presence.rejoin",
    "client_transport.fallback",
    "client_transport.page-hidden",
    "client_transport.page-shown",
    "client_transport.page-after-disconnect",
]


def script(*arguments, timeout=60):
    command = [str(argument) for argument in arguments]
    environment = {**env.environment(), "PHXSPEC": str(env.harness())}
    began = time.monotonic()
    done = subprocess.run(command, cwd=env.ROOT, env=environment, capture_output=True, text=True, timeout=timeout)
    return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - began, [])


def run(driver, *arguments, report):
    result = script("ci/drivers/run", driver, "--strict", "--report", report, *arguments)
    lines = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
    return result._replace(lines=lines)


def expectations(driver):
    return json.loads((DRIVERS / driver / "expectations.json").read_text())["expected"]


def chosen(cases):
    return [word for case in cases for word in ("--run", case)]


def test_phoenix_js_newest_passes_everything(report):
    result = run("phoenix.js", "--jobs", 6, report=report)
    assert result.code == 0, result.out
    counts = summary_of_vectors(result)
    assert expectations("phoenix.js") == [] and counts["pass"] > 140
    assert counts["pass"] + counts["not applicable"] == sum(counts.values())


def test_phoenix_js_in_a_browser(report):
    result = run("chromium", "--jobs", 3, *chosen(IN_A_BROWSER), report=report)
    assert result.code == 0, result.out + result.err
    judged = {name: verdict for name, verdict in result.verdicts.items() if verdict != "not applicable"}
    assert {name.split("/")[0] for name in judged} == set(IN_A_BROWSER)
    assert [name for name, verdict in judged.items() if verdict != "pass"] == ["client_longpoll.cut/lp/v2"]


def test_bugs_of_an_older_phoenix_js_are_caught(report):
    # but for the fallback, after which it asks without a pause, so that the machine is busy with it
    known = [entry for entry in expectations("phoenix.js-1.8.1") if not entry["case"].startswith("client_transport.")]
    result = run("phoenix.js-1.8.1", "--jobs", 4, *chosen(entry["case"] for entry in known), report=report)
    assert result.code == 0, result.out
    counts = summary_of_vectors(result)
    assert counts["expected failure"] >= len(known) and counts["pass"] == 0
    bugs = {"phoenixframework/phoenix#" + number for number in ("6538", "6664", "6767", "6788")}
    assert bugs | {"CVE-2026-56812"} <= {entry["link"] for entry in known}


def test_a_browser_and_its_profile_end_with_the_driver(tmp_path):
    driver = subprocess.Popen(
        ["node", DRIVERS / "chromium/driver.cjs"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert json.loads(driver.stdout.readline())["event"] == "hello"
        assert list(tmp_path.glob("phxspec-chromium-*"))
    finally:
        os.killpg(driver.pid, signal.SIGKILL)  # as phxspec does
        driver.wait()
    deadline = time.monotonic() + env.PROMPT
    while browsers(tmp_path) or list(tmp_path.glob("phxspec-chromium-*")):
        assert time.monotonic() < deadline, (browsers(tmp_path), list(tmp_path.iterdir()))
        time.sleep(0.05)


def browsers(folder):
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in process.read_bytes():
                found.append(process.parent.name)
        except OSError:  # it has just ended
            continue
    return found


@pytest.mark.parametrize("driver", NAMES)
def test_reasons_are_given(driver):
    for entry in expectations(driver):
        assert len(entry["reason"]) > 20 and entry["link"], entry
    unsteady = DRIVERS / driver / "unsteady"
    if unsteady.exists():
        for entry in unsteady.read_text().split("\n\n"):
            *reason, case = entry.splitlines()
            assert case.startswith("client_") and "https://" in reason[-1]


def test_the_page_names_every_driver():
    page = (DRIVERS / "README.md").read_text()
    for name in NAMES:
        assert f"| `{name}` |" in page
    for name in re.findall(r"`ci/[a-z/-]+`", page):
        assert (env.ROOT / name.strip("`")).exists(), name


def test_wrong_use():
    result = script("ci/drivers/run", "nosuch")
    assert result.code == 2 and "phoenix.js" in result.err
    assert script("ci/drivers/setup", "nosuch").code == 2
    assert script("ci/clients").code == 2


def test_one_page_of_clients(tmp_path):
    build = env.harness().parents[1]
    result = script("ci/clients", build, tmp_path / "out", "--run", "client_push.reply", "--jobs", 1)
    assert result.code == 0, result.out + result.err
    page = (tmp_path / "out/clients.html").read_text()
    assert "client_push" in page and "phxspec-client 0" in page and "phoenix.js 1.8.16" in page
