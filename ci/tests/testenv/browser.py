# SPDX-License-Identifier: MIT
"""Programs from elsewhere that use the server: a browser with a page, and whatever else is started with what it starts."""

import contextlib
import http.server
import os
import shutil
import signal
import subprocess
import threading
import urllib.parse

from . import env

# What ci/drivers/setup installs.
PACKAGES = env.ROOT / "ci/drivers/phoenix.js/node_modules"


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


def chromium(page, folder):
    browser = shutil.which("chromium")
    assert browser, "chromium is not installed: run ci/setup"
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
    return running([browser, *options, f"--user-data-dir={folder / 'profile'}", page], folder, subprocess.DEVNULL)
