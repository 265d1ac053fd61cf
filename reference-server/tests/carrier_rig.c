/* SPDX-License-Identifier: MIT */
#include "carrier_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

carrier_rig_t rig;

/* ---- the owner of the connections ---- */

static void *accepted(void *user, carrier_conn_t *conn)
{
    ck_assert_ptr_eq(user, &rig.peer_count);
    if (rig.refusing) {
        return NULL;
    }
    ck_assert_uint_lt(rig.peer_count, MOST_PEERS);
    peer_t *peer = &rig.peers[rig.peer_count++];
    *peer = (peer_t){.conn = conn, .on_received = rig.on_received};
    return peer;
}

static void received(void *context, uint8_t *bytes, size_t len)
{
    peer_t *peer = context;
    ck_assert(!rig.inside_carrier);
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
    ck_assert(!rig.inside_carrier);
    ((peer_t *)context)->finished++;
}

static void closed(void *context)
{
    peer_t *peer = context;
    ck_assert(!rig.inside_carrier);
    peer->closed++;
    peer->conn = NULL;
}

const carrier_callbacks_t CARRIER_RIG_CALLBACKS = {accepted, received, finished, closed};

/* ---- running the loop ---- */

void start_carrier(carrier_config_t config)
{
    char error[200] = "";
    rig.carrier =
        carrier_new(&rig.loop, &config, &CARRIER_RIG_CALLBACKS, &rig.peer_count, error, sizeof error);
    ck_assert_str_eq(error, "");
    ck_assert_ptr_nonnull(rig.carrier);
}

void carrier_rig_setup(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    rig.peer_count = 0;
    rig.refusing = false;
    rig.on_received = NULL;
    ck_assert_int_eq(uv_loop_init(&rig.loop), 0);
}

void carrier_rig_teardown(void)
{
    carrier_free(rig.carrier);
    rig.carrier = NULL;
    for (size_t i = 0; i < rig.peer_count; i++) {
        ck_assert_int_eq(rig.peers[i].closed, 1);
        phx_buf_free(&rig.peers[i].received);
    }
    ck_assert_int_eq(uv_run(&rig.loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&rig.loop), 0);
}

static void time_is_up(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

void turn_for(uint64_t ms)
{
    uv_timer_t timer;
    ck_assert_int_eq(uv_timer_init(&rig.loop, &timer), 0);
    uv_update_time(&rig.loop);
    ck_assert_int_eq(uv_timer_start(&timer, time_is_up, ms, 0), 0);
    (void)uv_run(&rig.loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&rig.loop, UV_RUN_NOWAIT);
}

double cpu_seconds(int who)
{
    struct rusage usage;
    ck_assert_int_eq(getrusage(who, &usage), 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ---- clients: plain sockets ---- */

int try_to_connect(uint16_t port)
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

int client_new(void)
{
    const size_t before = rig.peer_count;
    const int fd = try_to_connect(carrier_port(rig.carrier));
    ck_assert_int_ge(fd, 0);
    turn_until(rig.peer_count > before);
    return fd;
}

peer_t *last_peer(void)
{
    return &rig.peers[rig.peer_count - 1];
}

void client_send(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

bool client_read(int fd, phx_buf_t *into)
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

void assert_client_gets(int fd, const char *text)
{
    phx_buf_t got = {0};
    turn_until(client_has(fd, &got, text));
    phx_buf_free(&got);
}

void assert_client_ends(int fd)
{
    phx_buf_t got = {0};
    turn_until(!client_read(fd, &got));
    ck_assert_uint_eq(got.len, 0);
    phx_buf_free(&got);
}

bool has_received(const peer_t *peer, const char *text)
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

void narrow(int client)
{
    const int size = NARROW;
    ck_assert_int_eq(setsockopt(server_side(client), SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
}

void choke(int client, int size)
{
    narrow(client);
    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
}

void reset(int fd)
{
    const struct linger now = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd);
}

/* ---- what is sent ---- */

bool send_slice(carrier_conn_t *conn, phx_slice_t slice)
{
    shared_bytes_t *bytes = shared_bytes_new(slice, (phx_slice_t){0});
    rig.inside_carrier = true;
    const bool taken = carrier_send(conn, bytes);
    rig.inside_carrier = false;
    shared_bytes_release(bytes);
    return taken;
}

bool send_text(carrier_conn_t *conn, const char *text)
{
    return send_slice(conn, phx_slice_of(text));
}

shared_bytes_t *pattern(size_t len)
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

void echo(peer_t *peer)
{
    ck_assert(send_slice(peer->conn, phx_buf_slice(&peer->received)));
    phx_buf_clear(&peer->received);
}
