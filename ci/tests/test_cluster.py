# SPDX-License-Identifier: MIT
"""Several nodes of the reference server and a real Redis between them, whose link is cut and mended."""

import json
import signal
import time

import pytest

from testenv import env
from testenv.harness import phxspec, summary_of_vectors
from testenv.redis import Link, Redis, free_port
from testenv.server import Program, Watch, run_server, wait_until
from testenv.wire import BINARY, Connection, message

SECRET = "a secret of all nodes"
# How long a node may be silent: as short as a busy machine allows.
DOWN_MS = 1500
DOWN = DOWN_MS / 1000


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    server = Redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def link(redis):
    link = Link(redis.port)
    yield link
    link.close()


@pytest.fixture
def start_node(start_server, redis, tmp_path):
    """Starts a node of a cluster of the test's own."""

    def start(port=None, *options, **settings):
        return start_server(
            *("--redis", f"redis://127.0.0.1:{port or redis.port}", "--secret", SECRET),
            *("--cluster", tmp_path.name, "--presence-down-ms", str(DOWN_MS), *options),
            **settings,
        )

    return start


@pytest.fixture
def nodes(start_node):
    both = [start_node(), start_node()]
    together(*both)
    return both


def together(*nodes):
    """Waits until each hears each."""
    clients = [node.websocket() for node in nodes]
    meet(*clients)
    for client in clients:
        client.close()


def meet(*clients):
    """Waits until each hears each."""
    topic = f"phxspec:together-{time.monotonic_ns()}"
    heard = [set() for _ in clients]
    for client in clients:
        client.join(topic)
    deadline = time.monotonic() + env.PROMPT
    while any(len(names) < len(clients) for names in heard):
        assert time.monotonic() < deadline, f"the nodes do not hear each other: {heard}"
        for number, client in enumerate(clients):
            client.push(topic, "broadcast", {"event": "here", "payload": {"from": number}})
        time.sleep(0.02)
        for client, names in zip(clients, heard):
            while client.has_something():
                names.add(client.receive()[4]["from"])


def joined(node, topic="phxspec:room", payload=None):
    client = node.websocket()
    client.join(topic, payload)
    return client


def diff_of(client, topic="phxspec:room"):
    """The next message, a presence_diff: what joined and what left, as {key: [refs]}."""
    got = client.receive()
    assert got[:4] == [None, None, topic, "presence_diff"], got
    return tuple(
        {key: [meta["phx_ref"] for meta in entry["metas"]] for key, entry in got[4][part].items()}
        for part in ("joins", "leaves")
    )


def silent(*clients):
    """Nothing has come before the answer to a heartbeat."""
    for client in clients:
        client.heartbeat()


def keys(client):
    """Who is there, {key: number of metas}."""
    listed = client.call("phxspec:room", "presence_list", {})
    return {key: len(entry["metas"]) for key, entry in listed.items()}


def track(client, key, meta=None):
    """Tracks, and returns the ref of the meta, of which the client is told as well."""
    client.push("phxspec:room", "presence_track", {"key": key, "meta": meta or {}})
    joins, leaves = diff_of(client)
    assert client.receive()[4] == {"status": "ok", "response": {}}
    assert list(joins) == [key] and not leaves
    return joins[key][0]


# ---- broadcasts ----


def test_broadcasts_reach_all_nodes(start_node):
    nodes = [start_node() for _ in range(3)]
    together(*nodes)
    a, b, c = clients = [joined(node) for node in nodes]
    for n in range(50):
        a.push("phxspec:room", "broadcast", {"event": "e", "payload": {"n": n}})
    for client in clients:
        for n in range(50):
            assert client.receive() == [None, None, "phxspec:room", "e", {"n": n}]
    b.push("phxspec:room", "broadcast_from", {"event": "e", "payload": {}})
    for client in (a, c):
        assert client.receive()[3] == "e"
    elsewhere = joined(nodes[0], "phxspec:elsewhere")
    elsewhere.push("phxspec:elsewhere", "broadcast_to", {"topic": "phxspec:room", "event": "f", "payload": {}})
    for client in clients:
        assert client.receive() == [None, None, "phxspec:room", "f", {}]
    silent(*clients, elsewhere)


