/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "phx/json.h"
#include "presence.h"
#include "socket.h"

typedef enum mail_kind {
    MAIL_PUSH,
    MAIL_LEAVE,
    MAIL_OUT,  /* an intercepted broadcast */
    MAIL_INFO, /* of the application's own */
    MAIL_EXIT, /* a duplicate join asks it to end */
} mail_kind_t;

/* One message in the mailbox, with copies of its texts behind it. */
struct channel_mail {
    channel_mail_t *next;
    mail_kind_t kind;
    phx_slice_t ref; /* JSON text */
    phx_slice_t event;
    phx_payload_t payload;
    void *message; /* MAIL_INFO */
    void (*release)(void *message);
    phxs_channel_t *channel; /* these three while delayed */
    channel_mail_t *prev;
    loop_timer_t timer;
    size_t size; /* of all of it */
    char texts[];
};

/* A handler that takes its time. */
typedef struct suspension {
    phxs_channel_t *channel;
    phxs_outcome_t (*resume)(phxs_channel_t *, void *);
    void *data;
    void (*release)(void *);
    loop_timer_t timer;
} suspension_t;

static const subscriber_ops_t SUBSCRIBER_OPS;

static core_t *core_of(const phxs_channel_t *channel)
{
    return channel->socket->mount->core;
}

static void run_task(task_t *task);

/* ---- life ---- */

static phx_slice_t put(char **at, phx_slice_t text)
{
    phx_slice_t copy = {*at, text.len};
    if (text.len > 0) {
        memcpy(*at, text.data, text.len);
    }
    *at += text.len;
    return copy;
}

phxs_channel_t *channel_new(phxs_socket_t *socket, const phxs_channel_handler_t *handler,
                            phx_slice_t topic_json, uint64_t topic_hash, phx_slice_t join_ref,
                            phx_slice_t ref)
{
    phx_buf_t scratch = {0};
    phx_slice_t topic = {0};
    phxs_channel_t *channel = calloc(1, sizeof(*channel));
    if (channel == NULL || phx_json_string(topic_json, &scratch, &topic) != 0) {
        goto fail;
    }
    channel->text = malloc(topic_json.len + topic.len + join_ref.len + ref.len + 1);
    if (channel->text == NULL) {
        goto fail;
    }
    char *at = channel->text;
    channel->topic_json = put(&at, topic_json);
    channel->topic = put(&at, topic);
    channel->join_ref = put(&at, join_ref);
    channel->join_message_ref = put(&at, ref);
    channel->push_ref =
        phx_slice_equals(join_ref, "null") ? channel->join_message_ref : channel->join_ref; /* JOIN-09 */
    channel->socket = socket;
    channel->handler = handler;
    channel->topic_hash = topic_hash;
    channel->task.run = run_task;
    channel->subscription.ops = &SUBSCRIBER_OPS;
    channel->subscription.vsn = socket->vsn;
    /* Its subscription has the topic once more. */
    channel->text_bytes = (size_t)(at - channel->text) + topic.len;
    socket_hold(socket, channel->text_bytes);
    phx_buf_free(&scratch);
    return channel;
fail:
    phx_buf_free(&scratch);
    free(channel);
    return NULL;
}

static void mail_free(phxs_channel_t *channel, channel_mail_t *mail)
{
    socket_let_go(channel->socket, mail->size);
    if (mail->release != NULL) {
        mail->release(mail->message);
    }
    free(mail);
}

static void drop_suspension(phxs_channel_t *channel)
{
    suspension_t *suspension = channel->suspension;
    if (suspension == NULL) {
        return;
    }
    channel->suspension = NULL;
    timers_stop(core_of(channel)->timers, &suspension->timer);
    if (suspension->release != NULL) {
        suspension->release(suspension->data);
    }
    free(suspension);
}

