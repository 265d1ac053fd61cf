# SPDX-License-Identifier: MIT
"""phxspec-server as a program: its options, its ready line, its end."""

import fcntl
import json
import re
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest

from testenv import env
from testenv.server import Server, run_server as run, wait_until
from testenv.wire import HEARTBEAT, HEARTBEAT_REPLY, TEXT, close_frame, frame, request


# ---- options ----


def test_help_tells_every_option_and_the_exit_codes():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    for option in (
        "--port",
        "--address",
        "--secret",
        "--mount",
        "--idle-timeout-ms",
        "--window-ms",
        "--origins",
        "--max-queued-bytes",
        "--help",
        "--version",
    ):
        assert option in done.stdout
    assert re.search(r"exit.*0.*2.*3", done.stdout)


def test_version_is_that_of_the_project():
    version = re.search(r"version: '([^']+)'", (env.ROOT / "meson.build").read_text()).group(1)
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"phxspec-server {version}\n", "")


@pytest.mark.parametrize(
    "options,named",
    [
        (["--no-such-option"], "--no-such-option"),
        (["--port"], "--port"),
        (["--port", "65536"], "--port"),
        (["--port", "-1"], "--port"),
        (["--port", "80x"], "--port"),
        (["--port", ""], "--port"),
        (["--window-ms", "0"], "--window-ms"),
        (["--window-ms", "99999999999999999999"], "--window-ms"),
        (["--max-connections", "0"], "--max-connections"),
        (["--request-timeout-ms", "soon"], "--request-timeout-ms"),
        (["--token-max-age-s", "0"], "--token-max-age-s"),
        (["--auth-token", "maybe"], "--auth-token"),
        (["--longpoll", "1"], "--longpoll"),
        (["--origins", "example.com"], "--origins"),
        (["--origins", ""], "--origins"),
        (["--subprotocols", ","], "--subprotocols"),
        (["--subprotocols", ",".join("abcdefghijklmnopqrstuvwxyz" * 10)], "--subprotocols"),
        (["--mount", "socket"], "--mount"),
        (["--mount", "/"], "--mount"),
        (["--mount", "/" + "x" * 5000], "--mount"),
        ([part for n in range(200) for part in ("--mount", f"/m{n}")], "--mount"),
        (["--address", "localhost"], "--address"),
        (["here"], "here"),
        (["--port", "0", "--", "here"], "here"),
    ],
    ids=lambda value: (" ".join(value)[:30] or "empty") if isinstance(value, list) else "",
)
def test_wrong_use_names_what_is_wrong(options, named):
    done = run(*options)
    assert done.returncode == 2, done
    assert named in done.stderr and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_a_port_in_use_is_named(server):
    done = run("--port", str(server.port))
    assert done.returncode == 3 and done.stdout == ""
    assert str(server.port) in done.stderr and "in use" in done.stderr
    assert done.stderr.count("cannot listen") == 1, done.stderr


def test_an_address_of_another_machine_is_named():
    done = run("--address", "192.0.2.1")
    assert done.returncode == 3 and "192.0.2.1" in done.stderr


def test_options_apply_to_the_mount_before_them(start_server):
    server = start_server(
        "--window-ms",
        "150",
        "--mount",
        "/tight",
        "--window-ms",
        "160",
        "--mount",
        "/own",
        "--longpoll",
        "false",
    )
    for mount in ("/socket", "/tight"):
        assert server.longpoll(mount).poll()["status"] == 204
    assert server.connect().exchange("GET", "/own/longpoll?vsn=2.0.0").status == 404
    server.websocket("/own").heartbeat()


# ---- the start ----


def test_it_says_one_line_when_it_is_ready_and_nothing_else(start_server):
    server = start_server()
    client = server.websocket()
    client.join("phxspec:quiet")
    client.push("phxspec:quiet", "raise", {})
    assert client.receive()[3] == "phx_error"
    server.connect().exchange("GET", "/nowhere")
    server.connect().send(b"garbage\r\n\r\n")
    client.send(frame(TEXT, b"{"))
    assert client.read_close() == 1011
    client.close()
    server.signal()
    assert server.wait() == 0
    assert server.process.stdout.read() == b"" and server.stderr() == ""


def test_it_takes_connections_when_it_says_ready(tmp_path):
    for _ in range(5):
        server = Server(tmp_path)
        server.websocket().heartbeat()
        server.stop()


def test_the_given_port_is_the_one_in_the_ready_line(start_server):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert start_server("--port", str(port)).port == port


def test_it_serves_where_its_standard_descriptors_are_closed():
    """As some programs start others: no socket takes their place."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$0" --port "$1" <&- >&- 2>&-', env.program("reference-server/phxspec-server"), str(port)],
        env=env.environment(),
    )
    try:
        wait_until(lambda: not refuses(port), "it listens")
        process.terminate()
        assert process.wait(env.PROMPT) == 0
    finally:
        process.kill()


# ---- the end ----


def refuses(port):
    """True when nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass  # it was in the queue when the listening ended
    return False


def address_in_proc(address):
    """As /proc/net/tcp writes it."""
    host, port = address
    return "%08X:%04X" % (int.from_bytes(socket.inet_aton(host), "little"), port)


def taken(connection):
    """True when the peer's program has read all that was sent."""
    if struct.unpack("i", fcntl.ioctl(connection.socket, termios.TIOCOUTQ, b"\0" * 4))[0]:
        return False  # not all of it has reached the peer's queue
    peer = address_in_proc(connection.socket.getpeername())
    own = address_in_proc(connection.socket.getsockname())
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table:
            # The peer's address, too: our port may be that of an older connection elsewhere, which lingers in TIME_WAIT.
            if line.split()[1:3] == [peer, own]:
                return line.split()[4].endswith(":00000000")  # its receive queue
    raise AssertionError("no such connection")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(server, number):
    server.signal(number)
    assert server.wait() == 0