def test_a_broadcast_of_bytes_stays_bytes(nodes):
    a, b = (joined(node) for node in nodes)
    a.push("phxspec:room", "broadcast", {"event": "e", "payload": {"$base64": "AP8="}})
    for client in (a, b):
        got = client.read_frame()
        assert got.opcode == BINARY and got.payload == b"\x02\x0c\x01phxspec:roome\x00\xff"


def test_an_interception_is_the_receivers(nodes):
    a = joined(nodes[0], payload={"name": "ann"})
    b = joined(nodes[1], payload={"name": "bob"})
    a.push("phxspec:room", "broadcast", {"event": "intercepted", "payload": {"except": "ann"}})
    assert b.receive()[3:] == ["intercepted", {"except": "ann", "intercepted_by": "bob"}]
    silent(a)


def test_a_disconnect_finds_sockets_of_other_nodes(nodes):
    a = joined(nodes[0])
    b = nodes[1].websocket(query="&user_id=7")
    other = nodes[1].websocket(query="&user_id=8")
    a.push("phxspec:room", "disconnect", {"id": "user:7"})
    assert b.read_close() == 1001
    silent(other)


def test_clusters_of_other_names_are_not_heard(start_node):
    a, b = start_node(), start_node(None, "--cluster", "another")
    c = start_node()
    together(a, c)
    clients = [joined(node) for node in (a, b, c)]
    clients[0].push("phxspec:room", "broadcast", {"event": "e", "payload": {}})
    assert clients[0].receive()[3] == clients[2].receive()[3] == "e"
    silent(clients[1])


def test_nodes_tell_their_names(start_node):
    a, b, c = start_node(None, "--node-name", "first@here"), start_node(), start_node()
    names = [joined(node).call("phxspec:room", "connect_info", {})["node"] for node in (a, b, c)]
    assert names[0] == "first@here" and len(set(names)) == 3


# ---- presence ----


def test_presence_is_one_on_all_nodes(start_node):
    nodes = [start_node() for _ in range(3)]
    together(*nodes)
    a, b, c = clients = [joined(node) for node in nodes]
    ann = track(a, "ann", {"n": 1})
    for client in (b, c):
        assert diff_of(client) == ({"ann": [ann]}, {})

    second = track(b, "ann")
    for client in (a, c):
        assert diff_of(client) == ({"ann": [second]}, {})
    assert [keys(client) for client in clients] == [{"ann": 2}] * 3

    a.push("phxspec:room", "presence_update", {"key": "ann", "meta": {"n": 2}})
    joins, leaves = diff_of(a)
    assert leaves == {"ann": [ann]} and joins["ann"] != [ann]
    a.receive()
    for client in (b, c):
        assert diff_of(client) == (joins, leaves)
    listed = c.call("phxspec:room", "presence_list", {})["ann"]["metas"]
    updated = next(meta for meta in listed if meta["phx_ref"] == joins["ann"][0])
    assert updated == {"phx_ref": joins["ann"][0], "phx_ref_prev": ann, "n": 2}

    a.close()
    for client in (b, c):
        assert diff_of(client) == ({}, joins)
    assert keys(b) == keys(c) == {"ann": 1}
    silent(b, c)


def test_many_changes_of_a_moment_are_one_diff(nodes):
    a, b = (joined(node) for node in nodes)
    commands = [{"event": "presence_track", "payload": {"key": f"k{n}", "meta": {}}} for n in range(20)]
    commands.append({"event": "presence_untrack", "payload": {"key": "k7"}})
    a.push("phxspec:room", "sequence", {"commands": commands})
    joins, leaves = diff_of(b)
    assert set(joins) == {f"k{n}" for n in range(20)} - {"k7"} and not leaves
    silent(b)


