/* SPDX-License-Identifier: MIT */
#include "session_impl.h"

#include <stdio.h>
#include <string.h>

/* ---- the socket ---- */

static void on_connecting(void *user, phxc_carriage_t carriage, const char *url)
{
    (void)carriage;
    session__say(user, (print_event_t){.type = "connecting", .text = url});
}

static void on_opened(void *user, phxc_carriage_t carriage)
{
    session_t *session = user;
    session->opened_once = true;
    session__say(session, (print_event_t){.type = "open",
                                          .text = carriage == PHXC_WEBSOCKET ? "websocket" : "longpoll"});
    session__done(session, FOR_OPEN);
}

static void on_failed(void *user, const char *text, int http_status)
{
    session__say(user, (print_event_t){.type = "failed",
                                       .text = text,
                                       .has_number = http_status != 0,
                                       .number_name = "http_status",
                                       .number = http_status});
    if (!((session_t *)user)->opened_once) {
        session__complain(text, (phx_slice_t){0});
    }
}

static void on_closed(void *user, const phxc_end_t *end)
{
    session_t *session = user;
    const bool goes_on = end->will_reconnect && (session->opened_once || session->options->retry);
    session__say(session, (print_event_t){.type = "closed",
                                          .text = goes_on ? "for now" : "for good",
                                          .reason = end->reason.len > 0 ? end->reason : (phx_slice_t){0},
                                          .has_number = true,
                                          .number_name = "code",
                                          .number = end->code});
    if (session->waiting == FOR_THE_END) {
        session__end_soon(session);
    } else if (session->waiting == FOR_CLOSE) {
        session__done(session, FOR_CLOSE);
    } else if (!goes_on) {
        if (!end->will_reconnect) {
            char text[60];
            (void)snprintf(text, sizeof text, "the connection was closed for good, with code %d", end->code);
            session__complain(text, (phx_slice_t){0});
        }
        session->code = EXIT_OFFLINE;
        session__finish(session);
    }
}

static void on_reconnecting(void *user, unsigned attempt, uint64_t delay_ms)
{
    session_t *session = user;
    if (session->waiting != FOR_THE_END && session->waiting != FOR_NOTHING) {
        char text[60];
        (void)snprintf(text, sizeof text, "attempt %u in %llu ms", attempt, (unsigned long long)delay_ms);
        session__say(session, (print_event_t){.type = "reconnecting", .text = text});
    }
}

static void on_fell_back(void *user, const char *why)
{
    session__say(user, (print_event_t){.type = "longpoll", .text = why});
}

static void say_raw(session_t *session, const char *type, const char *arrow, phx_form_t form,
                    phx_slice_t bytes)
{
    if (session->printer->raw) {
        session__say(session,
                     (print_event_t){.type = type, .arrow = arrow, .message = bytes, .message_form = form});
    }
}

static void on_received(void *user, phx_form_t form, phx_slice_t bytes, int error)
{
    say_raw(user, "received", "←", form, bytes);
    if (error != 0) {
        session__say(user, (print_event_t){.type = "unreadable", .text = phxc_strerror(error)});
    }
}

static void on_sent(void *user, phx_form_t form, phx_slice_t bytes)
{
    say_raw(user, "sent", "→", form, bytes);
}

static void on_heartbeat(void *user, phxc_beat_t beat, uint64_t elapsed_ms)
{
    (void)elapsed_ms;
    if (beat == PHXC_BEAT_TIMEOUT) {
        session__say(user, (print_event_t){.type = "heartbeat", .text = "no answer in time"});
    }
}

const phxc_socket_callbacks_t SESSION_SOCKET_CALLBACKS = {
    .connecting = on_connecting,
    .opened = on_opened,
    .failed = on_failed,
    .closed = on_closed,
    .reconnecting = on_reconnecting,
    .fell_back = on_fell_back,
    .heartbeat = on_heartbeat,
    .received = on_received,
    .sent = on_sent,
};

/* ---- channels ---- */

static bool is_current(const topic_t *topic)
{
    return topic->session->topics == topic;
}

static void on_joined(void *user, phxc_channel_t *channel, phx_payload_t response)
{
    (void)channel;
    topic_t *topic = user;
    print_event_t event = {.type = "joined", .arrow = "←", .topic = session__topic_name(topic)};
    print_set_payload(&event, response);
    session__say(topic->session, event);
    if (is_current(topic)) {
        session__done(topic->session, FOR_JOIN);
    }
}

static void on_refused(void *user, phxc_channel_t *channel, phx_slice_t status, phx_payload_t response)
{
    (void)channel;
    topic_t *topic = user;
    print_event_t event = {
        .type = "refused", .arrow = "←", .topic = session__topic_name(topic), .status = status};
    print_set_payload(&event, response);
    session__say(topic->session, event);
    if (is_current(topic)) {
        session__failed(topic->session, FOR_JOIN);
    }
}

