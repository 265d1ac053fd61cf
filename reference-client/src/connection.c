/* SPDX-License-Identifier: MIT */
/* The life of a connection: attempts, ends, reconnects, the fallback. */
#include "socket.h"

#include <stdio.h>

enum {
    CLOSE_NORMAL = 1000,
    CLOSE_ABNORMAL = 1006,
    DISCONNECT_MS = 3000,
};

static void attempt(phxc_socket_t *socket);

/* CL-CONN-07 */
static void channels_lose_transport(phxc_socket_t *socket, phx_slice_t reason)
{
    const size_t count = phxc_fault(socket, CHANNELS_UNTOLD) ? 0 : socket->channel_count;
    for (size_t i = 0; i < count; i++) {
        phxc__channel_transport_gone(socket->channels[i], reason);
    }
}

/* ---- its end ---- */

void phxc__connection_drop(phxc_socket_t *socket)
{
    phxc__heartbeats_stop(socket);
    phxc_timer_stop(socket->timers, &socket->closing);
    phxc_timer_stop(socket->timers, &socket->fallback);
    if (socket->transport != NULL) {
        socket->transport->ops->dispose(socket->transport);
        socket->transport = NULL;
    }
    socket->state = PHXC_DISCONNECTED;
}

static void reconnect(void *data)
{
    phxc_socket_t *socket = data;
    const bool impatient = phxc_fault(socket, RECONNECT_IMPATIENT);
    if (impatient) {
        phxc__connection_drop(socket);
    }
    attempt(socket);
    if (impatient && socket->state == PHXC_CONNECTING) {
        const uint64_t delay = phxc_delay(&socket->reconnect_after, ++socket->reconnects);
        phxc_timer_start(socket->timers, &socket->reconnect, delay, reconnect, socket);
    }
}

void phxc__connection_forget_attempts(phxc_socket_t *socket)
{
    phxc_timer_stop(socket->timers, &socket->reconnect);
    socket->reconnects = 0;
}

/*
 * Before callbacks are called another attempt is announced, so that what they do shows: a disconnect or an
 * attempt of their own takes the announcement back.
 */
static void announce_attempt(phxc_socket_t *socket)
{
    phxc_timer_start(socket->timers, &socket->reconnect, UINT64_MAX, reconnect, socket);
}

static bool attempt_is_announced(const phxc_socket_t *socket)
{
    return socket->state == PHXC_DISCONNECTED && socket->reconnect.running;
}

static void schedule_reconnect(phxc_socket_t *socket)
{
    const unsigned number = ++socket->reconnects;
    const uint64_t delay =
        phxc_fault_reconnect(socket, phxc_delay(&socket->reconnect_after, number)); /* CL-CONN-04 */
    phxc_timer_start(socket->timers, &socket->reconnect, delay, reconnect, socket);
    PHXC_TELL(socket, reconnecting, number, delay);
}

/* The connection is over. A callback may have begun another one when this returns. */
static void ended(phxc_socket_t *socket, int code, phx_slice_t reason, bool clean, bool reconnects)
{
    phxc__connection_drop(socket);
    reconnects = reconnects && !phxc_fault(socket, RECONNECT_NEVER);
    if (reconnects) {
        announce_attempt(socket);
    }
    channels_lose_transport(socket, PHX_SLICE("connection_closed"));
    const phxc_end_t end = {code, reason, clean, attempt_is_announced(socket)};
    PHXC_TELL(socket, closed, &end);
    if (reconnects && attempt_is_announced(socket)) {
        schedule_reconnect(socket);
    }
}

void phxc__connection_give_up(phxc_socket_t *socket)
{
    channels_lose_transport(socket, PHX_SLICE("heartbeat_timeout"));
    if (phxc__socket_is_open(socket)) {
        socket->transport->ops->close(socket->transport, CLOSE_NORMAL, PHX_SLICE("heartbeat timeout"));
        ended(socket, CLOSE_NORMAL, PHX_SLICE("heartbeat timeout"), false,
              !phxc_fault(socket, BEAT_UNANSWERED_FINAL));
    }
}

static void switch_carriage(phxc_socket_t *socket, phxc_carriage_t carriage)
{
    const bool was_open = phxc__socket_is_open(socket);
    phxc__connection_drop(socket);
    phxc__connection_forget_attempts(socket);
    socket->carriage = carriage;
    if (was_open) {
        channels_lose_transport(socket, PHX_SLICE("connection_closed"));
    }
}

