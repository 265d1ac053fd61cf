/* SPDX-License-Identifier: MIT */
/* What a case does with a server that keeps it busy: a small one that upgrades and then talks on its own. */
#include "vectors/case_run.h"

#include "base/base64.h"
#include "base/sha1.h"
#include "net/deadline.h"
#include "test_load.h"

static const double PATIENCE_MS = 60;

typedef struct talker {
    uv_loop_t loop;
    uv_tcp_t listener, peer;
    uv_timer_t timer;
    text_t head;
    size_t burst; /* frames at each tick */
    uint64_t every_ms;
    double spin_ms; /* the loop stands still for so long behind a tick */
    pace_t *pace;
    case_run_t *run;
    verdict_t verdict;
    text_t reason;
    double ms;
} talker_t;

static void written(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
    free(request);
}

static void say(talker_t *talker, const char *bytes, size_t len)
{
    uv_write_t *request = calloc(1, sizeof *request);
    char *copy = malloc(len);
    memcpy(copy, bytes, len);
    request->data = copy;
    uv_buf_t buffer = uv_buf_init(copy, (unsigned)len);
    if (uv_write(request, (uv_stream_t *)&talker->peer, &buffer, 1, written) != 0) {
        written(request, 0);
    }
}

static void on_tick(uv_timer_t *timer)
{
    static const char message[] = "\x81\x15[\"1\",null,\"t\",\"e\",{}]"; /* 21 bytes */
    talker_t *talker = timer->data;
    for (size_t i = 0; i < talker->burst; i++) {
        say(talker, message, sizeof message - 1);
    }
    for (double until = clock_ms() + talker->spin_ms; clock_ms() < until;) {
    }
}

