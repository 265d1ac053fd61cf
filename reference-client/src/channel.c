/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include "phx/json.h"

#include <stdlib.h>
#include <string.h>

#define TELL(channel, callback, ...)                                                                         \
    do {                                                                                                     \
        if (!(channel)->freed && (channel)->callbacks->callback != NULL) {                                   \
            (channel)->callbacks->callback((channel)->user, (channel), __VA_ARGS__);                         \
        }                                                                                                    \
    } while (0)

static void rejoin(void *data);

#define FAULT(channel, name) phxc_fault((channel)->socket, name)

static bool is_open(const phxc_channel_t *channel)
{
    return phxc__socket_is_open(channel->socket);
}

/* ---- join ---- */

static void reset_rejoin(phxc_channel_t *channel)
{
    phxc_timer_stop(channel->socket->timers, &channel->rejoin);
    channel->rejoins = 0;
}

static void stop_joining(phxc_channel_t *channel)
{
    phxc_timer_stop(channel->socket->timers, &channel->join_timer);
    (void)phxc__socket_unqueue_join(channel->socket, channel);
    channel->join_sent = false;
}

/* CL-CHAN-05: only while connected; the next connection brings a join of its own. */
static void schedule_rejoin(phxc_channel_t *channel)
{
    if (channel->state != PHXC_CHANNEL_ERRORED || !is_open(channel)) {
        return;
    }
    const unsigned number = FAULT(channel, REJOIN_FLAT) ? 1 : ++channel->rejoins;
    const uint64_t delay =
        FAULT(channel, REJOIN_AT_ONCE) ? 0 : phxc_delay(&channel->socket->rejoin_after, number);
    phxc_timer_start(channel->socket->timers, &channel->rejoin, delay, rejoin, channel);
    TELL(channel, rejoining, number, delay);
}

static void send_leave(phxc_channel_t *channel)
{
    const phxc_ref_t ref = phxc__socket_make_ref(channel->socket);
    /* Without memory the server keeps a channel whose messages nobody listens to. LEAVE-01 */
    const phx_slice_t join_ref =
        FAULT(channel, LEAVE_NO_JOIN_REF) ? PHX_SLICE("null") : phxc_ref_slice(&channel->join_ref);
    (void)phxc__socket_push(channel->socket, join_ref, phxc_ref_slice(&ref), phx_buf_slice(&channel->topic),
                            PHX_SLICE("phx_leave"), PHX_JSON_PAYLOAD("{}"));
}

/* CL-CHAN-08 */
static void join_is_late(void *data)
{
    phxc_channel_t *channel = data;
    if (channel->join_sent && is_open(channel) && !FAULT(channel, JOIN_LATE_UNLEFT)) {
        send_leave(channel);
    }
    stop_joining(channel);
    channel->state = PHXC_CHANNEL_ERRORED;
    if (!channel->freed && channel->callbacks->join_timeout != NULL) {
        channel->callbacks->join_timeout(channel->user, channel);
    }
    if (!FAULT(channel, JOIN_LATE_FINAL)) {
        schedule_rejoin(channel);
    }
}

static void start_join_timer(phxc_channel_t *channel)
{
    phxc_timer_start(channel->socket->timers, &channel->join_timer, channel->join_timeout_ms, join_is_late,
                     channel);
}

/* CL-CHAN-01: the params as they are now. Returns 0 or why they do not do. */
static int current_params(phxc_channel_t *channel, phx_buf_t *given, phx_payload_t *params)
{
    *params = (phx_payload_t){channel->params_form, phx_buf_slice(&channel->params)};
    if (channel->params_at == NULL) {
        return 0;
    }
    channel->params_at(channel->user, given);
    *params = (phx_payload_t){PHX_TEXT, phx_buf_slice(given)};
    if (FAULT(channel, JOIN_PARAMS_ONCE)) {
        phx_buf_clear(&channel->params);
        phx_buf_append_slice(&channel->params, params->data);
        channel->params_at = NULL;
    }
    return given->failed ? PHX_ENOMEM : phx_json_check(params->data, &params->data, NULL);
}

