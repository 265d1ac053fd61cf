# SPDX-License-Identifier: MIT
"""`phxspec server`: the vectors against a good server, one that is made to break rules, and useless ones."""

import json
import re
import shlex
import socket

import pytest

from testenv import env
from testenv.harness import LACKS, assert_fails, cases, judge, phxspec, requirements
from testenv.harness import summary_of_vectors as summary
from testenv.peers import Change, Chatter, Garbage, Message, Proxy
from testenv.wire import CLOSE, TEXT, frame

# ---- a good server ----


def test_the_whole_suite_passes(server, report):
    run = judge(server.url, report=report)
    assert run.code == 0, run.out
    counts = summary(run)
    assert counts["pass"] > 500 and counts["fail"] == counts["not run"] == counts["harness error"] == 0


def test_the_suite_can_be_run_again_on_the_same_server(server):
    for _ in range(2):
        run = judge(server.url, "--quiet")
        assert run.code == 0, run.out


def test_a_single_job_and_many_give_the_same(server):
    for jobs in ("1", "1000"):
        run = judge(server.url, "--run", "join_ref.*", "--jobs", jobs)
        assert run.code == 0, run.out


def test_a_websocket_url_is_as_good(server):
    assert judge(server.url.replace("http", "ws"), "--run", "heartbeat.*").code == 0


def test_list_names_what_runs(server, report):
    chosen = ("--run", "join.*", "--run", "longpoll.*", "--skip", "*/v1")
    listed = phxspec("server", "--without", LACKS, "--list", *chosen)
    assert listed.code == 0
    names = [line.split()[0] for line in listed.out.splitlines()]
    run = judge(server.url, *chosen, report=report)
    assert sorted(names) == sorted(run.verdicts)


def test_run_and_skip_choose(server, report):
    run = judge(
        server.url,
        "--run",
        "join.*",
        "--run",
        "push.*",
        "--skip",
        "*/lp/*",
        "--skip",
        "push.*/v1",
        report=report,
    )
    assert run.code == 0
    assert run.verdicts and all(
        re.fullmatch(r"join\..*/ws/v[12]|push\..*/ws/v2", name) for name in run.verdicts
    )


def test_a_lacking_capability_makes_cases_not_applicable(server, report):
    run = judge(
        server.url, "--without", "broadcast", "--run", "broadcast.*", "--run", "join.*", report=report
    )
    assert run.code == 0
    assert summary(run)["not applicable"] > 20
    assert re.search(r"not applicable\s+broadcast\.\S+: .*broadcast", run.out)


def test_quiet_says_one_line_and_verbose_every_title(server):
    assert len(judge(server.url, "--quiet", "--run", "join.*").out.split("\n")) == 2
    out = judge(server.url, "--verbose", "--run", "join.*").out
    assert all(case["title"] in out for case in cases() if case["id"].startswith("join."))


def test_trace_shows_what_was_said(server):
    out = judge(server.url, "--trace", "--run", "heartbeat.*/ws/v2").out
    assert '"heartbeat"' in out and '"phx_reply"' in out


def test_colours_are_for_terminals(server):
    assert "\x1b" not in judge(server.url, "--run", "heartbeat.*").out


# ---- a good server that is made to say something else ----


class DropClose(Change):
    def messages(self, message, held):
        return [] if message.event == "phx_close" else [message]


class DropError(Change):
    def messages(self, message, held):
        return [] if message.event == "phx_error" else [message]


class CloseForError(Change):
    def messages(self, message, held):
        if message.event == "phx_error":
            message.event, message.payload = "phx_close", {}
        return [message]


class ForeignJoinRef(Change):
    """The channel's replies say another join."""

    def messages(self, message, held):
        if message.is_reply and message.join_ref is not None:
            message.join_ref = f"{message.join_ref}0"
        return [message]


class NoJoinRef(Change):
    """The answers to pushes have no join_ref."""

    def messages(self, message, held):
        if message.is_reply and message.join_ref is not None and message.join_ref != message.ref:
            message.join_ref = None
        return [message]


class NumberForString(Change):
    """A ref that looks like a number becomes one."""

    def messages(self, message, held):
        if message.is_reply and isinstance(message.ref, str) and message.ref.isdigit():
            message.ref = int(message.ref)
        return [message]


class StringForNumber(Change):
    def messages(self, message, held):
        if message.is_reply and isinstance(message.ref, int):
            message.ref = str(message.ref)
        return [message]


class ErrorForOk(Change):
    def messages(self, message, held):
        if message.is_reply and message.payload.get("status") == "ok" and message.topic != "phoenix":
            message.payload = {**message.payload, "status": "error"}
        return [message]


