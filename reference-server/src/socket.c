/* SPDX-License-Identifier: MIT */
#include "socket.h"

#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "container.h"
#include "phx/json.h"
#include "routes.h"

enum {
    /* What a client may send ahead while a join is being decided, before it is not read any more. */
    MAX_MAIL_BYTES = 1 << 20,
    /* JOIN-25 */
    DUPLICATE_TIMEOUT_MS = 5000,
};

struct socket_mail {
    socket_mail_t *next;
    socket_mail_kind_t kind;
    union {
        struct {
            phx_form_t form;
            size_t len;
            void *tag;
        } received;
        frame_t frame;
        struct {
            phxs_channel_t *channel;
            const char *event;
        } end_of_channel;
        socket_end_t end;
    } u;
    char bytes[]; /* MAIL_RECEIVED */
};

/* A join whose topic still has a channel that takes its time to end. */
struct waiting_join {
    phxs_socket_t *socket;
    phxs_channel_t *old;
    phx_message_t message;
    phx_buf_t text; /* what the message's slices are borrowed from */
    loop_timer_t timer;
};

static core_t *core_of(const phxs_socket_t *socket)
{
    return socket->mount->core;
}

static bool busy(const phxs_socket_t *socket)
{
    const phxs_channel_t *channel = socket->channels;
    while (channel != NULL && channel->suspension == NULL) {
        channel = channel->next;
    }
    return channel != NULL;
}

static bool blocked(const phxs_socket_t *socket)
{
    return socket->joining != NULL || socket->waiting != NULL ||
           (has_fault(core_of(socket), FAULT_BUSY_BLOCKS) && busy(socket));
}

/* ---- the mailbox ---- */

static void run_task(task_t *task);
static void end(phxs_socket_t *socket, socket_end_t why);

void socket_hold(phxs_socket_t *socket, size_t bytes)
{
    core_t *core = core_of(socket);
    socket->held_bytes += bytes;
    const bool fits = core->max_waiting_bytes == 0 || socket->held_bytes <= core->max_waiting_bytes;
    if (!budget_update(&core->received, &socket->charged, socket->held_bytes) || !fits) {
        end(socket, SOCKET_FAILED);
    }
}

void socket_let_go(phxs_socket_t *socket, size_t bytes)
{
    socket->held_bytes -= bytes;
    (void)budget_update(&core_of(socket)->received, &socket->charged, socket->held_bytes);
}

bool socket_full(const phxs_socket_t *socket)
{
    return socket->mail_bytes > MAX_MAIL_BYTES;
}

/* What a mail is counted for, and no longer when it is freed. */
static size_t mail_size(const socket_mail_t *mail)
{
    const size_t content = mail->kind == MAIL_RECEIVED ? mail->u.received.len
                           : mail->kind == MAIL_SEND   ? mail->u.frame.bytes->len
                                                       : 0;
    return sizeof(*mail) + content;
}

static void free_mail(phxs_socket_t *socket, socket_mail_t *mail)
{
    socket_let_go(socket, mail_size(mail));
    if (mail->kind == MAIL_SEND) {
        frame_release(mail->u.frame);
    }
    free(mail);
}

static socket_mail_t *post(phxs_socket_t *socket, socket_mail_kind_t kind, size_t extra)
{
    socket_mail_t *mail = malloc(sizeof(*mail) + extra);
    if (mail == NULL) {
        return NULL;
    }
    mail->next = NULL;
    mail->kind = kind;
    if (socket->last_mail != NULL) {
        socket->last_mail->next = mail;
    } else {
        socket->first_mail = mail;
    }
    socket->last_mail = mail;
    if (!blocked(socket)) {
        tasks_push(&core_of(socket)->tasks, &socket->task);
    }
    return mail;
}