/* JOIN-01, CL-CHAN-02. A join that cannot be written is one that nobody answers. */
static int send_join(phxc_channel_t *channel)
{
    phx_buf_t given = {0};
    phx_payload_t params;
    int error = current_params(channel, &given, &params);
    if (error == 0 && channel->state == PHXC_CHANNEL_JOINING && is_open(channel)) {
        if (!FAULT(channel, REJOIN_OLD_REF) || channel->join_ref.len == 0) {
            channel->join_ref = phxc__socket_make_ref(channel->socket);
        }
        channel->join_sent = true;
        start_join_timer(channel);
        const phx_slice_t ref = phxc_ref_slice(&channel->join_ref);
        error = phxc__socket_push(channel->socket, FAULT(channel, JOIN_NO_JOIN_REF) ? PHX_SLICE("null") : ref,
                                  ref, phx_buf_slice(&channel->topic), PHX_SLICE("phx_join"), params);
        channel->join_sent = channel->join_sent && error == 0;
    }
    phx_buf_free(&given);
    return error;
}

void phxc__channel_send_join(phxc_channel_t *channel)
{
    (void)send_join(channel);
}

static int join(phxc_channel_t *channel)
{
    if (!FAULT(channel, DUPLICATE_KEPT)) {
        phxc__socket_leave_topic(channel->socket, phx_buf_slice(&channel->topic), channel);
    }
    channel->state = PHXC_CHANNEL_JOINING;
    channel->join_sent = false;
    start_join_timer(channel);
    return is_open(channel) ? send_join(channel) : phxc__socket_queue_join(channel->socket, channel);
}

static void rejoin(void *data)
{
    phxc_channel_t *channel = data;
    if (channel->state == PHXC_CHANNEL_ERRORED && is_open(channel)) {
        (void)join(channel); /* its timer has another try if this cannot be sent */
    }
}

int phxc_channel_join(phxc_channel_t *channel, uint64_t timeout_ms)
{
    if (channel->state != PHXC_CHANNEL_NEW) {
        return channel->state == PHXC_CHANNEL_CLOSED ? PHXC_ECLOSED : PHXC_EJOINED; /* CL-CHAN-01 */
    }
    channel->join_timeout_ms = timeout_ms > 0 ? timeout_ms : channel->socket->timeout_ms;
    int error = FAULT(channel, LONG_TOPIC_REFUSED) && channel->topic.len > 255 ? PHX_ETOOLONG : 0;
    if (channel->params_at == NULL && error == 0) {
        const phx_payload_t params = {channel->params_form, phx_buf_slice(&channel->params)};
        error = phxc__channel_check_message(channel, PHX_SLICE("phx_join"), params);
    }
    error = error != 0 ? error : join(channel);
    if (error != 0 && channel->state == PHXC_CHANNEL_JOINING) {
        stop_joining(channel);
        channel->state = PHXC_CHANNEL_NEW;
    }
    return error;
}

/* ---- the end ---- */

static void close_channel(phxc_channel_t *channel, bool left)
{
    reset_rejoin(channel);
    stop_joining(channel);
    channel->state = PHXC_CHANNEL_CLOSED;
    phxc__pushes_cancel(channel);
    if (!(FAULT(channel, LEAVE_UNTOLD) && left)) {
        TELL(channel, closed, left);
    }
}

/*
 * LEAVE-09: it is over at once. The server is told only where it may know the channel: a join that was never
 * sent is not undone, and one of a former connection is gone with it.
 */