def test_a_late_node_learns_who_is_there(nodes, start_node):
    a, b = (joined(node) for node in nodes)
    track(a, "ann")
    diff_of(b)
    track(b, "bob")
    late = start_node()
    together(late, *nodes)
    c = joined(late)
    wait_until(lambda: keys(c) == {"ann": 1, "bob": 1}, "the list of the late node")


def test_what_a_dead_node_tracked_leaves_after_the_down_period(nodes):
    a, b = (joined(node) for node in nodes)
    ann = track(a, "ann")
    diff_of(b)
    began = time.monotonic()
    nodes[0].signal(signal.SIGKILL)
    nodes[0].kill()
    silent(b)
    assert diff_of(b) == ({}, {"ann": [ann]})
    assert time.monotonic() - began > DOWN * 0.7  # its last heartbeat was a fifth of it ago, at most
    assert keys(b) == {}
    # It did not end as it should: nothing to look over.
    nodes[0].stop = lambda: None


def test_what_a_node_tracked_leaves_at_once_when_it_stops(start_node):
    nodes = [start_node(None, "--presence-down-ms", "60000") for _ in range(2)]
    together(*nodes)
    a, b = (joined(node) for node in nodes)
    ann = track(a, "ann")
    diff_of(b)
    nodes[0].signal()
    assert a.read_close() == 1012
    assert diff_of(b) == ({}, {"ann": [ann]})
    a.close()
    nodes[0].check(nodes[0].wait())


# ---- the link ----


def assert_works_alone(node):
    """What needs no other node works."""
    first, second = joined(node, "phxspec:alone"), joined(node, "phxspec:alone")
    first.push("phxspec:alone", "broadcast", {"event": "e", "payload": {}})
    assert first.receive()[3] == second.receive()[3] == "e"
    first.close()
    second.close()


def lines_about_redis(node):
    return [line for line in node.stderr().splitlines() if "Redis" in line]


@pytest.mark.parametrize("way", ["cut", "hold"])
def test_a_link_that_is_lost_and_comes_back(start_node, link, way):
    near, far = start_node(), start_node(link.port)
    together(near, far)
    a, b = joined(near), joined(far)
    ann, bob = track(a, "ann"), None
    diff_of(b)
    bob = track(b, "bob")
    diff_of(a)

    getattr(link, way)()
    wait_until(lambda: lines_about_redis(far), "a word about the loss")
    assert_works_alone(far)
    assert_works_alone(near)
    assert diff_of(b) == ({}, {"ann": [ann]})
    assert diff_of(a) == ({}, {"bob": [bob]})
    b.push("phxspec:room", "broadcast", {"event": "e", "payload": {"lost": True}})
    assert b.receive()[3] == "e"

    link.mend()
    assert diff_of(a) == ({"bob": [bob]}, {})
    assert diff_of(b) == ({"ann": [ann]}, {})
    for client, others in ((a, b), (b, a)):
        client.push("phxspec:room", "broadcast", {"event": "e", "payload": {}})
        assert client.receive()[3:] == others.receive()[3:] == ["e", {}]
    lines = lines_about_redis(far)
    assert len(lines) == 2 and "is lost" in lines[0] and "is back" in lines[1], lines
    assert lines_about_redis(near) == []
    silent(a, b)


def test_a_short_cut_is_caught_up_without_a_leave(start_node, link):
    near = start_node(None, "--presence-down-ms", "30000")
    far = start_node(link.port, "--presence-down-ms", "30000")
    together(near, far)
    a, b = joined(near), joined(far)
    track(a, "ann")
    diff_of(b)
    cat = track(a, "cat")
    diff_of(b)
    link.cut()
    wait_until(lambda: lines_about_redis(far), "a word about the loss")
    dan = track(a, "dan")
    a.push("phxspec:room", "presence_untrack", {"key": "cat"})
    assert diff_of(a) == ({}, {"cat": [cat]})
    a.receive()
    silent(b)
    link.mend()
    assert diff_of(b) == ({"dan": [dan]}, {"cat": [cat]})
    assert keys(b) == keys(a) == {"ann": 1, "dan": 1}