/* CL-TRAN-01: the WebSocket did not prove itself. Channels that wait for it go on waiting. */
static void fall_back(phxc_socket_t *socket, const char *why)
{
    switch_carriage(socket, PHXC_LONGPOLL);
    announce_attempt(socket);
    PHXC_TELL(socket, fell_back, why);
    if (attempt_is_announced(socket)) {
        phxc__connection_forget_attempts(socket);
        attempt(socket);
    }
}

static void fallback_is_due(void *data)
{
    fall_back(data, phxc__socket_is_open(data) ? "no answer to a ping in time" : "not open in time");
}

static void primary_is_healthy(void *user, uint64_t elapsed_ms)
{
    (void)elapsed_ms;
    phxc_socket_t *socket = user;
    phxc_timer_stop(socket->timers, &socket->fallback);
}

static bool may_fall_back(const phxc_socket_t *socket)
{
    return socket->fallback_ms > 0 && socket->carriage == PHXC_WEBSOCKET &&
           !phxc_fault(socket, FALLBACK_NEVER);
}

static void watch_primary(phxc_socket_t *socket)
{
    if (may_fall_back(socket) && !phxc_fault(socket, FALLBACK_NOT_SLOW)) {
        phxc_timer_start(socket->timers, &socket->fallback, socket->fallback_ms, fallback_is_due, socket);
    }
}

/* ---- what the transport tells ---- */

/* CL-CONN-06 */
static void on_opened(void *owner)
{
    phxc_socket_t *socket = owner;
    socket->state = PHXC_OPEN;
    phxc__socket_flush(socket);
    if (!phxc__socket_is_open(socket)) {
        return; /* a callback has disconnected */
    }
    if (!phxc_fault(socket, RECONNECT_NO_RESET)) {
        phxc__connection_forget_attempts(socket);
    }
    phxc__heartbeats_start(socket);
    watch_primary(socket);
    if (may_fall_back(socket) && phxc_socket_ping(socket, primary_is_healthy, socket) != 0) {
        phxc_timer_stop(socket->timers, &socket->fallback); /* no memory: no verdict either */
    }
    PHXC_TELL(socket, opened, socket->carriage);
    for (size_t i = 0; i < socket->channel_count && phxc__socket_is_open(socket); i++) {
        phxc__channel_opened(socket->channels[i]);
    }
}

static void on_failed(void *owner, const char *text, int http_status)
{
    phxc_socket_t *socket = owner;
    PHXC_TELL(socket, failed, text, http_status);
    if (phxc_fault(socket, REFUSED_GIVES_UP) && http_status != 0) {
        socket->state = PHXC_DISCONNECTING;
    }
    if (socket->state == PHXC_CONNECTING && may_fall_back(socket)) {
        fall_back(socket, text);
    } else if (socket->transport != NULL) {
        channels_lose_transport(socket, PHX_SLICE("connection_error"));
    }
}

/* WS-CLOSE-07, DRAIN-04: only 1000 and our own wish keep the client from coming back. */
static void on_closed(void *owner, int code, phx_slice_t reason, bool clean)
{
    phxc_socket_t *socket = owner;
    const bool stays_away = (phxc_fault(socket, RECONNECT_ABNORMAL_ONLY) && code != CLOSE_ABNORMAL) ||
                            (phxc_fault(socket, RECONNECT_NOT_AFTER_1012) && code == 1012);
    const bool wanted =
        (socket->state != PHXC_DISCONNECTING || phxc_fault(socket, RECONNECT_AFTER_DISCONNECT)) &&
        (code != CLOSE_NORMAL || phxc_fault(socket, RECONNECT_AFTER_1000)) && !stays_away;
    ended(socket, code, reason, clean, wanted);
}

static void on_received(void *owner, phx_form_t form, phx_slice_t bytes)
{
    phxc__socket_received(owner, form, bytes);
}

static const phxc_transport_events_t EVENTS = {
    .opened = on_opened,
    .received = on_received,
    .failed = on_failed,
    .closed = on_closed,
};

/* ---- attempts ---- */

/* What the application gives for this attempt, or what it gave for all. CL-CONN-05, TOK-08 */
static phx_slice_t ask(const phxc_socket_t *socket, void (*give)(void *user, phx_buf_t *out), phx_buf_t *out,
                       const char *fixed)
{
    if (give == NULL) {
        return phx_slice_of(fixed);
    }
    give(socket->user, out);
    /* An empty token is a token; `data` NULL is none. */
    return out->data != NULL ? phx_buf_slice(out) : (phx_slice_t){0};
}

