# SPDX-License-Identifier: MIT
"""phxspec-client as a program: its options and words, servers that misbehave, TLS, what is installed."""

import base64
import json
import os
import re
import struct
import subprocess

import pytest

from testenv import env
from testenv.client import Answer, Client, Scripted, TlsFront, program, run
from testenv.peers import Chatter, Garbage, Hangup, Silent
from testenv.wire import BINARY, CLOSE, PING, PONG, TEXT, frame

# ---- options and words ----


def options():
    """Those of a build as people have it: without faults."""
    source = (env.ROOT / "reference-client/app/options.c").read_text()
    source = re.sub(r"^#ifdef PHXC_FAULTS$.*?^#endif$", "", source, flags=re.MULTILINE | re.DOTALL)
    names = re.findall(r'^    \{"([a-z-]+)", \w+_argument', source, re.MULTILINE)
    assert len(names) > 20
    return names


def test_help_tells_every_option_command_and_exit_code():
    done = run("--help", pretty=True)
    assert done.code == 0 and done.err == ""
    for option in options():
        assert f"--{option}" in done.out
    for command in re.findall(
        r'^    \{"([a-z]+)", COMMAND_', (env.ROOT / "reference-client/app/command.c").read_text(), re.M
    ):
        assert re.search(rf"\b{command}\b", done.out)
    assert re.search(r"exit.*0.*1.*2.*3", done.out.replace("\n", " "))


def test_version_is_that_of_the_project():
    version = re.search(r"version: '([^']+)'", (env.ROOT / "meson.build").read_text()).group(1)
    assert run("--version", pretty=True).out == f"phxspec-client {version}\n"


@pytest.mark.parametrize(
    "arguments, text",
    [
        ([], "which server?"),
        (["--nonsense", "ws://h"], "--nonsense: no such option"),
        (["ws://h", "--nonsense"], "--nonsense: no such option"),
        (["--timeout"], "--timeout: its value is missing"),
        (["--json=no", "ws://h"], "--json=no: it takes no value"),
        (["ws://h", "join", "t", "--json"], "--json: options come before the commands"),
        (["--timeout", "soon", "ws://h"], "--timeout soon"),
        (["--timeout", "0", "ws://h"], "--timeout 0"),
        (["--reconnect", "10,", "ws://h"], "--reconnect"),
        (["--reconnect", "10;20", "ws://h"], "--reconnect"),
        (["--vsn", "3.0.0", "ws://h"], "--vsn 3.0.0"),
        (["--transport", "carrier-pigeon", "ws://h"], "--transport"),
        (["--token-in", "hand", "ws://h"], "--token-in"),
        (["--param", "novalue", "ws://h"], "KEY=VALUE"),
        (["--params", "[1]", "ws://h"], "JSON object"),
        (["--token-file", "/nonexistent", "ws://h"], "/nonexistent"),
        (["--header", "no colon", "ws://h/s", "ping"], "Name: value"),
        (["--header", "A: b\r\nC: d", "ws://h/s", "ping"], "Name: value"),
        (["--ca-file", "/nonexistent", "wss://h/s", "ping"], "no certificates"),
        (["localhost:4000/socket", "ping"], "begins with ws://"),
        (["ws://h/s?token=x", "ping"], "--param KEY=VALUE"),
        (["ws://h", "fly"], "fly: no such command; there are join topic push send expect presence leave ping sleep"),
        (["ws://h", "join", "t", '{"ä":"' + 500 * "ä"], '{"ä":"' + 26 * "ä" + "…: the payload is not JSON"),
        (["ws://h", "join"], "join TOPIC"),
        (["ws://h", "join", "t", "{bad"], "not JSON"),
        (["ws://h", "push", "e", "base64:!"], "not base64"),
        (["ws://h", "sleep", "long"], "sleep MILLISECONDS"),
        (["ws://h", "disconnect", "1001"], "1000 and 3000 to 4999"),
        (["ws://h", "join", "t", "{}", "{}"], "no such command"),
        (["--driver", "ws://h"], "--driver takes no further words"),
    ],
)
def test_wrong_use(arguments, text):
    done = run(*arguments, pretty=True)
    assert done.code == 2 and text in done.err, done.err
    assert done.out == ""


