/* SPDX-License-Identifier: MIT */
/* Heartbeats and pings. */
#include "socket.h"

#include <stdlib.h>

static void tell(const phxc_socket_t *socket, phxc_beat_t beat, uint64_t elapsed_ms)
{
    if (socket->callbacks->heartbeat != NULL) {
        socket->callbacks->heartbeat(socket->user, beat, elapsed_ms);
    }
}

static void beat(void *data);

static void beat_later(phxc_socket_t *socket)
{
    const uint64_t delay = phxc_fault_beat(socket, socket->heartbeat_ms);
    phxc_timer_start(socket->timers, &socket->beat, delay, beat, socket);
}

void phxc__heartbeats_put_off(phxc_socket_t *socket)
{
    if (socket->beat.running && socket->beat_ref.len == 0) {
        beat_later(socket);
    }
}

/* HB-09: the connection is given up, whatever TCP thinks of it. */
static void beat_is_late(void *data)
{
    phxc_socket_t *socket = data;
    tell(socket, PHXC_BEAT_TIMEOUT, phxc_timers_now(socket->timers) - socket->beat_sent_ms);
    if (!phxc__socket_is_open(socket)) {
        return; /* the callback has disconnected */
    }
    if (phxc_fault(socket, BEAT_UNANSWERED_IGNORED)) {
        beat(socket);
        return;
    }
    phxc__connection_give_up(socket);
}

static int send_heartbeat(phxc_socket_t *socket, const phxc_ref_t *ref)
{
    return phxc__socket_push(
        socket, phxc_fault(socket, BEAT_JOIN_REF) ? phxc_ref_slice(ref) : PHX_SLICE("null"),
        phxc_ref_slice(ref), phxc_fault(socket, BEAT_TOPIC) ? PHX_SLICE("heartbeat") : PHX_SLICE("phoenix"),
        PHX_SLICE("heartbeat"), PHX_JSON_PAYLOAD("{}"));
}

/* HB-01, HB-07 */
static void beat(void *data)
{
    phxc_socket_t *socket = data;
    socket->beat_ref = phxc__socket_make_ref(socket);
    socket->beat_sent_ms = phxc_timers_now(socket->timers);
    phxc_timer_start(socket->timers, &socket->beat, socket->heartbeat_ms, beat_is_late, socket);
    (void)send_heartbeat(socket, &socket->beat_ref); /* without memory it is as if it were lost */
    tell(socket, PHXC_BEAT_SENT, 0);
}

void phxc__heartbeats_start(phxc_socket_t *socket)
{
    const bool wanted = socket->transport->ops->heartbeats || phxc_fault(socket, BEAT_LONGPOLL);
    if (phxc_fault(socket, BEAT_AT_ONCE) && wanted) {
        beat(socket);
    } else if (phxc_fault(socket, BEAT_KEPT) && socket->beat_ref.len > 0) {
        phxc_timer_start(socket->timers, &socket->beat, socket->heartbeat_ms, beat_is_late, socket);
    } else if (wanted && !phxc_fault(socket, BEAT_NEVER)) {
        beat_later(socket);
    }
}

/* HB-10 */
void phxc__heartbeats_stop(phxc_socket_t *socket)
{
    if (!phxc_fault(socket, BEAT_KEPT)) {
        socket->beat_ref.len = 0;
    }
    phxc_timer_stop(socket->timers, &socket->beat);
    socket->ping_count = 0;
}

/* HB-08: any message with the ref of the heartbeat answers it. */
void phxc__heartbeats_answered(phxc_socket_t *socket, phx_slice_t ref)
{
    const uint64_t now = phxc_timers_now(socket->timers);
    const bool is_answer =
        phx_slice_equal(ref, phxc_ref_slice(&socket->beat_ref)) || phxc_fault(socket, BEAT_ANY_ANSWER);
    if (socket->beat_ref.len > 0 && is_answer) {
        socket->beat_ref.len = 0;
        if (phxc_fault(socket, BEAT_ONCE)) {
            phxc_timer_stop(socket->timers, &socket->beat);
        } else {
            beat_later(socket);
        }
        tell(socket, PHXC_BEAT_ANSWERED, now - socket->beat_sent_ms);
    }
    for (size_t i = 0; i < socket->ping_count; i++) {
        if (phx_slice_equal(ref, phxc_ref_slice(&socket->pings[i].ref))) {
            const phxc_ping_t ping = socket->pings[i];
            socket->pings[i] = socket->pings[--socket->ping_count];
            if (!phxc_fault(socket, PING_UNTOLD)) {
                ping.answered(ping.user, now - ping.sent_ms);
            }
            return;
        }
    }
}

int phxc_socket_ping(phxc_socket_t *socket, void (*answered)(void *user, uint64_t elapsed_ms), void *user)
{
    if (!phxc__socket_is_open(socket)) {
        return PHXC_EOFFLINE;
    }
    phxc_ping_t *pings = realloc(socket->pings, (socket->ping_count + 1) * sizeof *pings);
    if (pings == NULL) {
        return PHX_ENOMEM;
    }
    socket->pings = pings;
    const phxc_ref_t ref = phxc__socket_make_ref(socket);
    pings[socket->ping_count++] = (phxc_ping_t){ref, phxc_timers_now(socket->timers), answered, user};
    return send_heartbeat(socket, &ref);
}