static void attempt_failed(phxc_socket_t *socket, const char *text)
{
    PHXC_TELL(socket, failed, text, 0);
    channels_lose_transport(socket, PHX_SLICE("connection_error"));
    if (socket->state == PHXC_CONNECTING) {
        ended(socket, CLOSE_ABNORMAL, (phx_slice_t){0}, false, true);
    }
}

static void attempt(phxc_socket_t *socket)
{
    phx_buf_t params = {0};
    phx_buf_t token = {0};
    phx_buf_t url = {0};
    socket->state = PHXC_CONNECTING;
    const phx_slice_t given = ask(socket, socket->params_at, &params, socket->params);
    const phx_slice_t given_token = ask(socket, socket->auth_token_at, &token, socket->auth_token);
    int error = phxc_endpoint_url(&socket->endpoint, socket->carriage, socket->vsn,
                                  phxc_fault(socket, PARAMS_LOST) ? (phx_slice_t){0} : given, &url);
    if (params.failed || token.failed) {
        error = PHX_ENOMEM;
    }
    phxc_fault_attempt(socket, &params, &token, &url);
    char text[256];
    (void)snprintf(text, sizeof text, "%s",
                   error == PHX_EJSON ? "the connect params are not a JSON object" : phxc_strerror(error));
    if (error == 0) {
        PHXC_TELL(socket, connecting, socket->carriage, url.data);
    }
    if (error == 0 && socket->state == PHXC_CONNECTING && socket->transport == NULL) {
        watch_primary(socket);
        phxc_request_t request = {
            .carriage = socket->carriage, .vsn = socket->vsn, .url = url.data, .token = given_token};
        phxc_fault_pass(socket, &request);
        socket->transport =
            socket->network.open(socket->network.context, &request, &EVENTS, socket, text, sizeof text);
    }
    if (socket->state == PHXC_CONNECTING && socket->transport == NULL) {
        attempt_failed(socket, text);
    }
    phx_buf_free(&params);
    phx_buf_free(&token);
    phx_buf_free(&url);
}

void phxc_socket_connect(phxc_socket_t *socket)
{
    if (phxc_fault(socket, CONNECT_ANEW)) {
        phxc__connection_drop(socket);
    } else if (socket->state == PHXC_CONNECTING || socket->state == PHXC_OPEN ||
               phxc_fault(socket, CONNECT_WHILE_CLOSING)) {
        return; /* CL-CONN-01 */
    }
    if (socket->state == PHXC_DISCONNECTING) {
        /* CL-CONN-09: the old connection goes its way alone. */
        ended(socket, socket->closing_code, phx_buf_slice(&socket->closing_reason), false, false);
        if (socket->state != PHXC_DISCONNECTED) {
            return;
        }
    }
    phxc__connection_forget_attempts(socket);
    attempt(socket);
}

static void closing_takes_too_long(void *data)
{
    ended(data, CLOSE_ABNORMAL, (phx_slice_t){0}, false, false);
}

void phxc_socket_disconnect(phxc_socket_t *socket, int code, phx_slice_t reason)
{
    phxc__connection_forget_attempts(socket);
    if (socket->state == PHXC_DISCONNECTED || socket->state == PHXC_DISCONNECTING) {
        return;
    }
    phxc__heartbeats_stop(socket);
    phxc_timer_stop(socket->timers, &socket->fallback);
    socket->state = PHXC_DISCONNECTING;
    socket->closing_code = code != 0 ? code : 1005;
    phx_buf_clear(&socket->closing_reason);
    phx_buf_append_slice(&socket->closing_reason, reason);
    phxc_timer_start(socket->timers, &socket->closing, socket->transport != NULL ? DISCONNECT_MS : 0,
                     closing_takes_too_long, socket);
    if (socket->transport != NULL) {
        socket->transport->ops->close(socket->transport,
                                      phxc_fault(socket, DISCONNECT_CODE) ? CLOSE_NORMAL : code, reason);
    }
}

void phxc_socket_replace_carriage(phxc_socket_t *socket, phxc_carriage_t carriage)
{
    const bool wanted =
        socket->state == PHXC_CONNECTING || socket->state == PHXC_OPEN || socket->reconnect.running;
    if (socket->state == PHXC_DISCONNECTING) {
        socket->carriage = carriage;
        return;
    }
    switch_carriage(socket, phxc_fault(socket, REPLACE_IGNORED) ? socket->carriage : carriage);
    if (wanted && socket->state == PHXC_DISCONNECTED) {
        attempt(socket);
    }
}

phxc_socket_state_t phxc_socket_state(const phxc_socket_t *socket)
{
    return socket->state;
}

phxc_carriage_t phxc_socket_carriage(const phxc_socket_t *socket)
{
    return socket->carriage;
}