void socket_send(phxs_socket_t *socket, frame_t frame)
{
    if (socket->over || (blocked(socket) && has_fault(core_of(socket), FAULT_PENDING_DEAF))) {
        return;
    }
    if (!blocked(socket) && !socket->deferring && socket->first_mail == NULL) {
        socket->ops->send(socket->transport, frame);
        return;
    }
    socket_mail_t *mail = post(socket, MAIL_SEND, 0);
    if (mail != NULL) {
        mail->u.frame = frame_hold(frame);
        socket_hold(socket, mail_size(mail));
    }
}

static void watch_mail(phxs_socket_t *socket)
{
    bool pause = socket_full(socket);
    if (pause != socket->paused && socket->ops->pause != NULL) {
        socket->paused = pause;
        socket->ops->pause(socket->transport, pause);
    }
}

/* ---- channels by topic ---- */

static phxs_channel_t **find(phxs_socket_t *socket, phx_slice_t topic_json, uint64_t hash)
{
    phxs_channel_t **link = &socket->channels;
    while (*link != NULL &&
           ((*link)->topic_hash != hash || !phx_slice_equal((*link)->topic_json, topic_json))) {
        link = &(*link)->next;
    }
    return link;
}

static void detach(phxs_socket_t *socket, phxs_channel_t *channel)
{
    phxs_channel_t **link = &socket->channels;
    while (*link != channel) {
        link = &(*link)->next;
    }
    *link = channel->next;
    socket->channel_count -= has_fault(core_of(socket), FAULT_LIMIT_LEAKS) ? 0 : 1;
}

/* ---- what the socket answers itself: at once, past its mailbox ---- */

static void end(phxs_socket_t *socket, socket_end_t why)
{
    if (socket->over) {
        return;
    }
    socket->over = true;
    socket->end = (uint8_t)why;
    tasks_push(&core_of(socket)->tasks, &socket->task);
}

static void send_now(phxs_socket_t *socket, int error, phx_form_t form)
{
    frame_t frame = {0};
    if (error == 0) {
        frame = frame_new(form, phx_buf_slice(&core_of(socket)->scratch));
    }
    if (frame.bytes == NULL) {
        end(socket, SOCKET_FAILED); /* PUSH-16 */
        return;
    }
    if (!socket->over) {
        socket->ops->send(socket->transport, frame);
    }
    frame_release(frame);
}

static void reply_now(phxs_socket_t *socket, phx_slice_t join_ref, const phx_message_t *message,
                      const char *status, const char *response)
{
    phx_buf_t *out = &core_of(socket)->scratch;
    phx_buf_clear(out);
    int error = phx_encode_reply_json_topic((phx_vsn_t)socket->vsn, out, join_ref, message->ref,
                                            message->topic, phx_slice_of(status), phx_slice_of(response));
    send_now(socket, error, PHX_TEXT);
}

static void reply_to_join(phxs_socket_t *socket, const phxs_channel_t *channel, const char *status,
                          phx_payload_t response)
{
    phx_form_t form = PHX_TEXT;
    phx_buf_t *out = &core_of(socket)->scratch;
    phx_buf_clear(out);
    int error = phx_encode_reply((phx_vsn_t)socket->vsn, out, &form, channel->join_ref,
                                 channel->join_message_ref, channel->topic, phx_slice_of(status), response);
    send_now(socket, error, form);
}

void socket_fail(phxs_socket_t *socket)
{
    end(socket, SOCKET_FAILED);
}

void socket_stop(phxs_socket_t *socket, socket_end_t why)
{
    socket_mail_t *mail = post(socket, MAIL_END, 0);
    if (mail != NULL) {
        mail->u.end = why;
        socket_hold(socket, mail_size(mail));
    } else {
        end(socket, why);
    }
}

static const phx_slice_t NULL_REF = {"null", 4};
#define UNMATCHED "{\"reason\":\"unmatched topic\"}"
#define JOIN_CRASHED "{\"reason\":\"join crashed\"}"
#define TOO_MANY "{\"reason\":\"too many channels joined\"}"