/* Nothing reaches the channel any more. */
static void silence(phxs_channel_t *channel, const phxs_end_t *why)
{
    core_t *core = core_of(channel);
    pubsub_unsubscribe(core->pubsub, &channel->subscription);
    presence_channel_ended(core->presence, channel, why != NULL ? *why : PHXS_END_DUPLICATE);
    tasks_remove(&core->tasks, &channel->task);
    drop_suspension(channel);
    for (channel_mail_t *mail = channel->first_mail, *next; mail != NULL; mail = next) {
        next = mail->next;
        mail_free(channel, mail);
    }
    channel->first_mail = channel->last_mail = NULL;
    for (channel_mail_t *mail = channel->delayed, *next; mail != NULL; mail = next) {
        next = mail->next;
        timers_stop(core->timers, &mail->timer);
        mail_free(channel, mail);
    }
    channel->delayed = NULL;
    if (channel->current != NULL) {
        mail_free(channel, channel->current);
    }
    channel->current = NULL;
}

/* The application's last words, then silence. */
static void finish(phxs_channel_t *channel, const phxs_end_t *why)
{
    if (channel->state == CHANNEL_ENDED) {
        return;
    }
    bool joined = channel->state == CHANNEL_JOINED;
    channel->state = CHANNEL_ENDED;
    if (joined && why != NULL && channel->handler->terminate != NULL) {
        channel->handler->terminate(channel, *why);
    }
    silence(channel, why);
    if (channel->handler->ended != NULL) {
        channel->handler->ended(channel);
    }
}

void channel_destroy(phxs_channel_t *channel, const phxs_end_t *why)
{
    finish(channel, why);
    channel_forget_join(channel);
    socket_let_go(channel->socket, channel->text_bytes);
    free(channel->text);
    free(channel);
}

/* ---- join ---- */

phxs_outcome_t channel_join(phxs_channel_t *channel, phx_payload_t payload)
{
    return channel->handler->join(channel, payload);
}

int channel_joined(phxs_channel_t *channel)
{
    channel->state = CHANNEL_JOINED;
    return pubsub_subscribe(core_of(channel)->pubsub, channel->topic, &channel->subscription);
}

int phxs_join_response(phxs_channel_t *channel, phx_payload_t response)
{
    if (channel->join_response == NULL) {
        channel->join_response = calloc(1, sizeof(*channel->join_response));
    }
    phx_buf_t *buf = channel->join_response;
    if (buf == NULL) {
        return PHX_ENOMEM;
    }
    phx_buf_clear(buf);
    phx_buf_append_byte(buf, (uint8_t)response.form);
    phx_buf_append_slice(buf, response.data);
    return buf->failed ? PHX_ENOMEM : 0;
}

phx_payload_t channel_join_response(const phxs_channel_t *channel)
{
    const phx_buf_t *buf = channel->join_response;
    if (buf == NULL || buf->len == 0) {
        return PHX_JSON_PAYLOAD("{}");
    }
    return (phx_payload_t){(phx_form_t)buf->data[0], {buf->data + 1, buf->len - 1}};
}

void channel_forget_join(phxs_channel_t *channel)
{
    if (channel->join_response != NULL) {
        phx_buf_free(channel->join_response);
    }
    free(channel->join_response);
    channel->join_response = NULL;
}

/* ---- mailbox ---- */

static channel_mail_t *mail_new(phxs_channel_t *channel, mail_kind_t kind, phx_slice_t ref, phx_slice_t event,
                                phx_payload_t payload)
{
    const size_t size = sizeof(channel_mail_t) + ref.len + event.len + payload.data.len;
    channel_mail_t *mail = malloc(size);
    if (mail == NULL) {
        return NULL;
    }
    memset(mail, 0, sizeof(*mail));
    mail->size = size;
    socket_hold(channel->socket, size);
    char *at = mail->texts;
    mail->kind = kind;
    mail->ref = put(&at, ref);
    mail->event = put(&at, event);
    mail->payload.form = payload.form;
    mail->payload.data = put(&at, payload.data);
    return mail;
}

