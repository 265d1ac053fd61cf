/* SPDX-License-Identifier: MIT */
/* Nodes without a network: what they send each other waits in a list, and arrives, gets lost or gets damaged
 * as the test wants it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "cluster.h"
#include "lp_remote.h"
#include "phx/json.h"
#include "presence.h"
#include "session.h"
#include "socket.h"
#include "test_util.h"

enum { NODES = 3, DOWN_MS = 500 };

/* ---- an application ---- */

static phxs_outcome_t join(phxs_channel_t *channel, phx_payload_t payload)
{
    (void)channel;
    (void)payload;
    return PHXS_CONTINUE;
}

static phxs_outcome_t handle_in(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    int error = PHX_ESHAPE;
    if (phx_slice_equals(event, "track")) {
        error = phxs_presence_track(channel, PHX_SLICE("k"), payload.data);
    } else if (phx_slice_equals(event, "update")) {
        error = phxs_presence_update(channel, PHX_SLICE("k"), payload.data);
    } else if (phx_slice_equals(event, "untrack")) {
        error = phxs_presence_untrack(channel, PHX_SLICE("k"));
    } else if (phx_slice_equals(event, "broadcast")) {
        error = phxs_broadcast(channel, PHX_SLICE("e"), payload);
    } else if (phx_slice_equals(event, "broadcast_from")) {
        error = phxs_broadcast_from(channel, PHX_SLICE("e"), payload);
    }
    return error == 0 ? PHXS_CONTINUE : PHXS_FAIL;
}

static const phxs_channel_handler_t HANDLER = {.join = join, .handle_in = handle_in};
static const phxs_route_t ROUTES[] = {{"t", &HANDLER}};
static const phxs_socket_handler_t SOCKET_HANDLER = {.routes = ROUTES, .route_count = 1};

/* ---- nodes ---- */

typedef struct node {
    adapter_t adapter; /* first */
    core_t core;
    mount_t mount;
    sessions_t sessions;
    phxs_socket_t *socket; /* a client that has joined `t` */
    phx_buf_t log;         /* events and payloads that it is sent, a line each */
} node_t;

typedef struct letter {
    struct letter *next;
    node_id_t to;
    node_t *from;
    size_t len;
    char bytes[];
} letter_t;

static uv_loop_t loop;
static node_t nodes[NODES];
static letter_t *first_letter;
static letter_t **last_letter = &first_letter;

static bool post_letter(adapter_t *adapter, node_id_t to, phx_slice_t message)
{
    letter_t *letter = malloc(sizeof(*letter) + message.len);
    *letter = (letter_t){.to = to, .from = (node_t *)adapter, .len = message.len};
    memcpy(letter->bytes, message.data, message.len);
    *last_letter = letter;
    last_letter = &letter->next;
    return true;
}

static void adapter_gone(adapter_t *adapter)
{
    (void)adapter;
}

static letter_t *take_letter(void)
{
    letter_t *letter = first_letter;
    if (letter != NULL) {
        first_letter = letter->next;
        last_letter = first_letter != NULL ? last_letter : &first_letter;
    }
    return letter;
}

static void lose_letters(void)
{
    for (letter_t *letter; (letter = take_letter()) != NULL;) {
        free(letter);
    }
}

static void deliver_letters(void)
{
    for (letter_t *letter; (letter = take_letter()) != NULL;) {
        for (node_t *node = nodes; node < nodes + NODES; node++) {
            bool meant = letter->to == 0 || letter->to == node->core.node;
            if (node != letter->from && node->core.cluster != NULL && meant) {
                node->adapter.received(node->adapter.user, (phx_slice_t){letter->bytes, letter->len});
            }
        }
        free(letter);
    }
}

static void time_has_come(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
    uv_stop(&loop);
}

