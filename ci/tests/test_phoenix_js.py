# SPDX-License-Identifier: MIT
"""The real phoenix.js against the reference server: in node, and in a browser. `ci/npm` installs it."""

import contextlib
import http.server
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import threading
import urllib.parse

import pytest

from testenv import env
from testenv.server import Server

HERE = pathlib.Path(__file__).parent / "phoenix_js"
PACKAGES = env.ROOT / "ci/drivers/phoenix.js/node_modules"
SCENARIOS = ["basics", "broadcast", "fallback", "longpoll", "restart"]
SCENARIO_S = 20
FILES = {
    "/page.html": (HERE / "page.html", "text/html"),
    "/scenarios.js": (HERE / "scenarios.js", "text/javascript"),
    "/phoenix.js": (PACKAGES / "phoenix/priv/static/phoenix.js", "text/javascript"),
}


@pytest.fixture(scope="module", autouse=True)
def packages():
    assert (PACKAGES / "phoenix").is_dir(), f"{PACKAGES} has no phoenix.js: run ci/npm"


class Site(http.server.ThreadingHTTPServer):
    """Serves the page, and hears what it says."""

    daemon_threads = True

    def __init__(self, files, lines):
        super().__init__(("127.0.0.1", 0), Page)
        self.files, self.lines = files, lines


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, kind = self.server.files.get(urllib.parse.urlsplit(self.path).path, (None, None))
        body = path.read_bytes() if path else b""
        self.send_response(200 if path else 404)
        self.send_header("content-type", kind or "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.server.lines.put(self.rfile.read(int(self.headers["content-length"])).decode())
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def site(files, lines):
    server = Site(files, lines)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def running(command, folder, output):
    """A program with all that it starts; ended at the end."""
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=(folder / "client-stderr").open("wb"),
        env={**os.environ, "HOME": str(folder)},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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


def chromium(page, folder):
    browser = shutil.which("chromium")
    assert browser, "chromium is not installed: run ci/setup"
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
    return running([browser, *options, f"--user-data-dir={folder / 'profile'}", page], folder, subprocess.DEVNULL)


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
