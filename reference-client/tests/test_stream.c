/* SPDX-License-Identifier: MIT */
/* Streams over real TCP, to a peer in the same process that a test makes read, write, stop and cut. */
#include "stream.h"
#include "test_util.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MANY_BYTES = 8 * 1024 * 1024, /* more than the kernel keeps for a peer that does not read */
    PATIENCE_MS = 10000,
    TICK_MS = 5, /* what the peer does wakes no loop */
    HUGE_BYTES = 100 * 1024 * 1024,
};

/* The addresses of the host "several.test", in order; what looks them up asks this test (--wrap). */
static const char *const *several;

int __real_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb told,
                          const char *node, const char *service, const struct addrinfo *hints);
int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb told,
                          const char *node, const char *service, const struct addrinfo *hints);

static uv_getaddrinfo_cb several_told;

static void tell_several(uv_getaddrinfo_t *request, int status, struct addrinfo *first)
{
    struct addrinfo *last = first;
    ck_assert(status == 0 || status == UV_EAI_CANCELED);
    for (size_t i = 1; status == 0 && several[i] != NULL; i++) {
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
        ck_assert_int_eq(getaddrinfo(several[i], NULL, &hints, &last->ai_next), 0);
        last = last->ai_next;
        ((struct sockaddr_in *)last->ai_addr)->sin_port = ((struct sockaddr_in *)first->ai_addr)->sin_port;
    }
    several_told(request, status, first);
}

int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb told,
                          const char *node, const char *service, const struct addrinfo *hints)
{
    ck_assert_msg(strspn(node, "0123456789.:") < strlen(node), "%s is no name to be looked up", node);
    if (strcmp(node, "several.test") != 0) {
        return __real_uv_getaddrinfo(loop, request, told, node, service, hints);
    }
    several_told = told;
    return __real_uv_getaddrinfo(loop, request, tell_several, several[0], service, hints);
}

typedef struct bench {
    uv_loop_t loop;
    phxc_net_t *net;
    phxc_stream_t *stream;
    int listener;
    int peer;
    bool connected;
    bool ended;
    bool closes;          /* the stream, in the first callback */
    uint64_t patience_ms; /* what is left of it */
    char error[200];
    bool counts; /* what is received, and does not keep it */
    size_t count;
    phx_buf_t received;
    SSL_CTX *context; /* of a peer that speaks TLS */
    SSL *ssl;
} bench_t;

static void close_in_callback(bench_t *bench)
{
    if (bench->closes) {
        ck_assert_ptr_nonnull(bench->stream);
        phxc_stream_close(bench->stream);
        bench->stream = NULL;
    }
}

static void on_connected(void *owner)
{
    bench_t *bench = owner;
    bench->connected = true;
    close_in_callback(bench);
}

static void on_received(void *owner, uint8_t *bytes, size_t len)
{
    bench_t *bench = owner;
    bench->count += len;
    if (!bench->counts) {
        phx_buf_append(&bench->received, bytes, len);
    }
    close_in_callback(bench);
}

static void on_ended(void *owner, const char *error)
{
    bench_t *bench = owner;
    bench->ended = true;
    (void)snprintf(bench->error, sizeof bench->error, "%s", error != NULL ? error : "");
    close_in_callback(bench);
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

/* -1 where the machine has no such address. */
static int listen_on(const char *address, uint16_t *port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name = {.v4 = {.sin_family = AF_INET, .sin_port = htons(*port)}};
    socklen_t size = sizeof name.v4;
    if (inet_pton(AF_INET, address, &name.v4.sin_addr) != 1) {
        name.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(*port)};
        size = sizeof name.v6;
        ck_assert_int_eq(inet_pton(AF_INET6, address, &name.v6.sin6_addr), 1);
    }
    const int listener = socket(name.any.sa_family, SOCK_STREAM, 0);
    const int yes = 1;
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(listener, &name.any, size) != 0) {
        (void)close(listener);
        return -1;
    }
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, &name.any, &size), 0);
    *port = ntohs(name.any.sa_family == AF_INET ? name.v4.sin_port : name.v6.sin6_port);
    return listener;
}

/* Begins to connect, to wherever. */
static void bench_open(bench_t *bench, const phxc_config_t *config, const char *host, uint16_t port)
{
    char error[200];
    ck_assert_int_eq(uv_loop_init(&bench->loop), 0);
    bench->net = phxc_net_new(&bench->loop, config, error, sizeof error);
    ck_assert_msg(bench->net != NULL, "%s", error);
    const phxc_url_t url = {.host = (char *)host, .port = port};
    bench->stream = phxc_stream_open(bench->net, &url, &callbacks, bench);
    ck_assert_ptr_nonnull(bench->stream);
}

static const phxc_config_t PLAIN = {.endpoint = "ws://h/socket"};