void phxc_channel_leave(phxc_channel_t *channel)
{
    if (channel->state == PHXC_CHANNEL_CLOSED) {
        return;
    }
    const bool known = channel->state == PHXC_CHANNEL_JOINED ||
                       (channel->state == PHXC_CHANNEL_JOINING && channel->join_sent);
    if ((FAULT(channel, LEAVE_WAITING_REJOINS) && channel->state == PHXC_CHANNEL_ERRORED) ||
        (FAULT(channel, LEAVE_JOINING_REJOINS) && channel->state == PHXC_CHANNEL_JOINING)) {
        channel->state = PHXC_CHANNEL_ERRORED;
        TELL(channel, closed, true);
        schedule_rejoin(channel);
        return;
    }
    channel->state = PHXC_CHANNEL_CLOSED;
    if (known && is_open(channel) && !FAULT(channel, LEAVE_UNSENT)) {
        send_leave(channel);
        if (FAULT(channel, LEAVE_TWICE)) {
            send_leave(channel);
        }
    }
    close_channel(channel, true);
}

/* One that waits to join again is left, too: it would push out the newer one later. */
void phxc__channel_leave_duplicate(phxc_channel_t *channel, phx_slice_t topic)
{
    if (channel->state != PHXC_CHANNEL_NEW && phx_slice_equal(phx_buf_slice(&channel->topic), topic)) {
        phxc_channel_leave(channel);
    }
}

static void fail(phxc_channel_t *channel, phxc_cause_t cause, phx_slice_t reason)
{
    stop_joining(channel);
    channel->state = PHXC_CHANNEL_ERRORED;
    TELL(channel, errored, cause, reason);
    schedule_rejoin(channel);
}

void phxc__channel_transport_gone(phxc_channel_t *channel, phx_slice_t reason)
{
    reset_rejoin(channel);
    if (FAULT(channel, PUSH_REPEATED)) {
        channel->first_waiting = channel->first_push;
    }
    if (channel->state == PHXC_CHANNEL_JOINED || channel->state == PHXC_CHANNEL_JOINING) {
        stop_joining(channel);
        channel->state = PHXC_CHANNEL_ERRORED;
        TELL(channel, errored, PHXC_CAUSE_TRANSPORT, reason);
    }
}

void phxc__channel_opened(phxc_channel_t *channel)
{
    reset_rejoin(channel);
    if (FAULT(channel, REJOIN_WAITS)) {
        schedule_rejoin(channel);
        return;
    }
    if (channel->state == PHXC_CHANNEL_ERRORED) {
        if (FAULT(channel, REJOIN_ONCE) && channel->socket->faulted++ > 0) {
            return;
        }
        if (FAULT(channel, REJOIN_LEAVES)) {
            send_leave(channel);
        }
    }
    rejoin(channel);
}

/* ---- messages ---- */

/* Status and response of a phx_reply; false if it has none. */
static bool read_reply(const phx_message_t *message, phx_buf_t *scratch, phx_slice_t *status,
                       phx_payload_t *response)
{
    phx_slice_t value = message->status; /* BIN-04 */
    *response = message->payload;
    if (value.len == 0) {
        if (message->payload.form != PHX_TEXT || !phx_json_member(message->payload.data, "status", &value)) {
            return false;
        }
        if (!phx_json_member(message->payload.data, "response", &response->data)) {
            response->data = PHX_SLICE("{}");
        }
    }
    return phx_json_string(value, scratch, status) == 0;
}

static void join_replied(phxc_channel_t *channel, phx_slice_t status, phx_payload_t response)
{
    stop_joining(channel);
    if (!phx_slice_equals(status, "ok") && !FAULT(channel, REFUSED_IS_JOINED)) {
        channel->state = PHXC_CHANNEL_ERRORED; /* CL-CHAN-07 */
        TELL(channel, refused, status, response);
        if (FAULT(channel, REFUSED_DROPS_PUSHES)) {
            phxc__pushes_cancel(channel);
        }
        if (!FAULT(channel, REFUSED_FINAL)) {
            schedule_rejoin(channel);
        }
        return;
    }
    channel->state = PHXC_CHANNEL_JOINED;
    channel->socket->faulted = FAULT(channel, FIRST_MESSAGE_LOST) ? 1 : channel->socket->faulted;
    if (!FAULT(channel, REJOIN_NO_RESET)) {
        reset_rejoin(channel);
    }
    phxc__pushes_send_waiting(channel);
    TELL(channel, joined, response);
}