/* ---- ends of channels ---- */

static int encode_end(phxs_socket_t *socket, const phxs_channel_t *channel, const char *event)
{
    phx_buf_t *out = &core_of(socket)->scratch;
    phx_buf_clear(out);
    bool error = strcmp(event, "phx_error") == 0;
    phx_slice_t payload =
        error ? phx_slice_of(core_of(socket)->rules.phx_error_payload) : PHX_SLICE("{}"); /* STOP-06 */
    return phx_encode_end((phx_vsn_t)socket->vsn, out, channel->join_ref, channel->topic, phx_slice_of(event),
                          payload);
}

bool socket_announce_end(phxs_socket_t *socket, phxs_channel_t *channel, const char *event)
{
    if (blocked(socket) || socket->deferring || socket->first_mail != NULL) {
        socket_mail_t *mail = post(socket, MAIL_CHANNEL_END, 0);
        if (mail != NULL) {
            mail->u.end_of_channel.channel = channel;
            mail->u.end_of_channel.event = event;
            socket_hold(socket, mail_size(mail));
            return false;
        }
    }
    detach(socket, channel);
    send_now(socket, encode_end(socket, channel, event), PHX_TEXT);
    return true;
}

/* An end that was announced already must not be announced again (JOIN-26). */
static void forget_end(phxs_socket_t *socket, const phxs_channel_t *channel)
{
    socket_mail_t *prev = NULL;
    for (socket_mail_t *mail = socket->first_mail; mail != NULL; prev = mail, mail = mail->next) {
        if (mail->kind != MAIL_CHANNEL_END || mail->u.end_of_channel.channel != channel) {
            continue;
        }
        if (prev != NULL) {
            prev->next = mail->next;
        } else {
            socket->first_mail = mail->next;
        }
        if (socket->last_mail == mail) {
            socket->last_mail = prev;
        }
        free_mail(socket, mail);
        return;
    }
}

#ifdef PHXS_FAULTS
void socket_haunt(phxs_socket_t *socket, phxs_channel_t *channel, const char *event)
{
    if (encode_end(socket, channel, event) == 0) {
        frame_t frame = frame_new(PHX_TEXT, phx_buf_slice(&core_of(socket)->scratch));
        socket_send(socket, frame);
        frame_release(frame);
    }
    channel->topic_hash = ~channel->topic_hash;
}

void socket_end_others(phxs_socket_t *socket, const phxs_channel_t *channel)
{
    for (phxs_channel_t *other = socket->channels, *next; other != NULL; other = next) {
        next = other->next;
        if (other != channel) {
            forget_end(socket, other);
            detach(socket, other);
            channel_destroy(other, NULL);
        }
    }
}
#endif

/* The old channel of a duplicate join is over: its phx_close goes behind what the client has sent already
 * (JOIN-22). */
static void close_duplicate(phxs_socket_t *socket, phxs_channel_t *old)
{
    forget_end(socket, old);
    if (has_fault(core_of(socket), FAULT_DUPLICATE_HAUNTS)) {
        socket_haunt(socket, old, "phx_close");
        return;
    }
    detach(socket, old);
    if (encode_end(socket, old, "phx_close") == 0) {
        frame_t frame = frame_new(PHX_TEXT, phx_buf_slice(&core_of(socket)->scratch));
        socket->deferring = true;
        if (frame.bytes != NULL) {
            socket_send(socket, frame);
        }
        frame_release(frame);
        socket->deferring = false;
    }
    channel_destroy(old, NULL);
}

/* ---- joins ---- */

static void add_channel(phxs_socket_t *socket, phxs_channel_t *channel)
{
    channel->next = socket->channels;
    socket->channels = channel;
    socket->channel_count++;
}

