/* SPDX-License-Identifier: MIT */
/* Streams over real TCP, to a peer in the same process that a test makes read, write, stop and cut. */
#include "stream.h"
#include "test_util.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    MANY_BYTES = 8 * 1024 * 1024, /* more than the kernel keeps for a peer that does not read */
    PATIENCE_MS = 10000,
    TICK_MS = 5, /* what the peer does wakes no loop */
};

typedef struct bench {
    uv_loop_t loop;
    phxc_net_t *net;
    phxc_stream_t *stream;
    int listener;
    int peer;
    bool connected;
    bool ended;
    uint64_t patience_ms; /* what is left of it */
    char error[200];
    phx_buf_t received;
} bench_t;

static void on_connected(void *owner)
{
    bench_t *bench = owner;
    bench->connected = true;
}

static void on_received(void *owner, uint8_t *bytes, size_t len)
{
    bench_t *bench = owner;
    phx_buf_append(&bench->received, bytes, len);
}

static void on_ended(void *owner, const char *error)
{
    bench_t *bench = owner;
    bench->ended = true;
    (void)snprintf(bench->error, sizeof bench->error, "%s", error != NULL ? error : "");
}

static const phxc_stream_callbacks_t callbacks = {on_connected, on_received, on_ended};

static void on_tick(uv_timer_t *timer)
{
    bench_t *bench = timer->data;
    bench->patience_ms -= TICK_MS;
}

