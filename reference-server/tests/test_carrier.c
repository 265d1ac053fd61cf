/* SPDX-License-Identifier: MIT */
#include "carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_util.h"

enum { DEADLINE_MS = 10000, MOST_PEERS = 128 };

/* ---- the owner of the connections: writes down what it is told ---- */

typedef struct peer {
    carrier_conn_t *conn;
    phx_buf_t received;
    size_t largest; /* bytes in one call */
    int finished;
    int closed;
    void (*on_received)(struct peer *peer);
} peer_t;

static uv_loop_t loop;
static carrier_t *carrier;
static peer_t peers[MOST_PEERS]; /* in the order of arrival */
static size_t peer_count;
static bool refusing;
static void (*on_received)(peer_t *peer);
static bool inside_carrier; /* no callback may come then */

static void *accepted(void *user, carrier_conn_t *conn)
{
    ck_assert_ptr_eq(user, &peer_count);
    if (refusing) {
        return NULL;
    }
    ck_assert_uint_lt(peer_count, MOST_PEERS);
    peer_t *peer = &peers[peer_count++];
    *peer = (peer_t){.conn = conn, .on_received = on_received};
    return peer;
}

static void received(void *context, uint8_t *bytes, size_t len)
{
    peer_t *peer = context;
    ck_assert(!inside_carrier);
    ck_assert_int_eq(peer->closed, 0);
    phx_buf_append(&peer->received, bytes, len);
    memset(bytes, 0xEE, len); /* they may be altered */
    peer->largest = len > peer->largest ? len : peer->largest;
    if (peer->on_received != NULL) {
        peer->on_received(peer);
    }
}

static void finished(void *context)
{
    ck_assert(!inside_carrier);
    ((peer_t *)context)->finished++;
}

static void closed(void *context)
{
    peer_t *peer = context;
    ck_assert(!inside_carrier);
    peer->closed++;
    peer->conn = NULL;
}

static const carrier_callbacks_t CALLBACKS = {accepted, received, finished, closed};

/* ---- running the loop ---- */

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++) {
        count += fcntl(fd, F_GETFD) != -1 ? 1 : 0;
    }
    return count;
}

static void start_carrier(carrier_config_t config)
{
    char error[200] = "";
    carrier = carrier_new(&loop, &config, &CALLBACKS, &peer_count, error, sizeof error);
    ck_assert_str_eq(error, "");
    ck_assert_ptr_nonnull(carrier);
}

static void setup(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    peer_count = 0;
    refusing = false;
    on_received = NULL;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
}

/* Frees the carrier in whatever state the test left it: each connection is closed once, nothing stays behind.
 */