def test_a_redis_that_ends_and_starts_again(start_node, tmp_path):
    redis = Redis(tmp_path)
    try:
        nodes = [start_node(redis.port), start_node(redis.port)]
        together(*nodes)
        redis.stop()
        for node in nodes:
            wait_until(lambda node=node: lines_about_redis(node), "a word about the loss")
            assert_works_alone(node)
        with Watch(nodes[0]):
            time.sleep(0.6)
        redis.start()
        together(*nodes)
        for node in nodes:
            assert len(lines_about_redis(node)) == 2, node.stderr()
    finally:
        redis.stop()


def test_a_redis_that_comes_later(start_node, tmp_path):
    port = free_port()
    nodes = [start_node(port), start_node(port)]
    for node in nodes:
        assert_works_alone(node)
        wait_until(lambda node=node: lines_about_redis(node), "a word about Redis")
        assert "cannot be reached" in node.stderr() and "Connection refused" in node.stderr()
    redis = Redis(tmp_path, port=port)
    try:
        together(*nodes)
    finally:
        redis.stop()


def test_a_node_ends_while_redis_is_away(start_node, link):
    node = start_node(link.port)
    link.hold()
    assert_works_alone(node)
    began = time.monotonic()
    node.stop()
    assert time.monotonic() - began < 5


def test_what_redis_does_not_take_is_lost_not_heaped_up(start_node, link):
    node = start_node(
        link.port, "--presence-down-ms", "60000", program=env.server(plain=True)
    )  # memory without sanitizers'
    together(node)
    client = joined(node)
    link.hold()
    flood = {"topic": "phxspec:nobody", "event": "e", "payload": {"text": "x" * 1_000_000}}
    for _ in range(150):
        client.push("phxspec:room", "broadcast_to", flood)
    silent(client)
    assert node.memory_bytes() < 120_000_000
    assert "does not take what it is sent" in node.stderr()
    assert_works_alone(node)


def test_a_password(start_node, tmp_path):
    redis = Redis(tmp_path, password="sesame")
    try:

        def start(user_info):
            return start_node(f"{redis.port}", "--redis", f"redis://{user_info}127.0.0.1:{redis.port}")

        nodes = [start(":sesame@"), start("default:%73esame@")]
        together(*nodes)
        outsiders = [start(""), start(":wrongword@")]
        for node in outsiders:
            wait_until(lambda node=node: lines_about_redis(node), "a word about the password")
            assert "wrongword" not in node.stderr()
        assert "NOAUTH" in outsiders[0].stderr() and "WRONGPASS" in outsiders[1].stderr()
    finally:
        redis.stop()


# ---- long-poll at another node ----


def session(nodes, mount="/socket"):
    """A session of the first node whose client comes to the second."""
    client = nodes[0].longpoll(mount)
    client.port = nodes[1].port
    return client


JOIN = message("1", "1", "phxspec:room", "phx_join", {})


def echo(number):
    return message("1", str(number), "phxspec:room", "echo", {"n": number})


def test_a_session_is_served_by_any_node(nodes):
    client = session(nodes)
    assert client.post(JOIN, *[echo(n) for n in range(2, 20)]) == {"status": 200}
    got = client.messages(19)
    assert [answer[1] for answer in got] == [str(n) for n in range(1, 20)]
    # A poll that waits at one node gets what is posted at the other.
    waiting = Connection(nodes[1].port)
    waiting.send(client.poll_request())
    client.port = nodes[0].port
    assert client.post(echo(20)) == {"status": 200}
    body = waiting.response().json
    waiting.close()
    assert body["status"] == 200 and json.loads(body["messages"][0])[1] == "20"
    assert body["token"] == client.token


