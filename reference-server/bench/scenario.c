/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include "load.h"
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Goals are for Debian 12 on a processor of 2020 or later, with nothing else to do. */
const scenario_t SCENARIOS[] = {
    {"echo 100x1", ECHO, 100, 1, "message", 6, 1.5},
    {"echo 50x20", ECHO, 50, 20, "message", 1.5, 1.5},
    {"echo 1000x1", ECHO, 1000, 1, "message", 0, 1.5},
    {"echo 10000x1", ECHO, 10000, 1, "message", 0, 1.5},
    {"broadcast 100", BROADCAST, 100, 1, "delivery", 3, 1.2},
    {"broadcast 1000", BROADCAST, 1000, 1, "delivery", 3, 1.2},
    {"broadcast 10000", BROADCAST, 10000, 1, "delivery", 3, 1.2},
    {"broadcast 1000x10", BROADCAST, 1000, 10, "delivery", 3, 1.2},
    {"join/leave 100", JOIN_LEAVE, 100, 1, "join and leave", 0, 0},
    {"connect 200", CONNECT, 200, 1, "connection", 0, 0},
    {"long-poll 50", LONGPOLL, 50, 1, "echo", 0, 0},
    {"memory 10000", MEMORY, 10000, 1, "connection", 6000, 0},
    {"idle 10000", IDLE, 10000, 1, "second", 0, 0},
};
const size_t SCENARIO_COUNT = sizeof SCENARIOS / sizeof SCENARIOS[0];

enum {
    TEXT_BYTES = 600,
    QUIET_SECONDS = 30,
};

#define WEBSOCKET_PATH "/socket/websocket?vsn=2.0.0"
#define LONGPOLL_PATH "/socket/longpoll?vsn=2.0.0"
#define WORDS "what the quick brown fox says to the lazy dog"

typedef struct bench {
    const scenario_t *scenario;
    bool bare;
    process_t server;
    load_t *load;
    bool stopping;     /* nothing new is begun */
    size_t under_way;  /* messages that are still to come */
    uint64_t done;     /* what the scenario counts */
    uint8_t **frames;  /* of each client: `window` times its message, or a join and a leave */
    size_t *frame_len; /* of one of them */
    char **tokens;     /* of long-poll sessions, for a URL */
} bench_t;

/* ---- what is said ---- */

static size_t topic_number(const bench_t *bench, size_t client)
{
    return bench->scenario->kind == BROADCAST ? 0 : client;
}

static size_t text_of(const bench_t *bench, size_t client, const char *event, char *text)
{
    if (bench->bare) {
        return (size_t)snprintf(text, TEXT_BYTES,
                                "%c\"1\",\"1000001\",\"phxspec:%05zu\",\"%s\",{\"text\":\"%s\"}]",
                                bench->scenario->kind == BROADCAST ? '!' : '[', client, event, WORDS);
    }
    const char *payload = "{\"text\":\"" WORDS "\"}";
    if (strcmp(event, "broadcast") == 0) {
        payload = "{\"event\":\"news\",\"payload\":{\"text\":\"" WORDS "\"}}";
    } else if (strcmp(event, "echo") != 0) {
        payload = "{}";
    }
    return (size_t)snprintf(text, TEXT_BYTES, "[\"1\",\"1000001\",\"phxspec:%05zu\",\"%s\",%s]",
                            topic_number(bench, client), event, payload);
}

static size_t frame_of(const bench_t *bench, size_t client, const char *event, uint8_t *frame)
{
    char text[TEXT_BYTES];
    const size_t len = text_of(bench, client, event, text);
    return load_frame(frame, text, len);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        load_broken("memory ran out");
    }
    return memory;
}

static void prepare_frames(bench_t *bench, size_t clients)
{
    const char *event = bench->scenario->kind == BROADCAST ? "broadcast" : "echo";
    bench->frames = allocate(clients, sizeof *bench->frames);
    bench->frame_len = allocate(clients, sizeof *bench->frame_len);
    for (size_t i = 0; i < clients; i++) {
        uint8_t frame[TEXT_BYTES + 14];
        const size_t len = frame_of(bench, i, event, frame);
        bench->frames[i] = allocate(bench->scenario->window, len);
        bench->frame_len[i] = len;
        for (size_t k = 0; k < bench->scenario->window; k++) {
            memcpy(bench->frames[i] + k * len, frame, len);
        }
    }
}