def test_lines_that_are_no_commands_do_not_stop_the_others(server):
    done = run(
        f"{server.url}/socket",
        stdin="# a comment\n\njoin phxspec:a\nfly away\npush echo {bad\nleave now\n"
        '  push   echo   {"a": 1}  \r\npush echo 2',
    )
    assert done.code == 2
    assert [event["payload"] for event in done.events if event["type"] == "reply"] == [{"a": 1}, 2]
    for number, text in (4, "fly: no such command"), (5, "{bad: the payload is not JSON"), (6, "now: the line"):
        assert f"phxspec-client: line {number}: {text}" in done.err


def test_commands_without_what_they_need(server):
    done = run(
        f"{server.url}/socket", stdin="push echo\ntopic t\nleave\npresence\ndisconnect\nping\nconnect\nping"
    )
    assert done.code == 1 and done.types().count("ping") == 1
    assert done.err.count("no topic is joined") == 3 and "t: this topic was not joined" in done.err


def test_commands_from_a_file(server, tmp_path):
    (tmp_path / "commands").write_text("join phxspec:a\npush echo 1")
    with (tmp_path / "commands").open() as commands:
        done = subprocess.run(
            [program(), f"{server.url}/socket"],
            stdin=commands,
            capture_output=True,
            env=env.environment(),
            timeout=20,
        )
    assert done.returncode == 0 and b"reply" in done.stdout


def test_people_see_one_line_per_event_and_no_controls(server):
    done = run(
        *("--raw", f"{server.url}/socket", "join", "phxspec:a", "push", "echo", '"\\u001b[31m \\u0007"'),
        *("send", "push", '{"event":"\\u001b[2J","payload":{}}', "push", "echo"),
        pretty=True,
    )
    assert done.code == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.out)
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3} ← reply         phxspec:a  ok  ", done.out, re.MULTILINE)
    assert re.search(r'→ sent          \["1","1","phxspec:a","phx_join",{}\]', done.out)


def test_people_see_no_controls_of_eight_bits(server):
    """U+009B is what ESC [ is in seven bits."""
    done = run(f"{server.url}/socket", "join", "phxspec:a", "push", "echo", '"\u009b31m ü"', pretty=True)
    assert done.out.count('"\\u009b31m ü"') == 2 and "\u009b" not in done.out
    done = run(f"{server.url}/socket", stdin="fly\u009b31m\x1b[31m", pretty=True)
    assert "line 1: fly\\u009b31m\\x1b[31m: no such command" in done.err


def test_people_see_no_controls_of_a_refusal():
    with Answer(b"HTTP/1.1 403 No\r\ncontent-length: 8\r\n\r\n\x1b[31mred") as peer:
        done = run(f"ws://127.0.0.1:{peer.port}/socket", "ping", pretty=True)
    assert done.code == 3 and "HTTP 403: \\x1b[31mred" in done.err and "\x1b" not in done.err + done.out


def test_options_may_follow_the_url(server):
    done = run(f"{server.url}/socket", "--json", "--raw", "join", "phxspec:a", pretty=True)
    assert done.code == 0 and done.only("sent")["message"].endswith(',"phxspec:a","phx_join",{}]')


def test_messages_of_bytes_are_shown_as_such(server):
    words = ("--raw", f"{server.url}/socket", "join", "phxspec:a", "push", "echo", "base64:AAEC")
    sent = [event["message"] for event in run(*words).events if event["type"] == "sent"]
    assert len(sent) == 2 and base64.b64decode(sent[1]["$base64"]).endswith(b"phxspec:aecho\0\1\2")
    assert re.search(r"→ sent          23 bytes: 0001.*6563686f000102$", run(*words, pretty=True).out, re.M)


def test_who_was_there_before_it_is_asked_for(server):
    """The server tells it once, at the join; the command may come any time later."""
    done = run(
        f"{server.url}/socket",
        *("join", "phxspec:who", '{"presence":{"key":"k","meta":{"n":1}}}', "push", "echo"),
        *("presence", "push", "presence_update", '{"key":"k","meta":{"n":2}}', "push", "echo"),
    )
    assert done.code == 0
    told = [event for event in done.events if event["type"] in ("present", "came", "went")]
    assert [event["type"] for event in told] == ["present", "came", "went", "present"]
    assert [told[i]["payload"]["k"]["metas"][0]["n"] for i in (0, 3)] == [1, 2]
    types = done.types()
    assert types.index("came") > len(types) - 1 - types[::-1].index("message")  # the cause comes first


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_descriptors_that_are_closed(server, closed):
    """No socket takes their place, and what cannot be printed is no success."""
    shell = f'"$0" "$1" join phxspec:a {closed}'
    done = subprocess.run(
        ["sh", "-c", shell, program(), f"{server.url}/socket"], capture_output=True, env=env.environment()
    )
    assert done.returncode == (3 if ">&-" in closed.replace("2>&-", "") else 0), done.stderr.decode()
    if closed == ">&-":
        assert done.stderr == b"phxspec-client: stdout: Bad file descriptor\n"


