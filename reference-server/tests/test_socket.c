/* SPDX-License-Identifier: MIT */
/* Sockets and channels without a network: a transport that writes down what it is given, an application that
 * does what the payloads say. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "phx/json.h"
#include "socket.h"
#include "test_util.h"

/* ---- an application ---- */

static phxs_outcome_t accept_join(phxs_channel_t *channel, void *data)
{
    (void)channel;
    (void)data;
    return PHXS_CONTINUE;
}

static bool has(phx_payload_t payload, const char *key)
{
    phx_slice_t value;
    return payload.form == PHX_TEXT && phx_json_member(payload.data, key, &value);
}

static phxs_outcome_t join(phxs_channel_t *channel, phx_payload_t payload)
{
    if (has(payload, "trap")) {
        phxs_trap_exit(channel);
    }
    if (has(payload, "fail")) {
        return PHXS_FAIL;
    }
    if (has(payload, "refuse")) {
        ck_assert_int_eq(phxs_join_response(channel, PHX_JSON_PAYLOAD("{\"no\":1}")), 0);
        return PHXS_REFUSE;
    }
    if (has(payload, "delay")) {
        ck_assert_int_eq(phxs_suspend(channel, 1, accept_join, NULL, NULL), 0);
        return PHXS_SUSPENDED;
    }
    return PHXS_CONTINUE;
}

static phxs_outcome_t wake(phxs_channel_t *channel, void *data)
{
    (void)data;
    phxs_reply(channel, "ok", PHX_JSON_PAYLOAD("\"awake\""));
    return PHXS_CONTINUE;
}

static phxs_outcome_t handle_in(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    if (phx_slice_equals(event, "echo")) {
        return phxs_reply(channel, "ok", payload) == 0 ? PHXS_CONTINUE : PHXS_FAIL;
    }
    if (phx_slice_equals(event, "broadcast")) {
        return phxs_broadcast(channel, PHX_SLICE("e"), payload) == 0 ? PHXS_CONTINUE : PHXS_FAIL;
    }
    if (phx_slice_equals(event, "sleep")) {
        return phxs_suspend(channel, 1, wake, NULL, NULL) == 0 ? PHXS_SUSPENDED : PHXS_FAIL;
    }
    return phx_slice_equals(event, "stop") ? PHXS_STOP : PHXS_FAIL;
}

static void terminate(phxs_channel_t *channel, phxs_end_t why)
{
    if (why != PHXS_END_TRANSPORT) {
        phxs_push(channel, PHX_SLICE("bye"), PHX_JSON_PAYLOAD("{}"));
    }
}

static const phxs_channel_handler_t HANDLER = {.join = join, .handle_in = handle_in, .terminate = terminate};
static const phxs_route_t ROUTES[] = {{"t*", &HANDLER}, {"exact", &HANDLER}};
static const phxs_socket_handler_t SOCKET_HANDLER = {.routes = ROUTES, .route_count = 2};

/* ---- a transport ---- */

typedef struct fake {
    phxs_socket_t *socket;
    phx_buf_t log; /* a line per message sent, or per thing that happened */
    int taken;
} fake_t;

static void fake_send(void *transport, frame_t frame)
{
    fake_t *fake = transport;
    phx_buf_append_slice(&fake->log, frame_message(frame));
    phx_buf_append_byte(&fake->log, '\n');
}

static void fake_taken(void *transport, void *tag)
{
    fake_t *fake = transport;
    fake->taken++;
    ck_assert_ptr_eq(tag, fake);
}

static void fake_end(void *transport, socket_end_t why)
{
    static const char *const WORDS[] = {"disconnected\n", "failed\n"};
    fake_t *fake = transport;
    phx_buf_append_text(&fake->log, WORDS[why]);
    socket_free(fake->socket);
    fake->socket = NULL;
}

static const transport_ops_t FAKE_OPS = {.send = fake_send, .taken = fake_taken, .end = fake_end};

/* ---- the bench ---- */

static uv_loop_t loop;
static core_t core;
static mount_t mount;

static void setup(void)
{
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    core = (core_t){.timers = timers_new(&loop), .pubsub = pubsub_new(1)};
    ck_assert(rules_of(NULL, &core.rules));
    mount = (mount_t){.core = &core, .handler = &SOCKET_HANDLER};
    phxs_mount_defaults(&mount.config);
    mount.config.max_channels = 2;
}