/* Under a fault only: something is left of a refused join; true if it is the channel. */
static bool refused_stays(phxs_socket_t *socket, phxs_channel_t *channel)
{
    const core_t *core = core_of(socket);
    const bool haunts = has_fault(core, FAULT_REFUSED_HAUNTS);
    if (has_fault(core, FAULT_LIMIT_COUNTS_REFUSED)) {
        socket->channel_count++;
    }
    if (!haunts && !has_fault(core, FAULT_REFUSED_JOINED)) {
        return false;
    }
    (void)channel_joined(channel);
    add_channel(socket, channel);
    channel->topic_hash = haunts ? ~channel->topic_hash : channel->topic_hash;
    return true;
}

static void conclude_join(phxs_socket_t *socket, phxs_channel_t *channel, phxs_outcome_t outcome)
{
    if (outcome == PHXS_CONTINUE && channel_joined(channel) != 0) {
        outcome = PHXS_FAIL;
    }
    if (outcome == PHXS_CONTINUE) {
        add_channel(socket, channel);
        if (channel->first_mail != NULL) {
            tasks_push(&core_of(socket)->tasks, &channel->task); /* JOIN-13 */
        }
        reply_to_join(socket, channel, "ok", channel_join_response(channel));
        channel_forget_join(channel);
        return;
    }
    bool refused = outcome == PHXS_REFUSE;
    reply_to_join(socket, channel, "error",
                  refused ? channel_join_response(channel)
                          : PHX_JSON_PAYLOAD(JOIN_CRASHED)); /* JOIN-03, JOIN-05 */
    if (!refused || !refused_stays(socket, channel)) {
        channel_destroy(channel, NULL);
    }
}

/* The message that began a join is taken up only now (LP-POST-02). */
static void join_taken(phxs_socket_t *socket)
{
    if (!socket->join_tagged || blocked(socket)) {
        return;
    }
    socket->join_tagged = false;
    if (socket->ops->taken != NULL) {
        socket->ops->taken(socket->transport, socket->join_tag);
    }
}

void socket_join_decided(phxs_socket_t *socket, phxs_channel_t *channel, phxs_outcome_t outcome)
{
    socket->joining = NULL;
    tasks_push(&core_of(socket)->tasks, &socket->task);
    conclude_join(socket, channel, outcome);
    join_taken(socket);
}

static bool full(const phxs_socket_t *socket)
{
    const size_t limit = socket->mount->config.max_channels;
    return limit > 0 && socket->channel_count >= limit;
}

static void start_join(phxs_socket_t *socket, const phx_message_t *message, uint64_t hash)
{
    phx_buf_t scratch = {0};
    phx_slice_t topic;
    const phxs_route_t *route = NULL;
    if (phx_json_string(message->topic, &scratch, &topic) == 0) {
        route = faults_route(core_of(socket), socket->mount->handler, topic,
                             route_for(socket->mount->handler, topic));
    }
    phx_buf_free(&scratch);
    if (route == NULL && !(has_fault(core_of(socket), FAULT_LIMIT_BEFORE_ROUTES) && full(socket))) {
        reply_now(socket, NULL_REF, message, "error", UNMATCHED); /* JOIN-04 */
        return;
    }
    if (full(socket)) { /* JOIN-06 */
        reply_now(socket, message->join_ref, message, "error", TOO_MANY);
        return;
    }
    phxs_channel_t *channel =
        channel_new(socket, route->handler, message->topic, hash, message->join_ref, message->ref);
    if (channel == NULL) {
        reply_now(socket, message->join_ref, message, "error", JOIN_CRASHED);
        return;
    }
    phxs_outcome_t outcome = channel_join(channel, message->payload);
    if (outcome == PHXS_SUSPENDED && channel->suspension != NULL) {
        socket->joining = channel; /* JOIN-14 */
    } else {
        conclude_join(socket, channel, outcome);
    }
}

