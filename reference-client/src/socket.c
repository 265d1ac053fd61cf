/* SPDX-License-Identifier: MIT */
#include "socket.h"

#include "phx/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest integer after which phoenix.js could not count on. CL-CONN-03 */
static const uint64_t LAST_REF = UINT64_C(1) << 53;

/* ---- small things ---- */

phx_slice_t phxc_ref_slice(const phxc_ref_t *ref)
{
    return (phx_slice_t){ref->text, ref->len};
}

uint64_t phxc_delay(const phxc_delays_t *delays, unsigned attempt)
{
    const size_t index = attempt > 0 ? attempt - 1 : 0;
    return delays->ms[index < delays->count ? index : delays->count - 1];
}

bool phxc__socket_is_open(const phxc_socket_t *socket)
{
    return socket->state == PHXC_OPEN;
}

phxc_ref_t phxc__socket_make_ref(phxc_socket_t *socket)
{
    socket->last_ref = socket->last_ref < LAST_REF ? socket->last_ref + 1 : 0;
    if (phxc_fault(socket, REF_CONSTANT)) {
        socket->last_ref = 1;
    }
    phxc_ref_t ref;
    ref.len =
        (size_t)snprintf(ref.text, sizeof ref.text,
                         phxc_fault(socket, REF_NUMBER) ? "%" PRIu64 : "\"%" PRIu64 "\"", socket->last_ref);
    return ref;
}

/* ---- sending ---- */

int phxc__socket_write(const phxc_socket_t *socket, phx_buf_t *out, phx_form_t *form, phx_slice_t join_ref,
                       phx_slice_t ref, phx_slice_t topic, phx_slice_t event, phx_payload_t payload)
{
    if (payload.form == PHX_BINARY && phxc_fault(socket, BINARY_NO_JOIN_REF)) {
        join_ref = PHX_SLICE("\"\"");
    }
    const phx_vsn_t vsn =
        payload.form == PHX_BINARY && phxc_fault(socket, BINARY_IN_V1) ? PHX_V2 : socket->vsn;
    const int error = phx_encode_from_client(vsn, out, form, join_ref, ref, topic, event, payload);
    phxc_fault_written(socket, error, out, form);
    return error;
}

static void send_bytes(phxc_socket_t *socket, phx_form_t form, phx_slice_t bytes)
{
    PHXC_TELL(socket, sent, form, bytes);
    if (phxc_fault(socket, BEAT_PUT_OFF_BY_OUTBOUND)) {
        phxc__heartbeats_put_off(socket);
    }
    if (socket->transport != NULL) {
        socket->transport->ops->send(socket->transport, form, bytes);
    }
}

int phxc__socket_push(phxc_socket_t *socket, phx_slice_t join_ref, phx_slice_t ref, phx_slice_t topic,
                      phx_slice_t event, phx_payload_t payload)
{
    phx_buf_t bytes = {0};
    phx_form_t form;
    const int error = phxc__socket_write(socket, &bytes, &form, join_ref, ref, topic, event, payload);
    if (error == 0) {
        send_bytes(socket, form, phx_buf_slice(&bytes));
    }
    phx_buf_free(&bytes);
    return error;
}

static phxc_waiting_t *add_waiting(phxc_socket_t *socket)
{
    phxc_waiting_t *waiting = realloc(socket->waiting, (socket->waiting_count + 1) * sizeof *socket->waiting);
    if (waiting == NULL) {
        return NULL;
    }
    socket->waiting = waiting;
    waiting += socket->waiting_count++;
    *waiting = (phxc_waiting_t){0};
    return waiting;
}

int phxc__socket_queue_join(phxc_socket_t *socket, phxc_channel_t *channel)
{
    phxc_waiting_t *waiting = add_waiting(socket);
    if (waiting == NULL) {
        return PHX_ENOMEM;
    }
    waiting->join = channel;
    return 0;
}

bool phxc__socket_unqueue_join(phxc_socket_t *socket, const phxc_channel_t *channel)
{
    for (size_t i = 0; i < socket->waiting_count; i++) {
        if (socket->waiting[i].join == channel) {
            memmove(&socket->waiting[i], &socket->waiting[i + 1],
                    (--socket->waiting_count - i) * sizeof *socket->waiting);
            return true;
        }
    }
    return false;
}