/* PUSH-17; what nobody waits for is ignored (PUSH-08, MSG-13). */
static void on_reply(phxc_channel_t *channel, const phx_message_t *message)
{
    phx_buf_t scratch = {0};
    phx_slice_t status;
    phx_payload_t response;
    if (read_reply(message, &scratch, &status, &response)) {
        const bool is_join = phx_slice_equal(message->ref, phxc_ref_slice(&channel->join_ref)) ||
                             FAULT(channel, JOIN_ANY_ANSWER);
        if (channel->join_sent && is_join) {
            join_replied(channel, status, response);
        } else if (!(FAULT(channel, REPLY_STATUS) && !phx_slice_equals(status, "ok") &&
                     !phx_slice_equals(status, "error"))) {
            phxc__pushes_replied(channel, message->ref, status, response);
        }
    }
    phx_buf_free(&scratch);
}

static bool is_null(phx_slice_t ref)
{
    return phx_slice_equals(ref, "null");
}

/*
 * JREF-06. In 1.0.0 nothing has a join_ref; but the ends of channels carry it as their ref (V1-06, V2-08),
 * and a late end of a former join must not end this one.
 */
static bool is_ours(const phxc_channel_t *channel, const phx_message_t *message, bool is_end)
{
    const phx_slice_t join_ref = is_null(message->join_ref) && is_end ? message->ref : message->join_ref;
    return (is_null(join_ref) && !FAULT(channel, BROADCASTS_DROPPED)) ||
           phx_slice_equal(join_ref, phxc_ref_slice(&channel->join_ref));
}

static void call_handlers(phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    const size_t count = channel->handler_count;
    TELL(channel, message, event, payload);
    for (size_t i = 0; i < count && !channel->freed; i++) {
        const phxc_handler_t handler = channel->handlers[i]; /* the array may move */
        if (handler.call != NULL && phx_slice_equal(phx_buf_slice(&handler.event), event)) {
            handler.call(handler.user, channel, payload);
            if (FAULT(channel, FIRST_LISTENER_ONLY)) {
                return;
            }
        }
    }
    if (!channel->freed && phxc_fault_unheard(channel, event)) {
        fail(channel, PHXC_CAUSE_SERVER, event);
    }
}

void phxc__channel_message(phxc_channel_t *channel, const phx_message_t *message, phx_slice_t topic,
                           phx_slice_t event)
{
    const bool replies = phx_slice_equals(event, "phx_reply");
    bool closes = phx_slice_equals(event, "phx_close");
    bool fails = phx_slice_equals(event, "phx_error");
    bool ours = channel->state != PHXC_CHANNEL_NEW && channel->state != PHXC_CHANNEL_CLOSED &&
                phx_slice_equal(phx_buf_slice(&channel->topic), topic) &&
                is_ours(channel, message, closes || fails);
    phxc_fault_message(channel, topic, &ours, replies, &closes, &fails);
    if (!ours) {
        return;
    }
    if (replies) {
        on_reply(channel, message);
    } else if (closes) {
        close_channel(channel, false); /* STOP-09 */
    } else if (fails) {
        if (channel->state != PHXC_CHANNEL_ERRORED) {
            fail(channel, PHXC_CAUSE_SERVER, message->payload.data);
        }
    } else {
        call_handlers(channel, event, message->payload);
    }
}