static void upgrade(talker_t *talker)
{
    static const char name[] = "Sec-WebSocket-Key: ";
    const char *key = strstr(text_str(&talker->head), name) + strlen(name);
    text_t seed = {0}, answer = {0};
    uint8_t digest[20];
    text_printf(&seed, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    sha1(text_span(&seed), digest);
    text_puts(&answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: ");
    base64_encode(&answer, (span_t){(const char *)digest, sizeof digest});
    text_puts(&answer, "\r\n\r\n");
    say(talker, text_str(&answer), answer.len);
    uv_timer_start(&talker->timer, on_tick, talker->every_ms, talker->every_ms);
    text_free(&seed);
    text_free(&answer);
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char room[65536];
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(room, sizeof room);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    talker_t *talker = stream->data;
    if (got < 0) {
        uv_timer_stop(&talker->timer);
        uv_read_stop(stream);
    } else if (!strstr(text_str(&talker->head), "\r\n\r\n")) {
        text_add(&talker->head, buffer->base, (size_t)got);
        if (strstr(text_str(&talker->head), "\r\n\r\n")) {
            upgrade(talker);
        }
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    talker_t *talker = listener->data;
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(uv_accept(listener, (uv_stream_t *)&talker->peer), 0);
    uv_read_start((uv_stream_t *)&talker->peer, allocate, on_read);
}

static void on_done(void *ctx, case_result_t *result)
{
    talker_t *talker = ctx;
    talker->verdict = result->verdict;
    text_puts(&talker->reason, result->reason ? result->reason : "");
    talker->ms = result->ms;
    case_result_free(result);
    case_free(talker->run);
    uv_close((uv_handle_t *)&talker->listener, NULL);
    uv_close((uv_handle_t *)&talker->peer, NULL);
    uv_close((uv_handle_t *)&talker->timer, NULL);
    pace_free(talker->pace);
}

static void run_against(talker_t *talker, const char *file)
{
    struct sockaddr_storage bound;
    int len = sizeof bound;
    uv_loop_init(&talker->loop);
    uv_tcp_init(&talker->loop, &talker->listener);
    uv_tcp_init(&talker->loop, &talker->peer);
    uv_timer_init(&talker->loop, &talker->timer);
    talker->listener.data = talker->peer.data = talker->timer.data = talker;
    struct sockaddr_in any;
    uv_ip4_addr("127.0.0.1", 0, &any);
    uv_tcp_bind(&talker->listener, (const struct sockaddr *)&any, 0);
    ck_assert_int_eq(uv_listen((uv_stream_t *)&talker->listener, 1, on_connection), 0);
    uv_tcp_getsockname(&talker->listener, (struct sockaddr *)&bound, &len);

    vectors_t vectors;
    variant_t variant = {.c = load_case(file, &vectors), .vsn = VSN_2};
    address_t address = {.storage = bound};
    profile_t profile;
    profile_default(&profile);
    talker->pace = pace_new(&talker->loop);
    endpoints_t endpoints = {.mounts[MOUNT_MAIN] = {.address = address, .authority = "test"}};
    target_t target = {.loop = &talker->loop,
                       .endpoints = &endpoints,
                       .profile = &profile,
                       .patience_ms = PATIENCE_MS,
                       .pace = talker->pace};
    talker->run = case_start(&target, &variant, "u", on_done, talker);
    uv_run(&talker->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&talker->loop), 0);
    text_free(&talker->head);
    vectors_free(&vectors);
    profile_free(&profile);
}

#define WS "\"transports\":[\"websocket\"],\"vsn\":[\"2.0.0\"],"
#define ONE "{\"expect\":[\"1\",null,\"t\",\"e\",{}]},"
#define TEN ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE
#define BARRIER "{\"barrier\":\"heartbeat\"}"

/* Each step comes in time, and the whole does not come to an end: 15 steps' patience is all there is. */
START_TEST(a_case_has_a_deadline)
{
    talker_t talker = {.burst = 1, .every_ms = 30};
    run_against(&talker, FILE_OF(CASE_WITH(WS, CONNECT TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN BARRIER)));
    ck_assert_int_eq(talker.verdict, VERDICT_FAIL);
    ck_assert_double_ge(talker.ms, 15 * PATIENCE_MS);
    assert_says(&talker.reason, "the case was not over within ");
}
END_TEST

START_TEST(a_server_that_floods_is_not_kept)
{
    talker_t talker = {.burst = 2000, .every_ms = 1};
    run_against(&talker,
                FILE_OF(CASE_WITH(WS, CONNECT "{\"wait\":{\"timer\":\"longpoll.window_ms\"}}," BARRIER)));
    ck_assert_int_eq(talker.verdict, VERDICT_FAIL);
    ck_assert_double_lt(talker.ms, 9000);
    assert_says(&talker.reason, "flooded: the server sent more than");
}
END_TEST

START_TEST(a_step_that_waits_in_vain_fails)
{
    talker_t talker = {.burst = 0, .every_ms = 30};
    run_against(&talker, FILE_OF(CASE_WITH(WS, CONNECT BARRIER)));
    ck_assert_int_eq(talker.verdict, VERDICT_FAIL);
    assert_says(&talker.reason, "nothing came within 60 ms");
}
END_TEST

#define NOT_BEFORE(ms) "{\"expect\":[\"1\",null,\"t\",\"e\",{}],\"not_before\":{\"ms\":" ms "}},"
#define LET_COME "{\"allow\":[\"1\",null,\"t\",\"e\",{}]},"
#define GONE "{\"drop\":\"a\"}"

/* A message 40 ms after the upgrade; or one that is said after 5 ms, and read when the loop turns again. */
static const struct {
    uint64_t every_ms;
    double spin_ms;
    const char *file;
    verdict_t verdict;
    const char *says;
} early[] = {
    {40, 0, FILE_OF(CASE_WITH(WS, CONNECT NOT_BEFORE("15") LET_COME GONE)), VERDICT_PASS, ""},
    {40, 0, FILE_OF(CASE_WITH(WS, CONNECT NOT_BEFORE("500") LET_COME GONE)), VERDICT_FAIL,
     "and must not before 500 ms"},
    {5, 100, FILE_OF(CASE_WITH(WS, CONNECT NOT_BEFORE("50") LET_COME GONE)), VERDICT_HARNESS_ERROR,
     "this machine stood still: it came between"},
};

START_TEST(what_may_have_come_too_early_proves_nothing)
{
    for (size_t i = 0; i < sizeof early / sizeof *early; i++) {
        talker_t talker = {.burst = 1, .every_ms = early[i].every_ms, .spin_ms = early[i].spin_ms};
        run_against(&talker, early[i].file);
        ck_assert_msg(talker.verdict == early[i].verdict, "%zu: %s", i, text_str(&talker.reason));
        assert_says(&talker.reason, early[i].says);
    }
}
END_TEST

TEST_MAIN("case_run", what_may_have_come_too_early_proves_nothing, a_case_has_a_deadline,
          a_server_that_floods_is_not_kept, a_step_that_waits_in_vain_fails)
