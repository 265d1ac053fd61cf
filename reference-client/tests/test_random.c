/* SPDX-License-Identifier: MIT */
/*
 * A socket that lives through anything: connections that fail, end or stay silent, a server that answers now,
 * later, twice or never, and a user who joins, pushes, leaves and disconnects. What must hold:
 *
 *   - no ref is used twice
 *   - a push or leave carries the join_ref of its channel's last join on this connection, and no channel has
 *     two joins under way
 *   - nothing is sent for a channel that was left or closed
 *   - every push ends exactly once
 *   - when the trouble is over, every channel that was not left or closed is joined
 */
#include "rig.h"

#include "phx/json.h"

#include <stdio.h>
#include <string.h>

enum { CHANNELS = 4, ROUNDS = 200, STEPS = 120, SENT = 64 };

typedef struct world world_t;

typedef struct member {
    world_t *world;
    phxc_channel_t *channel;
    char topic[8];
    char join_ref[24]; /* of the last join on this connection, as JSON; empty: none */
    bool join_open;    /* not answered */
    bool over;         /* left or closed */
} member_t;

typedef struct sent {
    char join_ref[24];
    char ref[24];
    char topic[16];
} sent_t;

struct world {
    rng_t rng;
    uint64_t now;
    phxc_timers_t timers;
    phxc_socket_t *socket;
    phxc_transport_t conn;
    bool conn_there;
    bool conn_open;
    bool conn_closing;
    unsigned long last_ref;
    member_t members[CHANNELS];
    sent_t sent[SENT]; /* what the server may answer */
    size_t sent_count;
    unsigned pushes;
    unsigned ends;
};

static member_t *member_of(world_t *world, phx_slice_t topic)
{
    for (size_t i = 0; i < CHANNELS; i++) {
        if (phx_slice_equals(topic, world->members[i].topic)) {
            return &world->members[i];
        }
    }
    return NULL;
}

static void copy(char *out, size_t size, phx_slice_t text)
{
    ck_assert_uint_lt(text.len, size);
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
}

/* The server may answer it. */
static void remember(world_t *world, const phx_message_t *message, phx_slice_t topic)
{
    if (world->sent_count == SENT) {
        memmove(world->sent, world->sent + 1, (SENT - 1) * sizeof world->sent[0]);
        world->sent_count--;
    }
    sent_t *sent = &world->sent[world->sent_count++];
    *sent = (sent_t){0};
    copy(sent->join_ref, sizeof sent->join_ref, message->join_ref);
    copy(sent->ref, sizeof sent->ref, message->ref);
    copy(sent->topic, sizeof sent->topic, topic);
}

static void check_sent(world_t *world, const phx_message_t *message)
{
    phx_buf_t scratch = {0};
    phx_slice_t topic;
    phx_slice_t ref;
    ck_assert_int_eq(phx_json_string(message->ref, &scratch, &ref), 0);
    char number[24];
    copy(number, sizeof number, ref);
    ck_assert_msg(strtoul(number, NULL, 10) > world->last_ref, "ref %s is not new", number);
    world->last_ref = strtoul(number, NULL, 10);
    ck_assert_int_eq(phx_json_string(message->topic, &scratch, &topic), 0);
    member_t *member = member_of(world, topic);
    const bool is_join = phx_json_is(message->event, "phx_join");
    if (member == NULL) { /* a heartbeat */
        remember(world, message, topic);
        phx_buf_free(&scratch);
        return;
    }
    ck_assert_msg(!member->over, "%s was left", member->topic);
    if (is_join) {
        ck_assert_msg(!member->join_open, "two joins of %s", member->topic);
        assert_slice(message->join_ref, message->ref);
        copy(member->join_ref, sizeof member->join_ref, message->join_ref);
        member->join_open = true;
    } else {
        assert_slice(message->join_ref, phx_slice_of(member->join_ref));
    }
    if (phx_json_is(message->event, "phx_leave")) {
        member->join_open = false;
        member->join_ref[0] = '\0';
    }
    remember(world, message, topic);
    phx_buf_free(&scratch);
}

/* ---- the network ---- */

static world_t *the_world;

static void conn_send(phxc_transport_t *transport, phx_form_t form, phx_slice_t bytes)
{
    (void)transport;
    phx_message_t message = {0};
    ck_assert(the_world->conn_open && !the_world->conn_closing);
    ck_assert_int_eq(phx_decode_from_client(PHX_V2, form, bytes, &message), 0);
    check_sent(the_world, &message);
    phx_message_free(&message);
}

static void conn_close(phxc_transport_t *transport, int code, phx_slice_t reason)
{
    (void)transport;
    (void)code;
    (void)reason;
    the_world->conn_closing = true;
}

