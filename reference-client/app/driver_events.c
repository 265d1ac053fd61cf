/* SPDX-License-Identifier: MIT */
#include "driver_impl.h"

#include "phx/json.h"

#include <stdio.h>

/* ---- what is said ---- */

void driver__write_line(driver_t *driver)
{
    json_line_end(&driver->line);
    (void)fwrite(driver->line.data, 1, driver->line.len, stdout);
    (void)fflush(stdout);
}

phx_buf_t *driver__begin(driver_t *driver, const char *event)
{
    json_line_begin(&driver->line);
    json_line_string(&driver->line, "event", phx_slice_of(event));
    return &driver->line;
}

/* An event about a channel, or about something of it. */
static phx_buf_t *begin_about(const named_t *named, const char *event)
{
    phx_buf_t *line = driver__begin(named->driver, event);
    json_line_string(line, "channel", phx_buf_slice(named->kind == CHANNEL ? &named->name : &named->of));
    return line;
}

void driver__say_hello(driver_t *driver)
{
    phx_buf_t *line = driver__begin(driver, "hello");
    json_line_number(line, "protocol", 1);
    json_line_string(line, "name", PHX_SLICE("phxspec-client"));
    json_line_string(line, "version", phx_slice_of(PHXSPEC_VERSION));
    json_line_payload(
        line, "capabilities",
        PHX_JSON_PAYLOAD("[\"websocket\",\"longpoll\",\"vsn1\",\"vsn2\",\"binary\",\"presence\",\"token\","
                         "\"params_each\",\"token_each\",\"join_params_each\",\"heartbeat_ms\","
                         "\"timeout_ms\",\"push_timeout_ms\",\"reconnect_ms\",\"rejoin_ms\","
                         "\"longpoll_timeout_ms\",\"fallback_ms\",\"disconnect_code\",\"listeners\","
                         "\"replace_transport\",\"ping\"]"));
    driver__write_line(driver);
}

/* ---- what the library tells ---- */

static void on_opened(void *user, phxc_carriage_t carriage)
{
    driver_t *driver = user;
    json_line_string(driver__begin(driver, "open"), "transport",
                     carriage == PHXC_WEBSOCKET ? PHX_SLICE("websocket") : PHX_SLICE("longpoll"));
    driver__write_line(driver);
}

static void on_failed(void *user, const char *text, int http_status)
{
    (void)http_status;
    driver_t *driver = user;
    json_line_string(driver__begin(driver, "error"), "reason", phx_slice_of(text));
    driver__write_line(driver);
}

static void on_closed(void *user, const phxc_end_t *end)
{
    driver_t *driver = user;
    phx_buf_t *line = driver__begin(driver, "close");
    json_line_number(line, "code", end->code);
    json_line_string(line, "reason", end->reason);
    driver__write_line(driver);
}

const phxc_socket_callbacks_t DRIVER_SOCKET_CALLBACKS = {
    .opened = on_opened, .failed = on_failed, .closed = on_closed};

static void say_state(const named_t *channel, const char *state)
{
    json_line_string(begin_about(channel, "channel"), "state", phx_slice_of(state));
    driver__write_line(channel->driver);
}

/* The answer to a join. */
static void say_answer(const named_t *channel, phx_slice_t status, phx_payload_t response)
{
    phx_buf_t *line = begin_about(channel, "reply");
    json_line_string(line, "to", PHX_SLICE("join"));
    json_line_string(line, "status", status);
    json_line_payload(line, "response", response);
    driver__write_line(channel->driver);
}

static void on_joined(void *user, phxc_channel_t *channel, phx_payload_t response)
{
    (void)channel;
    say_answer(user, PHX_SLICE("ok"), response);
    say_state(user, "joined");
}

static void on_refused(void *user, phxc_channel_t *channel, phx_slice_t status, phx_payload_t response)
{
    (void)channel;
    say_answer(user, status, response);
}

