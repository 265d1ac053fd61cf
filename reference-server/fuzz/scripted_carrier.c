/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "scripted.h"
#include "scripted_timers.h"

enum { MAX_SENT = 1 << 20 };

struct carrier_conn {
    carrier_t *carrier;
    carrier_conn_t *next;
    void *context; /* NULL: closed */
    phx_buf_t in;  /* sent by the client, not read yet */
    phx_buf_t out;
    phx_buf_t taken;
    uint64_t linger_until_ms;
    bool hung_up; /* by the client */
    bool paused;
    bool ending;
    bool deaf;
    bool doomed;
};

struct carrier {
    const carrier_callbacks_t *callbacks;
    void *user;
    size_t max_queued_bytes;
    budget_t *queued;
    bool listening;
    carrier_conn_t *first;
};

static carrier_t *last_begun;

carrier_t *scripted_carrier(void)
{
    return last_begun;
}

carrier_t *carrier_new(uv_loop_t *loop, const carrier_config_t *config, const carrier_callbacks_t *callbacks,
                       void *user, char *error, size_t error_size)
{
    (void)loop;
    (void)error;
    (void)error_size;
    carrier_t *carrier = calloc(1, sizeof *carrier);
    MUST(carrier != NULL);
    carrier->callbacks = callbacks;
    carrier->user = user;
    carrier->max_queued_bytes = config->max_queued_bytes;
    carrier->queued = config->queued;
    carrier->listening = true;
    last_begun = carrier;
    return carrier;
}

uint16_t carrier_port(const carrier_t *carrier)
{
    (void)carrier;
    return 1;
}

void carrier_stop_listening(carrier_t *carrier)
{
    carrier->listening = false;
}

size_t carrier_connections(const carrier_t *carrier)
{
    size_t count = 0;
    for (const carrier_conn_t *conn = carrier->first; conn != NULL; conn = conn->next) {
        count += conn->context != NULL;
    }
    return count;
}

static void drop_queue(carrier_conn_t *conn)
{
    conn->carrier->queued->used -= conn->out.len;
    phx_buf_free(&conn->out);
}

static void close_conn(carrier_conn_t *conn)
{
    drop_queue(conn);
    void *context = conn->context;
    conn->context = NULL;
    conn->ending = true;
    if (context != NULL) {
        conn->carrier->callbacks->closed(context);
    }
}

void carrier_free(carrier_t *carrier)
{
    for (carrier_conn_t *conn = carrier->first; conn != NULL; conn = conn->next) {
        close_conn(conn);
    }
    while (carrier->first != NULL) {
        carrier_conn_t *conn = carrier->first;
        carrier->first = conn->next;
        phx_buf_free(&conn->in);
        phx_buf_free(&conn->taken);
        free(conn);
    }
    free(carrier);
    last_begun = NULL;
}

bool carrier_send(carrier_conn_t *conn, shared_bytes_t *bytes)
{
    MUST(conn->context != NULL);
    if (conn->ending) {
        return false;
    }
    if (bytes->len > conn->carrier->max_queued_bytes - conn->out.len || conn->out.len > MAX_SENT) {
        carrier_abort(conn);
        return false;
    }
    phx_buf_append(&conn->out, bytes->data, bytes->len);
    conn->carrier->queued->used += bytes->len;
    return true;
}

size_t carrier_queued(const carrier_conn_t *conn)
{
    return conn->out.len;
}

size_t carrier_largest_queue(const carrier_t *carrier)
{
    size_t largest = 0;
    for (const carrier_conn_t *conn = carrier->first; conn != NULL; conn = conn->next) {
        largest = conn->out.len > largest ? conn->out.len : largest;
    }
    return largest;
}

void carrier_abort_slow(carrier_t *carrier, size_t least)
{
    for (carrier_conn_t *conn = carrier->first; conn != NULL; conn = conn->next) {
        if (conn->out.len >= least) {
            carrier_abort(conn);
        }
    }
}

void carrier_pause(carrier_conn_t *conn)
{
    conn->paused = !conn->deaf;
}

void carrier_resume(carrier_conn_t *conn)
{
    conn->paused = false;
}

void carrier_end_after_peer(carrier_conn_t *conn, uint64_t linger_ms)
{
    conn->ending = true;
    conn->linger_until_ms = scripted_timers_now() + linger_ms;
}

void carrier_end(carrier_conn_t *conn, uint64_t linger_ms)
{
    conn->deaf = true;
    conn->paused = false;
    carrier_end_after_peer(conn, linger_ms);
}

void carrier_abort(carrier_conn_t *conn)
{
    conn->doomed = true;
    conn->ending = true;
    drop_queue(conn);
}

carrier_conn_t *scripted_connect(carrier_t *carrier)
{
    carrier_conn_t *conn = calloc(1, sizeof *conn);
    MUST(conn != NULL);
    conn->carrier = carrier;
    conn->next = carrier->first;
    carrier->first = conn;
    if (carrier->listening) {
        conn->context = carrier->callbacks->accepted(carrier->user, conn);
    }
    return conn->context != NULL ? conn : NULL;
}

/* Hands over what waits, as one read. Returns false if there is nothing to be done. */
static bool deliver(carrier_conn_t *conn)
{
    if (conn->context == NULL || conn->paused || conn->doomed || conn->in.len == 0) {
        return false;
    }
    phx_buf_t in = conn->in;
    conn->in = (phx_buf_t){0};
    if (!conn->deaf) {
        conn->carrier->callbacks->received(conn->context, (uint8_t *)in.data, in.len);
    }
    phx_buf_free(&in);
    return true;
}

static bool over(const carrier_conn_t *conn)
{
    return conn->context != NULL && (conn->doomed || (conn->hung_up && !conn->paused) ||
                                     (conn->ending && scripted_timers_now() >= conn->linger_until_ms));
}

void scripted_settle(carrier_t *carrier)
{
    for (carrier_conn_t *conn = carrier->first; conn != NULL;) {
        if (deliver(conn)) {
            conn = carrier->first; /* it may have woken others */
            continue;
        }
        if (over(conn)) {
            close_conn(conn);
        }
        conn = conn->next;
    }
}

void scripted_wait(carrier_t *carrier, uint64_t ms)
{
    const uint64_t until_ms = scripted_timers_now() + ms;
    scripted_settle(carrier);
    while (scripted_timers_next(until_ms)) {
        scripted_settle(carrier);
    }
    scripted_settle(carrier);
}

void scripted_send(carrier_conn_t *conn, phx_slice_t bytes)
{
    if (conn->context != NULL && !conn->hung_up) {
        phx_buf_append_slice(&conn->in, bytes);
    }
}

phx_slice_t scripted_take(carrier_conn_t *conn)
{
    phx_buf_free(&conn->taken);
    conn->carrier->queued->used -= conn->out.len;
    conn->taken = conn->out;
    conn->out = (phx_buf_t){0};
    return phx_buf_slice(&conn->taken);
}

void scripted_hang_up(carrier_conn_t *conn)
{
    conn->hung_up = true;
}

size_t scripted_queued(const carrier_t *carrier)
{
    return carrier->queued->used;
}

bool scripted_open(const carrier_conn_t *conn)
{
    return conn->context != NULL && !conn->hung_up;
}