static void await(bench_t *bench, peer_t *peer, size_t messages)
{
    peer->awaited += (uint32_t)messages;
    bench->under_way += messages;
}

static void got(bench_t *bench, peer_t *peer, size_t messages)
{
    if (messages > peer->awaited) {
        load_broken("more messages came than were asked for");
    }
    peer->awaited -= (uint32_t)messages;
    bench->under_way -= messages;
}

/* Until nothing is under way. */
static void be_quiet(bench_t *bench)
{
    const uint64_t until = load_now_ns() + QUIET_SECONDS * 1000000000ULL;
    while (bench->under_way > 0) {
        load_turn(bench->load, 1000);
        if (load_now_ns() > until) {
            load_broken("a server does not answer");
        }
    }
}

static void send_event(bench_t *bench, peer_t *peer, const char *event)
{
    uint8_t frame[TEXT_BYTES + 14];
    peer_send(peer, frame, frame_of(bench, peer->index, event, frame));
}

/* ---- joining ---- */

static void on_joined(load_t *load, peer_t *peer, size_t count, const char *last, size_t len)
{
    (void)last;
    (void)len;
    got(load_user(load), peer, count);
}

/* A few at once, as clients would come: memory is not to be measured by the height of a wave. */
static void join_all(bench_t *bench)
{
    enum { AT_ONCE = 64 };
    if (bench->bare) {
        return;
    }
    load_on_messages(bench->load, on_joined, bench);
    for (size_t i = 0; i < load_peers(bench->load); i++) {
        peer_t *peer = load_peer(bench->load, i);
        await(bench, peer, 1);
        send_event(bench, peer, "phx_join");
        if (i % AT_ONCE == AT_ONCE - 1) {
            be_quiet(bench);
        }
    }
    be_quiet(bench);
}

/* ---- echo ---- */

static void say(bench_t *bench, peer_t *peer, size_t count)
{
    await(bench, peer, count);
    peer_send(peer, bench->frames[peer->index], count * bench->frame_len[peer->index]);
}

static void on_echo(load_t *load, peer_t *peer, size_t count, const char *last, size_t len)
{
    (void)last;
    (void)len;
    bench_t *bench = load_user(load);
    got(bench, peer, count);
    bench->done += count;
    if (!bench->stopping) {
        say(bench, peer, count);
    }
}

static void begin_echo(bench_t *bench)
{
    load_on_messages(bench->load, on_echo, bench);
    for (size_t i = 0; i < load_peers(bench->load); i++) {
        say(bench, load_peer(bench->load, i), bench->scenario->window);
    }
}

/* ---- broadcast ---- */

static void broadcast(bench_t *bench)
{
    for (size_t i = 0; i < load_peers(bench->load); i++) {
        await(bench, load_peer(bench->load, i), bench->scenario->window);
    }
    peer_t *sender = load_peer(bench->load, 0);
    peer_send(sender, bench->frames[0], bench->scenario->window * bench->frame_len[0]);
}

static void on_broadcast(load_t *load, peer_t *peer, size_t count, const char *last, size_t len)
{
    (void)last;
    (void)len;
    bench_t *bench = load_user(load);
    got(bench, peer, count);
    bench->done += count;
    if (bench->under_way == 0 && !bench->stopping) {
        broadcast(bench);
    }
}

static void begin_broadcast(bench_t *bench)
{
    load_on_messages(bench->load, on_broadcast, bench);
    broadcast(bench);
}

/* ---- join and leave ---- */

static void join_or_leave(bench_t *bench, peer_t *peer)
{
    const bool joined = peer->phase++ % 2 != 0;
    await(bench, peer, joined ? 2 : 1); /* a leave has its reply and phx_close */
    send_event(bench, peer, joined ? "phx_leave" : "phx_join");
}

