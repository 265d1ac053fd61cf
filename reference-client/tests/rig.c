/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include "channel.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct rig_conn {
    phxc_transport_t base;
    rig_conn_t *next;
    rig_t *rig;
    bool disposed;
};

/* ---- the log ---- */

void rig_line(rig_t *rig, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    phx_buf_append_text(&rig->log, line);
    phx_buf_append_text(&rig->log, "\n");
    if (rig->hook != NULL) {
        rig->hook(rig, line);
    }
}

void rig_expect_log(rig_t *rig, const char *file, int line, const char *expected)
{
    if (!phx_slice_equals(phx_buf_slice(&rig->log), expected)) {
        phx_buf_append(&rig->log, "", 1);
        ck_abort_msg("%s:%d: the log is\n%sexpected\n%s", file, line, rig->log.data, expected);
    }
    phx_buf_clear(&rig->log);
}

#define TEXT_OF(slice) (int)(slice).len, (slice).data != NULL ? (slice).data : ""

static const char *payload_text(phx_payload_t payload, char *room, size_t size)
{
    if (payload.form == PHX_TEXT) {
        (void)snprintf(room, size, "%.*s", TEXT_OF(payload.data));
        return room;
    }
    size_t at = (size_t)snprintf(room, size, "#");
    for (size_t i = 0; i < payload.data.len && at + 3 < size; i++) {
        at += (size_t)snprintf(room + at, size - at, "%02x", (unsigned)(uint8_t)payload.data.data[i]);
    }
    return room;
}

/* ---- the network ---- */

static void conn_send(phxc_transport_t *transport, phx_form_t form, phx_slice_t bytes)
{
    char room[900];
    rig_conn_t *conn = (rig_conn_t *)transport;
    rig_line(conn->rig, "> %s", payload_text((phx_payload_t){form, bytes}, room, sizeof room));
}

static void conn_close(phxc_transport_t *transport, int code, phx_slice_t reason)
{
    rig_conn_t *conn = (rig_conn_t *)transport;
    rig_line(conn->rig, "close %d %.*s", code, TEXT_OF(reason));
}

static void conn_dispose(phxc_transport_t *transport)
{
    rig_conn_t *conn = (rig_conn_t *)transport;
    conn->disposed = true;
    if (conn->rig->conn == conn) {
        rig_line(conn->rig, "drop");
    }
}

static const phxc_transport_ops_t WITH_HEARTBEATS = {conn_send, conn_close, conn_dispose, true};
static const phxc_transport_ops_t WITHOUT = {conn_send, conn_close, conn_dispose, false};

static phxc_transport_t *network_open(void *context, const phxc_request_t *request,
                                      const phxc_transport_events_t *events, void *owner, char *error,
                                      size_t error_size)
{
    rig_t *rig = context;
    if (rig->refuse_open) {
        (void)snprintf(error, error_size, "refused");
        return NULL;
    }
    rig_conn_t *conn = calloc(1, sizeof *conn);
    ck_assert_ptr_nonnull(conn);
    conn->base =
        (phxc_transport_t){request->carriage == PHXC_WEBSOCKET ? &WITH_HEARTBEATS : &WITHOUT, events, owner};
    conn->rig = rig;
    conn->next = rig->all;
    rig->all = rig->conn = conn;
    if (request->token.data != NULL) {
        rig_line(rig, "+ %.*s", TEXT_OF(request->token));
    }
    return &conn->base;
}

#define EVENT(conn, name, ...)                                                                               \
    do {                                                                                                     \
        ck_assert_msg(!(conn)->disposed, "the socket has dropped this connection");                          \
        (conn)->base.events->name((conn)->base.owner, __VA_ARGS__);                                          \
    } while (0)

void rig_open(rig_t *rig)
{
    ck_assert(!rig->conn->disposed);
    rig->conn->base.events->opened(rig->conn->base.owner);
}

void rig_receive(rig_t *rig, const char *text)
{
    EVENT(rig->conn, received, PHX_TEXT, phx_slice_of(text));
}