class EmptyResponse(Change):
    def messages(self, message, held):
        if message.is_reply and message.payload.get("response"):
            message.payload = {**message.payload, "response": {}}
        return [message]


class RepliesTwice(Change):
    def messages(self, message, held):
        return [message, message] if message.is_reply and message.topic != "phoenix" else [message]


class SwapsReplies(Change):
    """Of two replies in a row on a topic the second comes first; a push or close lets the first one go."""

    def messages(self, message, held):
        if message.is_reply and message.payload.get("response") == {"n": 1}:
            held.append(message)
            return []
        waiting = held[:]
        held.clear()
        return [message, *waiting]


class DropBroadcasts(Change):
    def messages(self, message, held):
        return [] if message.is_broadcast else [message]


class BroadcastsTwice(Change):
    def messages(self, message, held):
        return [message, message] if message.is_broadcast else [message]


class MuteHeartbeat(Change):
    def messages(self, message, held):
        return [] if message.topic == "phoenix" else [message]


class RefOnPush(Change):
    """What the server pushes has a ref."""

    def messages(self, message, held):
        if message.ref is None and not message.is_reply:
            message.ref = "1"
        return [message]


class OtherReason(Change):
    def messages(self, message, held):
        if message.event == "phx_error":
            message.payload = {}
        return [message]


class OtherCloseCode(Change):
    def __init__(self, code, other):
        self.code, self.other = code, other

    def close_code(self, code):
        return self.other if code == self.code else code


class OtherBody(Change):
    """Long-poll: members of the body are something else."""

    def __init__(self, when, **members):
        self.when, self.members = when, members

    def exchange(self, head, body):
        try:
            value = json.loads(body)
        except ValueError:
            return head, body
        if isinstance(value, dict) and value.get("status") == self.when:
            value.update(self.members)
        return head, json.dumps(value).encode()


class OtherHeader(Change):
    def __init__(self, header, value):
        self.header, self.value = header, value

    def exchange(self, head, body):
        return re.sub(rf"(?im)^{self.header}: [^\r]*", f"{self.header}: {self.value}", head), body


class EmbeddedMessages(Change):
    """Long-poll: the messages stand in the body as they are, not as strings."""

    def exchange(self, head, body):
        try:
            value = json.loads(body)
            value["messages"] = [json.loads(text) for text in value["messages"]]
        except (ValueError, KeyError, TypeError):
            return head, body
        return head, json.dumps(value).encode()


class OtherHttpStatus(Change):
    def __init__(self, status, other):
        self.status, self.other = status, other

    def exchange(self, head, body):
        return head.replace(f"HTTP/1.1 {self.status} ", f"HTTP/1.1 {self.other} ", 1), body


CHANGES = [
    (DropClose(), {"LEAVE-02", "STOP-01", "JOIN-21"}),
    (DropError(), {"STOP-03", "STOP-04", "PUSH-14"}),
    (CloseForError(), {"STOP-03", "STOP-04"}),
    (ForeignJoinRef(), {"PUSH-02", "JOIN-02"}),
    (NoJoinRef(), {"PUSH-02"}),
    (NumberForString(), {"MSG-02"}),
    (StringForNumber(), {"MSG-02", "HB-03"}),
    (ErrorForOk(), {"JOIN-02", "PUSH-04"}),
    (EmptyResponse(), {"PUSH-05"}),
    (RepliesTwice(), {"PUSH-02"}),
    (SwapsReplies(), {"PUSH-07"}),
    (DropBroadcasts(), {"BC-01"}),
    (BroadcastsTwice(), {"BC-01"}),
    (MuteHeartbeat(), {"HB-02"}),
    (RefOnPush(), {"V2-06", "V1-05", "BC-17"}),
    (OtherReason(), {"STOP-06"}),
    (OtherCloseCode(1011, 1000), {"WS-CLOSE-01"}),
    (OtherCloseCode(1001, 1000), {"WS-CLOSE-02"}),
    (OtherCloseCode(1009, 1000), {"WS-FRAME-06"}),
    (OtherCloseCode(1002, 1000), {"WS-IDLE-02", "WS-FRAME-05"}),
    (OtherBody(204, status=200), {"LP-GET-04"}),
    (OtherBody(410, status=200), {"LP-OPEN-01"}),
    (OtherBody(200, token="another"), {"LP-GET-01"}),
    (OtherBody(410, token=7), {"LP-OPEN-01"}),
    (EmbeddedMessages(), {"LP-GET-02"}),
    (OtherHeader("content-type", "text/plain"), {"LP-HTTP-02"}),
    (OtherHeader("cache-control", "public"), {"LP-HTTP-03"}),
    (OtherHeader("access-control-allow-origin", "https://phxspec.test"), {"LP-HTTP-02"}),
    (OtherHeader("sec-websocket-protocol", "other"), {"TOK-02", "SUBP-02"}),
    (OtherHttpStatus(403, 404), {"WS-AUTH-01", "ORIG-02"}),
    (OtherHttpStatus(400, 500), {"WS-CONN-06", "WS-CONN-07"}),
]