static int post(phxs_channel_t *channel, channel_mail_t *mail)
{
    if (mail == NULL) {
        return PHX_ENOMEM;
    }
    const core_t *core = core_of(channel);
    const bool first = (mail->kind == MAIL_PUSH && has_fault(core, FAULT_PUSHES_REVERSED)) ||
                       (mail->kind == MAIL_LEAVE && has_fault(core, FAULT_LEAVE_OVERTAKES));
    if (channel->first_mail == NULL) {
        channel->first_mail = channel->last_mail = mail;
    } else if (first) {
        mail->next = channel->first_mail;
        channel->first_mail = mail;
    } else {
        channel->last_mail->next = mail;
        channel->last_mail = mail;
    }
    if (channel->state == CHANNEL_JOINED && channel->suspension == NULL) {
        tasks_push(&core_of(channel)->tasks, &channel->task);
    }
    return 0;
}

static const phx_payload_t NO_PAYLOAD = {PHX_TEXT, {"null", 4}};
static const phx_slice_t NULL_REF = {"null", 4};

int channel_push(phxs_channel_t *channel, phx_slice_t event_json, phx_slice_t ref, phx_payload_t payload)
{
    if (channel->state == CHANNEL_ENDED) {
        return 0; /* LEAVE-07 */
    }
    if (channel->suspension != NULL && has_fault(core_of(channel), FAULT_BUSY_DROPS)) {
        return 0;
    }
    return post(channel, mail_new(channel, MAIL_PUSH, ref, event_json, payload));
}

int channel_leave(phxs_channel_t *channel, phx_slice_t ref)
{
    if (channel->state == CHANNEL_ENDED) {
        return 0;
    }
    return post(channel, mail_new(channel, MAIL_LEAVE, ref, (phx_slice_t){0}, NO_PAYLOAD));
}

int channel_request_exit(phxs_channel_t *channel)
{
    return post(channel, mail_new(channel, MAIL_EXIT, NULL_REF, (phx_slice_t){0}, NO_PAYLOAD));
}

/* ---- ends ---- */

/* Under a fault only: it ends for its client, but goes on to hear what is broadcast. */
static bool haunts(phxs_channel_t *channel, phxs_end_t why)
{
    const fault_t faults[] = {[PHXS_END_LEFT] = FAULT_LEAVE_HAUNTS,
                              [PHXS_END_STOPPED] = FAULT_STOP_HAUNTS,
                              [PHXS_END_FAILED] = FAULT_CRASH_HAUNTS,
                              [PHXS_END_DUPLICATE] = FAULT_NONE,
                              [PHXS_END_TRANSPORT] = FAULT_NONE};
    if (faults[why] == FAULT_NONE || !has_fault(core_of(channel), faults[why])) {
        return false;
    }
    if (channel->current != NULL) {
        mail_free(channel, channel->current);
        channel->current = NULL;
    }
    socket_haunt(channel->socket, channel, why == PHXS_END_FAILED ? "phx_error" : "phx_close");
    return true;
}

static void end_with(phxs_channel_t *channel, phxs_end_t why)
{
    bool noticed;
    if (haunts(channel, why)) {
        return;
    }
    if (why == PHXS_END_FAILED && has_fault(core_of(channel), FAULT_CRASH_TAKES_OTHERS)) {
        socket_end_others(channel->socket, channel);
    }
    if (why == PHXS_END_FAILED) {
        finish(channel, &why);
        noticed = socket_announce_end(channel->socket, channel, "phx_error"); /* STOP-05 */
    } else {
        noticed = socket_announce_end(channel->socket, channel, "phx_close"); /* STOP-01 */
        finish(channel, &why);                                                /* LEAVE-06 */
    }
    if (noticed) {
        channel_destroy(channel, NULL);
    }
}