static void teardown(void)
{
    carrier_free(carrier);
    carrier = NULL;
    for (size_t i = 0; i < peer_count; i++) {
        ck_assert_int_eq(peers[i].closed, 1);
        phx_buf_free(&peers[i].received);
    }
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void time_is_up(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void turn_for(uint64_t ms)
{
    uv_timer_t timer;
    ck_assert_int_eq(uv_timer_init(&loop, &timer), 0);
    uv_update_time(&loop);
    ck_assert_int_eq(uv_timer_start(&timer, time_is_up, ms, 0), 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
}

/* Turns the loop until the condition holds; what happens to the clients' sockets does not wake it, hence the
 * short turns.
 */
#define turn_until(condition)                                                                                \
    do {                                                                                                     \
        const uint64_t began_ = uv_hrtime();                                                                 \
        while (!(condition)) {                                                                               \
            ck_assert_msg(uv_hrtime() - began_ < DEADLINE_MS * UINT64_C(1000000), "in vain: %s",             \
                          #condition);                                                                       \
            turn_for(1);                                                                                     \
        }                                                                                                    \
    } while (0)

static double cpu_seconds(int who)
{
    struct rusage usage;
    ck_assert_int_eq(getrusage(who, &usage), 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ---- clients: plain sockets ---- */

static int try_to_connect(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* Connects and waits for the connection to be there: it is the last of `peers`. */
static int client_new(void)
{
    const size_t before = peer_count;
    const int fd = try_to_connect(carrier_port(carrier));
    ck_assert_int_ge(fd, 0);
    turn_until(peer_count > before);
    return fd;
}

static peer_t *last_peer(void)
{
    return &peers[peer_count - 1];
}

static void client_send(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* Reads what is there into `into`; returns false at the end. */
static bool client_read(int fd, phx_buf_t *into)
{
    char bytes[65536];
    const ssize_t len = recv(fd, bytes, sizeof bytes, 0);
    if (len > 0) {
        phx_buf_append(into, bytes, (size_t)len);
    }
    return len > 0 || (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

static bool client_has(int fd, phx_buf_t *into, const char *text)
{
    (void)client_read(fd, into);
    return phx_slice_equals(phx_buf_slice(into), text);
}

static void assert_client_gets(int fd, const char *text)
{
    phx_buf_t got = {0};
    turn_until(client_has(fd, &got, text));
    phx_buf_free(&got);
}

static void assert_client_ends(int fd)
{
    phx_buf_t got = {0};
    turn_until(!client_read(fd, &got));
    ck_assert_uint_eq(got.len, 0);
    phx_buf_free(&got);
}

static bool has_received(const peer_t *peer, const char *text)
{
    return phx_slice_equals(phx_buf_slice(&peer->received), text);
}

/* The carrier's end of a client's connection: both are in this process. */
static int server_side(int client)
{
    struct sockaddr_in ours = {0}, theirs = {0};
    socklen_t len = sizeof ours;
    ck_assert_int_eq(getsockname(client, (struct sockaddr *)&ours, &len), 0);
    for (int fd = 0; fd < 1024; fd++) {
        len = sizeof theirs;
        if (getpeername(fd, (struct sockaddr *)&theirs, &len) == 0 && theirs.sin_port == ours.sin_port) {
            return fd;
        }
    }
    ck_abort_msg("the carrier's end is not there");
}

enum { NARROW = 4096 };

/* Makes every large write a partial one. */
static void narrow(int client)
{
    const int size = NARROW;
    ck_assert_int_eq(setsockopt(server_side(client), SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
}

/* Besides, lets little go out unless the client reads, and then slowly. */
static void choke(int client, int size)
{
    narrow(client);
    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
}

static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd);
}

/* ---- what is sent ---- */

static bool send_slice(carrier_conn_t *conn, phx_slice_t slice)
{
    shared_bytes_t *bytes = shared_bytes_new(slice, (phx_slice_t){0});
    inside_carrier = true;
    const bool taken = carrier_send(conn, bytes);
    inside_carrier = false;
    shared_bytes_release(bytes);
    return taken;
}

static bool send_text(carrier_conn_t *conn, const char *text)
{
    return send_slice(conn, phx_slice_of(text));
}

/* Bytes whose places can be told. */
static shared_bytes_t *pattern(size_t len)
{
    char *bytes = malloc(len);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)(i % 251);
    }
    shared_bytes_t *shared = shared_bytes_new((phx_slice_t){bytes, len}, (phx_slice_t){0});
    free(bytes);
    return shared;
}

static void echo(peer_t *peer)
{
    ck_assert(send_slice(peer->conn, phx_buf_slice(&peer->received)));
    phx_buf_clear(&peer->received);
}

/* ---- the plain way ---- */

START_TEST(bytes_go_both_ways)
{
    start_carrier((carrier_config_t){0});
    on_received = echo;
    const int a = client_new();
    const int b = client_new();
    ck_assert_uint_eq(carrier_connections(carrier), 2);
    client_send(a, "hello");
    client_send(b, "salut");
    assert_client_gets(a, "hello");
    assert_client_gets(b, "salut");
    close(a);
    turn_until(peers[0].closed);
    ck_assert_int_eq(peers[0].finished, 1);
    ck_assert_uint_eq(carrier_connections(carrier), 1);
    client_send(b, "still here");
    assert_client_gets(b, "still here");
    close(b);
}
END_TEST

START_TEST(an_answer_precedes_the_end_of_a_peer_that_is_done)
{
    start_carrier((carrier_config_t){0});
    on_received = echo;
    const int fd = client_new();
    client_send(fd, "request");
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    assert_client_gets(fd, "request");
    assert_client_ends(fd);
    ck_assert_int_eq(peers[0].finished, 1);
    close(fd);
}
END_TEST

START_TEST(one_read_gives_all_there_is)
{
    enum { MUCH = 60000 };
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    shared_bytes_t *bytes = pattern(MUCH);
    ck_assert_int_eq(send(fd, bytes->data, MUCH, 0), MUCH);
    turn_until(peers[0].received.len == MUCH);
    ck_assert_mem_eq(peers[0].received.data, bytes->data, MUCH);
    ck_assert_uint_ge(peers[0].largest, 30000);
    shared_bytes_release(bytes);
    close(fd);
}
END_TEST

START_TEST(large_and_small_in_order)
{
    enum { LARGE = 3000000 };
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    if (_i == 1) {
        narrow(fd);
    }
    carrier_conn_t *conn = last_peer()->conn;
    shared_bytes_t *large = pattern(LARGE);
    size_t queued = 0;
    for (int i = 0; i < 3; i++) {
        ck_assert(send_text(conn, "small"));
        ck_assert(carrier_send(conn, large));
        queued += 5 + LARGE;
        ck_assert_uint_eq(carrier_queued(conn), queued);
    }
    phx_buf_t got = {0};
    turn_until(client_read(fd, &got) && got.len == queued);
    for (size_t i = 0; i < 3; i++) {
        const char *at = got.data + i * (5 + LARGE);
        ck_assert_mem_eq(at, "small", 5);
        ck_assert_int_eq(memcmp(at + 5, large->data, LARGE), 0);
    }
    ck_assert_uint_eq(carrier_queued(conn), 0);
    ck_assert_uint_eq(large->holders, 1);
    shared_bytes_release(large);
    phx_buf_free(&got);
    close(fd);
}
END_TEST

START_TEST(one_piece_for_many)
{
    enum { CLIENTS = 50, MESSAGES = 20 };
    start_carrier((carrier_config_t){0});
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_new();
    }
    shared_bytes_t *bytes = shared_bytes_new(PHX_SLICE("to "), PHX_SLICE("all"));
    for (int i = 0; i < CLIENTS * MESSAGES; i++) {
        ck_assert(carrier_send(peers[i % CLIENTS].conn, bytes));
    }
    ck_assert_uint_eq(bytes->holders, CLIENTS * MESSAGES + 1);
    for (int i = 0; i < CLIENTS; i++) {
        phx_buf_t got = {0};
        turn_until(client_read(fds[i], &got) && got.len == 6 * MESSAGES);
        phx_buf_free(&got);
        close(fds[i]);
    }
    ck_assert_uint_eq(bytes->holders, 1);
    shared_bytes_release(bytes);
}
END_TEST

/* ---- peers that do not read ---- */

START_TEST(slow_readers_cost_no_processor)
{
    enum { CLIENTS = 12 };
    start_carrier((carrier_config_t){0});
    shared_bytes_t *bytes = pattern(1000000);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_new();
        const int size = 4096 + 1500 * i; /* so that they get stuck in different places */
        choke(fds[i], size);
        ck_assert(carrier_send(last_peer()->conn, bytes));
    }
    turn_for(400);
    for (int i = 0; i < CLIENTS; i++) {
        client_send(fds[i], "sent while not reading");
        if (i % 2 == 0) {
            ck_assert_int_eq(shutdown(fds[i], SHUT_WR), 0);
        }
    }
    turn_for(20);
    const double before = cpu_seconds(RUSAGE_SELF);
    turn_for(500);
    ck_assert_double_lt(cpu_seconds(RUSAGE_SELF) - before, 0.2);
    for (int i = 0; i < CLIENTS; i++) {
        close(fds[i]);
    }
    shared_bytes_release(bytes);
}
END_TEST

START_TEST(a_full_queue_ends_the_connection)
{
    start_carrier((carrier_config_t){.max_queued_bytes = 100000});
    const int fd = client_new();
    carrier_conn_t *conn = last_peer()->conn;
    shared_bytes_t *bytes = pattern(50000);
    ck_assert(carrier_send(conn, bytes));
    ck_assert(carrier_send(conn, bytes));
    ck_assert(!send_text(conn, "x"));
    ck_assert(!send_text(conn, "x"));
    ck_assert_int_eq(last_peer()->closed, 0);
    turn_until(last_peer()->closed);
    ck_assert_int_eq(last_peer()->finished, 0);
    ck_assert_uint_eq(bytes->holders, 1);
    shared_bytes_release(bytes);
    close(fd);
}
END_TEST

START_TEST(the_limit_counts_what_is_not_yet_out)
{
    start_carrier((carrier_config_t){.max_queued_bytes = 200000});
    const int fd = client_new();
    choke(fd, NARROW);
    shared_bytes_t *bytes = pattern(1000);
    size_t sent = 0;
    while (last_peer()->closed == 0 && carrier_send(last_peer()->conn, bytes)) {
        ck_assert_uint_lt(sent += 1000, 5000000);
        if (sent % 50000 == 0) {
            turn_for(1);
        }
    }
    ck_assert_uint_ge(sent, 200000);
    turn_until(last_peer()->closed);
    shared_bytes_release(bytes);
    close(fd);
}
END_TEST

/* ---- ends ---- */

static void abort_it(peer_t *peer)
{
    inside_carrier = true;
    carrier_abort(peer->conn);
    carrier_abort(peer->conn);
    ck_assert(!carrier_send(peer->conn, NULL));
    inside_carrier = false;
}

START_TEST(aborted)
{
    start_carrier((carrier_config_t){0});
    on_received = abort_it;
    const int fd = client_new();
    client_send(fd, "x");
    turn_until(last_peer()->closed);
    ck_assert_int_eq(last_peer()->finished, 0);
    assert_client_ends(fd);
    close(fd);
}
END_TEST

START_TEST(reset_by_the_peer)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    reset(fd);
    turn_until(last_peer()->closed);
    ck_assert_int_eq(last_peer()->finished, 1);
}
END_TEST

static void answer_and_end(peer_t *peer)
{
    ck_assert(send_text(peer->conn, "bye"));
    inside_carrier = true;
    carrier_end(peer->conn, 5000);
    ck_assert(!carrier_send(peer->conn, NULL));
    inside_carrier = false;
}

START_TEST(ended_after_the_last_byte)
{
    start_carrier((carrier_config_t){0});
    on_received = answer_and_end;
    const int fd = client_new();
    client_send(fd, "request");
    assert_client_gets(fd, "bye");
    assert_client_ends(fd);
    ck_assert_int_eq(last_peer()->closed, 0);
    client_send(fd, "this is dropped");
    turn_for(20);
    ck_assert(has_received(last_peer(), "request"));
    close(fd);
    turn_until(last_peer()->closed);
    ck_assert_int_eq(last_peer()->finished, 0);
}
END_TEST

/* With bytes on their way the kernel would answer a close with a reset, and the client might lose the answer.
 */
START_TEST(an_answer_survives_a_request_cut_short)
{
    start_carrier((carrier_config_t){0});
    on_received = answer_and_end;
    const int fd = client_new();
    client_send(fd, "begins");
    turn_until(has_received(last_peer(), "begins"));
    client_send(fd, " and goes on");
    turn_for(20);
    client_send(fd, " and on");
    assert_client_gets(fd, "bye");
    assert_client_ends(fd);
    close(fd);
}
END_TEST

START_TEST(much_is_out_before_the_end)
{
    enum { MUCH = 3000000 };
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    narrow(fd);
    shared_bytes_t *bytes = pattern(MUCH);
    ck_assert(carrier_send(last_peer()->conn, bytes));
    carrier_end(last_peer()->conn, 5000);
    phx_buf_t got = {0};
    turn_until(!client_read(fd, &got));
    ck_assert_uint_eq(got.len, MUCH);
    ck_assert_int_eq(memcmp(got.data, bytes->data, MUCH), 0);
    shared_bytes_release(bytes);
    phx_buf_free(&got);
    close(fd);
    turn_until(last_peer()->closed);
}
END_TEST

START_TEST(lingering_is_limited)
{
    start_carrier((carrier_config_t){0});
    const int idle = client_new();
    const int stuffed = client_new();
    choke(stuffed, NARROW);
    shared_bytes_t *bytes = pattern(1000000);
    ck_assert(carrier_send(peers[1].conn, bytes));
    carrier_end(peers[0].conn, 50);
    carrier_end(peers[1].conn, 50);
    turn_for(20);
    ck_assert_int_eq(peers[0].closed + peers[1].closed, 0);
    turn_until(peers[0].closed && peers[1].closed);
    shared_bytes_release(bytes);
    close(idle);
    close(stuffed);
}
END_TEST

START_TEST(ended_after_the_peer)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    ck_assert(send_text(last_peer()->conn, "close?"));
    carrier_end_after_peer(last_peer()->conn, 5000);
    ck_assert(!send_text(last_peer()->conn, "too late"));
    assert_client_gets(fd, "close?");
    client_send(fd, "close!");
    turn_until(has_received(last_peer(), "close!"));
    carrier_end(last_peer()->conn, 5000);
    assert_client_ends(fd);
    close(fd);
    turn_until(last_peer()->closed);
}
END_TEST

START_TEST(the_peer_that_should_end_does_not)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    carrier_end_after_peer(last_peer()->conn, 50);
    turn_for(20);
    ck_assert_int_eq(last_peer()->closed, 0);
    turn_until(last_peer()->closed);
    ck_assert_int_eq(last_peer()->finished, 0);
    assert_client_ends(fd);
    close(fd);
}
END_TEST

/* ---- pausing ---- */

START_TEST(paused_and_resumed)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    carrier_pause(last_peer()->conn);
    carrier_pause(last_peer()->conn);
    client_send(fd, "waits");
    turn_for(50);
    ck_assert_uint_eq(last_peer()->received.len, 0);
    ck_assert(send_text(last_peer()->conn, "goes out nevertheless"));
    assert_client_gets(fd, "goes out nevertheless");
    carrier_resume(last_peer()->conn);
    turn_until(has_received(last_peer(), "waits"));
    close(fd);
}
END_TEST

static void pause_it(peer_t *peer)
{
    carrier_pause(peer->conn);
}

START_TEST(paused_while_receiving)
{
    start_carrier((carrier_config_t){0});
    on_received = pause_it;
    const int fd = client_new();
    client_send(fd, "one");
    turn_until(has_received(last_peer(), "one"));
    client_send(fd, " two");
    turn_for(50);
    ck_assert(has_received(last_peer(), "one"));
    carrier_resume(last_peer()->conn);
    turn_until(has_received(last_peer(), "one two"));
    close(fd);
}
END_TEST

START_TEST(the_end_of_a_paused_peer_is_noticed)
{
    start_carrier((carrier_config_t){0});
    const int a = client_new();
    const int b = client_new();
    const int c = client_new();
    for (int i = 0; i < 3; i++) {
        carrier_pause(peers[i].conn);
    }
    turn_for(20);
    close(a);
    reset(b);
    turn_until(peers[0].closed && peers[1].closed);
    ck_assert_int_eq(peers[0].finished + peers[1].finished, 2);
    ck_assert_int_eq(peers[2].closed, 0);
    carrier_resume(peers[2].conn);
    client_send(c, "alive");
    turn_until(has_received(&peers[2], "alive"));
    close(c);
}
END_TEST

START_TEST(ended_while_paused)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    carrier_pause(last_peer()->conn);
    client_send(fd, "dropped");
    carrier_end(last_peer()->conn, 60000);
    carrier_pause(last_peer()->conn);
    assert_client_ends(fd);
    close(fd);
    turn_until(last_peer()->closed);
    ck_assert_uint_eq(last_peer()->received.len, 0);
}
END_TEST

START_TEST(what_came_before_the_end_is_not_lost)
{
    start_carrier((carrier_config_t){0});
    const int fd = client_new();
    carrier_pause(last_peer()->conn);
    client_send(fd, "last words");
    close(fd);
    turn_for(700); /* longer than it takes to look */
    ck_assert_int_eq(last_peer()->closed, 0);
    carrier_resume(last_peer()->conn);
    turn_until(last_peer()->closed);
    ck_assert(has_received(last_peer(), "last words"));
}
END_TEST

/* ---- taking connections ---- */

START_TEST(refused_by_the_owner)
{
    start_carrier((carrier_config_t){0});
    refusing = true;
    const int fd = try_to_connect(carrier_port(carrier));
    assert_client_ends(fd);
    ck_assert_uint_eq(peer_count, 0);
    ck_assert_uint_eq(carrier_connections(carrier), 0);
    close(fd);
}
END_TEST

START_TEST(no_more_than_allowed)
{
    start_carrier((carrier_config_t){.max_connections = 2});
    on_received = echo;
    const int a = client_new();
    const int b = client_new();
    const int c = try_to_connect(carrier_port(carrier));
    assert_client_ends(c);
    close(c);
    ck_assert_uint_eq(peer_count, 2);
    client_send(a, "served");
    assert_client_gets(a, "served");
    close(b);
    turn_until(peers[1].closed);
    turn_for(1);
    const int d = client_new();
    client_send(d, "served, too");
    assert_client_gets(d, "served, too");
    close(a);
    close(d);
}
END_TEST

START_TEST(no_more_listening)
{
    start_carrier((carrier_config_t){0});
    on_received = echo;
    const uint16_t port = carrier_port(carrier);
    const int fd = client_new();
    carrier_stop_listening(carrier);
    carrier_stop_listening(carrier);
    ck_assert_int_eq(try_to_connect(port), -1);
    client_send(fd, "served");
    assert_client_gets(fd, "served");
    close(fd);
}
END_TEST

START_TEST(refusals_to_start)
{
    start_carrier((carrier_config_t){0});
    char expected[200], error[200];
    const carrier_config_t same = {.port = carrier_port(carrier)};
    ck_assert_ptr_null(carrier_new(&loop, &same, &CALLBACKS, NULL, error, sizeof error));
    (void)snprintf(
        expected, sizeof expected,
        "cannot listen on 127.0.0.1, port %u: address already in use; stop the program that listens "
        "there or choose another port",
        (unsigned)same.port);
    ck_assert_str_eq(error, expected);
    const carrier_config_t named = {.address = "localhost"};
    ck_assert_ptr_null(carrier_new(&loop, &named, &CALLBACKS, NULL, error, sizeof error));
    ck_assert_str_eq(error, "cannot listen on \"localhost\": not a numeric IPv4 or IPv6 address");
    const carrier_config_t foreign = {.address = "192.0.2.1"};
    ck_assert_ptr_null(carrier_new(&loop, &foreign, &CALLBACKS, NULL, error, sizeof error));
    ck_assert_ptr_nonnull(strstr(error, "choose an address of this machine"));
}
END_TEST

START_TEST(on_ipv6)
{
    char error[200];
    const carrier_config_t config = {.address = "::1"};
    carrier = carrier_new(&loop, &config, &CALLBACKS, &peer_count, error, sizeof error);
    if (carrier == NULL) {
        return; /* a machine without it */
    }
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                         .sin6_port = htons(carrier_port(carrier)),
                                         .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const int fd = socket(AF_INET6, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    turn_until(peer_count == 1);
    close(fd);
}
END_TEST

/* ---- the end of it all ---- */

START_TEST(freed_in_every_state)
{
    start_carrier((carrier_config_t){.max_queued_bytes = 1500000});
    int fds[8];
    for (int i = 0; i < 8; i++) {
        fds[i] = client_new();
    }
    shared_bytes_t *bytes = pattern(1000000);
    choke(fds[0], NARROW);
    ck_assert(carrier_send(peers[0].conn, bytes)); /* blocked */
    turn_for(10);
    carrier_pause(peers[1].conn);
    ck_assert(send_text(peers[2].conn, "queued"));
    carrier_end(peers[3].conn, 5000);
    carrier_end_after_peer(peers[4].conn, 5000);
    carrier_abort(peers[5].conn);
    ck_assert_int_eq(shutdown(fds[6], SHUT_WR), 0);
    ck_assert_int_ge(try_to_connect(carrier_port(carrier)), 0); /* never accepted */
    carrier_free(carrier);
    carrier = NULL;
    ck_assert_uint_eq(bytes->holders, 1);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(peers[i].closed, 1);
        ck_assert_int_eq(peers[i].finished, 0);
        close(fds[i]);
    }
    shared_bytes_release(bytes);
}
END_TEST

START_TEST(no_descriptor_is_left_open)
{
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    const int before = open_descriptors(); /* with those that libuv keeps for ever */
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    for (int round = 0; round < 3; round++) {
        start_carrier((carrier_config_t){0});
        const int fd = client_new();
        close(fd);
        turn_until(last_peer()->closed);
        const int other = client_new();
        carrier_free(carrier);
        carrier = NULL;
        close(other);
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    }
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert_int_eq(open_descriptors(), before);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
}
END_TEST

/* ---- few descriptors: a server in a process of its own ---- */

static void stop_server(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    uv_close((uv_handle_t *)handle, NULL);
    carrier_free(carrier);
    carrier = NULL;
}

/* Tells its port on `out` and runs until `in` ends. With `exhausted`, it has two descriptors left for
 * connections. */
static int run_server(int in, int out, bool exhausted)
{
    const struct rlimit few = {.rlim_cur = 40, .rlim_max = 40};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    start_carrier((carrier_config_t){0});
    on_received = echo;
    uv_poll_t end;
    ck_assert_int_eq(uv_poll_init(&loop, &end, in), 0);
    ck_assert_int_eq(uv_poll_start(&end, UV_READABLE, stop_server), 0);
    if (exhausted) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        int last[2] = {-1, -1};
        for (int fd = dup(in); fd >= 0; fd = dup(in)) {
            last[0] = last[1];
            last[1] = fd;
        }
        close(last[0]);
        close(last[1]);
    }
    const uint16_t port = carrier_port(carrier);
    ck_assert_int_eq(write(out, &port, sizeof port), (ssize_t)sizeof port);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    const int left = uv_loop_close(&loop);
    for (size_t i = 0; i < peer_count; i++) {
        phx_buf_free(&peers[i].received);
    }
    return left == 0 && cpu_seconds(RUSAGE_SELF) < 0.3 ? 0 : 1;
}

