# SPDX-License-Identifier: MIT
"""The reference server over TLS: both transports, and what is none."""

import ssl
import subprocess
import time

import pytest

from testenv.server import Watch, run_server, wait_until
from testenv.wire import HEARTBEAT, HEARTBEAT_REPLY, TEXT, Connection, close_frame, frame, message, request


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    curve = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    openssl("req", "-x509", "-days", "2", "-newkey", *curve, "-keyout", key, "-out", cert, *names)
    return cert, key


@pytest.fixture
def start_tls_server(start_server, certificate):
    def start(*options, **settings):
        cert, key = certificate
        server = start_server("--tls-cert", cert, "--tls-key", key, *options, **settings)
        assert server.url.startswith("https://")
        server.tls = ssl.create_default_context(cafile=cert)
        return server

    return start


@pytest.fixture
def server(start_tls_server):
    return start_tls_server()


def test_a_websocket_over_tls(server):
    server.tls.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # as Python sets it
    client = server.websocket()
    assert client.socket.version() == "TLSv1.3"
    client.join("phxspec:tls")
    for length in (10, 16384, 65536, 3_000_000):
        payload = {"x": "y" * length}
        assert client.call("phxspec:tls", "echo", payload) == payload
    client.send(close_frame(1000))
    assert client.read_close() == 1000
    client.socket.suppress_ragged_eofs = False  # the end is told in TLS, too
    assert client.read_to_end() == b""


def test_many_frames_in_one_write(server):
    client = server.websocket()
    client.send(frame(TEXT, HEARTBEAT) * 3000)
    assert [client.receive() for _ in range(3000)] == [HEARTBEAT_REPLY] * 3000


def test_long_poll_over_tls(server):
    assert server.longpoll().poll()["status"] == 204
    session = server.longpoll("/socket")
    held = server.connect()
    held.send(session.poll_request())
    join = message("1", "1", "phxspec:tls", "phx_join", {})
    assert session.post(join, HEARTBEAT) == {"status": 200}
    assert held.response().json["status"] == 200


def test_curl_understands_it(server, certificate):
    url = f"https://localhost:{server.port}/socket/longpoll?vsn=2.0.0"
    done = subprocess.run(
        ["curl", "-sS", "-m", "10", "--noproxy", "*", "--cacert", certificate[0], "-w", "%{http_version}", url],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"status":410' in done.stdout and done.stdout.endswith("1.1")


@pytest.mark.filterwarnings("ignore:.*is deprecated")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_tls_is_1_2_or_newer(server, certificate, version):
    context = ssl.create_default_context(cafile=certificate[0])
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    if version in ("TLSv1_2", "TLSv1_3"):
        connection = Connection(server.port, tls=context)
        assert connection.exchange("GET", "/socket/longpoll?vsn=2.0.0").json["status"] == 410
    else:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            Connection(server.port, tls=context)
    server.websocket().heartbeat()


def test_the_scheme_of_the_same_connection_is_https(start_tls_server):
    server = start_tls_server("--origins", "conn")
    own = f"127.0.0.1:{server.port}"
    for origin, status in ((f"https://{own}", 410), (f"http://{own}", 403), ("https://127.0.0.1", 403)):
        answer = server.connect().exchange("GET", "/socket/longpoll?vsn=2.0.0", [("Origin", origin)])
        assert answer.json["status"] == status, origin


# ---- what is no TLS, or slow ----


@pytest.mark.parametrize(
    "data",
    [request("GET", "/socket/longpoll?vsn=2.0.0"), b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\x00" * 100],
    ids=["http", "record", "zeros"],
)
def test_what_is_no_tls_ends(server, data):
    connection = Connection(server.port)
    connection.send(data)
    assert b"HTTP" not in connection.read_to_end()
    server.websocket().heartbeat()


def test_handshakes_that_stall_end(start_tls_server):
    server = start_tls_server("--head-timeout-ms", "700")
    idle = server.descriptors()
    silent = [Connection(server.port) for _ in range(20)]
    begun = [Connection(server.port) for _ in range(20)]
    for connection in begun:
        connection.send(b"\x16\x03\x01\x02\x00\x01")
    wait_until(lambda: server.descriptors() >= idle + 40, "the connections")
    began = time.monotonic()
    with Watch(server):
        for connection in silent + begun:
            assert connection.read_to_end() == b""
    assert time.monotonic() - began < 4
    wait_until(lambda: server.descriptors() == idle, "the end of all of them")
    server.websocket().heartbeat()


def test_connections_outlive_the_time_for_their_handshake(start_tls_server):
    server = start_tls_server("--head-timeout-ms", "1000", "--mount", "/tight", "--window-ms", "600")
    client, connection = server.websocket(), server.connect()
    client.heartbeat()
    assert connection.exchange("GET", "/").status == 404
    for _ in range(4):
        server.let_a_window_pass()
    client.heartbeat()
    assert connection.exchange("GET", "/").status == 404


def test_it_ends_in_order_with_handshakes_under_way(server):
    connections = [Connection(server.port) for _ in range(5)]
    connections[0].send(b"\x16\x03\x01\x02\x00\x01")
    client = server.websocket()
    client.join("phxspec:drain")
    server.signal()
    assert client.read_close() == 1012
    assert server.wait() == 0


def test_a_second_signal_ends_it_whatever_is_under_way(server):
    connections = [Connection(server.port) for _ in range(5)]
    connections[0].send(b"\x16\x03\x01\x02\x00\x01")
    client = server.websocket()
    client.heartbeat()
    server.signal()
    assert client.read_close() == 1000
    server.signal()
    assert server.wait(timeout=1.5) == 0


def test_a_client_that_reads_nothing_is_dropped(start_tls_server):
    server = start_tls_server("--max-queued-bytes", "1000000")
    slow, sender, other = server.websocket(receive_buffer=4096), server.websocket(), server.websocket()
    for client in (slow, sender, other):
        client.join("phxspec:slow")
    payload = {"event": "news", "payload": {"x": "y" * 60000}}
    for _ in range(200):
        sender.push("phxspec:slow", "broadcast_from", payload)
        assert other.receive()[3] == "news"
    with Watch(server):
        server.let_a_window_pass()
        server.let_a_window_pass()
    assert len(slow.read_to_end()) < 200 * 60000
    other.heartbeat()


def test_clients_that_vanish_leave_nothing_behind(server):
    idle = server.descriptors()
    for _ in range(10):
        client = server.websocket()
        client.heartbeat()
        client.close()
    wait_until(lambda: server.descriptors() == idle, "the end of their connections")


# ---- certificates ----


@pytest.mark.parametrize("what", ["no-cert", "no-key", "other-key", "encrypted-key", "not-pem"])
def test_what_is_wrong_with_a_certificate_is_named(certificate, tmp_path, what):
    cert, key = certificate
    wrong = tmp_path / "wrong.pem"
    if what == "other-key":
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", wrong)
    elif what == "encrypted-key":
        openssl("ec", "-in", key, "-aes128", "-passout", "pass:x", "-out", wrong)
    elif what == "not-pem":
        wrong.write_text("no certificate")
    cert, key = (wrong, key) if what in ("no-cert", "not-pem") else (cert, wrong)
    done = run_server("--tls-cert", cert, "--tls-key", key)
    assert done.returncode == 2 and done.stdout == ""
    assert str(wrong) in done.stderr and len(done.stderr.splitlines()) == 1