static void bench_start(bench_t *bench)
{
    uint16_t port = 0;
    *bench = (bench_t){.listener = listen_on("127.0.0.1", &port)};
    bench_open(bench, &PLAIN, "127.0.0.1", port);
    RUN_UNTIL(bench, bench->connected);
    bench->peer = accept(bench->listener, NULL, NULL);
    ck_assert_int_ge(bench->peer, 0);
}

static void bench_close(bench_t *bench)
{
    if (bench->stream != NULL) {
        phxc_stream_close(bench->stream);
    }
    phxc_net_release(bench->net);
}

static void bench_end(bench_t *bench)
{
    while (uv_loop_alive(&bench->loop)) {
        (void)uv_run(&bench->loop, UV_RUN_ONCE);
    }
    ck_assert_int_eq(uv_loop_close(&bench->loop), 0);
    phx_buf_free(&bench->received);
    if (bench->listener >= 0) {
        (void)close(bench->listener);
    }
    SSL_free(bench->ssl);
    SSL_CTX_free(bench->context);
    if (bench->peer >= 0) {
        (void)close(bench->peer);
    }
}

static double cpu_ms(void)
{
    struct timespec used;
    ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

/* Nothing happens for some time: then the loop sleeps. */
static void assert_idle(bench_t *bench)
{
    const uint64_t start = uv_hrtime();
    const double before = cpu_ms();
    unsigned turns = 0;
    RUN_UNTIL(bench, (turns++, uv_hrtime() - start > 300000000));
    ck_assert_msg(turns < 150 && cpu_ms() - before < 150, "%u turns, %.0f ms of the processor", turns,
                  cpu_ms() - before);
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

/* It ends its side and reads on: what was sent before and after leaves, and nobody spins meanwhile. */
START_TEST(a_peer_that_ends_its_side_only)
{
    bench_t bench;
    bench_start(&bench);
    send_many(&bench);
    peer_says(&bench, "goodbye");
    ck_assert_int_eq(shutdown(bench.peer, SHUT_WR), 0);
    RUN_UNTIL(&bench, bench.ended);
    ck_assert_str_eq(bench.error, "");
    assert_idle(&bench);
    size_t total = 0;
    RUN_UNTIL(&bench, (total += peer_reads(&bench)) == MANY_BYTES);
    assert_idle(&bench);
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

/* A reset, while the owner neither reads nor writes, nor closes when it is told. */
START_TEST(an_owner_that_lets_a_broken_stream_be)
{
    bench_t bench;
    bench_start(&bench);
    const struct linger at_once = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(bench.peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(bench.peer);
    bench.peer = -1;
    RUN_UNTIL(&bench, bench.ended);
    ck_assert_str_eq(bench.error, "the connection broke: connection reset by peer");
    assert_idle(&bench);
    phxc_stream_send(bench.stream, PHX_SLICE("to nobody"));
    assert_idle(&bench);
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

START_TEST(a_peer_that_does_not_read)
{
    bench_t bench;
    bench_start(&bench);
    send_many(&bench);
    assert_idle(&bench);
    bench_close(&bench);
    peer_cuts(&bench);
    bench_end(&bench);
}
END_TEST

/* Both ways at once. */
START_TEST(a_hundred_megabytes)
{
    bench_t bench;
    bench_start(&bench);
    char *bytes = calloc(1, HUGE_BYTES);
    ck_assert_ptr_nonnull(bytes);
    phxc_stream_send(bench.stream, (phx_slice_t){bytes, HUGE_BYTES});
    bench.counts = true;
    size_t sent = 0;
    size_t total = 0;
    while (sent < HUGE_BYTES || total < HUGE_BYTES || bench.count < HUGE_BYTES) {
        const ssize_t len = send(bench.peer, bytes + sent, HUGE_BYTES - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += len > 0 ? (size_t)len : 0;
        total += peer_reads(&bench);
        (void)uv_run(&bench.loop, UV_RUN_NOWAIT);
        ck_assert(!bench.ended);
    }
    ck_assert_uint_eq(total, HUGE_BYTES);
    ck_assert_uint_eq(bench.count, HUGE_BYTES);
    free(bytes);
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

START_TEST(a_stream_closed_in_its_callbacks)
{
    bench_t bench;
    uint16_t port = 0;
    bench = (bench_t){.listener = listen_on("127.0.0.1", &port), .peer = -1, .closes = true};
    bench_open(&bench, &PLAIN, "127.0.0.1", port);
    RUN_UNTIL(&bench, bench.connected);
    ck_assert_ptr_null(bench.stream);
    bench_close(&bench);
    bench_end(&bench);

    for (int ends = 0; ends < 2; ends++) {
        bench_start(&bench);
        bench.closes = true;
        if (ends) {
            ck_assert_int_eq(shutdown(bench.peer, SHUT_WR), 0);
        } else {
            peer_says(&bench, "hello");
        }
        RUN_UNTIL(&bench, bench.stream == NULL);
        ck_assert(bench.ended == (ends == 1) && bench.received.len == (ends ? 0 : 5));
        bench_close(&bench);
        bench_end(&bench);
    }
}
END_TEST

/* ---- addresses ---- */

START_TEST(a_stream_closed_before_it_is_connected)
{
    for (int turns = 0; turns < 4; turns++) { /* looked up, and connected, a turn each at the least */
        bench_t bench = {.peer = -1};
        uint16_t port = 0;
        bench.listener = listen_on("127.0.0.1", &port);
        bench_open(&bench, &PLAIN, "127.0.0.1", port);
        for (int i = 0; i < turns && !bench.connected; i++) {
            (void)uv_run(&bench.loop, UV_RUN_ONCE);
        }
        bench_close(&bench);
        bench_end(&bench);
        ck_assert(!bench.ended);
    }
}
END_TEST

START_TEST(ipv6)
{
    bench_t bench = {.peer = -1};
    uint16_t port = 0;
    bench.listener = listen_on("::1", &port);
    const bool there = bench.listener >= 0; /* not every machine has it: then it is an error as any other */
    bench_open(&bench, &PLAIN, "::1", there ? port : 1);
    RUN_UNTIL(&bench, bench.connected || bench.ended);
    ck_assert(bench.connected == there);
    ck_assert(there || strncmp(bench.error, "cannot connect: ", 16) == 0);
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

START_TEST(nobody_listens)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3", NULL};
    several = addresses;
    bench_t bench = {.peer = -1, .listener = -1};
    bench_open(&bench, &PLAIN, "several.test", 1);
    RUN_UNTIL(&bench, bench.ended);
    ck_assert_str_eq(bench.error, "cannot connect: connection refused");
    ck_assert(!bench.connected);
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

START_TEST(a_name)
{
    static const char *const here[] = {"127.0.0.1", NULL};
    several = here;                           /* not every machine knows localhost */
    for (int turns = 0; turns < 3; turns++) { /* the last time to the end */
        uint16_t port = 0;
        bench_t bench = {.peer = -1, .listener = listen_on("127.0.0.1", &port)};
        bench_open(&bench, &PLAIN, "several.test", port);
        if (turns == 2) {
            RUN_UNTIL(&bench, bench.connected || bench.ended);
            ck_assert_msg(bench.connected, "%s", bench.error);
        } else if (turns == 1) {
            (void)uv_run(&bench.loop, UV_RUN_ONCE);
        }
        bench_close(&bench);
        bench_end(&bench);
    }
    bench_t bench = {.peer = -1, .listener = -1};
    bench_open(&bench, &PLAIN, "nobody.invalid", 1);
    RUN_UNTIL(&bench, bench.ended);
    ck_assert_msg(strncmp(bench.error, "nobody.invalid: ", 16) == 0, "%s", bench.error);
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

/* One refuses, one lets wait for ever, the last is there. */
START_TEST(a_host_with_several_addresses)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3", "127.0.0.4", NULL};
    enum { CROWD = 8 };
    int crowd[CROWD];
    uint16_t port = 0;
    bench_t bench = {.peer = -1, .listener = listen_on("127.0.0.4", &port)};
    const int silent = listen_on("127.0.0.3", &port);
    ck_assert_int_ge(silent, 0);
    const struct sockaddr_in full = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2)};
    for (int i = 0; i < CROWD; i++) { /* more than it keeps: it answers nobody else */
        crowd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(crowd[i], (const struct sockaddr *)&full, sizeof full);
    }
    several = addresses;
    bench_open(&bench, &PLAIN, "several.test", port);
    RUN_UNTIL(&bench, bench.connected || bench.ended);
    ck_assert_msg(bench.connected, "%s", bench.error);
    bench.peer = accept(bench.listener, NULL, NULL);
    ck_assert_int_ge(bench.peer, 0);
    peer_says(&bench, "hello");
    RUN_UNTIL(&bench, bench.received.len == 5);
    bench_close(&bench);
    bench_end(&bench);
    for (int i = 0; i < CROWD; i++) {
        (void)close(crowd[i]);
    }
    (void)close(silent);
}
END_TEST

/* ---- TLS ---- */

/* A certificate for nobody that anybody trusts. */
static SSL_CTX *server_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    ck_assert(context != NULL && key != NULL && certificate != NULL);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    ck_assert_int_eq(X509_set_pubkey(certificate, key), 1);
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
    ck_assert_int_eq(SSL_CTX_use_certificate(context, certificate), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

/* The peer's part of the handshake; true when it is over, or has failed. */
static bool peer_shakes_hands(bench_t *bench)
{
    const int result = SSL_accept(bench->ssl);
    return result == 1 || SSL_get_error(bench->ssl, result) != SSL_ERROR_WANT_READ;
}

static void accept_peer(bench_t *bench)
{
    ck_assert_int_eq(fcntl(bench->listener, F_SETFL, O_NONBLOCK), 0);
    RUN_UNTIL(bench, (bench->peer = accept(bench->listener, NULL, NULL)) >= 0);
    ck_assert_int_eq(fcntl(bench->peer, F_SETFL, O_NONBLOCK), 0);
}

static void tls_start(bench_t *bench, bool insecure)
{
    const phxc_config_t config = {.endpoint = "wss://h/socket", .insecure = insecure};
    uint16_t port = 0;
    *bench = (bench_t){.listener = listen_on("127.0.0.1", &port), .context = server_context()};
    bench_open(bench, &config, "127.0.0.1", port);
    accept_peer(bench);
    bench->ssl = SSL_new(bench->context);
    ck_assert_int_eq(SSL_set_fd(bench->ssl, bench->peer), 1);
    RUN_UNTIL(bench, peer_shakes_hands(bench));
    RUN_UNTIL(bench, bench->connected || bench->ended);
}

/* Takes what is there, and true when it has so many bytes in all. */
static bool peer_has_read(bench_t *bench, size_t wanted)
{
    static char bytes[65536];
    size_t len;
    while (SSL_read_ex(bench->ssl, bytes, sizeof bytes, &len) == 1) {
        bench->count += len;
    }
    return bench->count >= wanted;
}

START_TEST(tls_with_a_stranger)
{
    bench_t bench;
    tls_start(&bench, false);
    ck_assert(!bench.connected);
    ck_assert_msg(strncmp(bench.error, "the server's certificate is not trusted: ", 41) == 0, "%s",
                  bench.error);
    assert_idle(&bench);
    bench_close(&bench);
    bench_end(&bench);
}
END_TEST

START_TEST(tls_with_long_messages)
{
    bench_t bench;
    tls_start(&bench, true);
    ck_assert_msg(bench.connected, "%s", bench.error);
    send_many(&bench);
    RUN_UNTIL(&bench, peer_has_read(&bench, MANY_BYTES));
    ck_assert_uint_eq(bench.count, MANY_BYTES);
    size_t written;
    ck_assert_int_eq(SSL_write_ex(bench.ssl, "hello", 5, &written), 1);
    RUN_UNTIL(&bench, bench.received.len == 5);
    bench_close(&bench);
    RUN_UNTIL(&bench,
              (SSL_get_shutdown(bench.ssl) & SSL_RECEIVED_SHUTDOWN) != 0 || peer_has_read(&bench, SIZE_MAX));
    bench_end(&bench);
}
END_TEST

/* In order, and without a word; what came before is told either way. */
START_TEST(tls_with_a_peer_that_ends)
{
    for (int ordered = 0; ordered < 2; ordered++) {
        bench_t bench;
        size_t written;
        tls_start(&bench, true);
        ck_assert_int_eq(SSL_write_ex(bench.ssl, "goodbye", 7, &written), 1);
        if (ordered) {
            ck_assert_int_ge(SSL_shutdown(bench.ssl), 0);
        } else {
            ck_assert_int_eq(shutdown(bench.peer, SHUT_WR), 0);
        }
        RUN_UNTIL(&bench, bench.ended);
        assert_slice(phx_buf_slice(&bench.received), PHX_SLICE("goodbye"));
        ck_assert_str_eq(bench.error, "");
        assert_idle(&bench);
        bench_close(&bench);
        bench_end(&bench);
    }
}
END_TEST

START_TEST(tls_with_who_speaks_something_else)
{
    const phxc_config_t config = {.endpoint = "wss://h/socket", .insecure = true};
    uint16_t port = 0;
    bench_t bench = {.listener = listen_on("127.0.0.1", &port)};
    bench_open(&bench, &config, "127.0.0.1", port);
    accept_peer(&bench);
    peer_says(&bench, "HTTP/1.1 400 Bad Request\r\n\r\n");
    RUN_UNTIL(&bench, bench.ended);
    ck_assert_str_eq(bench.error, "TLS failed: what the server answered is not TLS");
    bench_close(&bench);
    bench_end(&bench);
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
        a_peer_that_ends_its_side_only,
        an_owner_that_lets_a_broken_stream_be,
        a_peer_that_does_not_read,
        a_hundred_megabytes,
        a_stream_closed_in_its_callbacks,
        a_stream_closed_before_it_is_connected,
        ipv6,
        nobody_listens,
        a_name,
        a_host_with_several_addresses,
        tls_with_a_stranger,
        tls_with_long_messages,
        tls_with_a_peer_that_ends,
        tls_with_who_speaks_something_else,
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