static void on_join_timeout(void *user, phxc_channel_t *channel)
{
    (void)channel;
    say_answer(user, PHX_SLICE("timeout"), PHX_JSON_PAYLOAD("{}"));
}

static void on_errored(void *user, phxc_channel_t *channel, phxc_cause_t cause, phx_slice_t reason)
{
    (void)channel;
    (void)cause;
    (void)reason;
    say_state(user, "errored");
}

static void on_channel_closed(void *user, phxc_channel_t *channel, bool left)
{
    (void)channel;
    (void)left;
    say_state(user, "closed");
}

const phxc_channel_callbacks_t DRIVER_CHANNEL_CALLBACKS = {
    .joined = on_joined,
    .refused = on_refused,
    .join_timeout = on_join_timeout,
    .errored = on_errored,
    .closed = on_channel_closed,
};

void driver__on_event(void *user, phxc_channel_t *channel, phx_payload_t payload)
{
    (void)channel;
    const named_t *listener = user;
    phx_buf_t *line = begin_about(listener, "message");
    json_line_string(line, "name", phx_buf_slice(&listener->event));
    json_line_payload(line, "payload", payload);
    if (!phx_slice_equal(phx_buf_slice(&listener->name), phx_buf_slice(&listener->event))) {
        json_line_string(line, "listener", phx_buf_slice(&listener->name));
    }
    driver__write_line(listener->driver);
}

void driver__on_reply(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response)
{
    named_t *push = user;
    if (!push->driver->resetting && outcome != PHXC_CANCELLED) {
        phx_buf_t *line = begin_about(push, "reply");
        json_line_string(line, "push", phx_buf_slice(&push->name));
        json_line_string(line, "status", outcome == PHXC_TIMEOUT ? PHX_SLICE("timeout") : status);
        if (outcome == PHXC_REPLIED) {
            json_line_payload(line, "response", response);
        }
        driver__write_line(push->driver);
    }
#ifdef PHXC_FAULTS
    if (push->driver->fault == PHXC_FAULT_REPLY_EACH || push->driver->fault == PHXC_FAULT_PUSH_LATE_REPLY) {
        return; /* it is told of again */
    }
#endif
    driver__free_named(push->driver, push);
}

/* ---- presence ---- */

static void say_presence(const named_t *channel, const char *kind, phx_slice_t key)
{
    phx_buf_t *line = begin_about(channel, "presence");
    json_line_string(line, "kind", phx_slice_of(kind));
    json_line_string(line, "key", key);
    driver__write_line(channel->driver);
}

static void on_came(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t joined)
{
    (void)current;
    (void)joined;
    say_presence(user, "join", key);
}

static void on_went(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t left)
{
    (void)current;
    (void)left;
    say_presence(user, "leave", key);
}

/* Keys in the order of phxc_presence_next, which is theirs. */
static void on_synced(void *user)
{
    const named_t *channel = user;
    phx_buf_t list = {0};
    phx_buf_t keys = {0};
    phx_slice_t key;
    phx_slice_t entry;
    size_t cursor = 0;
    phxc_presence_write(channel->presence, &list);
    phx_buf_append_byte(&keys, '[');
    while (phxc_presence_next(channel->presence, &cursor, &key, &entry)) {
        if (keys.len > 1) {
            phx_buf_append_byte(&keys, ',');
        }
        phx_json_quote(&keys, key);
    }
    phx_buf_append_byte(&keys, ']');
    phx_buf_t *line = begin_about(channel, "presence");
    json_line_string(line, "kind", PHX_SLICE("sync"));
    json_line_payload(line, "keys", (phx_payload_t){PHX_TEXT, phx_buf_slice(&keys)});
    json_line_payload(line, "list", (phx_payload_t){PHX_TEXT, phx_buf_slice(&list)});
    driver__write_line(channel->driver);
    phx_buf_free(&list);
    phx_buf_free(&keys);
}

const phxc_presence_callbacks_t DRIVER_PRESENCE_CALLBACKS = {on_came, on_went, on_synced};
