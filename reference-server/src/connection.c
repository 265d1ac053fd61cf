/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "container.h"

enum { LINGER_MS = 2000 };

struct connection {
    connection_owner_t *owner;
    connection_t *next;
    connection_t *prev;
    carrier_conn_t *conn;
    http_parser_t *parser; /* NULL once upgraded */
    const upgraded_ops_t *ops;
    void *upgraded;
    void (*gone)(void *);
    void *gone_data;
    phx_buf_t backlog; /* came while a request was being answered */
    size_t charged;    /* in the server's budget for what is received */
    task_t task;       /* takes up the backlog */
    loop_timer_t timer;
    bool busy; /* a request awaits its answer */
    bool ending;
};

static void take_up_backlog(task_t *task);
static void too_slow(loop_timer_t *timer);

static void link_in(connection_t *connection)
{
    connection_owner_t *owner = connection->owner;
    connection->next = owner->first;
    if (owner->first != NULL) {
        owner->first->prev = connection;
    }
    owner->first = connection;
}

static void unlink_from(connection_t *connection)
{
    if (connection->prev != NULL) {
        connection->prev->next = connection->next;
    } else {
        connection->owner->first = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->prev = connection->prev;
    }
}

static void watch_time(connection_t *connection, uint64_t timeout_ms)
{
    timers_start(connection->owner->core->timers, &connection->timer, timeout_ms, too_slow);
}

static void *accepted(void *user, carrier_conn_t *conn)
{
    connection_owner_t *owner = user;
    connection_t *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        return NULL;
    }
    connection->parser = http_parser_new(&owner->limits);
    if (connection->parser == NULL) {
        free(connection);
        return NULL;
    }
    connection->owner = owner;
    connection->conn = conn;
    connection->task.run = take_up_backlog;
    link_in(connection);
    watch_time(connection, owner->head_timeout_ms);
    return connection;
}

static void closed(void *context)
{
    connection_t *connection = context;
    connection_owner_t *owner = connection->owner;
    core_t *core = owner->core;
    timers_stop(core->timers, &connection->timer);
    tasks_remove(&core->tasks, &connection->task);
    unlink_from(connection);
    if (connection->ops != NULL) {
        connection->ops->closed(connection->upgraded);
    } else if (connection->busy && connection->gone != NULL) {
        connection->gone(connection->gone_data);
    }
    http_parser_free(connection->parser);
    phx_buf_free(&connection->backlog);
    (void)budget_update(&core->received, &connection->charged, 0);
    free(connection);
    tasks_run(&core->tasks);
    owner->gone(owner);
}

static void end(connection_t *connection)
{
    connection->ending = true;
    carrier_end(connection->conn, LINGER_MS);
}

void connection_send(carrier_conn_t *conn, phx_slice_t bytes)
{
    shared_bytes_t *copy = shared_bytes_new(bytes, (phx_slice_t){0});
    if (copy == NULL || !carrier_send(conn, copy)) {
        carrier_abort(conn);
    }
    shared_bytes_release(copy);
}