def test_an_empty_window_is_told_by_any_node(nodes):
    client = session(nodes, "/tight")
    began = time.monotonic()
    assert client.poll() == {"status": 204, "token": client.token, "messages": []}
    assert time.monotonic() - began >= 0.3


def test_refusals_come_from_the_session(nodes):
    client = session(nodes, "/tight")
    bad = Connection(nodes[1].port)
    bad.send(client.post_request(JOIN, b"!"))
    assert bad.response().status == 500
    bad.close()
    assert client.messages(1)[0][1] == "1"
    assert client.post(b"[}") == {"status": 408}
    lost = client.poll()
    assert lost["status"] == 410 and lost["token"] != client.token


def test_what_a_client_that_went_away_missed_is_kept(nodes):
    client = session(nodes)
    assert client.post(JOIN) == {"status": 200}
    client.messages(1)
    waiting = Connection(nodes[1].port)
    waiting.send(client.poll_request())
    time.sleep(0.1)
    waiting.close()
    time.sleep(0.1)
    assert client.post(echo(2)) == {"status": 200}
    assert client.messages(1)[0][1] == "2"


def test_a_session_ends_with_its_node(nodes):
    client = session(nodes)
    assert client.post(JOIN) == {"status": 200}
    waiting = Connection(nodes[1].port)
    client.messages(1)
    waiting.send(client.poll_request())
    time.sleep(0.1)
    nodes[0].stop()
    body = waiting.response().json
    waiting.close()
    assert body["status"] == 410 and body["token"] != client.token
    assert client.post(JOIN) == {"status": 410}
    renewed = client.poll()
    assert renewed["status"] == 410 and renewed["token"] not in (client.token, body["token"])


def test_a_session_that_has_ended_is_not_there_for_any_node(nodes):
    client = session(nodes, "/tight")
    time.sleep(1.2)
    assert client.post(JOIN) == {"status": 410}
    assert client.poll()["status"] == 410


def test_a_token_of_another_secret_is_none(start_node, nodes):
    client = session(nodes)
    stranger = start_node(None, "--secret", "another")
    together(stranger, *nodes)
    client.port = stranger.port
    assert client.post(JOIN) == {"status": 410}
    assert client.poll()["status"] == 410


@pytest.mark.parametrize("way", ["cut", "hold"])
def test_a_request_whose_answer_is_lost_with_the_link(start_node, link, way):
    nodes = [start_node(), start_node(link.port)]
    together(*nodes)
    client = session(nodes)
    assert client.post(JOIN) == {"status": 200}
    client.messages(1)
    poll, post = Connection(nodes[1].port), Connection(nodes[1].port)
    poll.send(client.poll_request())
    post.send(client.post_request(message("2", "2", "phxspec:slow", "phx_join", {"delay_ms": 9000})))
    time.sleep(0.2)
    getattr(link, way)()
    assert poll.response().json == {"status": 204, "token": client.token, "messages": []}
    assert post.response().json == {"status": 408}
    poll.close()
    post.close()
    assert client.post(JOIN) == {"status": 410}  # out of reach
    client.port = nodes[0].port
    nodes[0].longpoll().poll()


def test_a_full_session_body_passes(nodes):
    client = session(nodes)
    large = message("1", "2", "phxspec:room", "echo", {"text": "x" * 3_000_000})
    assert client.post(JOIN, large) == {"status": 200}
    assert len(client.messages(2)[1][4]["response"]["text"]) == 3_000_000