static void waiting_join_free(waiting_join_t *waiting)
{
    timers_stop(core_of(waiting->socket)->timers, &waiting->timer);
    socket_let_go(waiting->socket, waiting->text.cap);
    phx_message_free(&waiting->message);
    phx_buf_free(&waiting->text);
    free(waiting);
}

static void continue_waiting_join(phxs_socket_t *socket, phxs_channel_t *old)
{
    waiting_join_t *waiting = socket->waiting;
    socket->waiting = NULL;
    close_duplicate(socket, old);
    tasks_push(&core_of(socket)->tasks, &socket->task);
    start_join(socket, &waiting->message, hash_bytes(0, waiting->message.topic));
    waiting_join_free(waiting);
    join_taken(socket);
}

static void old_channel_too_slow(loop_timer_t *timer)
{
    waiting_join_t *waiting = CONTAINER_OF(timer, waiting_join_t, timer);
    core_t *core = core_of(waiting->socket);
    continue_waiting_join(waiting->socket, waiting->old);
    tasks_run(&core->tasks);
}

void socket_duplicate_ended(phxs_socket_t *socket, phxs_channel_t *channel)
{
    continue_waiting_join(socket, channel);
}

/* Appends `text` and gives back where it lies. */
static phx_slice_t keep(phx_buf_t *buf, phx_slice_t text)
{
    size_t at = buf->len;
    phx_buf_append_slice(buf, text);
    return (phx_slice_t){buf->data + at, text.len};
}

/* Returns false when memory ran out: then the old channel is killed at once. */
static bool wait_for_old(phxs_socket_t *socket, phxs_channel_t *old, const phx_message_t *message)
{
    waiting_join_t *waiting = calloc(1, sizeof(*waiting));
    if (waiting == NULL) {
        return false;
    }
    waiting->socket = socket;
    waiting->old = old;
    size_t len = message->join_ref.len + message->ref.len + message->topic.len + message->payload.data.len;
    const bool room = phx_buf_reserve(&waiting->text, len + 1);
    socket_hold(socket, waiting->text.cap);
    if (!room || channel_request_exit(old) != 0 ||
        !timers_start(core_of(socket)->timers, &waiting->timer, DUPLICATE_TIMEOUT_MS, old_channel_too_slow)) {
        waiting_join_free(waiting);
        return false;
    }
    waiting->message.join_ref = keep(&waiting->text, message->join_ref);
    waiting->message.ref = keep(&waiting->text, message->ref);
    waiting->message.topic = keep(&waiting->text, message->topic);
    waiting->message.payload.form = message->payload.form;
    waiting->message.payload.data = keep(&waiting->text, message->payload.data);
    socket->waiting = waiting;
    return true;
}

/* A channel that traps exits, faults aside. */
static bool takes_its_time(const phxs_channel_t *old)
{
    const core_t *core = core_of(old->socket);
    return old->trap_exit ? !has_fault(core, FAULT_DUPLICATE_IMPATIENT)
                          : has_fault(core, FAULT_DUPLICATE_PATIENT);
}

static void handle_join(phxs_socket_t *socket, phxs_channel_t *old, const phx_message_t *message,
                        uint64_t hash)
{
    if (old != NULL && has_fault(core_of(socket), FAULT_DUPLICATE_NEEDS_ROOM) && full(socket)) {
        reply_now(socket, message->join_ref, message, "error", TOO_MANY);
        return;
    }
    if (old != NULL && takes_its_time(old) && old->state == CHANNEL_JOINED &&
        wait_for_old(socket, old, message)) {
        return; /* JOIN-25 */
    }
    if (old != NULL && !has_fault(core_of(socket), FAULT_DUPLICATE_KEPT)) {
        close_duplicate(socket, old); /* JOIN-21 */
    }
    start_join(socket, message, hash);
}

/* ---- messages of the client ---- */

static bool is_of(const phxs_channel_t *channel, phx_slice_t join_ref, join_ref_rule_t rule)
{
    bool any = rule == JOIN_REF_ANY ||
               phx_slice_equals(rule == JOIN_REF_IF_GIVEN ? join_ref : channel->join_ref, "null");
    return any || phx_slice_equal(join_ref, channel->join_ref);
}

