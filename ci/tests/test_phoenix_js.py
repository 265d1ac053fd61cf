# SPDX-License-Identifier: MIT
"""The real phoenix.js against the reference server: in node, and in a browser. `ci/drivers/setup` installs it."""

import contextlib
import pathlib
import queue
import subprocess
import threading
import urllib.parse

import pytest

from testenv.browser import PACKAGES, chromium, running, site

HERE = pathlib.Path(__file__).parent / "phoenix_js"
SCENARIOS = ["basics", "broadcast", "presence", "fallback", "longpoll", "restart"]
SCENARIO_S = 20
FILES = {
    "/page.html": (HERE / "page.html", "text/html"),
    "/scenarios.js": (HERE / "scenarios.js", "text/javascript"),
    "/phoenix.js": (PACKAGES / "phoenix/priv/static/phoenix.js", "text/javascript"),
}


@pytest.fixture(scope="module", autouse=True)
def packages():
    assert (PACKAGES / "phoenix").is_dir(), f"{PACKAGES} has no phoenix.js: run ci/drivers/setup"


@contextlib.contextmanager
def node(url, names, folder, lines):
    def listen(stream):
        for line in stream:
            lines.put(line.decode().rstrip("\n"))
        lines.put("the client ended")

    with running(["node", HERE / "node.cjs", PACKAGES, url, *names], folder, subprocess.PIPE) as process:
        listener = threading.Thread(target=listen, args=(process.stdout,), daemon=True)
        listener.start()
        yield


@contextlib.contextmanager
def browser(url, names, folder, lines):
    with site(FILES, lines) as address:
        query = urllib.parse.urlencode({"url": url, "run": names}, doseq=True)
        with chromium(f"{address}/page.html?{query}", folder):
            yield


# A server that ends lets waiting polls run through their window.
WINDOW = ("--window-ms", "500")
OPTIONS = (*WINDOW, "--mount", "/longpoll-only", "--websocket", "false", *WINDOW)


@pytest.mark.parametrize("client", [node, browser])
def test_phoenix_js(client, start_server, tmp_path):
    server = start_server(*OPTIONS)
    lines = queue.Queue()
    said = []
    with client(server.url.replace("http:", "ws:"), SCENARIOS, tmp_path, lines):
        while not said or said[-1] != "done":
            try:
                said.append(lines.get(timeout=SCENARIO_S))
            except queue.Empty:
                raise AssertionError(
                    f"{SCENARIO_S} s of silence after {said}\n{(tmp_path / 'client-stderr').read_text()[-2000:]}"
                ) from None
            assert said[-1] != "the client ended", (said, (tmp_path / "client-stderr").read_text()[-2000:])
            if said[-1] == "restart":
                server.stop()
                server = start_server("--port", server.port, *OPTIONS)
    assert [line for line in said if line not in ("restart", "done")] == [f"ok {name}" for name in SCENARIOS]