static void on_join_leave(load_t *load, peer_t *peer, size_t count, const char *last, size_t len)
{
    (void)last;
    (void)len;
    bench_t *bench = load_user(load);
    got(bench, peer, count);
    if (peer->awaited > 0) {
        return;
    }
    const bool left = peer->phase % 2 == 0;
    bench->done += left;
    if (!bench->stopping || !left) {
        join_or_leave(bench, peer);
    }
}

static void begin_join_leave(bench_t *bench)
{
    load_on_messages(bench->load, on_join_leave, bench);
    for (size_t i = 0; i < load_peers(bench->load); i++) {
        join_or_leave(bench, load_peer(bench->load, i));
    }
}

/* ---- long-poll: each client has two connections, one that polls and one that posts ---- */

static peer_t *poller(const bench_t *bench, size_t client)
{
    return load_peer(bench->load, 2 * client);
}

static peer_t *poster(const bench_t *bench, size_t client)
{
    return load_peer(bench->load, 2 * client + 1);
}

static void poll_again(bench_t *bench, size_t client)
{
    char request[2 * TEXT_BYTES];
    const int len =
        snprintf(request, sizeof request,
                 "GET " LONGPOLL_PATH "&token=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", bench->tokens[client]);
    await(bench, poller(bench, client), 1);
    peer_send(poller(bench, client), request, (size_t)len);
}

static void post(bench_t *bench, size_t client, const char *event)
{
    char text[TEXT_BYTES];
    char request[4 * TEXT_BYTES];
    const size_t text_len = text_of(bench, client, event, text);
    const int len = snprintf(request, sizeof request,
                             "POST " LONGPOLL_PATH "&token=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                             "Content-Type: application/x-ndjson\r\nContent-Length: %zu\r\n\r\n%s",
                             bench->tokens[client], text_len, text);
    await(bench, poster(bench, client), 1);
    peer_send(poster(bench, client), request, (size_t)len);
}

/* The value of `"token":"…"` in the answer that opens a session; it is as it goes into a URL. */
static void keep_token(bench_t *bench, size_t client, const char *body, size_t len)
{
    static const char NAME[] = "\"token\":\"";
    for (size_t i = 0; i + sizeof NAME < len; i++) {
        const char *token = body + i + sizeof NAME - 1;
        const char *end = memcmp(body + i, NAME, sizeof NAME - 1) == 0
                              ? memchr(token, '"', len - i - sizeof NAME + 1)
                              : NULL;
        if (end != NULL) {
            bench->tokens[client] = strndup(token, (size_t)(end - token));
            return;
        }
    }
    load_broken("a server did not open a long-poll session");
}

static void on_opened(load_t *load, peer_t *peer, size_t count, const char *last, size_t len)
{
    bench_t *bench = load_user(load);
    got(bench, peer, count);
    if (peer->index % 2 == 0 && bench->tokens[peer->index / 2] == NULL) {
        keep_token(bench, peer->index / 2, last, len);
    }
}

static void open_sessions(bench_t *bench, size_t clients)
{
    static const char REQUEST[] = "GET " LONGPOLL_PATH " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    bench->tokens = allocate(clients, sizeof *bench->tokens);
    load_on_messages(bench->load, on_opened, bench);
    for (size_t i = 0; i < clients; i++) {
        await(bench, poller(bench, i), 1);
        peer_send(poller(bench, i), REQUEST, sizeof REQUEST - 1);
    }
    be_quiet(bench);
    for (size_t i = 0; i < clients; i++) {
        post(bench, i, "phx_join");
        poll_again(bench, i);
    }
    be_quiet(bench);
}

static void on_longpoll(load_t *load, peer_t *peer, size_t count, const char *last, size_t len)
{
    bench_t *bench = load_user(load);
    const size_t client = peer->index / 2;
    got(bench, peer, count);
    if (peer == poller(bench, client) && memmem(last, len, WORDS, sizeof WORDS - 1) == NULL) {
        load_broken("a poll did not bring the reply");
    }
    if (poller(bench, client)->awaited > 0 || poster(bench, client)->awaited > 0) {
        return;
    }
    bench->done++;
    if (!bench->stopping) {
        poll_again(bench, client);
        post(bench, client, "echo");
    }
}