static void handle_message(phxs_socket_t *socket, const phx_message_t *message)
{
    const rules_t *rules = &core_of(socket)->rules;
    uint64_t hash = hash_bytes(0, message->topic);
    phxs_channel_t *channel = *find(socket, message->topic, hash);
    bool join = phx_slice_equals(message->event, "\"phx_join\"");
    bool leave = !join && phx_slice_equals(message->event, "\"phx_leave\"");

    if (phx_slice_equals(message->topic, "\"phoenix\"") &&
        phx_slice_equals(message->event, "\"heartbeat\"")) {
        if (!(has_fault(core_of(socket), FAULT_BUSY_HEARTBEAT) && busy(socket))) {
            reply_now(socket, NULL_REF, message, "ok", "{}"); /* HB-02 */
        }
    } else if (join) {
        handle_join(socket, channel, message, hash);
    } else if (channel == NULL && leave) {
        reply_now(socket, message->join_ref, message, "ok", "{}"); /* LEAVE-03 */
    } else if (channel == NULL) {
        reply_now(socket, NULL_REF, message, "error", UNMATCHED); /* JREF-07 */
    } else if (!is_of(channel, message->join_ref, leave ? rules->leave_join_ref : rules->push_join_ref)) {
        return; /* JREF-01 to JREF-03, LEAVE-04 */
    } else if (leave) {
        channel_leave(channel, message->ref);
    } else {
        channel_push(channel, message->event, message->ref, message->payload);
    }
}

/* Returns false if the message began a join that is not decided yet. */
static bool take_up(phxs_socket_t *socket, phx_form_t form, phx_slice_t bytes, void *tag)
{
    phx_message_t message = {0};
    if (phx_decode_from_client((phx_vsn_t)socket->vsn, form, bytes, &message) == 0) {
        handle_message(socket, &message);
    } else {
        end(socket, SOCKET_FAILED); /* WS-CLOSE-01 */
    }
    phx_message_free(&message);
    if (!blocked(socket)) {
        return true;
    }
    socket->join_tagged = true;
    socket->join_tag = tag;
    return false;
}

/* Under a fault only: whether a message is a heartbeat, which is then answered. */
static bool passed(phxs_socket_t *socket, phx_form_t form, phx_slice_t bytes)
{
    phx_message_t message = {0};
    const bool heartbeat = phx_decode_from_client((phx_vsn_t)socket->vsn, form, bytes, &message) == 0 &&
                           phx_slice_equals(message.event, "\"heartbeat\"");
    if (heartbeat) {
        handle_message(socket, &message);
    }
    phx_message_free(&message);
    return heartbeat;
}

bool socket_receive(phxs_socket_t *socket, phx_form_t form, phx_slice_t bytes, void *tag)
{
    const core_t *core = core_of(socket);
    if (socket->over) {
        return false;
    }
    if (!blocked(socket)) {
        return take_up(socket, form, bytes, tag) && !socket->over;
    }
    if (has_fault(core, FAULT_PENDING_DROPS) ||
        (has_fault(core, FAULT_PENDING_PASSES) && passed(socket, form, bytes))) {
        return true;
    }
    socket_mail_t *mail = post(socket, MAIL_RECEIVED, bytes.len);
    if (mail == NULL) {
        end(socket, SOCKET_FAILED);
        return false;
    }
    mail->u.received.form = form;
    mail->u.received.len = bytes.len;
    mail->u.received.tag = tag;
    if (bytes.len > 0) {
        memcpy(mail->bytes, bytes.data, bytes.len);
    }
    socket->mail_bytes += mail_size(mail);
    socket_hold(socket, mail_size(mail));
    watch_mail(socket);
    return false;
}