void rig_receive_bytes(rig_t *rig, phx_slice_t bytes)
{
    EVENT(rig->conn, received, PHX_BINARY, bytes);
}

void rig_fail(rig_t *rig, const char *text, int http_status)
{
    EVENT(rig->conn, failed, text, http_status);
}

void rig_closed(rig_t *rig, int code, bool clean)
{
    EVENT(rig->conn, closed, code, (phx_slice_t){0}, clean);
}

/* ---- the clock ---- */

static uint64_t clock_now(void *clock)
{
    return ((rig_t *)clock)->now;
}

static void clock_changed(void *clock)
{
    (void)clock;
}

void rig_advance(rig_t *rig, uint64_t ms)
{
    const uint64_t until = rig->now + ms;
    uint64_t due;
    while (phxc_timers_due(&rig->timers, &due) && due <= until) {
        rig->now = due > rig->now ? due : rig->now;
        phxc_timers_run(&rig->timers);
    }
    rig->now = until;
}

/* ---- the socket ---- */

static void on_connecting(void *user, phxc_carriage_t carriage, const char *url)
{
    (void)carriage;
    rig_line(user, "connecting %s", url);
}

static void on_opened(void *user, phxc_carriage_t carriage)
{
    rig_line(user, "opened%s", carriage == PHXC_LONGPOLL ? " longpoll" : "");
}

static void on_failed(void *user, const char *text, int http_status)
{
    rig_line(user, "failed %s %d", text, http_status);
}

static void on_closed(void *user, const phxc_end_t *end)
{
    rig_line(user, "closed %d %.*s%s%s", end->code, TEXT_OF(end->reason), end->clean ? " clean" : "",
             end->will_reconnect ? " for now" : " for good");
}

static void on_reconnecting(void *user, unsigned attempt, uint64_t delay_ms)
{
    rig_line(user, "reconnecting %u %u", attempt, (unsigned)delay_ms);
}

static void on_fell_back(void *user, const char *why)
{
    rig_line(user, "fell back %s", why);
}

static void on_heartbeat(void *user, phxc_beat_t beat, uint64_t elapsed_ms)
{
    static const char *const names[] = {"sent", "answered", "timeout"};
    rig_t *rig = user;
    if (!rig->quiet_beats) {
        rig_line(user, "beat %s %u", names[beat], (unsigned)elapsed_ms);
    }
}

static void on_received(void *user, phx_form_t form, phx_slice_t bytes, int error)
{
    (void)form;
    (void)bytes;
    if (error != 0) {
        rig_line(user, "unreadable %d", error);
    }
}

static const phxc_socket_callbacks_t SOCKET_CALLBACKS = {
    .connecting = on_connecting,
    .opened = on_opened,
    .failed = on_failed,
    .closed = on_closed,
    .reconnecting = on_reconnecting,
    .fell_back = on_fell_back,
    .heartbeat = on_heartbeat,
    .received = on_received,
};

void rig_start(rig_t *rig, void (*change)(phxc_config_t *config))
{
    char error[200] = "";
    phxc_config_t config;
    *rig = (rig_t){.now = 1000, .quiet_beats = true};
    rig->timers = (phxc_timers_t){.now = clock_now, .changed = clock_changed, .clock = rig};
    phxc_config_defaults(&config);
    config.endpoint = "ws://h/s";
    if (change != NULL) {
        change(&config);
    }
    const phxc_network_t network = {network_open, rig};
    rig->socket =
        phxc__socket_new(&rig->timers, network, NULL, &config, &SOCKET_CALLBACKS, rig, error, sizeof error);
    ck_assert_msg(rig->socket != NULL, "%s", error);
}

void rig_end(rig_t *rig)
{
    phxc_socket_free(rig->socket);
    uint64_t due;
    ck_assert_msg(!phxc_timers_due(&rig->timers, &due), "a timer outlives its socket");
    while (rig->all != NULL) {
        rig_conn_t *conn = rig->all;
        ck_assert_msg(conn->disposed, "a connection outlives its socket");
        rig->all = conn->next;
        free(conn);
    }
    phx_buf_free(&rig->log);
}