int phxc_socket_send(phxc_socket_t *socket, phx_slice_t topic, phx_slice_t event, phx_payload_t payload)
{
    const phxc_ref_t ref = phxc__socket_make_ref(socket);
    phx_buf_t bytes = {0};
    phx_form_t form;
    const int error = phxc__socket_write(socket, &bytes, &form, PHX_SLICE("null"), phxc_ref_slice(&ref),
                                         topic, event, payload);
    if (error != 0) {
        phx_buf_free(&bytes);
        return error;
    }
    if (phxc__socket_is_open(socket)) {
        send_bytes(socket, form, phx_buf_slice(&bytes));
        phx_buf_free(&bytes);
        return 0;
    }
    phxc_waiting_t *waiting = add_waiting(socket);
    if (waiting == NULL) {
        phx_buf_free(&bytes);
        return PHX_ENOMEM;
    }
    waiting->form = form;
    waiting->bytes = bytes;
    return 0;
}

/* CL-CONN-10. What callbacks add meanwhile goes out at once, the socket being open. */
void phxc__socket_flush(phxc_socket_t *socket)
{
    while (socket->waiting_count > 0 && phxc__socket_is_open(socket)) {
        const size_t next = phxc_fault(socket, WAITING_REVERSED) ? socket->waiting_count - 1 : 0;
        phxc_waiting_t first = socket->waiting[next];
        memmove(&socket->waiting[next], &socket->waiting[next + 1],
                (--socket->waiting_count - next) * sizeof *socket->waiting);
        if (phxc_fault(socket, WAITING_LOST)) {
            phx_buf_free(&first.bytes);
            continue;
        }
        if (first.join != NULL && phxc_fault(socket, WAITING_TWICE)) {
            phxc__channel_send_join(first.join);
        }
        if (first.join != NULL) {
            phxc__channel_send_join(first.join);
        } else {
            send_bytes(socket, first.form, phx_buf_slice(&first.bytes));
        }
        phx_buf_free(&first.bytes);
    }
}

/* ---- receiving ---- */

void phxc__socket_received(phxc_socket_t *socket, phx_form_t form, phx_slice_t bytes)
{
    phx_message_t message = {0};
    const int error = phx_decode_from_server(socket->vsn, form, bytes, &message);
    if (error != 0 && phxc_fault(socket, UNREADABLE_ENDS)) {
        phxc__connection_give_up(socket);
    } else if (phxc_fault(socket, BEAT_PUT_OFF_BY_INBOUND)) {
        phxc__heartbeats_put_off(socket);
    }
    PHXC_TELL(socket, received, form, bytes, error);
    phx_buf_t scratch[2] = {{0}, {0}};
    phx_slice_t topic;
    phx_slice_t event;
    if (error == 0 && socket->transport != NULL) {
        phxc__heartbeats_answered(socket, message.ref);
        /* MSG-13: what has no string there is for nobody. */
        if (phx_json_string(message.topic, &scratch[0], &topic) == 0 &&
            phx_json_string(message.event, &scratch[1], &event) == 0 &&
            !phxc_fault_unread(socket, form, bytes, &topic, event)) {
            const size_t count = socket->channel_count;
            for (size_t i = 0; i < count && socket->transport != NULL; i++) {
                phxc__channel_message(socket->channels[i], &message, topic, event);
            }
        }
    }
    phx_buf_free(&scratch[0]);
    phx_buf_free(&scratch[1]);
    phx_message_free(&message);
}

/* ---- its channels ---- */

void phxc__socket_leave_topic(phxc_socket_t *socket, phx_slice_t topic, const phxc_channel_t *except)
{
    const size_t count = socket->channel_count;
    for (size_t i = 0; i < count; i++) {
        if (socket->channels[i] != except) {
            phxc__channel_leave_duplicate(socket->channels[i], topic);
        }
    }
}

static void reap(void *data)
{
    phxc_socket_t *socket = data;
    size_t kept = 0;
    for (size_t i = 0; i < socket->channel_count; i++) {
        if (!phxc__channel_reap(socket->channels[i])) {
            socket->channels[kept++] = socket->channels[i];
        }
    }
    socket->channel_count = kept;
}

void phxc__socket_reap_soon(phxc_socket_t *socket)
{
    phxc_timer_start(socket->timers, &socket->reap, 0, reap, socket);
}

/* ---- making and freeing ---- */

static bool copy_text(char **copy, const char *text)
{
    *copy = text != NULL ? strdup(text) : NULL;
    return text == NULL || *copy != NULL;
}

static bool copy_delays(phxc_delays_t *copy, const phxc_delays_t *delays)
{
    uint64_t *ms = malloc(delays->count * sizeof *ms);
    if (ms == NULL) {
        return false;
    }
    memcpy(ms, delays->ms, delays->count * sizeof *ms);
    *copy = (phxc_delays_t){ms, delays->count};
    return true;
}

