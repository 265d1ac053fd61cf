# SPDX-License-Identifier: MIT
"""The server library as others find it: installed, with headers and a pkg-config file; and the example built on it."""

import os
import queue
import subprocess

import pytest

from testenv import env
from testenv.browser import PACKAGES, chromium, site
from testenv.server import Server

EXAMPLES = env.ROOT / "reference-server/examples"
BUILD_S = 120


def run(*command, **environment):
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=BUILD_S,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """What `meson install` puts where."""
    folder = tmp_path_factory.mktemp("installed")
    build = env.server().parents[1]
    run("meson", "install", "-C", build, "--no-rebuild", "--tags", "runtime,devel", "--destdir", folder)
    return folder


@pytest.fixture(scope="module")
def pkg_config(prefix):
    found = list(prefix.rglob("phxspec-server.pc"))
    assert len(found) == 1, found

    def ask(*options):
        return run(
            "pkg-config",
            *options,
            "phxspec-server",
            PKG_CONFIG_PATH=str(found[0].parent),
            PKG_CONFIG_SYSROOT_DIR=str(prefix),
        ).split()

    return ask


@pytest.fixture(scope="module")
def chat(prefix, pkg_config):
    """The example, built as its head says, with nothing of our source but the example itself."""
    program = prefix / "chat"
    library = next(prefix.rglob("libphxspec-server.so"))
    run(
        *("cc", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined"),
        *(EXAMPLES / "chat.c", "-o", program, f"-Wl,-rpath,{library.parent}"),
        *pkg_config("--cflags", "--libs"),
    )
    return program


@pytest.fixture
def start_chat(chat, tmp_path):
    server = Server(tmp_path, program=chat)
    yield server
    server.stop()


ROOM = "room:lobby"


def enter(server, name):
    socket = server.websocket()
    assert socket.join(ROOM, {"name": name}) == {}
    return socket


def told(event, name, text=None):
    return [None, None, ROOM, event, {"name": name, "text": text}]


def test_installed_names(prefix):
    """The library shows what its headers declare, and no name that could be another library's."""
    names = run("nm", "-D", "--defined-only", next(prefix.rglob("libphxspec-server.so")))
    functions = [line.split()[2] for line in names.splitlines() if line.split()[1] == "T"]
    assert "phxs_server_new" in functions
    assert [name for name in functions if not name.startswith(("phx_", "phxs_", "_"))] == []


def test_each_header_stands_alone(prefix, pkg_config):
    headers = [path for path in prefix.rglob("*.h") if path.parent.name in ("phx", "phxspec")]
    assert len(headers) > 5
    for header in headers:
        run("cc", "-Werror", "-fsyntax-only", *pkg_config("--cflags"), header)


def test_chat(start_chat):
    anna = enter(start_chat, "Anna")
    bob = enter(start_chat, "Bob")
    assert anna.receive() == told("came", "Bob")
    ref = bob.push(ROOM, "say", {"text": "Grüße"})
    assert anna.receive() == told("said", "Bob", "Grüße")
    assert bob.receive() == told("said", "Bob", "Grüße")
    assert bob.receive() == ["1", ref, ROOM, "phx_reply", {"status": "ok", "response": {}}]
    bob.close()
    assert anna.receive() == told("went", "Bob")


def test_chat_says_what_it_needs(start_chat):
    socket = start_chat.websocket()
    response = socket.call(ROOM, "phx_join", {}, status="error")
    assert response == {"reason": "a name is needed"}
    socket.join(ROOM, {"name": "Anna"})
    assert "reason" in socket.call(ROOM, "sing", {}, status="error")
    assert socket.push(ROOM, "say", {"text": 1}) and socket.receive() == told("said", "Anna", 1)


def test_chat_page(start_chat, tmp_path):
    """The page joins with the phoenix.js of npm, and goes."""
    assert (PACKAGES / "phoenix").is_dir(), f"{PACKAGES} has no phoenix.js: run ci/drivers/setup"
    script = "node_modules/phoenix/priv/static/phoenix.min.js"
    files = {
        "/chat.html": (EXAMPLES / "chat.html", "text/html"),
        f"/{script}": (PACKAGES.parent / script, "text/javascript"),
    }
    anna = enter(start_chat, "Anna")
    with site(files, queue.Queue()) as address:
        with chromium(f"{address}/chat.html?server=127.0.0.1:{start_chat.port}&name=page", tmp_path):
            assert anna.receive() == told("came", "page")
        assert anna.receive() == told("went", "page")
