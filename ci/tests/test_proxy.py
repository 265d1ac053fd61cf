# SPDX-License-Identifier: MIT
"""phxspec proxy and phxspec mutants: what passes, what is altered, and what is made of it."""

import json
import pathlib
import signal
import socket

import pytest

from testenv import env
from testenv.harness import LACKS, phxspec, requirements
from testenv.server import Program, wait_until
from testenv.wire import PING, PONG, Ended, LongPoll, WebSocket, frame

MUTANTS = env.VECTORS / "mutants"


@pytest.fixture
def proxy(server, tmp_path):
    """Starts proxies in front of the server; each must end in order."""
    running = []

    def start(fault=None, **mutant):
        options = ["--upstream", server.url]
        if fault or mutant:
            path = tmp_path / f"faults-{len(running)}.json"
            one = {"id": "a.b", "title": "t", "requirements": ["HB-02"], "proxy": [fault] if fault else None, **mutant}
            path.write_text(json.dumps({"mutants": [one]}))
            options += ["--faults", path]
        running.append(Program([env.harness(), "proxy", *options], tmp_path))
        return int(running[-1].read_line().rpartition(":")[2])

    yield start
    for program in running:
        program.signal()
        assert program.wait() == 0, program.stderr()
        assert "Sanitizer" not in program.stderr(), program.stderr()
        program.kill()


def message(sender, event, **more):
    return {"from": sender, "message": [{"$any": True}, {"$any": True}, {"$any": True}, event, {"$any": True}], **more}


def test_everything_passes_as_it_came(proxy, report):
    run = phxspec("server", "--strict", "--without", LACKS, f"http://127.0.0.1:{proxy()}", report=report)
    assert run.count("fail") == 0, run.out[-3000:]
    assert run.count("pass") > 800


def test_a_message_is_dropped(proxy):
    client = WebSocket(proxy({"match": message("server", "phx_close"), "do": [{"drop": True}]}))
    client.join("phxspec:x")
    client.call("phxspec:x", "phx_leave", {})
    client.heartbeat()


def test_a_message_is_edited(proxy):
    fault = {"match": message("server", "phx_reply"), "nth": 2, "do": [{"set": {"payload.response": {"n": "${ref}"}}}]}
    client = WebSocket(proxy(fault))
    client.join("phxspec:x")
    assert client.call("phxspec:x", "echo", {}) == {"n": "2"}
    assert client.call("phxspec:x", "echo", {}) == {}


def test_two_messages_change_places(proxy):
    client = WebSocket(proxy({"match": message("server", "phx_reply"), "nth": 2, "do": [{"swap": True}]}))
    client.join("phxspec:x")
    client.push("phxspec:x", "echo", {"n": 1})
    client.push("phxspec:x", "echo", {"n": 2})
    assert [client.receive()[4]["response"]["n"] for _ in range(2)] == [2, 1]


def test_a_message_that_is_to_change_places_with_none_goes_on(proxy):
    client = WebSocket(proxy({"match": message("server", "phx_reply"), "nth": 1, "do": [{"swap": True}]}))
    client.join("phxspec:x")


def test_what_is_delayed_is_overtaken(proxy):
    client = WebSocket(proxy({"match": message("server", "phx_reply"), "nth": 2, "do": [{"delay_ms": 300}]}))
    client.join("phxspec:x")
    client.push("phxspec:x", "echo", {"n": 1})
    client.push("phxspec:x", "echo", {"n": 2})
    assert [client.receive()[4]["response"]["n"] for _ in range(2)] == [2, 1]


def test_a_connection_is_closed_with_a_code(proxy):
    close = {"close": {"code": 1008, "reason": "no"}}
    client = WebSocket(proxy({"match": message("server", "phx_reply"), "nth": 2, "do": [close]}))
    client.join("phxspec:x")
    client.push("phxspec:x", "echo", {})
    assert client.read_close() == 1008
    client.send(frame(8, b"\x03\xf0"))
    assert client.read_to_end() == b""


def test_a_connection_is_cut(proxy):
    client = WebSocket(proxy({"match": message("client", "echo"), "do": [{"cut": True}]}))
    client.join("phxspec:x")
    client.push("phxspec:x", "echo", {})
    with pytest.raises(Ended):
        client.receive()


def test_a_control_frame_is_altered(proxy):
    client = WebSocket(proxy({"match": {"from": "server", "frame": "pong"}, "do": [{"text": "other"}]}))
    client.send(frame(PING, b"mine"))
    got = client.read_frame()
    assert (got.opcode, got.payload) == (PONG, b"other")


def test_half_a_frame_passes_before_the_other_half_comes(proxy):
    """The server counts the time a client is silent by what has reached it."""
    client = WebSocket(proxy(), "/tight/websocket?vsn=2.0.0")
    whole = frame(1, b'[null,"1","phoenix","heartbeat",{}]')
    client.send(whole[:10])
    assert client.read_close(timeout=5) == 1002, "the idle timeout, after half a frame"