def test_posts_for_another_node_count_in_its_memory(start_node):
    """What waits there for a session is bounded as if it had come to that node itself."""
    nodes = [start_node(None, "--max-total-received-bytes", "8000000"), start_node()]
    together(*nodes)
    client, other = session(nodes), session(nodes)
    large = message(None, "1", "phoenix", "heartbeat", {"x": "y" * 3_000_000})
    posts = [nodes[1].connect() for _ in range(7)]
    posts[0].send(client.post_request(message("1", "j", "phxspec:slow", "phx_join", {"delay_ms": 3000})))
    before = nodes[0].memory_bytes()
    for post in posts[1:]:
        post.send(client.post_request(large))
    wait_until(lambda: sum(post.has_something() for post in posts) >= 4, "a refusal of what does not fit")
    assert nodes[0].memory_bytes() - before < 40_000_000
    assert other.post(JOIN) == {"status": 200}
    answers = [post.response() for post in posts]
    assert answers[0].json == {"status": 200}
    assert sorted({answer.status for answer in answers}) == [200, 503]
    assert client.post(message(None, "2", "phoenix", "heartbeat", {})) == {"status": 200}
    client.port = nodes[0].port
    assert client.post(large) == {"status": 200}  # what was counted is free again


# ---- several processes behind one port ----


@pytest.fixture
def shared(start_node):
    """A port that two processes share: the first of them, as a test reaches either by it."""
    first = start_node(None, "--reuse-port", "true")
    second = start_node(None, "--reuse-port", "true", "--port", str(first.port))
    assert second.port == first.port
    meet(*of_both(first))
    return first


def of_both(shared):
    """A client of each process, in the room: the kernel chooses, and each client is told."""
    clients = {}
    deadline = time.monotonic() + env.PROMPT
    while len(clients) < 2:
        assert time.monotonic() < deadline, "one of the processes gets no connections"
        client = joined(shared)
        clients.setdefault(client.call("phxspec:room", "connect_info", {})["node"], client)
    return clients.values()


def test_processes_behind_one_port_are_one_server(shared):
    a, b = of_both(shared)
    for sender in (a, b):
        sender.push("phxspec:room", "broadcast", {"event": "e", "payload": {}})
        for client in (a, b):
            assert client.receive() == [None, None, "phxspec:room", "e", {}]


def test_a_session_is_served_whichever_process_takes_the_request(shared):
    client = shared.longpoll("/socket")
    assert client.post(JOIN) == {"status": 200}
    for n in range(2, 12):  # each on a connection of its own: one in a thousand times all go to one process
        assert client.post(echo(n)) == {"status": 200}
    assert [got[1] for got in client.messages(11)] == [str(n) for n in range(1, 12)]


def test_a_port_is_shared_only_with_who_shares_it(start_node, start_server):
    alone = start_node()
    done = run_server("--port", str(alone.port), "--reuse-port", "true")
    assert done.returncode == 3 and "cannot listen" in done.stderr
    sharing = start_server("--reuse-port", "true")
    assert run_server("--port", str(sharing.port)).returncode == 3


# ---- the vectors ----


def test_the_vectors_of_clusters_hold(nodes, tmp_path, report):
    profile = json.loads((env.VECTORS / "profiles" / "reference-server.json").read_text())
    profile["capabilities"].append("cluster")
    profile["nodes"] = {"second": nodes[1].url}
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(profile))
    run = phxspec("server", "--profile", path, "--run", "cluster.*", nodes[0].url, report=report)
    assert run.code == 0, run.out
    counts = summary_of_vectors(run)
    assert counts["pass"] == len(run.verdicts) >= 54, run.out


# ---- wrong use ----


@pytest.mark.parametrize(
    "options, code, words",
    [
        (("--redis", "redis://127.0.0.1"), 2, "--secret"),
        (("--redis", "127.0.0.1:6379", "--secret", "s"), 2, "redis://HOST:PORT"),
        (("--redis", "redis://127.0.0.1:x", "--secret", "s"), 2, "redis://HOST:PORT"),
        (("--node-name", "a b"), 2, "--node-name"),
        (("--cluster", ""), 2, "--cluster"),
        (("--presence-down-ms", "1"), 2, "--presence-down-ms"),
        (("--pubsub-timeout-ms", "x"), 2, "--pubsub-timeout-ms"),
    ],
)
def test_wrong_options_are_named(tmp_path, options, code, words):
    program = Program([env.server(), *options], tmp_path)
    try:
        assert program.wait() == code
        assert words in program.stderr()
    finally:
        program.kill()