def test_commands_from_where_there_are_none(server):
    for redirected in "<&-", "</":
        shell = f'"$0" --json "$1" {redirected}'
        done = subprocess.run(
            ["sh", "-c", shell, program(), f"{server.url}/socket"], capture_output=True, env=env.environment()
        )
        assert done.returncode == 2 and b"cannot read commands from stdin" in done.stderr
        shell = f'"$0" --driver {redirected}'
        done = subprocess.run(["sh", "-c", shell, program()], capture_output=True, env=env.environment())
        assert done.returncode == 3 and b"cannot read commands from stdin" in done.stderr


def test_a_full_disk_ends_it(server):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [program(), f"{server.url}/socket", "join", "phxspec:a", "watch"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=env.environment(),
            timeout=20,
        )
    assert done.returncode == 3 and done.stderr == b"phxspec-client: stdout: No space left on device\n"


@pytest.mark.parametrize("words, code", [(["watch"], 0), (["expect", "never"], 1), (["sleep", "60000"], 1)])
def test_a_signal_is_a_good_end_of_watching_only(server, tmp_path, words, code):
    client = Client(tmp_path, f"{server.url}/socket", "join", "phxspec:a", *words)
    client.until("joined")
    client.interrupt()
    assert client.until("closed")["text"] == "for good"
    client.check(code)


def test_a_closed_connection_is_for_good_when_no_attempt_follows():
    done = run("ws://127.0.0.1:1/socket", "ping")
    assert done.code == 3 and done.only("closed")["text"] == "for good"


def test_tls_to_who_does_not_speak_it(server):
    for scheme in "wss", "WSS":
        done = run(server.url.replace("http", scheme, 1) + "/socket", "ping")
        assert done.code == 3 and "TLS failed: what the server answered is not TLS" in done.err


def test_json_lines_stay_lines():
    async def script(talk, _number):
        join = await talk.message()
        await talk.raw(
            frame(
                TEXT,
                json.dumps(
                    [join[0], join[1], join[2], "phx_reply", {"status": "ok", "response": {"a": [1]}}],
                    indent=1,
                ).encode(),
                masked=False,
            )
        )
        await talk.frame()

    with Scripted(script) as peer:
        done = run(f"{peer.url}/s", "join", "t")
    assert done.code == 0 and done.only("joined")["payload"] == {"a": [1]}


# ---- servers that misbehave ----


@pytest.mark.parametrize(
    "peer, text",
    [
        (Hangup, "without an answer|connection reset"),
        (Garbage, "not HTTP"),
        (Silent, "did not answer in time"),
    ],
)
def test_no_websocket(peer, text):
    with peer() as peer:
        done = run("--connect-timeout", "300", f"{peer.url}/s", "watch")
    assert done.code == 3 and re.search(text, done.err) and done.only("closed")["code"] == 1006


@pytest.mark.parametrize("peer", [Hangup, Garbage, Silent])
def test_no_longpoll(peer):
    with peer() as peer:
        done = run("--transport", "longpoll", "--poll-timeout", "300", f"{peer.url}/s", "watch")
    assert done.code == 3
    assert done.only("closed")["code"] == (1005 if peer.__class__ is Silent else 1011)


SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.mark.parametrize(
    "answer, text",
    [
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "does not switch"),
        (SWITCH + b"\r\n", "Sec-WebSocket-Accept is wrong"),
        (
            SWITCH + b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            "Sec-WebSocket-Accept is wrong",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "HTTP 302"),
        (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nlate\r\n0\r\n\r\n", "HTTP 503: late"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n", "too large"),
    ],
)
def test_handshakes_that_do_not_do(answer, text):
    with Answer(answer) as peer:
        done = run(f"{peer.url}/s", "watch")
    assert done.code == 3 and text in done.err