/* Runs the loop until something is true. */
#define RUN_UNTIL(bench, condition)                                                                          \
    do {                                                                                                     \
        uv_timer_t timer_ = {.data = (bench)};                                                               \
        (bench)->patience_ms = PATIENCE_MS;                                                                  \
        ck_assert_int_eq(uv_timer_init(&(bench)->loop, &timer_), 0);                                         \
        ck_assert_int_eq(uv_timer_start(&timer_, on_tick, TICK_MS, TICK_MS), 0);                             \
        while (!(condition)) {                                                                               \
            ck_assert_msg((bench)->patience_ms > 0, "in vain: %s", #condition);                              \
            (void)uv_run(&(bench)->loop, UV_RUN_ONCE);                                                       \
        }                                                                                                    \
        uv_close((uv_handle_t *)&timer_, NULL);                                                              \
        (void)uv_run(&(bench)->loop, UV_RUN_NOWAIT);                                                         \
    } while (0)

static void bench_start(bench_t *bench)
{
    *bench = (bench_t){0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    bench->listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(bench->listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(bench->listener, 1), 0);
    ck_assert_int_eq(getsockname(bench->listener, (struct sockaddr *)&address, &size), 0);
    ck_assert_int_eq(uv_loop_init(&bench->loop), 0);
    char error[200];
    const phxc_config_t config = {.endpoint = "ws://127.0.0.1/socket"};
    bench->net = phxc_net_new(&bench->loop, &config, error, sizeof error);
    ck_assert_ptr_nonnull(bench->net);
    const phxc_url_t url = {.host = "127.0.0.1", .port = ntohs(address.sin_port)};
    bench->stream = phxc_stream_open(bench->net, &url, &callbacks, bench);
    ck_assert_ptr_nonnull(bench->stream);
    RUN_UNTIL(bench, bench->connected);
    bench->peer = accept(bench->listener, NULL, NULL);
    ck_assert_int_ge(bench->peer, 0);
}

static void bench_close(bench_t *bench)
{
    phxc_stream_close(bench->stream);
    phxc_net_release(bench->net);
}

static void bench_end(bench_t *bench)
{
    while (uv_loop_alive(&bench->loop)) {
        (void)uv_run(&bench->loop, UV_RUN_ONCE);
    }
    ck_assert_int_eq(uv_loop_close(&bench->loop), 0);
    phx_buf_free(&bench->received);
    (void)close(bench->listener);
    if (bench->peer >= 0) {
        (void)close(bench->peer);
    }
}

static void peer_says(bench_t *bench, const char *text)
{
    ck_assert_int_eq(send(bench->peer, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What a dying server does: it ends its side, and answers what still comes with a reset. */
static void peer_cuts(bench_t *bench)
{
    const struct linger at_once = {.l_onoff = 1};
    ck_assert_int_eq(shutdown(bench->peer, SHUT_WR), 0);
    ck_assert_int_eq(setsockopt(bench->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(bench->peer);
    bench->peer = -1;
}

static size_t peer_reads(bench_t *bench)
{
    static char bytes[65536];
    size_t total = 0;
    ssize_t len;
    while ((len = recv(bench->peer, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        total += (size_t)len;
    }
    return total;
}

/* SIGPIPE is as a program finds it: were it raised, it would end this test. */
START_TEST(a_peer_that_cuts_between_two_messages)
{
    bench_t bench;
    bench_start(&bench);
    struct sigaction action;
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
    peer_says(&bench, "goodbye");
    peer_cuts(&bench);
    for (int i = 0; i < 3; i++) {
        phxc_stream_send(bench.stream, PHX_SLICE("message"));
    }
    ck_assert(!bench.ended); /* nothing is told from within a call */
    RUN_UNTIL(&bench, bench.ended);
    assert_slice(phx_buf_slice(&bench.received), PHX_SLICE("goodbye"));
    ck_assert_str_eq(bench.error, "the connection broke: broken pipe");
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

START_TEST(a_peer_that_ends)
{
    bench_t bench;
    bench_start(&bench);
    peer_says(&bench, "goodbye");
    ck_assert_int_eq(shutdown(bench.peer, SHUT_WR), 0);
    RUN_UNTIL(&bench, bench.ended);
    assert_slice(phx_buf_slice(&bench.received), PHX_SLICE("goodbye"));
    ck_assert_str_eq(bench.error, "");
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

static void send_many(bench_t *bench)
{
    char *bytes = calloc(1, MANY_BYTES);
    ck_assert_ptr_nonnull(bytes);
    for (size_t at = 0; at < MANY_BYTES; at += MANY_BYTES / 8) {
        phxc_stream_send(bench->stream, (phx_slice_t){bytes + at, MANY_BYTES / 8});
    }
    free(bytes);
}

START_TEST(a_peer_that_reads_late)
{
    bench_t bench;
    bench_start(&bench);
    send_many(&bench);
    peer_says(&bench, "meanwhile");
    RUN_UNTIL(&bench, bench.received.len == 9);
    size_t total = 0;
    RUN_UNTIL(&bench, (total += peer_reads(&bench)) == MANY_BYTES);
    phxc_stream_send(bench.stream, PHX_SLICE("last"));
    RUN_UNTIL(&bench, (total += peer_reads(&bench)) == MANY_BYTES + 4);
    ck_assert(!bench.ended);
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

START_TEST(what_was_sent_leaves_after_the_close)
{
    bench_t bench;
    bench_start(&bench);
    send_many(&bench);
    bench_close(&bench);
    size_t total = 0;
    RUN_UNTIL(&bench, (total += peer_reads(&bench)) == MANY_BYTES);
    bench_end(&bench);
}
END_TEST

START_TEST(a_close_waits_for_a_reader_two_seconds)
{
    bench_t bench;
    bench_start(&bench);
    send_many(&bench);
    const uint64_t start = uv_hrtime();
    bench_close(&bench);
    bench_end(&bench);
    const uint64_t took_ms = (uv_hrtime() - start) / 1000000;
    ck_assert_uint_ge(took_ms, 1900);
}
END_TEST

START_TEST(a_peer_that_cuts_while_much_is_kept_for_it)
{
    bench_t bench;
    bench_start(&bench);
    send_many(&bench);
    peer_cuts(&bench);
    RUN_UNTIL(&bench, bench.ended);
    ck_assert_str_ne(bench.error, "");
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

/* The other way round: nobody hears of it, and nothing waits for two seconds. */
START_TEST(a_peer_that_cuts_after_the_close)
{
    bench_t bench;
    bench_start(&bench);
    send_many(&bench);
    const uint64_t start = uv_hrtime();
    bench_close(&bench);
    peer_cuts(&bench);
    bench_end(&bench);
    ck_assert(!bench.ended);
    ck_assert_uint_lt((uv_hrtime() - start) / 1000000, 1900);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_peer_that_cuts_between_two_messages,
        a_peer_that_ends,
        a_peer_that_reads_late,
        what_was_sent_leaves_after_the_close,
        a_close_waits_for_a_reader_two_seconds,
        a_peer_that_cuts_while_much_is_kept_for_it,
        a_peer_that_cuts_after_the_close,
    };
    TCase *tcase = tcase_create("stream");
    tcase_set_timeout(tcase, 25);
    for (size_t i = 0; i < COUNT(tests); i++) {
        tcase_add_test(tcase, tests[i]);
    }
    Suite *suite = suite_create("stream");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