def test_clients_with_channels_are_closed_with_1012_and_those_without_with_1000(server):
    joined, plain = server.websocket(), server.websocket()
    joined.join("phxspec:drain")
    plain.heartbeat()
    server.signal()
    assert joined.read_close() == 1012
    assert plain.read_close() == 1000
    for client, code in ((joined, 1012), (plain, 1000)):
        client.send(close_frame(code))
        assert client.read_to_end() == b""
        client.close()
    assert server.wait(timeout=1.5) == 0


def test_clients_that_do_not_answer_do_not_hold_up_its_end(server):
    clients = [server.websocket() for _ in range(10)]
    for client in clients:
        client.join("phxspec:drain")
    server.signal()
    assert server.wait(timeout=6) == 0
    assert [client.read_close() for client in clients] == [1012] * 10


def test_nobody_is_served_while_it_ends(server):
    session = server.longpoll()
    held = server.connect()
    held.send(session.poll_request())
    wait_until(lambda: taken(held), "the taking up of the poll")
    server.signal()
    wait_until(lambda: refuses(server.port), "the end of listening")
    assert held.response().json["status"] == 204
    assert server.wait() == 0


def test_a_held_poll_runs_through_its_window_and_is_answered_with_204(start_server):
    server = start_server("--mount", "/tight", "--window-ms", "1000")
    held = server.connect()
    session = server.longpoll(connection=held)
    assert session.post(HEARTBEAT, connection=held) == {"status": 200}
    assert [json.loads(text) for text in session.poll(connection=held)["messages"]] == [HEARTBEAT_REPLY]
    began = time.monotonic()
    held.send(session.poll_request() + session.post_request(HEARTBEAT))
    wait_until(lambda: taken(held), "the taking up of the poll")
    server.signal()
    response = held.response()
    assert response.json == {"status": 204, "token": session.token, "messages": []}
    assert response.headers["connection"] == "close"
    assert 0.9 < time.monotonic() - began < 3
    held.close()
    assert server.wait(timeout=3) == 0


def test_it_ends_early_when_the_client_of_a_held_poll_leaves(server):
    session = server.longpoll("/socket")
    held = server.connect()
    held.send(session.poll_request())
    wait_until(lambda: taken(held), "the taking up of the poll")
    server.signal()
    held.close()
    assert server.wait(timeout=5) == 0


def test_an_idle_connection_does_not_hold_up_its_end(server):
    connection = server.connect()
    assert connection.exchange("GET", "/tight/longpoll?vsn=2.0.0").status == 200
    fresh = server.connect()
    server.signal()
    assert connection.read_to_end() == b"" and fresh.read_to_end() == b""
    connection.close()
    fresh.close()
    assert server.wait(timeout=1.5) == 0


def test_a_half_sent_request_does_not_hold_up_its_end(server):
    connection = server.connect()
    connection.send(request("GET", "/socket/longpoll")[:20])
    server.signal()
    connection.read_to_end()
    connection.close()
    assert server.wait(timeout=5) == 0


def test_a_client_that_reads_nothing_does_not_hold_up_its_end(server):
    slow = server.websocket(receive_buffer=4096)
    slow.join("phxspec:slow")
    push = {"event": "push", "payload": {"event": "e", "payload": {"x": "y" * 60000}}}
    slow.push("phxspec:slow", "sequence", {"commands": [push] * 100})
    slow.read_frame()
    server.signal()
    assert server.wait(timeout=8) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(server, second):
    session = server.longpoll("/socket")  # with a window of 10 s
    held = server.connect()
    held.send(session.poll_request())
    wait_until(lambda: taken(held), "the taking up of the poll")
    server.signal()
    wait_until(lambda: refuses(server.port), "the first signal's effect")
    server.signal(second)
    assert server.wait(timeout=1.5) == 0
    assert held.read_to_end() == b""


def test_a_busy_server_ends_in_order(server):
    """Timers, sleeping channels with messages waiting and late replies are pending."""
    clients = [server.websocket() for _ in range(5)]
    for client in clients:
        client.join("phxspec:busy")
        client.push("phxspec:busy", "reply_later", {"delay_ms": 60000, "status": "ok", "response": {}})
        client.push("phxspec:busy", "later", {"delay_ms": 60000, "commands": []})
        client.push("phxspec:busy", "sleep", {"ms": 60000})
        client.push("phxspec:busy", "echo", {})
        client.heartbeat()
    session = server.longpoll("/socket")
    assert session.post(b'["1","1","phxspec:lp","phx_join",{}]', HEARTBEAT) == {"status": 200}
    server.signal()
    assert [client.read_close() for client in clients] == [1012] * 5
    for client in clients:
        client.close()
    assert server.wait() == 0


def test_a_pending_join_does_not_hold_up_its_end(server):
    client = server.websocket()
    client.join("phxspec:joined")
    client.push("phxspec:pending", "phx_join", {"delay_ms": 60000})
    client.push("phxspec:joined", "echo", {})
    wait_until(lambda: taken(client), "the taking up of the join")
    server.signal()
    assert client.read_close(timeout=5) == 1012
    client.close()
    assert server.wait() == 0


def test_messages_kept_for_polls_that_never_come_are_no_leak(server):
    for n in range(20):
        session = server.longpoll("/socket")
        lines = [json.dumps([None, str(i), f"phxspec:{n}", "phx_join", {}]).encode() for i in range(50)]
        assert session.post(*lines) == {"status": 200}
    server.signal()
    assert server.wait() == 0
