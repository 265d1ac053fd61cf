/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include "phx/json.h"

#include <stdlib.h>

#define FAULT(channel, name) phxc_fault((channel)->socket, name)

static void unlink_push(phxc_channel_t *channel, phxc_push_t *push)
{
    if (channel->first_push == push) {
        channel->first_push = push->next;
    } else {
        push->prev->next = push->next;
    }
    if (channel->last_push == push) {
        channel->last_push = push->prev;
    } else {
        push->next->prev = push->prev;
    }
    if (channel->first_waiting == push) {
        channel->first_waiting = push->next;
    }
}

/* The end of a push: it is told once, whatever comes later (PUSH-08). */
static void end_push(phxc_channel_t *channel, phxc_push_t *push, phxc_outcome_t outcome, phx_slice_t status,
                     phx_payload_t response)
{
    phxc_timer_stop(channel->socket->timers, &push->timer);
    if ((FAULT(channel, REPLY_EACH) && outcome == PHXC_REPLIED) ||
        (FAULT(channel, PUSH_LATE_REPLY) && outcome == PHXC_TIMEOUT)) {
        push->replied(push->user, outcome, status, response);
        return;
    }
    unlink_push(channel, push);
    if (push->replied != NULL) {
        push->replied(push->user, outcome, status, response);
    }
    phx_buf_free(&push->event);
    phx_buf_free(&push->payload);
    free(push);
}

void phxc__pushes_cancel(phxc_channel_t *channel)
{
    while (channel->first_push != NULL) {
        end_push(channel, channel->first_push, PHXC_CANCELLED, (phx_slice_t){0}, (phx_payload_t){0});
    }
}

static void push_is_late(void *data)
{
    phxc_push_t *push = data;
    end_push(push->channel, push, PHXC_TIMEOUT, (phx_slice_t){0}, (phx_payload_t){0});
}

/* PUSH-18: the time counts from here again. */
static void send_push(phxc_push_t *push)
{
    phxc_channel_t *channel = push->channel;
    if (!FAULT(channel, PUSH_UNTIMED)) {
        phxc_timer_start(channel->socket->timers, &push->timer, push->timeout_ms, push_is_late, push);
    }
    push->ref = phxc__socket_make_ref(channel->socket);
    const phx_slice_t join_ref = FAULT(channel, PUSH_NO_JOIN_REF)    ? PHX_SLICE("null")
                                 : FAULT(channel, PUSH_OWN_JOIN_REF) ? phxc_ref_slice(&push->ref)
                                                                     : phxc_ref_slice(&channel->join_ref);
    phx_payload_t payload = {push->form, phx_buf_slice(&push->payload)};
    if (FAULT(channel, PUSH_NULL_PAYLOAD) && phx_slice_equals(payload.data, "{}")) {
        payload.data = PHX_SLICE("null");
    }
    /* It could be written when it was issued; what memory runs out for ends in a timeout. JREF-05 */
    (void)phxc__socket_push(channel->socket, join_ref, phxc_ref_slice(&push->ref),
                            phx_buf_slice(&channel->topic), phx_buf_slice(&push->event), payload);
}

static bool can_push(const phxc_channel_t *channel)
{
    return channel->state == PHXC_CHANNEL_JOINED && phxc__socket_is_open(channel->socket);
}

/* CL-CHAN-04. What callbacks push meanwhile queues up behind. */
void phxc__pushes_send_waiting(phxc_channel_t *channel)
{
    if (FAULT(channel, BUFFER_REVERSED)) {
        for (phxc_push_t *push = channel->last_push; channel->first_waiting != NULL; push = push->prev) {
            channel->first_waiting = push == channel->first_waiting ? NULL : channel->first_waiting;
            send_push(push);
        }
    }
    while (channel->first_waiting != NULL && can_push(channel)) {
        phxc_push_t *push = channel->first_waiting;
        channel->first_waiting = push->next;
        if (FAULT(channel, BUFFER_LOST)) {
            continue;
        }
        send_push(push);
        if (FAULT(channel, BUFFER_TWICE)) {
            send_push(push);
        }
    }
}

int phxc__channel_check_message(const phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    phx_buf_t bytes = {0};
    phx_form_t form;
    phx_slice_t value;
    int error = payload.form == PHX_TEXT ? phx_json_check(payload.data, &value, NULL) : 0;
    if (error == 0) {
        error = phxc__socket_write(channel->socket, &bytes, &form, PHX_SLICE("\"\""), PHX_SLICE("\"\""),
                                   phx_buf_slice(&channel->topic), event, payload);
    }
    phx_buf_free(&bytes);
    return error;
}

static phxc_push_t *new_push(phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    phxc_push_t *push = calloc(1, sizeof *push);
    if (push == NULL) {
        return NULL;
    }
    phx_buf_append_slice(&push->event, event);
    phx_buf_append_slice(&push->payload, payload.data);
    if (push->event.failed || push->payload.failed) {
        phx_buf_free(&push->event);
        phx_buf_free(&push->payload);
        free(push);
        return NULL;
    }
    push->form = payload.form;
    push->channel = channel;
    push->prev = channel->last_push;
    *(push->prev != NULL ? &push->prev->next : &channel->first_push) = push;
    channel->last_push = push;
    return push;
}

int phxc_channel_push(phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload, uint64_t timeout_ms,
                      phxc_reply_cb replied, void *user)
{
    if (channel->state == PHXC_CHANNEL_NEW && FAULT(channel, PUSH_UNJOINED)) {
        const phxc_ref_t ref = phxc__socket_make_ref(channel->socket);
        return phxc__socket_push(channel->socket, PHX_SLICE("null"), phxc_ref_slice(&ref),
                                 phx_buf_slice(&channel->topic), event, payload);
    }
    if (channel->state == PHXC_CHANNEL_NEW || channel->state == PHXC_CHANNEL_CLOSED) {
        return channel->state == PHXC_CHANNEL_NEW ? PHXC_ENOTJOINED : PHXC_ECLOSED; /* PUSH-19 */
    }
    if (FAULT(channel, BINARY_CUT) && event.len > 255) {
        event.len = 255;
    }
    const int error = phxc__channel_check_message(channel, event, payload);
    if (error != 0) {
        return error;
    }
    phxc_push_t *push = new_push(channel, event, payload);
    if (push == NULL) {
        return PHX_ENOMEM;
    }
    push->replied = replied;
    push->user = user;
    push->timeout_ms = timeout_ms > 0 ? timeout_ms : channel->socket->timeout_ms;
    if (can_push(channel) && channel->first_waiting == NULL) {
        send_push(push);
    } else {
        channel->first_waiting = channel->first_waiting != NULL ? channel->first_waiting : push;
        if (!FAULT(channel, BUFFER_UNTIMED)) {
            phxc_timer_start(channel->socket->timers, &push->timer, push->timeout_ms, push_is_late, push);
        }
    }
    return 0;
}

void phxc__pushes_replied(phxc_channel_t *channel, phx_slice_t ref, phx_slice_t status,
                          phx_payload_t response)
{
    phxc_push_t *push = channel->first_push;
    while (push != NULL && !phx_slice_equal(ref, phxc_ref_slice(&push->ref))) {
        push = push->next;
    }
    if (push != NULL) {
        end_push(channel, push, PHXC_REPLIED, status, response);
    }
}