def name_of_change(change):
    arguments = "-".join(str(value) for value in vars(change).values())
    return type(change).__name__ + (f"-{arguments}" if arguments else "")


def test_a_proxy_that_changes_nothing_does_no_harm(server):
    with Proxy(server.port, Change()) as proxy:
        run = judge(proxy.url, "--quiet")
    assert run.code == 0, run.out


@pytest.mark.parametrize("change,rules", CHANGES, ids=[name_of_change(change) for change, _ in CHANGES])
def test_a_server_that_breaks_a_rule_fails_by_its_name(server, report, change, rules):
    """Of the cases that check the rule at least one fails, and says which rule it is."""
    chosen = [part for case in cases() if rules & set(case["requirements"]) for part in ("--run", case["id"])]
    with Proxy(server.port, change) as proxy:
        run = judge(proxy.url, "--quiet", "--strict", *chosen, report=report)
    assert run.code != 0, "nothing was noticed"
    assert_fails(run)
    shown = {match for match in re.findall(r"^    ([A-Z][A-Z0-9-]+-\d\d) \(", run.out, re.M)}
    assert rules <= shown, f"not named: {rules - shown}; named: {sorted(shown)}"


def test_a_failure_tells_all_that_is_needed(server, report):
    with Proxy(server.port, ForeignJoinRef()) as proxy:
        run = judge(proxy.url, "--run", "push.*/ws/v2", report=report)
        failed = next(line for line in run.lines if line.get("verdict") == "fail")
        shown = run.out[run.out.index(f"fail  {failed['variant']}") :].split("\n\n")[0]
        rule = requirements()[failed["requirements"][0]]
        assert rule["text"] in shown and f"{rule['id']} ({rule['level']}" in shown
        assert re.search(r"step \d+ of \d+", shown) and '"phx_reply"' in shown
        command = re.search(r"again: (.*)", shown).group(1)
        words = shlex.split(command)
        assert words[0].endswith("phxspec")
        again = phxspec(*words[1:])
    assert again.code == 1 and summary(again)["fail"] == sum(summary(again).values()) == 1
    assert f"fail  {failed['variant']}" in again.out


# ---- useless servers ----


USELESS = {
    "garbage": Garbage,
    "closes": lambda: Chatter(frame(CLOSE, b"\x03\xe8", masked=False)),
    "upgrades-only": lambda: Chatter(b""),
    "floods": lambda: Chatter(
        frame(TEXT, Message(None, None, "t", "e", {}, "2").text().encode(), masked=False) * 500
    ),
    "broken-frames": lambda: Chatter(b"\xff" * 1000),
}


@pytest.mark.parametrize("peer", USELESS.values(), ids=USELESS)
def test_a_useless_server_fails_every_case_in_time(peer, report):
    with peer() as useless:
        run = judge(useless.url, "--quiet", report=report, timeout=30)
    assert_fails(run)
    passed = [name for name, verdict in run.verdicts.items() if verdict == "pass"]
    assert passed == [], "a server that does nothing has passed"
    assert run.seconds < 15


def test_an_unreachable_server_ends_the_run_at_once():
    run = judge("http://127.0.0.1:1", timeout=10)
    assert run.code == 3 and "127.0.0.1:1" in run.err and run.seconds < 3


def test_a_server_that_takes_no_connection_ends_the_run_soon():
    """The queue of a listening socket is full: connections are neither taken nor refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(listener.getsockname())
        run = judge(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=10)
        for client in waiting:
            client.close()
    assert run.code == 3 and run.seconds < 3 and str(listener) and run.err


def test_a_server_that_dies_meanwhile_leaves_a_verdict_for_each_case(start_server, report):
    server = start_server()

    class Deadly(Change):
        def messages(self, message, held):
            server.process.kill()
            return [message]

    with Proxy(server.port, Deadly()) as proxy:
        run = judge(proxy.url, "--quiet", report=report, timeout=30)
    server.clients.clear()
    assert run.code in (1, 3)
    assert len(run.verdicts) == sum(summary(run).values()) > 500
    server.stop = server.kill  # its end was not in order