int phxc_channel_on(phxc_channel_t *channel, phx_slice_t event,
                    void (*handler)(void *user, phxc_channel_t *channel, phx_payload_t payload), void *user)
{
    phxc_handler_t *handlers =
        realloc(channel->handlers, (channel->handler_count + 1) * sizeof *channel->handlers);
    if (handlers == NULL) {
        return PHX_ENOMEM;
    }
    channel->handlers = handlers;
    phxc_handler_t *added = &handlers[channel->handler_count];
    *added = (phxc_handler_t){.number = ++channel->last_handler, .call = handler, .user = user};
    phx_buf_append_slice(&added->event, event);
    if (added->event.failed) {
        return PHX_ENOMEM;
    }
    channel->handler_count++;
    return added->number;
}

void phxc_channel_off(phxc_channel_t *channel, int handler)
{
    for (size_t i = 0; i < channel->handler_count; i++) {
        if (channel->handlers[i].number == handler || FAULT(channel, UNLISTEN_ALL)) {
            channel->handlers[i].call = NULL;
            phxc__socket_reap_soon(channel->socket);
        }
    }
}

/* ---- making and freeing ---- */

phxc_channel_t *phxc_channel_new(phxc_socket_t *socket, phx_slice_t topic, phx_payload_t params,
                                 const phxc_channel_callbacks_t *callbacks, void *user)
{
    static const phxc_channel_callbacks_t nobody = {0};
    phxc_channel_t **channels =
        realloc(socket->channels, (socket->channel_count + 1) * sizeof *socket->channels);
    if (channels == NULL) {
        return NULL;
    }
    socket->channels = channels;
    phxc_channel_t *channel = calloc(1, sizeof *channel);
    if (channel == NULL) {
        return NULL;
    }
    channel->socket = socket;
    channel->callbacks = callbacks != NULL ? callbacks : &nobody;
    channel->user = user;
    channel->params_form = params.form;
    phx_buf_append_slice(&channel->params, params.data);
    phx_buf_append_slice(&channel->topic, topic);
    if (channel->topic.failed || channel->params.failed) {
        phxc__channel_destroy(channel);
        return NULL;
    }
    channels[socket->channel_count++] = channel;
    return channel;
}

void phxc_channel_params_at(phxc_channel_t *channel, void (*params_at)(void *user, phx_buf_t *json))
{
    channel->params_at = params_at;
}

void phxc_channel_free(phxc_channel_t *channel)
{
    if (channel != NULL && !channel->freed) {
        channel->freed = true;
        phxc_channel_leave(channel);
        phxc__socket_reap_soon(channel->socket);
    }
}

static void forget_handlers(phxc_channel_t *channel, bool all)
{
    size_t kept = 0;
    for (size_t i = 0; i < channel->handler_count; i++) {
        if (all || channel->handlers[i].call == NULL) {
            phx_buf_free(&channel->handlers[i].event);
        } else {
            channel->handlers[kept++] = channel->handlers[i];
        }
    }
    channel->handler_count = kept;
}

void phxc__channel_destroy(phxc_channel_t *channel)
{
    channel->freed = true;
    while (channel->presences != NULL) {
        phxc_presence_free(channel->presences);
    }
    reset_rejoin(channel);
    stop_joining(channel);
    channel->state = PHXC_CHANNEL_CLOSED;
    phxc__pushes_cancel(channel);
    forget_handlers(channel, true);
    free(channel->handlers);
    phx_buf_free(&channel->topic);
    phx_buf_free(&channel->params);
    free(channel);
}

bool phxc__channel_reap(phxc_channel_t *channel)
{
    if (channel->freed) {
        phxc__channel_destroy(channel);
        return true;
    }
    forget_handlers(channel, false);
    return false;
}

phxc_channel_state_t phxc_channel_state(const phxc_channel_t *channel)
{
    return channel->state;
}

phx_slice_t phxc_channel_topic(const phxc_channel_t *channel)
{
    return phx_buf_slice(&channel->topic);
}

phx_slice_t phxc_channel_join_ref(const phxc_channel_t *channel)
{
    const phxc_ref_t *ref = &channel->join_ref;
    return ref->len > 2 ? (phx_slice_t){ref->text + 1, ref->len - 2} : (phx_slice_t){0};
}