/* What an outcome of a joined channel means. Returns false if the channel has ended. */
static bool settle(phxs_channel_t *channel, phxs_outcome_t outcome)
{
    if (outcome == PHXS_SUSPENDED && channel->suspension != NULL) {
        return true;
    }
    if (outcome == PHXS_CONTINUE) {
        if (channel->current != NULL) {
            mail_free(channel, channel->current);
        }
        channel->current = NULL;
        return true;
    }
    end_with(channel, outcome == PHXS_STOP ? PHXS_END_STOPPED : PHXS_END_FAILED);
    return false;
}

/* ---- handling ---- */

static phxs_outcome_t handle_push(phxs_channel_t *channel, const channel_mail_t *mail)
{
    phx_buf_t scratch = {0};
    phx_slice_t event;
    if (phx_json_string(mail->event, &scratch, &event) != 0) {
        return PHXS_FAIL; /* MSG-09 */
    }
    phxs_outcome_t outcome = channel->handler->handle_in(channel, event, mail->payload);
    phx_buf_free(&scratch);
    return outcome;
}

static phxs_outcome_t handle_out(phxs_channel_t *channel, const channel_mail_t *mail)
{
    if (channel->handler->handle_out != NULL) {
        return channel->handler->handle_out(channel, mail->event, mail->payload);
    }
    return phxs_push(channel, mail->event, mail->payload) == 0 ? PHXS_CONTINUE : PHXS_FAIL;
}

/* Returns false if the channel has ended. */
static bool handle(phxs_channel_t *channel, channel_mail_t *mail)
{
    phxs_end_t duplicate = PHXS_END_DUPLICATE;
    channel->current = mail;
    switch (mail->kind) {
    case MAIL_PUSH:
        return settle(channel, handle_push(channel, mail));
    case MAIL_OUT:
        return settle(channel, handle_out(channel, mail));
    case MAIL_INFO:
        return settle(channel, channel->handler->handle_info(channel, mail->message));
    case MAIL_LEAVE: /* LEAVE-02 */
        phxs_reply(channel, "ok", PHX_JSON_PAYLOAD("{}"));
        end_with(channel, PHXS_END_LEFT);
        return false;
    case MAIL_EXIT:
        finish(channel, &duplicate);
        socket_duplicate_ended(channel->socket, channel);
        return false;
    }
    return true;
}

static void run_task(task_t *task)
{
    phxs_channel_t *channel = CONTAINER_OF(task, phxs_channel_t, task);
    while (channel->suspension == NULL && channel->first_mail != NULL) {
        channel_mail_t *mail = channel->first_mail;
        channel->first_mail = mail->next;
        if (channel->first_mail == NULL) {
            channel->last_mail = NULL;
        }
        if (!handle(channel, mail)) {
            return;
        }
    }
}

/* ---- time ---- */

static void resume(loop_timer_t *timer)
{
    suspension_t *suspension = CONTAINER_OF(timer, suspension_t, timer);
    phxs_channel_t *channel = suspension->channel;
    core_t *core = core_of(channel);
    channel->suspension = NULL;

    phxs_outcome_t outcome = suspension->resume(channel, suspension->data);
    bool again = channel->suspension != NULL && channel->suspension->data == suspension->data;
    if (!again && suspension->release != NULL) {
        suspension->release(suspension->data);
    }
    free(suspension);

    if (channel->state == CHANNEL_JOINING) {
        if (outcome != PHXS_SUSPENDED || channel->suspension == NULL) {
            socket_join_decided(channel->socket, channel, outcome);
        }
    } else {
        phxs_socket_t *socket = channel->socket;
        if (settle(channel, outcome) && channel->first_mail != NULL && channel->suspension == NULL) {
            tasks_push(&core->tasks, &channel->task);
        }
        if (has_fault(core, FAULT_BUSY_BLOCKS)) {
            tasks_push(&core->tasks, &socket->task);
        }
    }
    tasks_run(&core->tasks);
}