static void on_join_timeout(void *user, phxc_channel_t *channel)
{
    (void)channel;
    topic_t *topic = user;
    session__say(topic->session,
                 (print_event_t){.type = "join timeout", .topic = session__topic_name(topic)});
    if (is_current(topic)) {
        session__failed(topic->session, FOR_JOIN);
    }
}

static void on_errored(void *user, phxc_channel_t *channel, phxc_cause_t cause, phx_slice_t reason)
{
    (void)channel;
    const topic_t *topic = user;
    print_event_t event = {.type = "errored", .topic = session__topic_name(topic)};
    *(cause == PHXC_CAUSE_SERVER ? &event.payload : &event.reason) = reason;
    if (topic->session->waiting == FOR_THE_END || topic->session->waiting == FOR_CLOSE) {
        return; /* as was asked for */
    }
    session__say(topic->session, event);
    if (is_current(topic)) {
        topic->session->push_number++; /* its reply will not come any more */
        session__failed(topic->session, FOR_REPLY);
    }
}

static void on_channel_closed(void *user, phxc_channel_t *channel, bool left)
{
    topic_t *topic = user;
    session__say(topic->session, (print_event_t){.type = left ? "left" : "ended",
                                                 .arrow = left ? NULL : "←",
                                                 .topic = session__topic_name(topic)});
    topic->channel = NULL;
    topic->presence = NULL;
    phxc_channel_free(channel);
    if (is_current(topic)) {
        session__failed(topic->session, FOR_JOIN);
    }
}

static void on_rejoining(void *user, phxc_channel_t *channel, unsigned attempt, uint64_t delay_ms)
{
    (void)channel;
    const topic_t *topic = user;
    char text[60];
    (void)snprintf(text, sizeof text, "attempt %u in %llu ms", attempt, (unsigned long long)delay_ms);
    session__say(topic->session,
                 (print_event_t){.type = "rejoining", .topic = session__topic_name(topic), .text = text});
}

static void remember(session_t *session, phx_slice_t event)
{
    phx_buf_append_slice(&session->seen, event);
    phx_buf_append_byte(&session->seen, 0);
}

bool session__take_seen(session_t *session, phx_slice_t expected)
{
    size_t at = 0;
    while (at < session->seen.len) {
        const phx_slice_t event = phx_slice_of(session->seen.data + at);
        at += event.len + 1;
        if (phx_slice_equal(event, expected)) {
            memmove(session->seen.data, session->seen.data + at, session->seen.len - at);
            session->seen.len -= at;
            return true;
        }
    }
    return false;
}

static void on_message(void *user, phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    (void)channel;
    topic_t *topic = user;
    print_event_t printed = {
        .type = "message", .arrow = "←", .topic = session__topic_name(topic), .event = event};
    print_set_payload(&printed, payload);
    session__say(topic->session, printed);
    if (!is_current(topic)) {
        return;
    }
    remember(topic->session, event);
    if (topic->session->waiting == FOR_EVENT &&
        session__take_seen(topic->session, phx_buf_slice(&topic->session->expected))) {
        session__done(topic->session, FOR_EVENT);
    }
}

const phxc_channel_callbacks_t SESSION_CHANNEL_CALLBACKS = {
    .joined = on_joined,
    .refused = on_refused,
    .join_timeout = on_join_timeout,
    .errored = on_errored,
    .closed = on_channel_closed,
    .rejoining = on_rejoining,
    .message = on_message,
};

static void say_presence(const topic_t *topic, const char *type, phx_slice_t key, phx_slice_t metas)
{
    if (topic->shows_presence) {
        session__say(topic->session,
                     (print_event_t){
                         .type = type, .topic = session__topic_name(topic), .event = key, .payload = metas});
    }
}

static void on_came(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t joined)
{
    (void)current;
    say_presence(user, "came", key, joined);
}

static void on_went(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t left)
{
    (void)current;
    say_presence(user, "went", key, left);
}

void session__say_presences(topic_t *topic)
{
    phx_buf_t list = {0};
    phxc_presence_write(topic->presence, &list);
    session__say(topic->session, (print_event_t){.type = "present",
                                                 .topic = session__topic_name(topic),
                                                 .payload = phx_buf_slice(&list)});
    phx_buf_free(&list);
}

static void on_synced(void *user)
{
    topic_t *topic = user;
    if (topic->shows_presence) {
        session__say_presences(topic);
    }
}

const phxc_presence_callbacks_t SESSION_PRESENCE_CALLBACKS = {on_came, on_went, on_synced};