static void teardown(void)
{
    pubsub_free(core.pubsub);
    timers_free(core.timers);
    phx_buf_free(&core.scratch);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static fake_t *client(phx_vsn_t vsn)
{
    fake_t *fake = calloc(1, sizeof(*fake));
    phxs_refusal_t refusal;
    phxs_connect_info_t info = {0};
    ck_assert_int_eq(socket_connect(&mount, vsn, &info, &FAKE_OPS, fake, &fake->socket, &refusal),
                     PHXS_CONNECT_OK);
    return fake;
}

static void client_free(fake_t *fake)
{
    socket_free(fake->socket);
    phx_buf_free(&fake->log);
    free(fake);
}

/* Messages that came in one read; the turn ends behind them. NULL-terminated. */
static void receive(fake_t *fake, const char *const *messages)
{
    for (; *messages != NULL; messages++) {
        socket_receive(fake->socket, PHX_TEXT, phx_slice_of(*messages), fake);
    }
    tasks_run(&core.tasks);
}

#define RECEIVE(fake, ...) receive(fake, (const char *const[]){__VA_ARGS__, NULL})

/* Lets all timers come due. */
static void let_time_pass(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}

#define assert_log(fake, expected)                                                                           \
    do {                                                                                                     \
        phx_buf_append_byte(&(fake)->log, '\0');                                                             \
        ck_assert_str_eq((fake)->log.data, expected);                                                        \
        phx_buf_clear(&(fake)->log);                                                                         \
    } while (0)

#define OK(join_ref, ref, topic, response)                                                                   \
    "[" join_ref "," ref ",\"" topic "\",\"phx_reply\",{\"response\":" response ",\"status\":\"ok\"}]\n"
#define ERROR(join_ref, ref, topic, response)                                                                \
    "[" join_ref "," ref ",\"" topic "\",\"phx_reply\",{\"response\":" response ",\"status\":\"error\"}]\n"
#define UNMATCHED "{\"reason\":\"unmatched topic\"}"
#define JOIN(ref) "[\"" ref "\",\"" ref "\",\"t\",\"phx_join\",{}]"

/* ---- tests ---- */

START_TEST(a_heartbeat_overtakes_a_channel)
{
    fake_t *a = client(PHX_V2);
    RECEIVE(a, JOIN("1"), "[\"1\",\"2\",\"t\",\"echo\",{}]", "[null,\"3\",\"phoenix\",\"heartbeat\",{}]");
    assert_log(a, OK("\"1\"", "\"1\"", "t", "{}") OK("null", "\"3\"", "phoenix", "{}")
                      OK("\"1\"", "\"2\"", "t", "{}"));
    client_free(a);
}
END_TEST

START_TEST(closes_of_duplicates_come_behind_all_answers_of_one_read) /* JOIN-22 */
{
    fake_t *a = client(PHX_V2);
    RECEIVE(a, JOIN("1"), JOIN("2"), JOIN("3"), "[\"3\",\"4\",\"t\",\"echo\",{}]");
    assert_log(
        a,
        OK("\"1\"", "\"1\"", "t", "{}") OK("\"2\"", "\"2\"", "t", "{}") OK(
            "\"3\"", "\"3\"", "t",
            "{}") "[\"1\",\"1\",\"t\",\"phx_close\",{}]\n[\"2\",\"2\",\"t\",\"phx_close\",{}]\n" OK("\"3\"",
                                                                                                    "\"4\"",
                                                                                                    "t",
                                                                                                    "{}"));
    client_free(a);
}
END_TEST

START_TEST(a_pending_join_holds_up_its_socket) /* JOIN-14, JOIN-15 */
{
    fake_t *a = client(PHX_V2);
    fake_t *b = client(PHX_V2);
    RECEIVE(a, JOIN("1"));
    RECEIVE(b, JOIN("1"));
    RECEIVE(a, "[\"2\",\"2\",\"t2\",\"phx_join\",{\"delay\":1}]", "[\"2\",\"3\",\"t2\",\"echo\",{}]",
            "[null,\"4\",\"phoenix\",\"heartbeat\",{}]");
    RECEIVE(b, "[\"1\",\"5\",\"t\",\"broadcast\",{\"x\":1}]");
    assert_log(a, OK("\"1\"", "\"1\"", "t", "{}"));
    ck_assert_int_eq(a->taken, 0);
    let_time_pass();
    ck_assert_int_eq(a->taken, 3);
    assert_log(a, OK("\"2\"", "\"2\"", "t2", "{}")
                      OK("null", "\"4\"", "phoenix",
                         "{}") "[null,null,\"t\",\"e\",{\"x\":1}]\n" OK("\"2\"", "\"3\"", "t2", "{}"));
    client_free(a);
    client_free(b);
}
END_TEST

START_TEST(a_busy_channel_holds_up_itself_alone) /* PUSH-11 */
{
    fake_t *a = client(PHX_V2);
    RECEIVE(a, JOIN("1"), "[\"2\",\"2\",\"t2\",\"phx_join\",{}]");
    phx_buf_clear(&a->log);
    RECEIVE(a, "[\"1\",\"3\",\"t\",\"sleep\",{}]", "[\"1\",\"4\",\"t\",\"echo\",{}]",
            "[\"2\",\"5\",\"t2\",\"echo\",{}]");
    assert_log(a, OK("\"2\"", "\"5\"", "t2", "{}"));
    let_time_pass();
    assert_log(a, OK("\"1\"", "\"3\"", "t", "\"awake\"") OK("\"1\"", "\"4\"", "t", "{}"));
    client_free(a);
}
END_TEST

START_TEST(a_duplicate_waits_for_a_channel_that_traps_exits) /* JOIN-25 */
{
    fake_t *a = client(PHX_V2);
    RECEIVE(a, "[\"1\",\"1\",\"t\",\"phx_join\",{\"trap\":1}]", "[\"1\",\"2\",\"t\",\"sleep\",{}]");
    phx_buf_clear(&a->log);
    RECEIVE(a, JOIN("3"), "[null,\"4\",\"phoenix\",\"heartbeat\",{}]");
    assert_log(a, "");
    let_time_pass();
    assert_log(a, OK("\"3\"", "\"3\"", "t", "{}") OK("null", "\"4\"", "phoenix", "{}")
                      OK("\"1\"", "\"2\"", "t", "\"awake\"") "[\"1\",null,\"t\",\"bye\",{}]\n"
                                                             "[\"1\",\"1\",\"t\",\"phx_close\",{}]\n");
    client_free(a);
}
END_TEST

START_TEST(a_duplicate_kills_a_busy_channel) /* JOIN-23 */
{
    fake_t *a = client(PHX_V2);
    RECEIVE(a, JOIN("1"), "[\"1\",\"2\",\"t\",\"sleep\",{}]");
    RECEIVE(a, JOIN("3"));
    let_time_pass();
    assert_log(a, OK("\"1\"", "\"1\"", "t", "{}")
                      OK("\"3\"", "\"3\"", "t", "{}") "[\"1\",\"1\",\"t\",\"phx_close\",{}]\n");
    client_free(a);
}
END_TEST

START_TEST(last_words) /* LEAVE-06 */
{
    fake_t *a = client(PHX_V2);
    RECEIVE(a, JOIN("1"), "[\"1\",\"2\",\"t\",\"stop\",{}]", "[\"1\",\"3\",\"t\",\"echo\",{}]");
    assert_log(a, OK("\"1\"", "\"1\"", "t",
                     "{}") "[\"1\",\"1\",\"t\",\"phx_close\",{}]\n[\"1\",null,\"t\",\"bye\",{}]\n");
    RECEIVE(a, JOIN("4"), "[\"4\",\"5\",\"t\",\"raise\",{}]");
    assert_log(a, OK("\"4\"", "\"4\"", "t",
                     "{}") "[\"4\",null,\"t\",\"bye\",{}]\n"
                           "[\"4\",\"4\",\"t\",\"phx_error\",{\"reason\":\"channel_crash\"}]\n");
    RECEIVE(a, "[\"4\",\"6\",\"t\",\"echo\",{}]");
    assert_log(a, ERROR("null", "\"6\"", "t", UNMATCHED));
    client_free(a);
}
END_TEST

START_TEST(join_refs) /* JREF-01 to JREF-04 */
{
    fake_t *a = client(PHX_V2);
    RECEIVE(a, JOIN("1"));
    phx_buf_clear(&a->log);
    RECEIVE(a, "[\"0\",\"2\",\"t\",\"echo\",{}]", "[1,\"3\",\"t\",\"echo\",{}]",
            "[null,\"4\",\"t\",\"echo\",{}]", "[\"\\u0031\",\"5\",\"t\",\"echo\",{}]",
            "[\"9\",\"6\",\"t\",\"phx_leave\",{}]");
    assert_log(a, OK("\"1\"", "\"4\"", "t", "{}") OK("\"1\"", "\"5\"", "t", "{}"));
    RECEIVE(a, "[null,7,\"t\",\"phx_leave\",{}]");
    assert_log(a, OK("\"1\"", "7", "t",
                     "{}") "[\"1\",\"1\",\"t\",\"phx_close\",{}]\n[\"1\",null,\"t\",\"bye\",{}]\n");
    client_free(a);
}
END_TEST

START_TEST(refusals_and_limits)
{
    fake_t *a = client(PHX_V2);
    RECEIVE(a, "[1,1,\"none\",\"phx_join\",{}]", "[2,2,\"t\",\"phx_join\",{\"refuse\":1}]",
            "[3,3,\"t\",\"phx_join\",{\"fail\":1}]", "[4,4,\"t\",\"phx_leave\",{}]",
            "[5,5,{\"a\":1},\"x\",{}]");
    assert_log(a, ERROR("null", "1", "none", UNMATCHED) ERROR("2", "2", "t", "{\"no\":1}")
                      ERROR("3", "3", "t", "{\"reason\":\"join crashed\"}")
                          OK("4", "4", "t", "{}") "[null,5,{\"a\":1},\"phx_reply\",{\"response\":" UNMATCHED
                                                  ",\"status\":\"error\"}]\n");
    RECEIVE(a, "[1,1,\"t1\",\"phx_join\",{}]", "[2,2,\"t2\",\"phx_join\",{}]", "[3,3,\"t3\",\"phx_join\",{}]",
            "[4,4,\"t2\",\"phx_join\",{}]");
    assert_log(a, OK("1", "1", "t1", "{}") OK("2", "2", "t2", "{}")
                      ERROR("3", "3", "t3", "{\"reason\":\"too many channels joined\"}")
                          OK("4", "4", "t2", "{}") "[2,2,\"t2\",\"phx_close\",{}]\n"); /* JOIN-07 */
    client_free(a);
}
END_TEST

START_TEST(what_cannot_be_read_ends_the_socket) /* WS-CLOSE-01 */
{
    fake_t *a = client(PHX_V2);
    RECEIVE(a, JOIN("1"), "[\"1\",\"2\",\"t\",\"echo\",{}]", "{}",
            "[null,\"3\",\"phoenix\",\"heartbeat\",{}]");
    assert_log(a, OK("\"1\"", "\"1\"", "t", "{}") "failed\n");
    ck_assert_ptr_null(a->socket);
    client_free(a);
}
END_TEST

START_TEST(a_socket_may_go_at_any_time)
{
    static const char *const WAYS[] = {"{\"delay\":1}", "{\"trap\":1}", "{}"};
    for (int i = 0; i < 3; i++) {
        fake_t *a = client(PHX_V1);
        char message[128];
        ck_assert(snprintf(message, sizeof(message),
                           "{\"topic\":\"t\",\"event\":\"phx_join\",\"payload\":%s,\"ref\":\"1\"}",
                           WAYS[i]) > 0);
        RECEIVE(a, message, "{\"topic\":\"t\",\"event\":\"sleep\",\"payload\":{},\"ref\":\"2\"}",
                "{\"topic\":\"t\",\"event\":\"phx_join\",\"payload\":{},\"ref\":\"3\"}",
                "{\"topic\":\"t\",\"event\":\"echo\",\"payload\":{},\"ref\":\"4\"}");
        client_free(a);
    }
    let_time_pass();
}
END_TEST

START_TEST(a_disconnect_finds_ids)
{
    fake_t *a = client(PHX_V2);
    fake_t *b = client(PHX_V2);
    ck_assert_int_eq(phxs_socket_identify(a->socket, PHX_SLICE("user:1")), 0);
    ck_assert_int_eq(phxs_socket_identify(b->socket, PHX_SLICE("user:2")), 0);
    const broadcast_t other = {PHX_SLICE("user:1"), PHX_SLICE("hello"), PHX_JSON_PAYLOAD("{}")};
    const broadcast_t disconnect = {PHX_SLICE("user:1"), PHX_SLICE("disconnect"), PHX_JSON_PAYLOAD("{}")};
    ck_assert_int_eq(pubsub_broadcast(core.pubsub, NULL, &other), 0);
    ck_assert_int_eq(pubsub_broadcast(core.pubsub, NULL, &disconnect), 0);
    tasks_run(&core.tasks);
    assert_log(a, "disconnected\n");
    assert_log(b, "");
    client_free(a);
    client_free(b);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("socket");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_heartbeat_overtakes_a_channel);
    tcase_add_test(tcase, closes_of_duplicates_come_behind_all_answers_of_one_read);
    tcase_add_test(tcase, a_pending_join_holds_up_its_socket);
    tcase_add_test(tcase, a_busy_channel_holds_up_itself_alone);
    tcase_add_test(tcase, a_duplicate_waits_for_a_channel_that_traps_exits);
    tcase_add_test(tcase, a_duplicate_kills_a_busy_channel);
    tcase_add_test(tcase, last_words);
    tcase_add_test(tcase, join_refs);
    tcase_add_test(tcase, refusals_and_limits);
    tcase_add_test(tcase, what_cannot_be_read_ends_the_socket);
    tcase_add_test(tcase, a_socket_may_go_at_any_time);
    tcase_add_test(tcase, a_disconnect_finds_ids);
    Suite *suite = suite_create("socket");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