int phxs_suspend(phxs_channel_t *channel, uint64_t delay_ms,
                 phxs_outcome_t (*on_resume)(phxs_channel_t *, void *), void *data, void (*release)(void *))
{
    suspension_t *suspension = calloc(1, sizeof(*suspension));
    if (suspension == NULL || channel->suspension != NULL ||
        !timers_start(core_of(channel)->timers, &suspension->timer, delay_ms, resume)) {
        free(suspension);
        return PHX_ENOMEM;
    }
    suspension->channel = channel;
    suspension->resume = on_resume;
    suspension->data = data;
    suspension->release = release;
    channel->suspension = suspension;
    return 0;
}

static channel_mail_t *info_mail(phxs_channel_t *channel, void *message, void (*release)(void *))
{
    channel_mail_t *mail = mail_new(channel, MAIL_INFO, NULL_REF, (phx_slice_t){0}, NO_PAYLOAD);
    if (mail != NULL) {
        mail->message = message;
        mail->release = release;
    }
    return mail;
}

int phxs_post(phxs_channel_t *channel, void *message, void (*release)(void *))
{
    return post(channel, info_mail(channel, message, release));
}

static void delayed_due(loop_timer_t *timer)
{
    channel_mail_t *mail = CONTAINER_OF(timer, channel_mail_t, timer);
    phxs_channel_t *channel = mail->channel;
    core_t *core = core_of(channel);
    if (mail->prev != NULL) {
        mail->prev->next = mail->next;
    } else {
        channel->delayed = mail->next;
    }
    if (mail->next != NULL) {
        mail->next->prev = mail->prev;
    }
    mail->next = NULL;
    post(channel, mail);
    tasks_run(&core->tasks);
}

int phxs_post_after(phxs_channel_t *channel, uint64_t delay_ms, void *message, void (*release)(void *))
{
    channel_mail_t *mail = info_mail(channel, message, release);
    if (mail == NULL) {
        return PHX_ENOMEM;
    }
    if (!timers_start(core_of(channel)->timers, &mail->timer, delay_ms, delayed_due)) {
        mail->release = NULL; /* it stays the caller's */
        mail_free(channel, mail);
        return PHX_ENOMEM;
    }
    mail->channel = channel;
    mail->next = channel->delayed;
    if (mail->next != NULL) {
        mail->next->prev = mail;
    }
    channel->delayed = mail;
    return 0;
}

/* ---- sending ---- */

static int send_encoded(phxs_channel_t *channel, int error, phx_form_t form)
{
    if (error != 0) {
        return error;
    }
    if (channel->socket->over) {
        return PHXS_EGONE;
    }
    frame_t frame = frame_new(form, phx_buf_slice(&core_of(channel)->scratch));
    if (frame.bytes == NULL) {
        return PHX_ENOMEM;
    }
    socket_send(channel->socket, frame);
    frame_release(frame);
    return 0;
}

int phxs_push(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    phx_form_t form = PHX_TEXT;
    phx_buf_t *out = &core_of(channel)->scratch;
    phx_buf_clear(out);
    int error = phx_encode_push(phxs_channel_vsn(channel), out, &form, channel->push_ref, channel->topic,
                                event, payload);
    error = send_encoded(channel, error, form);
    if (error == 0 && has_fault(core_of(channel), FAULT_PUSH_TO_ALL)) {
        return phxs_broadcast_from(channel, event, payload);
    }
    return error;
}

int phxs_reply_to(phxs_channel_t *channel, phx_slice_t ref, phx_slice_t status, phx_payload_t response)
{
    phx_form_t form = PHX_TEXT;
    phx_buf_t *out = &core_of(channel)->scratch;
    phx_buf_clear(out);
    int error = phx_encode_reply(phxs_channel_vsn(channel), out, &form, channel->push_ref, ref,
                                 channel->topic, status, response);
    return send_encoded(channel, error, form);
}

int phxs_reply(phxs_channel_t *channel, const char *status, phx_payload_t response)
{
    return phxs_reply_to(channel, phxs_ref(channel), phx_slice_of(status), response);
}

phx_slice_t phxs_ref(const phxs_channel_t *channel)
{
    return channel->current != NULL ? channel->current->ref : NULL_REF;
}