static bool answers(int fd)
{
    char bytes[8];
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return send(fd, "ping", 4, 0) == 4 && poll(&poll_fd, 1, 300) == 1 &&
           recv(fd, bytes, sizeof bytes, 0) == 4;
}

static void with_few_descriptors(bool exhausted, size_t least_served, size_t most_served)
{
    enum { CLIENTS = 60 };
    int in[2], out[2];
    ck_assert_int_eq(pipe(in), 0);
    ck_assert_int_eq(pipe(out), 0);
    const pid_t server = fork();
    ck_assert_int_ge(server, 0);
    if (server == 0) {
        close(in[1]);
        _exit(run_server(in[0], out[1], exhausted));
    }
    close(in[0]);
    uint16_t port = 0;
    ck_assert_int_eq(read(out[0], &port, sizeof port), (ssize_t)sizeof port);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = try_to_connect(port);
        ck_assert_int_ge(fds[i], 0);
    }
    size_t served = 0;
    for (int i = 0; i < CLIENTS && served < 2; i++) {
        served += answers(fds[i]) ? 1 : 0;
    }
    struct timespec while_waiting = {.tv_sec = 1};
    (void)nanosleep(&while_waiting, NULL); /* in which a server that spins would use the processor */
    served = 0;
    for (int i = 0; i < CLIENTS && (!exhausted || served < most_served); i++) {
        served += answers(fds[i]) ? 1 : 0;
    }
    ck_assert_uint_ge(served, least_served);
    ck_assert_uint_le(served, most_served);
    for (int i = 0; i < CLIENTS; i++) {
        close(fds[i]);
    }
    close(in[1]);
    close(out[0]);
    close(out[1]);
    int status = -1;
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert_int_eq(status, 0);
}