static void handle_received(phxs_socket_t *socket, const socket_mail_t *mail)
{
    socket->mail_bytes -= mail_size(mail);
    watch_mail(socket);
    phx_slice_t bytes = {mail->bytes, mail->u.received.len};
    bool taken = take_up(socket, mail->u.received.form, bytes, mail->u.received.tag);
    if (taken && !socket->over && socket->ops->taken != NULL) {
        socket->ops->taken(socket->transport, mail->u.received.tag);
    }
}

static void handle_mail(phxs_socket_t *socket, socket_mail_t *mail)
{
    phxs_channel_t *channel;
    switch (mail->kind) {
    case MAIL_RECEIVED:
        handle_received(socket, mail);
        break;
    case MAIL_SEND:
        socket->ops->send(socket->transport, mail->u.frame);
        break;
    case MAIL_CHANNEL_END:
        channel = mail->u.end_of_channel.channel;
        detach(socket, channel);
        send_now(socket, encode_end(socket, channel, mail->u.end_of_channel.event), PHX_TEXT);
        channel_destroy(channel, NULL);
        break;
    case MAIL_END:
        end(socket, mail->u.end);
        break;
    }
}

static void run_task(task_t *task)
{
    phxs_socket_t *socket = CONTAINER_OF(task, phxs_socket_t, task);
    while (!socket->over && !blocked(socket) && socket->first_mail != NULL) {
        socket_mail_t *mail = socket->first_mail;
        socket->first_mail = mail->next;
        if (socket->first_mail == NULL) {
            socket->last_mail = NULL;
        }
        handle_mail(socket, mail);
        free_mail(socket, mail);
    }
    if (socket->over) {
        socket->ops->end(socket->transport, (socket_end_t)socket->end);
    }
}

/* ---- life ---- */

phxs_connect_outcome_t socket_connect(mount_t *mount, phx_vsn_t vsn, const phxs_connect_info_t *info,
                                      const transport_ops_t *ops, void *transport, phxs_socket_t **result,
                                      phxs_refusal_t *refusal)
{
    phxs_socket_t *socket = calloc(1, sizeof(*socket));
    if (socket == NULL) {
        return PHXS_CONNECT_FAILED;
    }
    socket->mount = mount;
    socket->ops = ops;
    socket->transport = transport;
    socket->vsn = (uint8_t)vsn;
    socket->task.run = run_task;
    socket->id.ops = &SOCKET_ID_OPS;
    phxs_connect_outcome_t outcome = PHXS_CONNECT_OK;
    if (mount->handler->connect != NULL) {
        outcome = mount->handler->connect(socket, info, mount->app, refusal);
    }
    if (outcome == PHXS_CONNECT_OK) {
        *result = socket;
    } else {
        socket_free(socket);
    }
    return outcome;
}

void socket_free(phxs_socket_t *socket)
{
    if (socket == NULL) {
        return;
    }
    static const phxs_end_t GONE = PHXS_END_TRANSPORT;
    core_t *core = core_of(socket);
    socket->over = true; /* last words have nobody to reach */
    if (socket->waiting != NULL) {
        waiting_join_free(socket->waiting);
    }
    if (socket->joining != NULL) {
        channel_destroy(socket->joining, NULL);
    }
    for (phxs_channel_t *channel = socket->channels, *next; channel != NULL; channel = next) {
        next = channel->next;
        forget_end(socket, channel);
        channel_destroy(channel, &GONE);
    }
    for (socket_mail_t *mail = socket->first_mail, *next; mail != NULL; mail = next) {
        next = mail->next;
        free_mail(socket, mail);
    }
    (void)budget_update(&core->received, &socket->charged, 0);
    pubsub_unsubscribe(core->pubsub, &socket->id);
    tasks_remove(&core->tasks, &socket->task);
    if (socket->mount->handler->closed != NULL) {
        socket->mount->handler->closed(socket);
    }
    free(socket);
}