def test_a_message_without_end_passes_as_it_comes(proxy):
    """The server ends it at its limit, and the proxy keeps no more of it than its own."""
    client = WebSocket(proxy())
    client.send(frame(1, b"a" * (1 << 20), fin=False))
    for _ in range(40):
        client.send(frame(0, b"a" * (1 << 20), fin=False))
    assert client.read_close(timeout=5) == 1009


def test_what_nobody_reads_is_not_read(tmp_path):
    """A sender that never stops fills the system's buffers and the proxy's bound, and then waits."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        program = Program([env.harness(), "proxy", "--upstream", f"http://127.0.0.1:{port}"], tmp_path)
        with socket.create_connection(("127.0.0.1", int(program.read_line().rpartition(":")[2]))) as sender:
            sender.settimeout(1)
            sender.sendall(b"POST /socket/longpoll HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999999\r\n\r\n")
            sent = 0
            with pytest.raises(TimeoutError):
                while sent < 200 << 20:
                    sender.sendall(b"a" * (1 << 20))
                    sent += 1 << 20
            # then all of it arrives
            upstream = [deaf.accept()[0], deaf.accept()[0]][1]  # the first is the look whether it is there
            upstream.settimeout(env.PROMPT)
            got = 0
            while got < sent:
                got += len(upstream.recv(1 << 20))
            upstream.close()
    program.signal()
    assert program.wait() == 0, program.stderr()


def test_a_message_in_a_poll_is_dropped(proxy):
    port = proxy({"match": message("server", "phx_reply", transport="longpoll"), "nth": 1, "do": [{"drop": True}]})
    session = LongPoll(port)
    session.post(b'[null,"1","phoenix","heartbeat",{}]', b'[null,"2","phoenix","heartbeat",{}]')
    assert [text[1] for text in session.messages(1)] == ["2"]


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], "--upstream URL is needed"),
        (["--upstream", "nonsense"], "nonsense"),
        (["--upstream", "http://127.0.0.1:1"], "127.0.0.1:1"),
        (["--upstream", "{url}", "--port", "70000"], "0 to 65535"),
        (["--upstream", "{url}", "--faults", "/no/such/file"], "/no/such/file"),
        (["--upstream", "{url}", "--faults", str(MUTANTS / "leave.json")], "--mutant says which"),
        (["--upstream", "{url}", "--faults", str(MUTANTS / "leave.json"), "--mutant", "leave.x"], "no mutant"),
    ],
)
def test_wrong_use_is_told(server, arguments, says):
    run = phxspec("proxy", *[argument.replace("{url}", server.url) for argument in arguments], timeout=10)
    assert run.code in (2, 3) and says in run.err, run.err


# ---- mutants ----


def test_mutants_are_killed_or_survive(server, tmp_path):
    mutants = tmp_path / "mutants.json"
    page = tmp_path / "page.md"
    page.write_text("what was there before\n")
    heartbeat = {"from": "server", "message": [{"$any": True}, {"$any": True}, "phoenix", "phx_reply", {"$any": True}]}
    nothing = {"from": "server", "message": ["never", {"$any": True}, {"$any": True}, "said", {"$any": True}]}
    one = {"title": "t", "requirements": ["HB-02"]}
    mutants.write_text(
        json.dumps(
            {
                "mutants": [
                    {"id": "x.killed", **one, "proxy": [{"match": heartbeat, "do": [{"drop": True}]}]},
                    {"id": "x.harmless", **one, "proxy": [{"match": nothing, "do": [{"drop": True}]}]},
                    {"id": "x.built-in", **one, "fault": "deaf"},
                ]
            }
        )
    )
    run = phxspec(
        "mutants", "--mutants", mutants, "--page", page, server.url, "--", "--without", LACKS, "--run", "req:HB-*",
        timeout=120,
    )
    assert run.code == 1, run.err
    assert "survived          x.harmless" in run.out and "nothing it is about was ever said" in run.out
    assert "not run           x.built-in" in run.out
    assert "3 mutants: killed 1," in run.out
    assert page.read_text().startswith("# Mutants\n")
    assert "| x.killed | HB-02 |" in page.read_text() and "**survived**" in page.read_text()


def built_in(tmp_path, *faults):
    one = {"title": "t", "requirements": ["JREF-02"]}
    path = tmp_path / "mutants.json"
    path.write_text(json.dumps({"mutants": [{"id": f"x.{fault}", **one, "fault": fault} for fault in faults]}))
    return path


def test_a_target_with_the_fault_built_in_is_started(server, tmp_path):
    command = f"{env.server()} --port {{port}} --phoenix {{fault}}"
    options = ["--mutants", built_in(tmp_path, "1.8.11", "1.8.12"), "--spawn", command, "--verbose"]
    run = phxspec("mutants", *options, server.url, "--", "--without", LACKS, "--run", "join_ref.*", timeout=60)
    assert run.code == 1, run.out + run.err
    assert "killed            x.1.8.11" in run.out
    assert "survived          x.1.8.12" in run.out


@pytest.mark.parametrize(
    "second, code, words",
    [
        ("release=1.8.12", 1, ["survived          x.once", "join_ref.push-null/ws/v2 turned red, but not again"]),
        ("exit 1", 3, ["broken            x.once", "it ended with status 1"]),
    ],
)
def test_what_turns_red_once_and_not_again_kills_nobody(server, tmp_path, second, code, words):
    seen = tmp_path / "seen"
    command = (
        f"sh -c 'release=1.8.11; [ ! -e {seen} ] || {second}; touch {seen}; "
        f"exec {env.server()} --port {{port}} --phoenix $release' {{fault}}"
    )
    options = ["--mutants", built_in(tmp_path, "once"), "--spawn", command]
    only = ["--", "--without", LACKS, "--run", "join_ref.push-null/ws/v2"]
    run = phxspec("mutants", *options, server.url, *only, timeout=60)
    assert run.code == code
    for word in words:
        assert word in run.out


@pytest.mark.parametrize(
    "command, code, words",
    [
        ("false {fault}", 3, "false no-such: it ended with status 1"),
        ("sh -c 'echo ready http://127.0.0.1:9; sleep 60' {fault}", 3, "did not come to a result"),
        ("true", 2, "{fault} has to stand where"),
    ],
)
def test_a_target_that_does_not_live_says_so(server, tmp_path, command, code, words):
    mutants = built_in(tmp_path, "no-such")
    only = ["--", "--without", LACKS, "--run", "join_ref.push-null"]
    run = phxspec("mutants", "--mutants", mutants, "--spawn", command, server.url, *only)
    assert run.code == code
    assert words in run.out + run.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_interrupted_leaves_nothing_behind(server, tmp_path, monkeypatch, number):
    """The first mutant is judged, the second one's server started: its process and the reports must go."""
    pid = tmp_path / "pid"
    command = (
        f"sh -c 'release=1.8.11; [ $1 = 1.8.11 ] || {{ echo $$ >{pid}; kill -STOP $$; }}; "
        f"exec {env.server()} --port {{port}} --phoenix $release' sh {{fault}}"
    )
    options = ["--mutants", built_in(tmp_path, "1.8.11", "stopped"), "--spawn", command, "--jobs", "1", "--verbose"]
    only = ["--", "--without", LACKS, "--run", "join_ref.push-null/ws/v2"]
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    run = Program([env.harness(), "mutants", *options, server.url, *only], tmp_path)
    try:
        wait_until(lambda: pid.exists() and pid.read_text().strip(), "the second server")
        run.signal(number)
        assert run.wait() == 3
        assert "interrupted; 1 of 2 mutants were judged" in run.stderr()
        assert "Sanitizer" not in run.stderr()
        assert run.read_line().startswith("killed            x.1.8.11")
        assert not list(folder.iterdir())
        wait_until(lambda: not pathlib.Path(f"/proc/{pid.read_text().strip()}").exists(), "the server's end")
    finally:
        run.kill()