START_TEST(more_clients_than_descriptors)
{
    with_few_descriptors(false, 16, 16); /* 40 less the reserve */
}
END_TEST

START_TEST(no_descriptor_left_to_accept_with)
{
    with_few_descriptors(true, 2, 2);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("carrier");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, bytes_go_both_ways);
    tcase_add_test(tcase, an_answer_precedes_the_end_of_a_peer_that_is_done);
    tcase_add_test(tcase, one_read_gives_all_there_is);
    tcase_add_loop_test(tcase, large_and_small_in_order, 0, 2);
    tcase_add_test(tcase, one_piece_for_many);
    tcase_add_test(tcase, slow_readers_cost_no_processor);
    tcase_add_test(tcase, a_full_queue_ends_the_connection);
    tcase_add_test(tcase, the_limit_counts_what_is_not_yet_out);
    tcase_add_test(tcase, aborted);
    tcase_add_test(tcase, reset_by_the_peer);
    tcase_add_test(tcase, ended_after_the_last_byte);
    tcase_add_test(tcase, an_answer_survives_a_request_cut_short);
    tcase_add_test(tcase, much_is_out_before_the_end);
    tcase_add_test(tcase, lingering_is_limited);
    tcase_add_test(tcase, ended_after_the_peer);
    tcase_add_test(tcase, the_peer_that_should_end_does_not);
    tcase_add_test(tcase, paused_and_resumed);
    tcase_add_test(tcase, paused_while_receiving);
    tcase_add_test(tcase, the_end_of_a_paused_peer_is_noticed);
    tcase_add_test(tcase, ended_while_paused);
    tcase_add_test(tcase, what_came_before_the_end_is_not_lost);
    tcase_add_test(tcase, refused_by_the_owner);
    tcase_add_test(tcase, no_more_than_allowed);
    tcase_add_test(tcase, no_more_listening);
    tcase_add_test(tcase, refusals_to_start);
    tcase_add_test(tcase, on_ipv6);
    tcase_add_test(tcase, freed_in_every_state);
    tcase_add_test(tcase, no_descriptor_is_left_open);
    TCase *processes = tcase_create("few descriptors");
    tcase_add_test(processes, more_clients_than_descriptors);
    tcase_add_test(processes, no_descriptor_left_to_accept_with);
    tcase_set_timeout(tcase, 15);
    tcase_set_timeout(processes, 25);
    Suite *suite = suite_create("carrier");
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, processes);
    return run_suite(suite);
}