/* Changes are told in their time; lets it come. */
static void pass_time(uint64_t ms)
{
    uv_timer_t timer;
    ck_assert_int_eq(uv_timer_init(&loop, &timer), 0);
    ck_assert_int_eq(uv_timer_start(&timer, time_has_come, ms, 0), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_run(&loop, UV_RUN_NOWAIT); /* it closes */
}

static void settle(void)
{
    pass_time(30);
    deliver_letters();
}

static void node_start(node_t *node, node_id_t id, uint64_t down_ms)
{
    static const adapter_ops_t OPS = {post_letter, adapter_gone};
    *node = (node_t){.adapter.ops = &OPS};
    node->core = (core_t){.timers = timers_new(&loop), .pubsub = pubsub_new(id), .node = id};
    node->core.presence = presence_new(&node->core, id);
    ck_assert(rules_of(NULL, &node->core.rules));
    node->mount = (mount_t){.core = &node->core, .handler = &SOCKET_HANDLER};
    phxs_mount_defaults(&node->mount.config);
    ck_assert(sessions_init(&node->sessions, "secret", id));
    node->core.lp_remote = lp_remote_new(&node->core, &node->sessions, id);
    node->core.cluster = cluster_new(&node->core, &node->adapter, down_ms);
    ck_assert_ptr_nonnull(node->core.cluster);
    node->adapter.linked(node->adapter.user, true);
}

static void node_stop(node_t *node)
{
    if (node->core.cluster == NULL) {
        return;
    }
    socket_free(node->socket);
    sessions_fini(&node->sessions);
    lp_remote_free(node->core.lp_remote);
    cluster_free(node->core.cluster);
    node->core.cluster = NULL;
    presence_free(node->core.presence);
    pubsub_free(node->core.pubsub);
    timers_free(node->core.timers);
    phx_buf_free(&node->core.scratch);
    phx_buf_free(&node->log);
}

/* ---- clients ---- */

static void fake_send(void *transport, frame_t frame)
{
    node_t *node = transport;
    phx_message_t message = {0};
    assert_ok(phx_decode_from_server(PHX_V2, PHX_TEXT, frame_message(frame), &message));
    if (!phx_slice_equals(message.event, "\"phx_reply\"")) {
        phx_slice_t payload = message.payload.data;
        phx_buf_append_slice(&node->log, message.event);
        if (phx_slice_equals(message.event, "\"presence_diff\"")) {
            phx_slice_t part;
            const char *const names[] = {"joins", "leaves"};
            for (int i = 0; i < 2; i++) {
                ck_assert(phx_json_member(payload, names[i], &part));
                phx_buf_append_text(&node->log, phx_slice_equals(part, "{}") ? " -" : " k");
            }
        } else {
            phx_buf_append_byte(&node->log, ' ');
            phx_buf_append_slice(&node->log, payload);
        }
        phx_buf_append_byte(&node->log, '\n');
    }
    phx_message_free(&message);
}

static void fake_end(void *transport, socket_end_t why)
{
    (void)transport;
    ck_abort_msg("a socket ended: %d", why);
}

static const transport_ops_t FAKE_OPS = {.send = fake_send, .end = fake_end};

static void tell(node_t *node, const char *message)
{
    socket_receive(node->socket, PHX_TEXT, phx_slice_of(message), node);
    tasks_run(&node->core.tasks);
}

static void client_joins(node_t *node)
{
    phxs_refusal_t refusal;
    phxs_connect_info_t info = {0};
    ck_assert_int_eq(socket_connect(&node->mount, PHX_V2, &info, &FAKE_OPS, node, &node->socket, &refusal),
                     PHXS_CONNECT_OK);
    tell(node, "[\"1\",\"1\",\"t\",\"phx_join\",{}]");
}

#define TELL(node, event) tell(node, "[\"1\",\"2\",\"t\",\"" event "\",{\"n\":1}]")

#define JOINED "\"presence_diff\" k -\n"
#define LEFT "\"presence_diff\" - k\n"
#define UPDATED "\"presence_diff\" k k\n"

/* How many metas a node lists. */
static int listed(node_t *node)
{
    phx_buf_t list = {0};
    int count = 0;
    assert_ok(phxs_presence_list(node->socket->channels, &list));
    phx_buf_append_byte(&list, '\0');
    for (const char *at = list.data; (at = strstr(at, "\"phx_ref\"")) != NULL; at++) {
        count++;
    }
    phx_buf_free(&list);
    return count;
}

/* ---- the bench ---- */

static node_t *const a = &nodes[0];
static node_t *const b = &nodes[1];
static node_t *const c = &nodes[2];

static void start(uint64_t down_ms)
{
    for (int i = 0; i < NODES; i++) {
        node_start(&nodes[i], (node_id_t)i + 1, down_ms);
        client_joins(&nodes[i]);
    }
    deliver_letters();
}

static void setup(void)
{
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    start(60000); /* no heartbeat comes by itself */
}

static void setup_short_lived(void)
{
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    start(DOWN_MS);
}

static void teardown(void)
{
    for (int i = 0; i < NODES; i++) {
        node_stop(&nodes[i]);
    }
    lose_letters();
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void heartbeat(node_t *node)
{
    node->adapter.linked(node->adapter.user, true);
}

/* ---- tests ---- */

START_TEST(broadcasts_are_relayed_once) /* CLU-01, CLU-02 */
{
    TELL(a, "broadcast");
    deliver_letters();
    ck_assert_ptr_null(first_letter);
    assert_buf(&a->log, "\"e\" {\"n\":1}\n");
    assert_buf(&b->log, "\"e\" {\"n\":1}\n");
    assert_buf(&c->log, "\"e\" {\"n\":1}\n");
    TELL(b, "broadcast_from");
    deliver_letters();
    assert_buf(&a->log, "\"e\" {\"n\":1}\n");
    assert_buf(&b->log, "");
    assert_buf(&c->log, "\"e\" {\"n\":1}\n");
}
END_TEST

START_TEST(presence_is_told_to_all) /* CLU-09 */
{
    TELL(a, "track");
    assert_buf(&a->log, JOINED);
    settle();
    assert_buf(&a->log, "");
    assert_buf(&b->log, JOINED);
    TELL(a, "update");
    TELL(b, "track");
    settle();
    assert_buf(&a->log, UPDATED JOINED);
    assert_buf(&b->log, JOINED UPDATED);
    ck_assert_int_eq(listed(a), 2);
    ck_assert_int_eq(listed(c), 2);
    TELL(a, "untrack");
    settle();
    ck_assert_int_eq(listed(c), 1);
}
END_TEST

START_TEST(a_channel_tracks_only_so_much)
{
    phxs_channel_t *channel = a->socket->channels;
    char key[16];
    for (int i = 0; i < 1000; i++) {
        ck_assert(snprintf(key, sizeof(key), "%d", i) > 0);
        ck_assert_int_eq(phxs_presence_track(channel, phx_slice_of(key), PHX_SLICE("{}")), 0);
    }
    ck_assert_int_eq(phxs_presence_track(channel, PHX_SLICE("x"), PHX_SLICE("{}")), PHXS_ETOOMUCH);
    ck_assert_int_eq(phxs_presence_update(channel, PHX_SLICE("7"), PHX_SLICE("{\"n\":1}")), 0);
    ck_assert_int_eq(phxs_presence_untrack(channel, PHX_SLICE("7")), 0);
    phx_buf_t meta = {0};
    phx_buf_append_text(&meta, "{\"x\":\"");
    for (int i = 0; i < 150 << 10; i++) {
        phx_buf_append_byte(&meta, 'x');
    }
    phx_buf_append_text(&meta, "\"}");
    ck_assert_int_eq(phxs_presence_track(channel, PHX_SLICE("x"), phx_buf_slice(&meta)), 0);
    ck_assert_int_eq(phxs_presence_update(channel, PHX_SLICE("x"), phx_buf_slice(&meta)), 0);
    ck_assert_int_eq(phxs_presence_update(channel, PHX_SLICE("8"), phx_buf_slice(&meta)), PHXS_ETOOMUCH);
    ck_assert_int_eq(listed(a), 1000);
    phx_buf_free(&meta);
}
END_TEST

START_TEST(a_lost_delta_is_missed_and_asked_for)
{
    TELL(a, "track");
    pass_time(30);
    lose_letters();
    ck_assert_int_eq(listed(b), 0);
    TELL(a, "update"); /* says from which count to which: b does not have the former */
    settle();
    assert_buf(&b->log, JOINED);
    ck_assert_int_eq(listed(b), 1);
    ck_assert_int_eq(listed(c), 1);

    TELL(a, "untrack");
    pass_time(30);
    lose_letters();
    ck_assert_int_eq(listed(b), 1);
    heartbeat(a); /* says the count, too */
    deliver_letters();
    assert_buf(&b->log, LEFT);
    ck_assert_int_eq(listed(b), 0);
}
END_TEST

START_TEST(a_state_changes_what_differs_alone)
{
    TELL(a, "track");
    TELL(b, "track");
    settle();
    phx_buf_clear(&c->log);
    for (int i = 0; i < 2; i++) { /* a client that c never hears of comes and goes */
        TELL(a, "update");
        pass_time(30);
        lose_letters();
    }
    heartbeat(a);
    heartbeat(b);
    deliver_letters();
    assert_buf(&c->log, UPDATED);
    ck_assert_int_eq(listed(c), 2);
}
END_TEST

START_TEST(a_delta_that_comes_twice_counts_once)
{
    TELL(a, "track");
    pass_time(30);
    letter_t *delta = take_letter();
    phx_slice_t bytes = {delta->bytes, delta->len};
    b->adapter.received(b->adapter.user, bytes);
    b->adapter.received(b->adapter.user, bytes);
    assert_buf(&b->log, JOINED);
    ck_assert_ptr_null(first_letter);
    ck_assert_int_eq(listed(b), 1);
    free(delta);
}
END_TEST

START_TEST(a_node_that_comes_later_learns_all)
{
    node_stop(c);
    deliver_letters();
    TELL(a, "track");
    TELL(b, "track");
    settle();
    node_start(c, 7, 60000);
    client_joins(c);
    deliver_letters();
    assert_buf(&c->log, "\"presence_diff\" k -\n\"presence_diff\" k -\n");
    ck_assert_int_eq(listed(c), 2);
    TELL(c, "track");
    settle();
    ck_assert_int_eq(listed(a), 3);
}
END_TEST

START_TEST(a_goodbye_is_the_end_at_once)
{
    TELL(a, "track");
    settle();
    phx_buf_clear(&b->log);
    cluster_begin(a->core.cluster, NODE_GOODBYE);
    cluster_send(a->core.cluster, 0);
    deliver_letters();
    assert_buf(&b->log, LEFT);
    ck_assert(!cluster_reaches(b->core.cluster, a->core.node));
    heartbeat(a); /* it was none */
    deliver_letters();
    assert_buf(&b->log, JOINED);
}
END_TEST

START_TEST(a_silent_node_is_down_and_may_come_back) /* CLU-10 */
{
    TELL(a, "track");
    for (int i = 0; i < 10; i++) {
        settle(); /* heartbeats keep it alive */
    }
    assert_buf(&b->log, JOINED);
    for (int i = 0; i < 3; i++) {
        pass_time(DOWN_MS / 2);
        lose_letters();
    }
    assert_buf(&b->log, LEFT);
    settle();
    for (int i = 0; i < 10 && listed(b) == 0; i++) {
        settle();
    }
    assert_buf(&b->log, JOINED);
}
END_TEST

START_TEST(without_a_link_nothing_is_sent)
{
    a->adapter.linked(a->adapter.user, false);
    ck_assert(!cluster_reaches(a->core.cluster, b->core.node));
    TELL(a, "broadcast");
    ck_assert_ptr_null(first_letter);
    assert_buf(&a->log, "\"e\" {\"n\":1}\n");
}
END_TEST

/* Who missed something asks again, and is told. */
static void catch_up(void)
{
    heartbeat(b);
    heartbeat(a);
    deliver_letters();
}

START_TEST(what_cannot_be_read_does_no_harm)
{
    rng_t rng = rng_new();
    static const char *const EVENTS[] = {"track", "update", "untrack", "broadcast"};
    char message[64];
    for (int round = 0; round < 300; round++) {
        ck_assert(snprintf(message, sizeof(message), "[null,\"2\",\"t\",\"%s\",{}]",
                           EVENTS[listed(a) == 0 ? 0 : 1 + rng_below(&rng, 3)]) > 0);
        tell(a, message);
        presence_clock(a->core.presence); /* tells it now */
        letter_t *letter = take_letter();
        if (letter == NULL) {
            continue;
        }
        size_t len = rng_below(&rng, 2) == 0 ? letter->len : rng_below(&rng, letter->len);
        for (size_t n = rng_below(&rng, 3); n > 0 && len > 8; n--) {
            letter->bytes[8 + rng_below(&rng, len - 8)] = (char)rng_next(&rng);
        }
        b->adapter.received(b->adapter.user, (phx_slice_t){letter->bytes, len});
        free(letter);
        lose_letters();
        catch_up(); /* or the next one would not be looked at */
    }
    cluster_begin(a->core.cluster, NODE_GOODBYE);
    cluster_send(a->core.cluster, 0);
    deliver_letters();
    ck_assert_int_eq(listed(b), 0);
    catch_up();
    ck_assert_int_eq(listed(b), listed(a));
    for (int kind = 0; kind < 256; kind++) {
        char bytes[64] = {0};
        bytes[7] = (char)a->core.node;
        bytes[8] = (char)kind;
        for (size_t len = 0; len < sizeof(bytes); len++) {
            if (kind != NODE_GOODBYE) {
                b->adapter.received(b->adapter.user, (phx_slice_t){bytes, len});
            }
        }
    }
    lose_letters();
}
END_TEST

int main(void)
{
    TCase *calm = tcase_create("cluster");
    tcase_add_checked_fixture(calm, setup, teardown);
    tcase_add_test(calm, broadcasts_are_relayed_once);
    tcase_add_test(calm, presence_is_told_to_all);
    tcase_add_test(calm, a_channel_tracks_only_so_much);
    tcase_add_test(calm, a_lost_delta_is_missed_and_asked_for);
    tcase_add_test(calm, a_state_changes_what_differs_alone);
    tcase_add_test(calm, a_delta_that_comes_twice_counts_once);
    tcase_add_test(calm, a_node_that_comes_later_learns_all);
    tcase_add_test(calm, a_goodbye_is_the_end_at_once);
    tcase_add_test(calm, without_a_link_nothing_is_sent);
    tcase_add_test(calm, what_cannot_be_read_does_no_harm);
    TCase *timed = tcase_create("down");
    tcase_add_checked_fixture(timed, setup_short_lived, teardown);
    tcase_add_test(timed, a_silent_node_is_down_and_may_come_back);
    Suite *suite = suite_create("cluster");
    suite_add_tcase(suite, calm);
    suite_add_tcase(suite, timed);
    return run_suite(suite);
}