bool phxs_has_ref(const phxs_channel_t *channel)
{
    return !phx_slice_equals(phxs_ref(channel), "null");
}

static int broadcast(phxs_channel_t *channel, const subscriber_t *from, phx_slice_t event,
                     phx_payload_t payload)
{
    const broadcast_t message = {channel->topic, event, payload};
    core_t *core = core_of(channel);
#ifdef PHXS_FAULTS
    const phxs_channel_t *other = has_fault(core, FAULT_BROADCAST_SPREADS) ? channel->socket->channels : NULL;
    for (; other != NULL; other = other->next) {
        const broadcast_t again = {other->topic, event, payload};
        if (!phx_slice_equal(other->topic, channel->topic)) {
            (void)pubsub_broadcast(core->pubsub, NULL, &again);
        }
    }
    core->fault_sender = from != NULL ? channel : NULL;
#endif
    const int error = pubsub_broadcast(core->pubsub, from, &message);
#ifdef PHXS_FAULTS
    core->fault_sender = NULL;
#endif
    return error;
}

int phxs_broadcast(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    return broadcast(channel, NULL, event, payload);
}

int phxs_broadcast_from(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    return broadcast(channel, &channel->subscription, event, payload);
}

/* ---- broadcasts to it ---- */

static delivery_t wants(const subscriber_t *subscriber, const broadcast_t *message)
{
    const phxs_channel_t *channel = CONTAINER_OF(subscriber, phxs_channel_t, subscription);
    const char *const *intercepts = channel->handler->intercepts;
#ifdef PHXS_FAULTS
    const phxs_channel_t *sender = core_of(channel)->fault_sender;
    if (has_fault(core_of(channel), FAULT_FROM_LEAVES_OUT_USER) && sender != NULL &&
        sender->socket->id.topic != NULL && sender->socket->id.topic == channel->socket->id.topic) {
        return DELIVER_NOT;
    }
    if (core_of(channel)->fault_afar && has_fault(core_of(channel), FAULT_CLUSTER_V2_ONLY) &&
        channel->socket->vsn == PHX_V1) {
        return DELIVER_NOT;
    }
    if (core_of(channel)->fault_afar && has_fault(core_of(channel), FAULT_CLUSTER_INTERCEPT_SKIPPED)) {
        return DELIVER_FRAME;
    }
#endif
    for (; intercepts != NULL && *intercepts != NULL; intercepts++) {
        if (phx_slice_equals(message->event, *intercepts)) {
            return DELIVER_MESSAGE; /* BC-09 */
        }
    }
    return DELIVER_FRAME;
}

static void deliver_frame(subscriber_t *subscriber, frame_t frame)
{
    socket_send(CONTAINER_OF(subscriber, phxs_channel_t, subscription)->socket, frame);
}

static void deliver_message(subscriber_t *subscriber, const broadcast_t *message)
{
    phxs_channel_t *channel = CONTAINER_OF(subscriber, phxs_channel_t, subscription);
    post(channel, mail_new(channel, MAIL_OUT, NULL_REF, message->event, message->payload));
}

static const subscriber_ops_t SUBSCRIBER_OPS = {wants, deliver_frame, deliver_message};

/* ---- what an application asks ---- */

phxs_socket_t *phxs_channel_socket(const phxs_channel_t *channel)
{
    return channel->socket;
}

phx_slice_t phxs_channel_topic(const phxs_channel_t *channel)
{
    return channel->topic;
}

phx_vsn_t phxs_channel_vsn(const phxs_channel_t *channel)
{
    return (phx_vsn_t)channel->socket->vsn;
}

void phxs_channel_assign(phxs_channel_t *channel, void *assigns)
{
    channel->assigns = assigns;
}

void *phxs_channel_assigns(const phxs_channel_t *channel)
{
    return channel->assigns;
}

void phxs_trap_exit(phxs_channel_t *channel)
{
    channel->trap_exit = true;
}