void phxc_config_defaults(phxc_config_t *config)
{
    static const uint64_t reconnect_ms[] = {10,  50,  100,  150,  200,
                                            250, 500, 1000, 2000, 5000}; /* CL-CONN-04 */
    static const uint64_t rejoin_ms[] = {1000, 2000, 5000, 10000};       /* CL-CHAN-05 */
    *config = (phxc_config_t){
        .carriage = PHXC_WEBSOCKET,
        .vsn = PHX_V2,
        .timeout_ms = 10000,
        .heartbeat_ms = 30000,
        .connect_timeout_ms = 20000,
        .longpoll_timeout_ms = 20000,
        .reconnect_after = {reconnect_ms, sizeof reconnect_ms / sizeof reconnect_ms[0]},
        .rejoin_after = {rejoin_ms, sizeof rejoin_ms / sizeof rejoin_ms[0]},
        .longpoll_token = PHXC_TOKEN_IN_QUERY,
        .max_message_bytes = (size_t)64 << 20,
    };
}

static const char *what_is_wrong(const phxc_config_t *config)
{
    if (config->reconnect_after.count == 0 || config->rejoin_after.count == 0) {
        return "a table of delays is empty";
    }
    if (config->timeout_ms == 0 || config->heartbeat_ms == 0 || config->connect_timeout_ms == 0 ||
        config->longpoll_timeout_ms == 0) {
        return "a timeout or interval is 0";
    }
    return NULL;
}

phxc_socket_t *phxc__socket_new(phxc_timers_t *timers, phxc_network_t network, void (*release)(void *context),
                                const phxc_config_t *config, const phxc_socket_callbacks_t *callbacks,
                                void *user, char *error, size_t error_size)
{
    static const phxc_socket_callbacks_t nobody = {0};
    const char *wrong = what_is_wrong(config);
    phxc_socket_t *socket = calloc(1, sizeof *socket);
    if (socket == NULL || wrong != NULL) {
        (void)snprintf(error, error_size, "%s", wrong != NULL ? wrong : phxc_strerror(PHX_ENOMEM));
        free(socket);
        if (release != NULL) {
            release(network.context);
        }
        return NULL;
    }
    socket->timers = timers;
    socket->network = network;
    socket->release = release;
    socket->callbacks = callbacks != NULL ? callbacks : &nobody;
    socket->user = user;
    socket->vsn = config->vsn;
    socket->carriage = config->carriage;
    socket->params_at = config->params_at;
    socket->auth_token_at = config->auth_token_at;
    socket->timeout_ms = config->timeout_ms;
    socket->heartbeat_ms = config->heartbeat_ms;
    socket->fallback_ms = config->longpoll_fallback_ms;
    if (!phxc_endpoint_parse(&socket->endpoint, config->endpoint, error, error_size)) {
        phxc_socket_free(socket);
        return NULL;
    }
    if (!copy_text(&socket->params, config->params) || !copy_text(&socket->auth_token, config->auth_token) ||
        !copy_delays(&socket->reconnect_after, &config->reconnect_after) ||
        !copy_delays(&socket->rejoin_after, &config->rejoin_after)) {
        (void)snprintf(error, error_size, "%s", phxc_strerror(PHX_ENOMEM));
        phxc_socket_free(socket);
        return NULL;
    }
    return socket;
}

void phxc_socket_free(phxc_socket_t *socket)
{
    if (socket == NULL) {
        return;
    }
    phxc__connection_drop(socket);
    for (size_t i = 0; i < socket->channel_count; i++) {
        phxc_channel_free(socket->channels[i]); /* the callbacks of cancelled pushes see them all */
    }
    phxc__connection_forget_attempts(socket);
    for (size_t i = 0; i < socket->channel_count; i++) {
        phxc__channel_destroy(socket->channels[i]);
    }
    phxc_timer_stop(socket->timers, &socket->reap);
    for (size_t i = 0; i < socket->waiting_count; i++) {
        phx_buf_free(&socket->waiting[i].bytes);
    }
    free(socket->waiting);
    free(socket->pings);
    free(socket->channels);
    free(socket->params);
    free(socket->auth_token);
    free((void *)(uintptr_t)socket->reconnect_after.ms);
    free((void *)(uintptr_t)socket->rejoin_after.ms);
    phx_buf_free(&socket->closing_reason);
    phxc_url_free(&socket->endpoint);
    if (socket->release != NULL) {
        socket->release(socket->network.context);
    }
    free(socket);
}