def test_the_handshake(tmp_path):
    """TOK-01: standard base64 without padding, whatever the prefix's name."""
    with Answer(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as peer:
        run("--token", "a?b>c", "--header", "Origin: http://o", f"{peer.url}/s/websocket", "watch")
        run("--transport", "longpoll", f"{peer.url}/s/", "watch")
    socket, poll = (head.split("\r\n") for head in peer.heads)
    token = base64.b64encode(b"a?b>c").decode().rstrip("=")
    assert (
        socket[0] == "GET /s/websocket?vsn=2.0.0 HTTP/1.1" and poll[0] == "GET /s/longpoll?vsn=2.0.0 HTTP/1.1"
    )
    assert f"Host: 127.0.0.1:{peer.port}" in socket
    assert f"Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.{token}" in socket
    assert "Origin: http://o" in socket and "Sec-WebSocket-Version: 13" in socket
    assert "Accept: application/json" in poll and not any("Protocol" in line for line in poll)


@pytest.mark.parametrize(
    "data, code, text",
    [
        (frame(TEXT, b"{}", masked=True), 1002, "(1002)"),
        (frame(TEXT, b"\xff", masked=False), 1007, "(1007)"),
        (frame(3, b"", masked=False), 1002, "(1002)"),
        (frame(TEXT, b"x", rsv=4, masked=False), 1002, "(1002)"),
        (frame(CLOSE, struct.pack(">H", 1006), masked=False), 1002, "(1002)"),
        (b"\x81\x7f\x7f" + 7 * b"\xff", 1009, "the server sent a message of more than 67108864 bytes"),
    ],
)
def test_a_server_that_breaks_the_websocket_protocol(tmp_path, data, code, text):
    codes = []

    async def script(talk, number):
        if number == 0:
            await talk.raw(data)
        opcode, payload = await talk.frame()
        codes.append((opcode, int.from_bytes(payload[:2], "big")))

    with Scripted(script) as peer:
        client = Client(tmp_path, f"{peer.url}/s")
        try:
            assert text in client.until("failed")["text"]
            assert client.until("closed")["code"] == 1006
            client.until("open")  # and it comes back
            client.end()
        finally:
            client.kill()
    assert codes[0] == (CLOSE, code)


@pytest.mark.parametrize("code", [None, 1001, 1008, 1011, 1012, 1013, 1014, 3000, 4999])
def test_close_codes_are_told_as_they_are(tmp_path, code):
    """Each but 1000 brings the client back (WS-CLOSE-07, DRAIN-04)."""
    answers = []

    async def script(talk, number):
        if number == 0:
            payload = struct.pack(">H", code) + "wärum".encode() if code else b""
            await talk.raw(frame(CLOSE, payload, masked=False))
            answers.append(await talk.frame())
        await talk.frame()

    with Scripted(script) as peer:
        client = Client(tmp_path, f"{peer.url}/s")
        try:
            closed = client.until("closed")
            assert closed["code"] == (code or 1005) and closed.get("reason") == ("wärum" if code else None)
            client.until("open")
            client.end()
        finally:
            client.kill()
    assert answers == [(CLOSE, struct.pack(">H", code) if code else b"")]


def test_1000_is_for_good():
    with Chatter(frame(CLOSE, struct.pack(">H", 1000), masked=False)) as peer:
        done = run(f"{peer.url}/s", "watch")
    assert done.code == 3 and "for good" in done.err and "reconnecting" not in done.types()


def test_a_server_without_heartbeats(tmp_path):
    """HB-09: given up after one interval, closed with 1000, and connected again."""
    frames = []

    async def script(talk, number):
        while number == 0:
            frames.append(await talk.frame())
            if frames[-1][0] == CLOSE:
                return
        await talk.ok(await talk.message())
        await talk.frame()

    with Scripted(script) as peer:
        client = Client(tmp_path, "--heartbeat", "150", f"{peer.url}/s")
        try:
            client.until("heartbeat")
            assert client.until("closed")["reason"] == "heartbeat timeout"
            client.until("open")
            client.say("ping")
            client.until("ping")
            client.end()
        finally:
            client.kill()
    assert json.loads(frames[0][1]) == [None, "1", "phoenix", "heartbeat", {}]
    assert frames[1] == (CLOSE, struct.pack(">H", 1000) + b"heartbeat timeout") and len(frames) == 2


def test_pings_fragments_and_pieces(tmp_path):
    pongs = []

    async def script(talk, _number):
        join = await talk.message()
        reply = json.dumps(
            [*join[:3], "phx_reply", {"status": "ok", "response": {"text": "ä" * 300}}], ensure_ascii=False
        ).encode()
        data = (
            frame(TEXT, reply[:101], fin=False, masked=False)
            + frame(PING, b"between", masked=False)
            + frame(PONG, b"unasked", masked=False)
            + frame(0, reply[101:], masked=False)
        )
        for byte in data[:40]:
            await talk.raw(bytes([byte]))
        await talk.raw(data[40:])
        pongs.append(await talk.frame())
        await talk.frame()

    with Scripted(script) as peer:
        done = run(f"{peer.url}/s", "join", "t")
    assert done.code == 0 and done.only("joined")["payload"] == {"text": "ä" * 300}
    assert pongs == [(PONG, b"between")]


def test_messages_that_are_none(tmp_path):
    """They are dropped, and the connection lives on (BIN-13)."""

    async def script(talk, _number):
        await talk.ok(await talk.message())
        for payload in (b"not JSON", b"[1]", b"{}", b'[null,null,"t",7,{}]', b'[null,null,null,"e",{}]'):
            await talk.raw(frame(TEXT, payload, masked=False))
        for payload in (b"", b"\x07", b"\x00\xff\xff\xff", b"\x02\x01"):
            await talk.raw(frame(BINARY, payload, masked=False))
        await talk.send(None, None, "t", "news", {})
        await talk.frame()

    with Scripted(script) as peer:
        done = run(f"{peer.url}/s", "join", "t", "expect", "news")
    assert done.code == 0 and done.types().count("unreadable") == 7, done.out


def test_messages_of_other_joins(tmp_path):
    """JREF-06: a late end of a former join, and its messages, are nobody's."""

    async def script(talk, _number):
        await talk.ok(await talk.message())
        push = await talk.message()
        for event in ("phx_close", "phx_error", "news"):
            await talk.send("old", "old", "t", event, {})
        await talk.send("old", push[1], "t", "phx_reply", {"status": "error", "response": {}})
        await talk.ok(push)
        await talk.frame()

    with Scripted(script) as peer:
        done = run(f"{peer.url}/s", "join", "t", "push", "e")
    assert done.code == 0
    assert not {"message", "errored", "ended"} & set(done.types())


def test_presence():
    """PRES-12 to PRES-16, as a person sees it."""

    async def script(talk, _number):
        join = await talk.message()
        await talk.ok(join)
        await talk.message()
        meta = lambda ref: {"metas": [{"phx_ref": ref}]}
        await talk.send(None, None, "t", "presence_diff", {"joins": {"early": meta("0")}, "leaves": {}})
        await talk.send(join[0], None, "t", "presence_state", {"ann": meta("1"), "bob": meta("2")})
        await talk.send(
            None, None, "t", "presence_diff", {"joins": {"ann": meta("3")}, "leaves": {"bob": meta("2")}}
        )
        await talk.ok(await talk.message())
        await talk.frame()

    with Scripted(script) as peer:
        done = run(
            f"{peer.url}/s", "join", "t", "presence", "send", "go", "expect", "presence_diff", "push", "x"
        )
    assert done.code == 0, done.out
    changes = [(event["type"], event["event"]) for event in done.events if event["type"] in ("came", "went")]
    assert changes == [("came", "ann"), ("came", "bob"), ("came", "early"), ("came", "ann"), ("went", "bob")]
    lists = [event["payload"] for event in done.events if event["type"] == "present"]
    assert lists[-1] == {
        "ann": {"metas": [{"phx_ref": "1"}, {"phx_ref": "3"}]},
        "early": {"metas": [{"phx_ref": "0"}]},
    }


# ---- TLS ----


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Two self-signed certificates: one for 127.0.0.1 and localhost, one for somebody else."""
    folder = tmp_path_factory.mktemp("certificates")
    for name, names in (("good", "IP:127.0.0.1,DNS:localhost"), ("other", "DNS:other.test")):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            + ["-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}"]
            + ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
            check=True,
            capture_output=True,
        )
    return folder


def tls(port, certificates, name):
    return TlsFront(port, certificates / f"{name}.pem", certificates / f"{name}.key")


@pytest.mark.parametrize("transport", ["websocket", "longpoll"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_tls(server, certificates, transport, host):
    with tls(server.port, certificates, "good") as front:
        done = run(
            *("--ca-file", certificates / "good.pem", "--transport", transport),
            f"wss://{host}:{front.port}/tight",
            *("join", "phxspec:a", "push", "echo", "1"),
        )
    assert done.code == 0, done.out + done.err


def test_large_messages_over_tls(server, certificates):
    text = "x" * 500_000
    with tls(server.port, certificates, "good") as front:
        done = run(
            *("--ca-file", certificates / "good.pem", f"https://127.0.0.1:{front.port}/socket"),
            stdin=f'join phxspec:a\npush echo "{text}"\n',
        )
    assert done.code == 0 and done.only("reply")["payload"] == text


def test_certificates_are_checked(server, certificates):
    with tls(server.port, certificates, "good") as front:
        url = f"wss://127.0.0.1:{front.port}/socket"
        done = run(url, "ping")
        assert done.code == 3 and "certificate is not trusted: self-signed" in done.err
        assert run("--insecure", url, "ping").code == 0
        done = run("--ca-file", certificates / "other.pem", url, "ping")
        assert done.code == 3 and "certificate is not trusted" in done.err
    with tls(server.port, certificates, "other") as front:
        done = run("--ca-file", certificates / "other.pem", f"wss://127.0.0.1:{front.port}/socket", "ping")
        assert done.code == 3 and "IP address mismatch" in done.err
        done = run("--ca-file", certificates / "other.pem", f"wss://localhost:{front.port}/socket", "ping")
        assert done.code == 3 and "ostname mismatch" in done.err


def test_no_tls_where_it_is_wanted(server):
    done = run(f"wss://127.0.0.1:{server.port}/socket", "ping")
    assert done.code == 3 and "TLS failed" in done.err


def test_no_such_host():
    done = run("ws://no-such-host.invalid/socket", "ping")
    assert done.code == 3 and "no-such-host.invalid" in done.err


# ---- what is installed ----


def test_the_library_is_found_by_pkg_config(server, tmp_path):
    """A program outside of this project needs the installed files only."""
    build = program(plain=True).parents[1]
    subprocess.run(
        ["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", tmp_path],
        check=True,
        capture_output=True,
    )
    found = list(tmp_path.rglob("phxspec-client.pc"))
    assert len(found) == 1
    for name in ("man1/phxspec-client.1", "bash-completion/completions/phxspec-client"):
        assert len(list(tmp_path.rglob(name.rpartition("/")[2]))) >= 1, name
    settings = {
        **os.environ,
        "PKG_CONFIG_PATH": str(found[0].parent),
        "PKG_CONFIG_SYSROOT_DIR": str(tmp_path),
    }

    def flags(*options):
        return subprocess.run(
            ["pkg-config", *options, "phxspec-client"],
            env=settings,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()

    sanitized = b"__asan_init" in (build / "reference-client/phxspec-client").read_bytes()
    subprocess.run(
        ["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Werror", *flags("--cflags")]
        + [env.ROOT / "reference-client/doc/example.c", *flags("--static", "--libs")]
        + (["-fsanitize=address,undefined"] if sanitized else [])
        + ["-o", tmp_path / "example"],
        check=True,
    )
    done = subprocess.run(
        [tmp_path / "example", f"{server.url}/socket", "phxspec:a"],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr
    assert "hello" in done.stdout


def test_the_man_page_and_the_completion_know_the_options():
    page = (env.ROOT / "reference-client/doc/phxspec-client.1").read_text().replace("\\-", "-")
    completion = (env.ROOT / "reference-client/doc/completion.bash").read_text()
    for option in options():
        assert f"--{option}" in page, option
        assert f"--{option}" in completion, option
    for command in re.findall(
        r'^    \{"([a-z]+)", COMMAND_',
        (env.ROOT / "reference-client/app/command.c").read_text(),
        re.MULTILINE,
    ):
        assert re.search(rf"\b{command}\b", page) and re.search(rf"\b{command}\b", completion), command


@pytest.mark.parametrize(
    "line, found",
    [
        ("phxspec-client --tra", ["--transport"]),
        ("phxspec-client --transport l", ["longpoll"]),
        ("phxspec-client --timeout ", []),
        ("phxspec-client ws://h jo", ["join"]),
        ("phxspec-client --ca-file a", ["a file.pem"]),
        ("phxspec-client https", ["https://"]),
    ],
)
def test_the_completion_completes(tmp_path, line, found):
    (tmp_path / "a file.pem").touch()
    script = (
        f'. "{env.ROOT}/reference-client/doc/completion.bash"; COMP_WORDS=({line.rstrip()}); '
        f'[[ "$1" == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); '
        'COMPREPLY=(); _phxspec_client; for word in "${COMPREPLY[@]}"; do echo "$word"; done'
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", line], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == found, done.stderr