static void begin_longpoll(bench_t *bench)
{
    load_on_messages(bench->load, on_longpoll, bench);
    for (size_t i = 0; i < load_peers(bench->load) / 2; i++) {
        poll_again(bench, i);
        post(bench, i, "echo");
    }
}

/* ---- measuring ---- */

typedef struct measured {
    uint64_t cpu_ns;
    uint64_t wall_ns;
    uint64_t done;
} measured_t;

static void connect_until(bench_t *bench, uint64_t until)
{
    do {
        load_open(bench->load);
        load_close(bench->load);
        bench->done += load_peers(bench->load);
    } while (load_now_ns() < until);
}

static void begin(bench_t *bench)
{
    static void (*const BEGIN[])(bench_t *) = {
        [ECHO] = begin_echo,
        [BROADCAST] = begin_broadcast,
        [JOIN_LEAVE] = begin_join_leave,
        [LONGPOLL] = begin_longpoll,
    };
    BEGIN[bench->scenario->kind](bench);
}

static measured_t measure(bench_t *bench, uint64_t run_ns)
{
    const uint64_t cpu = process_cpu_ns(&bench->server);
    const uint64_t began = load_now_ns();
    bench->done = 0;
    if (bench->scenario->kind == CONNECT) {
        connect_until(bench, began + run_ns);
    } else if (bench->scenario->kind == IDLE) {
        usleep((useconds_t)(run_ns / 1000));
        bench->done = 1;
    } else {
        bench->stopping = false;
        begin(bench);
        while (load_now_ns() < began + run_ns) {
            load_turn(bench->load, 100);
        }
        bench->stopping = true;
        be_quiet(bench);
    }
    return (measured_t){process_cpu_ns(&bench->server) - cpu, load_now_ns() - began, bench->done};
}

static cost_t cost_of(bench_t *bench, const run_t *run)
{
    const bool idle = bench->scenario->kind == IDLE;
    if (!idle) {
        measure(bench, run->run_ns / 4); /* warms up */
    }
    const measured_t measured = measure(bench, run->run_ns);
    const double seconds = (double)measured.wall_ns / 1e9;
    const double count = idle ? seconds : (double)measured.done;
    return (cost_t){(double)measured.cpu_ns / count, idle ? 0 : count / seconds};
}

static void start(bench_t *bench, const run_t *run)
{
    const char *const argv[] = {run->program, NULL};
    if (!process_start(&bench->server, argv)) {
        load_broken("a server did not start");
    }
}

static cost_t run_on(bench_t *bench, size_t clients, const run_t *run)
{
    const scenario_kind_t kind = bench->scenario->kind;
    if (kind == CONNECT) {
        return cost_of(bench, run);
    }
    const size_t before = process_memory(&bench->server);
    load_open(bench->load);
    if (kind == LONGPOLL) {
        open_sessions(bench, clients);
    } else if (kind != JOIN_LEAVE) {
        join_all(bench);
    }
    if (kind == MEMORY) {
        return (cost_t){(double)(process_memory(&bench->server) - before) / (double)clients, 0};
    }
    return cost_of(bench, run);
}

bool scenario_bare(const scenario_t *scenario)
{
    return scenario->kind != JOIN_LEAVE && scenario->kind != LONGPOLL;
}

cost_t scenario_run(const scenario_t *scenario, size_t clients, const run_t *run)
{
    bench_t bench = {.scenario = scenario, .bare = run->bare};
    start(&bench, run);
    if (scenario->kind == LONGPOLL) {
        bench.load = load_new(bench.server.port, NULL, 2 * clients);
    } else {
        bench.load = load_new(bench.server.port, WEBSOCKET_PATH, clients);
    }
    prepare_frames(&bench, clients);
    const cost_t cost = run_on(&bench, clients, run);
    process_stop(&bench.server);
    load_free(bench.load);
    for (size_t i = 0; i < clients; i++) {
        free(bench.frames[i]);
        if (bench.tokens != NULL) {
            free(bench.tokens[i]);
        }
    }
    free(bench.frames);
    free(bench.frame_len);
    free(bench.tokens);
    return cost;
}