static void conn_dispose(phxc_transport_t *transport)
{
    (void)transport;
    world_t *world = the_world;
    world->conn_there = world->conn_open = world->conn_closing = false;
    world->sent_count = 0;
    for (size_t i = 0; i < CHANNELS; i++) {
        world->members[i].join_ref[0] = '\0';
        world->members[i].join_open = false;
    }
}

static phxc_transport_t *network_open(void *context, const phxc_request_t *request,
                                      const phxc_transport_events_t *events, void *owner, char *error,
                                      size_t size)
{
    static const phxc_transport_ops_t ops = {conn_send, conn_close, conn_dispose, true};
    world_t *world = context;
    (void)request;
    ck_assert(!world->conn_there);
    if (rng_below(&world->rng, 10) == 0) {
        (void)snprintf(error, size, "no");
        return NULL;
    }
    world->conn_there = true;
    world->conn = (phxc_transport_t){&ops, events, owner};
    return &world->conn;
}

static uint64_t clock_now(void *clock)
{
    return ((world_t *)clock)->now;
}

static void clock_changed(void *clock)
{
    (void)clock;
}

static void advance(world_t *world, uint64_t ms)
{
    const uint64_t until = world->now + ms;
    uint64_t due;
    while (phxc_timers_due(&world->timers, &due) && due <= until) {
        world->now = due > world->now ? due : world->now;
        phxc_timers_run(&world->timers);
    }
    world->now = until;
}

static void receive(world_t *world, const char *text)
{
    if (world->conn_there && world->conn_open) {
        world->conn.events->received(world->conn.owner, PHX_TEXT, phx_slice_of(text));
    }
}

/* ---- the user ---- */

static void on_reply(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response)
{
    (void)outcome;
    (void)status;
    (void)response;
    world_t *world = *(world_t **)user;
    world->ends++;
    free(user); /* told twice, this is a double free */
}

static void push(world_t *world, member_t *member)
{
    world_t **user = malloc(sizeof(world_t *));
    ck_assert_ptr_nonnull(user);
    *user = world;
    const int error = phxc_channel_push(member->channel, PHX_SLICE("e"), PHX_JSON_PAYLOAD("{}"),
                                        1 + rng_below(&world->rng, 8000), on_reply, user);
    if (error != 0) {
        free(user);
        return;
    }
    world->pushes++;
}

static void on_errored(void *user, phxc_channel_t *channel, phxc_cause_t cause, phx_slice_t reason)
{
    (void)channel;
    (void)cause;
    (void)reason;
    member_t *member = user;
    member->join_open = false;
    if (rng_below(&member->world->rng, 4) == 0) {
        push(member->world, member);
    }
}

static void on_joined(void *user, phxc_channel_t *channel, phx_payload_t response)
{
    (void)channel;
    (void)response;
    member_t *member = user;
    member->join_open = false;
    if (rng_below(&member->world->rng, 3) == 0) {
        push(member->world, member);
    }
}

static void on_refused(void *user, phxc_channel_t *channel, phx_slice_t status, phx_payload_t response)
{
    (void)channel;
    (void)status;
    (void)response;
    ((member_t *)user)->join_open = false;
}

static void on_closed(void *user, phxc_channel_t *channel, bool left)
{
    (void)channel;
    (void)left;
    ((member_t *)user)->over = true;
}

static const phxc_channel_callbacks_t CHANNEL_CALLBACKS = {
    .joined = on_joined, .refused = on_refused, .errored = on_errored, .closed = on_closed};

static void be_a_user(world_t *world)
{
    member_t *member = &world->members[rng_below(&world->rng, CHANNELS)];
    switch (rng_below(&world->rng, 12)) {
    case 0:
        phxc_socket_connect(world->socket);
        break;
    case 1:
        if (rng_below(&world->rng, 4) == 0) {
            phxc_socket_disconnect(world->socket, 1000, PHX_SLICE("x"));
        }
        break;
    case 2:
    case 3:
        (void)phxc_channel_join(member->channel, 200 + rng_below(&world->rng, 5000));
        break;
    case 4:
        if (rng_below(&world->rng, 20) == 0) {
            phxc_channel_leave(member->channel);
            member->over = true;
        }
        break;
    default:
        push(world, member);
        break;
    }
}

/* ---- the server ---- */

static void answer(world_t *world, const sent_t *sent, bool ok)
{
    char text[200];
    (void)snprintf(text, sizeof text, "[%s,%s,\"%s\",\"phx_reply\",{\"status\":\"%s\",\"response\":{}}]",
                   sent->join_ref, sent->ref, sent->topic, ok ? "ok" : "error");
    receive(world, text);
}