void rig_online(rig_t *rig)
{
    phxc_socket_connect(rig->socket);
    rig_open(rig);
    phx_buf_clear(&rig->log);
}

/* ---- channels ---- */

static void on_joined(void *user, phxc_channel_t *channel, phx_payload_t response)
{
    char room[900];
    rig_line(user, "joined %.*s %s", TEXT_OF(phxc_channel_topic(channel)),
             payload_text(response, room, sizeof room));
}

static void on_refused(void *user, phxc_channel_t *channel, phx_slice_t status, phx_payload_t response)
{
    char room[900];
    rig_line(user, "refused %.*s %.*s %s", TEXT_OF(phxc_channel_topic(channel)), TEXT_OF(status),
             payload_text(response, room, sizeof room));
}

static void on_join_timeout(void *user, phxc_channel_t *channel)
{
    rig_line(user, "join timeout %.*s", TEXT_OF(phxc_channel_topic(channel)));
}

static void on_errored(void *user, phxc_channel_t *channel, phxc_cause_t cause, phx_slice_t reason)
{
    rig_line(user, "errored %.*s %s %.*s", TEXT_OF(phxc_channel_topic(channel)),
             cause == PHXC_CAUSE_TRANSPORT ? "transport" : "server", TEXT_OF(reason));
}

static void on_channel_closed(void *user, phxc_channel_t *channel, bool left)
{
    rig_line(user, "%s %.*s", left ? "left" : "closed", TEXT_OF(phxc_channel_topic(channel)));
}

static void on_rejoining(void *user, phxc_channel_t *channel, unsigned attempt, uint64_t delay_ms)
{
    rig_line(user, "rejoining %.*s %u %u", TEXT_OF(phxc_channel_topic(channel)), attempt, (unsigned)delay_ms);
}

static void on_message(void *user, phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    char room[900];
    rig_line(user, "message %.*s %.*s %s", TEXT_OF(phxc_channel_topic(channel)), TEXT_OF(event),
             payload_text(payload, room, sizeof room));
}

static const phxc_channel_callbacks_t CHANNEL_CALLBACKS = {
    .joined = on_joined,
    .refused = on_refused,
    .join_timeout = on_join_timeout,
    .errored = on_errored,
    .closed = on_channel_closed,
    .rejoining = on_rejoining,
    .message = on_message,
};

phxc_channel_t *rig_channel(rig_t *rig, const char *topic, const char *params)
{
    phxc_channel_t *channel =
        phxc_channel_new(rig->socket, phx_slice_of(topic), (phx_payload_t){PHX_TEXT, phx_slice_of(params)},
                         &CHANNEL_CALLBACKS, rig);
    ck_assert_ptr_nonnull(channel);
    return channel;
}

typedef struct expected_reply {
    rig_t *rig;
    char name[32];
} expected_reply_t;

static void on_reply(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response)
{
    static const char *const names[] = {"", "timeout", "cancelled"};
    char room[900];
    expected_reply_t *reply = user;
    if (outcome == PHXC_REPLIED) {
        rig_line(reply->rig, "reply %s %.*s %s", reply->name, TEXT_OF(status),
                 payload_text(response, room, sizeof room));
    } else {
        rig_line(reply->rig, "reply %s %s", reply->name, names[outcome]);
    }
    free(reply);
}

int rig_push(phxc_channel_t *channel, const char *event, const char *json, const char *name)
{
    expected_reply_t *reply = calloc(1, sizeof *reply);
    ck_assert_ptr_nonnull(reply);
    reply->rig = channel->user;
    (void)snprintf(reply->name, sizeof reply->name, "%s", name);
    const int error = phxc_channel_push(channel, phx_slice_of(event),
                                        (phx_payload_t){PHX_TEXT, phx_slice_of(json)}, 0, on_reply, reply);
    if (error != 0) {
        free(reply);
    }
    return error;
}
