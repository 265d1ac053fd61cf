/* SPDX-License-Identifier: MIT */
#include "driver_impl.h"

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

/* An event about something that has a name. */
static phx_buf_t *begin_about(const named_t *named, const char *event)
{
    static const char *const members[] = {[SOCKET] = "socket", [CHANNEL] = "channel", [PUSH] = "push"};
    phx_buf_t *line = driver__begin(named->driver, event);
    json_line_string(line, members[named->kind], phx_buf_slice(&named->name));
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
        PHX_JSON_PAYLOAD("[\"websocket\",\"longpoll\",\"v1\",\"v2\",\"binary\",\"params\",\"token\","
                         "\"fallback\",\"reconnect\",\"rejoin\",\"heartbeat\",\"timeout\","
                         "\"longpoll_timeout\",\"disconnect_code\",\"presence\",\"join_payload\","
                         "\"many_sockets\"]"));
    driver__write_line(driver);
}

/* ---- what the library tells ---- */

static void on_opened(void *user, phxc_carriage_t carriage)
{
    const named_t *socket = user;
    json_line_string(begin_about(socket, "open"), "transport",
                     carriage == PHXC_WEBSOCKET ? PHX_SLICE("websocket") : PHX_SLICE("longpoll"));
    driver__write_line(socket->driver);
}

static void on_failed(void *user, const char *text, int http_status)
{
    (void)http_status;
    const named_t *socket = user;
    json_line_string(begin_about(socket, "error"), "text", phx_slice_of(text));
    driver__write_line(socket->driver);
}

static void on_closed(void *user, const phxc_end_t *end)
{
    const named_t *socket = user;
    phx_buf_t *line = begin_about(socket, "close");
    json_line_number(line, "code", end->code);
    json_line_string(line, "reason", end->reason);
    driver__write_line(socket->driver);
}

const phxc_socket_callbacks_t DRIVER_SOCKET_CALLBACKS = {
    .opened = on_opened, .failed = on_failed, .closed = on_closed};

static void on_joined(void *user, phxc_channel_t *channel, phx_payload_t response)
{
    (void)channel;
    const named_t *named = user;
    json_line_payload(begin_about(named, "joined"), "response", response);
    driver__write_line(named->driver);
}

static void on_refused(void *user, phxc_channel_t *channel, phx_slice_t status, phx_payload_t response)
{
    (void)channel;
    const named_t *named = user;
    phx_buf_t *line = begin_about(named, "refused");
    json_line_string(line, "status", status);
    json_line_payload(line, "response", response);
    driver__write_line(named->driver);
}

static void say_of_channel(const named_t *named, const char *event)
{
    (void)begin_about(named, event);
    driver__write_line(named->driver);
}

static void on_join_timeout(void *user, phxc_channel_t *channel)
{
    (void)channel;
    say_of_channel(user, "join_timeout");
}

static void on_errored(void *user, phxc_channel_t *channel, phxc_cause_t cause, phx_slice_t reason)
{
    (void)channel;
    (void)cause;
    (void)reason;
    say_of_channel(user, "channel_error");
}

static void on_channel_closed(void *user, phxc_channel_t *channel, bool left)
{
    (void)channel;
    (void)left;
    say_of_channel(user, "channel_close");
}

static void on_message(void *user, phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    (void)channel;
    const named_t *named = user;
    phx_buf_t *line = begin_about(named, "message");
    json_line_string(line, "name", event);
    json_line_payload(line, "payload", payload);
    driver__write_line(named->driver);
}

const phxc_channel_callbacks_t DRIVER_CHANNEL_CALLBACKS = {
    .joined = on_joined,
    .refused = on_refused,
    .join_timeout = on_join_timeout,
    .errored = on_errored,
    .closed = on_channel_closed,
    .message = on_message,
};

void driver__on_reply(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response)
{
    static const char *const events[] = {"reply", "push_timeout", "push_cancelled"};
    named_t *push = user;
    if (!push->driver->resetting) {
        phx_buf_t *line = begin_about(push, events[outcome]);
        if (outcome == PHXC_REPLIED) {
            json_line_string(line, "status", status);
            json_line_payload(line, "response", response);
        }
        driver__write_line(push->driver);
    }
    driver__free_named(push->driver, push);
}

static void say_presence(const named_t *named, const char *event, phx_slice_t key, phx_slice_t current,
                         const char *changed, phx_slice_t metas)
{
    phx_buf_t *line = begin_about(named, event);
    json_line_string(line, "key", key);
    json_line_payload(line, "current",
                      (phx_payload_t){PHX_TEXT, current.len > 0 ? current : PHX_SLICE("null")});
    json_line_payload(line, changed, (phx_payload_t){PHX_TEXT, metas});
    driver__write_line(named->driver);
}

static void on_came(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t joined)
{
    say_presence(user, "presence_join", key, current, "joined", joined);
}

static void on_went(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t left)
{
    say_presence(user, "presence_leave", key, current, "left", left);
}

static void on_synced(void *user)
{
    const named_t *named = user;
    phx_buf_t list = {0};
    phxc_presence_write(named->presence, &list);
    json_line_payload(begin_about(named, "presence_sync"), "list",
                      (phx_payload_t){PHX_TEXT, phx_buf_slice(&list)});
    driver__write_line(named->driver);
    phx_buf_free(&list);
}

const phxc_presence_callbacks_t DRIVER_PRESENCE_CALLBACKS = {on_came, on_went, on_synced};