@pytest.mark.parametrize(
    "options, words",
    [
        (["--run", "leave.*"], "without --run and --quick"),
        (["--quick"], "without --run and --quick"),
        ([], "No such file or directory"),
    ],
)
def test_a_page_that_cannot_be_is_refused_before_the_run(tmp_path, options, words):
    page = tmp_path / "no" / "page.md"
    run = phxspec("mutants", "--page", page, *options, "http://127.0.0.1:1")
    assert run.code == 2
    assert run.err.startswith(f"phxspec mutants: --page {page}: ") and words in run.err


def test_a_page_of_a_run_that_proved_nothing_stays(proxy, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("as it was")
    port = proxy({"match": message("server", "phx_reply"), "do": [{"drop": True}]})
    only = ["--", "--run", "heartbeat.*", "--without", LACKS]
    assert phxspec("mutants", "--page", page, f"http://127.0.0.1:{port}", *only).code == 3
    assert page.read_text() == "as it was"


def test_mutants_none_of_which_is_run_are_wrong_use(server, tmp_path):
    only = ["--", "--without", LACKS, "--run", "join_ref.push-null/ws/v2"]
    run = phxspec("mutants", "--mutants", built_in(tmp_path, "deaf"), server.url, *only)
    assert run.code == 2
    assert "not run           x.deaf" in run.out
    assert "none of the mutants chosen was run" in run.err and "--spawn" in run.err


def test_a_server_that_fails_by_itself_proves_nothing(proxy):
    port = proxy({"match": message("server", "phx_reply"), "do": [{"drop": True}]})
    run = phxspec(
        "mutants", "--run", "heartbeat.*", f"http://127.0.0.1:{port}", "--", "--run", "heartbeat.*", "--without", LACKS
    )
    assert run.code == 3 and "mend that first" in run.err


def test_every_mutant_cites_requirements_that_exist():
    rules = requirements()
    for path in MUTANTS.glob("*.json"):
        for mutant in json.loads(path.read_text(encoding="utf-8"))["mutants"]:
            assert mutant["id"].startswith(path.stem + "."), mutant["id"]
            assert set(mutant["requirements"]) <= set(rules), mutant["id"]