static void be_a_server(world_t *world)
{
    char text[200];
    if (world->sent_count == 0) {
        return;
    }
    const sent_t sent = world->sent[rng_below(&world->rng, world->sent_count)];
    switch (rng_below(&world->rng, 10)) {
    case 0:
        (void)snprintf(text, sizeof text, "[%s,%s,\"%s\",\"phx_error\",{}]", sent.join_ref, sent.join_ref,
                       sent.topic);
        receive(world, text);
        break;
    case 1:
        if (rng_below(&world->rng, 10) == 0) {
            (void)snprintf(text, sizeof text, "[%s,%s,\"%s\",\"phx_close\",{}]", sent.join_ref, sent.join_ref,
                           sent.topic);
            receive(world, text);
        }
        break;
    case 2:
        (void)snprintf(text, sizeof text, "[null,null,\"%s\",\"news\",{}]", sent.topic);
        receive(world, text);
        break;
    case 3:
        answer(world, &sent, false);
        break;
    default:
        answer(world, &sent, true);
        break;
    }
}

static void be_the_network(world_t *world)
{
    if (!world->conn_there) {
        return;
    }
    const phxc_transport_t conn = world->conn;
    const bool ends = rng_below(&world->rng, 8) == 0;
    if (!world->conn_open && !world->conn_closing && !ends) {
        world->conn_open = true;
        conn.events->opened(conn.owner);
    } else if (ends || world->conn_closing) {
        if (!world->conn_open || rng_below(&world->rng, 2) == 0) {
            conn.events->failed(conn.owner, "cut", 0);
        }
        if (world->conn_there) {
            conn.events->closed(conn.owner, rng_below(&world->rng, 6) == 0 ? 1000 : 1006, (phx_slice_t){0},
                                false);
        }
    }
}

/* A network and a server that work. */
static void recover(world_t *world)
{
    phxc_socket_connect(world->socket);
    for (size_t i = 0; i < CHANNELS; i++) {
        (void)phxc_channel_join(world->members[i].channel, 0);
    }
    for (int i = 0; i < 200; i++) {
        if (world->conn_there && !world->conn_open && !world->conn_closing) {
            world->conn_open = true;
            world->conn.events->opened(world->conn.owner);
        } else if (world->conn_there && world->conn_closing) {
            world->conn.events->closed(world->conn.owner, 1005, (phx_slice_t){0}, true);
            phxc_socket_connect(world->socket);
        }
        for (size_t at = 0; at < world->sent_count; at++) {
            const sent_t sent = world->sent[at];
            answer(world, &sent, true);
        }
        advance(world, 100);
    }
    for (size_t i = 0; i < CHANNELS; i++) {
        const member_t *member = &world->members[i];
        ck_assert_msg(member->over || phxc_channel_state(member->channel) == PHXC_CHANNEL_JOINED,
                      "%s is not joined: state %d, socket %d, conn %d %d %d, sent %zu", member->topic,
                      (int)phxc_channel_state(member->channel), (int)phxc_socket_state(world->socket),
                      world->conn_there, world->conn_open, world->conn_closing, world->sent_count);
    }
    ck_assert_uint_eq(world->ends, world->pushes);
}

static void live(rng_t rng)
{
    world_t world = {.rng = rng, .now = 1000};
    the_world = &world;
    world.timers = (phxc_timers_t){.now = clock_now, .changed = clock_changed, .clock = &world};
    phxc_config_t config;
    char error[100];
    phxc_config_defaults(&config);
    config.endpoint = "ws://h/s";
    config.heartbeat_ms = 3000;
    const phxc_network_t network = {network_open, &world};
    world.socket = phxc__socket_new(&world.timers, network, NULL, &config, NULL, NULL, error, sizeof error);
    ck_assert_ptr_nonnull(world.socket);
    for (size_t i = 0; i < CHANNELS; i++) {
        member_t *member = &world.members[i];
        (void)snprintf(member->topic, sizeof member->topic, "t%zu", i);
        member->world = &world;
        member->channel = phxc_channel_new(world.socket, phx_slice_of(member->topic), PHX_JSON_PAYLOAD("{}"),
                                           &CHANNEL_CALLBACKS, member);
    }
    for (int i = 0; i < STEPS; i++) {
        switch (rng_below(&world.rng, 4)) {
        case 0:
            be_a_user(&world);
            break;
        case 1:
            be_a_server(&world);
            break;
        case 2:
            be_the_network(&world);
            break;
        default:
            advance(&world,
                    rng_below(&world.rng, 3) == 0 ? rng_below(&world.rng, 6000) : rng_below(&world.rng, 50));
            break;
        }
    }
    const bool recovers = rng_below(&world.rng, 4) > 0;
    if (recovers) {
        recover(&world);
    }
    phxc_socket_free(world.socket);
    ck_assert_uint_eq(world.ends, world.pushes);
    uint64_t due;
    ck_assert(!phxc_timers_due(&world.timers, &due));
}

START_TEST(anything)
{
    rng_t rng = rng_new();
    for (int round = 0; round < ROUNDS; round++) {
        const rng_t start = {rng_next(&rng)};
        live(start);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("random");
    tcase_add_test(tcase, anything);
    tcase_set_timeout(tcase, 30);
    Suite *suite = suite_create("random");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