static void expect_continue(connection_t *connection)
{
    const http_header_t *expect = http_request_header(http_parser_request(connection->parser), "expect");
    if (expect != NULL && http_list_has_token(expect->value, "100-continue")) {
        connection_send(connection->conn, PHX_SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
    }
}

/* There is no request to answer, but a reason to tell. */
static void refuse(connection_t *connection, int status)
{
    phx_buf_t out = {0};
    http_response_begin(&out, status);
    http_response_finish(&out, (phx_slice_t){0}, false, false);
    connection_send(connection->conn, phx_buf_slice(&out));
    phx_buf_free(&out);
    http_parser_next(connection->parser);
    end(connection);
}

/* Counts anew what the connection holds of things not yet complete. */
static void recount(connection_t *connection)
{
    const size_t held = connection->parser != NULL ? http_parser_held(connection->parser)
                                                   : connection->ops->held(connection->upgraded);
    if (budget_update(&connection->owner->core->received, &connection->charged,
                      held + connection->backlog.cap) ||
        connection->ending || connection->busy) {
        return;
    }
    if (connection->ops != NULL) {
        connection->ops->overloaded(connection->upgraded);
    } else {
        refuse(connection, 503);
    }
    recount(connection); /* with less now */
}

static void too_slow(loop_timer_t *timer)
{
    connection_t *connection = CONTAINER_OF(timer, connection_t, timer);
    if (http_parser_idle(connection->parser)) {
        end(connection);
    } else {
        refuse(connection, 408);
    }
}

/* Takes requests from `bytes` until one has to wait for its answer; what is left goes to the backlog. */
static void take_up(connection_t *connection, uint8_t *bytes, size_t len)
{
    while (len > 0 && !connection->busy && !connection->ending && connection->parser != NULL) {
        size_t used = 0;
        const bool idle = http_parser_idle(connection->parser);
        http_progress_t progress =
            http_parser_feed(connection->parser, (phx_slice_t){(char *)bytes, len}, &used);
        bytes += used;
        len -= used;
        if (progress == HTTP_BROKEN) {
            refuse(connection, http_parser_status(connection->parser));
        } else if (progress == HTTP_HEAD) {
            watch_time(connection, connection->owner->request_timeout_ms);
            expect_continue(connection);
        } else if (progress == HTTP_COMPLETE) {
            timers_stop(connection->owner->core->timers, &connection->timer);
            connection->busy = true;
            connection->owner->request(connection, http_parser_request(connection->parser));
        } else if (idle && !http_parser_idle(connection->parser)) {
            watch_time(connection, connection->owner->head_timeout_ms);
        }
    }
    if (len == 0 || connection->ending) {
        return;
    }
    if (connection->ops != NULL) {
        connection->ops->received(connection->upgraded, bytes, len);
        return;
    }
    phx_buf_append(&connection->backlog, bytes, len);
    carrier_pause(connection->conn);
}

static void received(void *context, uint8_t *bytes, size_t len)
{
    connection_t *connection = context;
    core_t *core = connection->owner->core;
    if (connection->ops != NULL) {
        connection->ops->received(connection->upgraded, bytes, len);
    } else if (connection->busy || connection->backlog.len > 0) {
        phx_buf_append(&connection->backlog, bytes, len);
    } else {
        take_up(connection, bytes, len);
    }
    if (connection->busy && connection->backlog.len > 0) {
        carrier_pause(connection->conn);
    }
    recount(connection);
    tasks_run(&core->tasks);
}

static void take_up_backlog(task_t *task)
{
    connection_t *connection = CONTAINER_OF(task, connection_t, task);
    phx_buf_t backlog = connection->backlog;
    connection->backlog = (phx_buf_t){0};
    carrier_resume(connection->conn);
    if (backlog.failed) {
        carrier_abort(connection->conn);
    } else if (!connection->busy) {
        take_up(connection, (uint8_t *)backlog.data, backlog.len);
    }
    phx_buf_free(&backlog);
    recount(connection);
}

/* A peer that sends no more is gone: libwebsockets closes then, so `closed` says it all. */
const carrier_callbacks_t CONNECTION_CALLBACKS = {
    .accepted = accepted, .received = received, .closed = closed};

connection_owner_t *connection_owner(const connection_t *connection)
{
    return connection->owner;
}

const http_request_t *connection_request(const connection_t *connection)
{
    return http_parser_request(connection->parser);
}

bool connection_body_too_large(const connection_t *connection)
{
    return http_parser_too_large(connection->parser);
}

void connection_watch(connection_t *connection, void (*gone)(void *), void *data)
{
    connection->gone = gone;
    connection->gone_data = data;
}

void connection_answer(connection_t *connection, int status, const answer_header_t *headers, phx_slice_t body)
{
    const http_request_t *request = http_parser_request(connection->parser);
    bool keep_alive = request->keep_alive && !connection->owner->draining;
    phx_buf_t out = {0};
    http_response_begin(&out, status);
    for (; headers != NULL && headers->name != NULL; headers++) {
        http_response_header(&out, headers->name, headers->value);
    }
    http_response_finish(&out, body, keep_alive, phx_slice_equals(request->method, "HEAD"));
    if (out.failed) {
        carrier_abort(connection->conn);
    } else {
        connection_send(connection->conn, phx_buf_slice(&out));
    }
    phx_buf_free(&out);

    connection->busy = false;
    connection->gone = NULL;
    http_parser_next(connection->parser);
    recount(connection);
    core_check_queued(connection->owner->core);
    if (!keep_alive) {
        end(connection);
        return;
    }
    watch_time(connection, connection->owner->request_timeout_ms);
    if (connection->backlog.len > 0) {
        tasks_push(&connection->owner->core->tasks, &connection->task);
    }
}

void connection_answer_text(connection_t *connection, int status, const char *text)
{
    const answer_header_t headers[] = {{"cache-control", CACHE_REVALIDATE}, {NULL, {0}}};
    connection_answer(connection, status, headers, phx_slice_of(text));
}

void connection_answer_error(connection_t *connection, int status)
{
    const answer_header_t headers[] = {{"cache-control", CACHE_REVALIDATE},
                                       {"content-type", PHX_SLICE("application/json; charset=utf-8")},
                                       {NULL, {0}}};
    phx_buf_t body = {0};
    phx_buf_append_text(&body, "{\"error\":\"");
    phx_buf_append_text(&body, http_reason(status));
    phx_buf_append_text(&body, "\"}");
    connection_answer(connection, status, headers, phx_buf_slice(&body));
    phx_buf_free(&body);
}

carrier_conn_t *connection_upgrade(connection_t *connection, phx_slice_t head, const upgraded_ops_t *ops,
                                   void *upgraded)
{
    connection_send(connection->conn, head);
    http_parser_free(connection->parser);
    connection->parser = NULL;
    connection->busy = false;
    connection->gone = NULL;
    connection->ops = ops;
    connection->upgraded = upgraded;
    return connection->conn;
}

void connections_drain(connection_owner_t *owner)
{
    for (connection_t *connection = owner->first; connection != NULL; connection = connection->next) {
        if (connection->ops != NULL) {
            connection->ops->drain(connection->upgraded);
        } else if (!connection->busy) {
            end(connection);
        }
    }
}
