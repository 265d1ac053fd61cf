/* SPDX-License-Identifier: MIT */
#include "driver_impl.h"

#include "phx/base64.h"
#include "phx/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DELAYS = 64 };

void driver__free_named(driver_t *driver, named_t *named)
{
    named_t **link = &driver->names;
    while (*link != named) {
        link = &(*link)->next;
    }
    *link = named->next;
    phx_buf_free(&named->name);
    free(named);
}

/* ---- commands ---- */

/* A command's line, and how it came out. */
typedef struct command {
    driver_t *driver;
    phx_slice_t object;
    phx_buf_t scratch[3]; /* of the strings that are looked up */
    size_t scratch_used;
    char error[300];
} command_t;

static bool wrong(command_t *command, const char *what, const char *why)
{
    (void)snprintf(command->error, sizeof command->error, "%s: %s", what, why);
    return false;
}

/* A string of the command, or of its options; `data` NULL where it is not there. */
static bool optional_string(command_t *command, phx_slice_t object, phx_buf_t *scratch, const char *name,
                            phx_slice_t *value)
{
    phx_slice_t json;
    *value = (phx_slice_t){0};
    return !phx_json_member(object, name, &json) || phx_json_string(json, scratch, value) == 0 ||
           wrong(command, name, "not a string");
}

static bool string(command_t *command, const char *name, phx_slice_t *value)
{
    return optional_string(command, command->object, &command->scratch[command->scratch_used++], name,
                           value) &&
           (value->data != NULL || wrong(command, name, "missing"));
}

static bool optional_number(command_t *command, phx_slice_t object, const char *name, uint64_t *value)
{
    phx_slice_t json;
    return !phx_json_member(object, name, &json) || phx_json_uint(json, 86400000, value) ||
           wrong(command, name, "not a whole number up to 86400000");
}

static named_t *find(const driver_t *driver, kind_t kind, phx_slice_t name)
{
    for (named_t *named = driver->names; named != NULL; named = named->next) {
        if (named->kind == kind && phx_slice_equal(phx_buf_slice(&named->name), name)) {
            return named;
        }
    }
    return NULL;
}

static named_t *lookup(command_t *command, kind_t kind, const char *member)
{
    phx_slice_t name;
    if (!string(command, member, &name)) {
        return NULL;
    }
    named_t *named = find(command->driver, kind, name);
    if (named == NULL) {
        (void)wrong(command, member, "there is none of this name");
    }
    return named;
}

static named_t *make(command_t *command, kind_t kind, const char *member)
{
    phx_slice_t name;
    if (!string(command, member, &name)) {
        return NULL;
    }
    if (find(command->driver, kind, name) != NULL) {
        (void)wrong(command, member, "the name is taken");
        return NULL;
    }
    named_t *named = calloc(1, sizeof *named);
    if (named == NULL) {
        (void)wrong(command, member, phxc_strerror(PHX_ENOMEM));
        return NULL;
    }
    named->driver = command->driver;
    named->kind = kind;
    phx_buf_append_slice(&named->name, name);
    named->next = command->driver->names;
    command->driver->names = named;
    return named;
}

/* Bytes where the JSON says so; they are decoded into `bytes`. */
static bool payload(command_t *command, phx_buf_t *bytes, phx_payload_t *value)
{
    phx_slice_t json;
    phx_slice_t base64;
    phx_slice_t text;
    size_t cursor = 0;
    phx_slice_t key;
    *value = PHX_JSON_PAYLOAD("{}");
    if (!phx_json_member(command->object, "payload", &json)) {
        return true;
    }
    value->data = json;
    if (phx_json_kind(json) != PHX_JSON_OBJECT || !phx_json_next(json, &cursor, &key, &base64) ||
        !phx_json_is(key, "$base64") || phx_json_next(json, &cursor, &key, &text)) {
        return true;
    }
    phx_buf_t scratch = {0};
    const bool good = phx_json_string(base64, &scratch, &text) == 0 &&
                      phx_base64_decode(bytes, text, PHX_BASE64_OPTIONAL) == 0;
    phx_buf_free(&scratch);
    *value = (phx_payload_t){PHX_BINARY, phx_buf_slice(bytes)};
    return good || wrong(command, "payload", "$base64 is not base64");
}

static bool came_out(command_t *command, const char *what, int error)
{
    return error == 0 || wrong(command, what, phxc_strerror(error));
}

static bool read_delays(command_t *command, phx_slice_t options, const char *name, uint64_t ms[MAX_DELAYS],
                        phxc_delays_t *delays)
{
    phx_slice_t list;
    phx_slice_t delay;
    size_t cursor = 0;
    size_t count = 0;
    if (!phx_json_member(options, name, &list)) {
        return true;
    }
    if (phx_json_kind(list) != PHX_JSON_ARRAY) {
        return wrong(command, name, "not a list");
    }
    while (phx_json_next(list, &cursor, NULL, &delay)) {
        if (count == MAX_DELAYS || !phx_json_uint(delay, 86400000, &ms[count++])) {
            return wrong(command, name, "not a list of up to 64 whole numbers");
        }
    }
    *delays = (phxc_delays_t){ms, count};
    return true;
}

static bool choose(command_t *command, phx_slice_t given, const char *name, const char *const *choices,
                   int *choice)
{
    if (given.data == NULL) {
        return true;
    }
    for (*choice = 0; choices[*choice] != NULL; (*choice)++) {
        if (phx_slice_equals(given, choices[*choice])) {
            return true;
        }
    }
    return wrong(command, name, "not one of those there are");
}

/* Text with its NUL, for the library; NULL stays NULL. */
static const char *terminated(phx_buf_t *text, phx_slice_t slice)
{
    if (slice.data == NULL) {
        return NULL;
    }
    phx_buf_append_slice(text, slice);
    phx_buf_append_byte(text, 0);
    return text->data;
}

static bool make_socket(command_t *command, const phxc_config_t *config)
{
    char error[256] = "";
    named_t *named = make(command, SOCKET, "socket");
    if (named == NULL) {
        return false;
    }
    named->socket =
        phxc_socket_new(&command->driver->loop, config, &DRIVER_SOCKET_CALLBACKS, named, error, sizeof error);
    if (named->socket == NULL) {
        driver__free_named(command->driver, named);
        return wrong(command, "socket", error);
    }
    return true;
}

static bool do_socket(command_t *command)
{
    static const char *const transports[] = {"websocket", "longpoll", NULL};
    static const char *const versions[] = {"1.0.0", "2.0.0", NULL};
    uint64_t reconnect[MAX_DELAYS];
    uint64_t rejoin[MAX_DELAYS];
    phx_buf_t scratch[3] = {{0}, {0}, {0}};
    phx_buf_t texts[3] = {{0}, {0}, {0}};
    phx_slice_t url;
    phx_slice_t transport;
    phx_slice_t version;
    phx_slice_t token;
    phx_slice_t params = {0};
    phx_slice_t options = PHX_SLICE("{}");
    int carriage = PHXC_WEBSOCKET;
    int vsn = PHX_V2;
    phxc_config_t config;
    phxc_config_defaults(&config);
    (void)phx_json_member(command->object, "options", &options);
    (void)phx_json_member(options, "params", &params);
    const bool good = string(command, "url", &url) &&
                      optional_string(command, options, &scratch[0], "transport", &transport) &&
                      choose(command, transport, "transport", transports, &carriage) &&
                      optional_string(command, options, &scratch[1], "vsn", &version) &&
                      choose(command, version, "vsn", versions, &vsn) &&
                      optional_string(command, options, &scratch[2], "token", &token) &&
                      optional_number(command, options, "timeout_ms", &config.timeout_ms) &&
                      optional_number(command, options, "heartbeat_ms", &config.heartbeat_ms) &&
                      optional_number(command, options, "longpoll_timeout_ms", &config.longpoll_timeout_ms) &&
                      optional_number(command, options, "fallback_ms", &config.longpoll_fallback_ms) &&
                      read_delays(command, options, "reconnect_ms", reconnect, &config.reconnect_after) &&
                      read_delays(command, options, "rejoin_ms", rejoin, &config.rejoin_after);
    bool made = false;
    if (good) {
        config.carriage = (phxc_carriage_t)carriage;
        config.vsn = vsn == 0 ? PHX_V1 : PHX_V2;
        config.endpoint = terminated(&texts[0], url);
        config.auth_token = terminated(&texts[1], token);
        config.params = terminated(&texts[2], params);
        made = make_socket(command, &config);
    }
    for (size_t i = 0; i < 3; i++) {
        phx_buf_free(&scratch[i]);
        phx_buf_free(&texts[i]);
    }
    return made;
}

static bool do_connect(command_t *command)
{
    const named_t *named = lookup(command, SOCKET, "socket");
    if (named != NULL) {
        phxc_socket_connect(named->socket);
    }
    return named != NULL;
}

static bool do_disconnect(command_t *command)
{
    uint64_t code = 0;
    phx_slice_t reason;
    const named_t *named = lookup(command, SOCKET, "socket");
    if (named == NULL || !optional_number(command, command->object, "code", &code) ||
        !optional_string(command, command->object, &command->scratch[1], "reason", &reason)) {
        return false;
    }
    phxc_socket_disconnect(named->socket, (int)code, reason);
    return true;
}

static bool do_channel(command_t *command)
{
    phx_buf_t bytes = {0};
    phx_slice_t topic;
    phx_payload_t params;
    const named_t *socket = lookup(command, SOCKET, "socket");
    named_t *named = NULL;
    if (socket != NULL && string(command, "topic", &topic) && payload(command, &bytes, &params)) {
        named = make(command, CHANNEL, "channel");
    }
    if (named != NULL) {
        named->socket = socket->socket;
        named->channel = phxc_channel_new(socket->socket, topic, params, &DRIVER_CHANNEL_CALLBACKS, named);
        if (named->channel == NULL) {
            driver__free_named(command->driver, named);
            named = NULL;
            (void)wrong(command, "channel", phxc_strerror(PHX_ENOMEM));
        }
    }
    phx_buf_free(&bytes);
    return named != NULL;
}

static bool do_join(command_t *command)
{
    uint64_t timeout_ms = 0;
    const named_t *named = lookup(command, CHANNEL, "channel");
    return named != NULL && optional_number(command, command->object, "timeout_ms", &timeout_ms) &&
           came_out(command, "join", phxc_channel_join(named->channel, timeout_ms));
}

static bool do_push(command_t *command)
{
    phx_buf_t bytes = {0};
    phx_slice_t event;
    phx_payload_t data;
    uint64_t timeout_ms = 0;
    bool good = false;
    const named_t *channel = lookup(command, CHANNEL, "channel");
    if (channel != NULL && string(command, "name", &event) && payload(command, &bytes, &data) &&
        optional_number(command, command->object, "timeout_ms", &timeout_ms)) {
        named_t *push = make(command, PUSH, "push");
        good = push != NULL &&
               came_out(command, "push",
                        phxc_channel_push(channel->channel, event, data, timeout_ms, driver__on_reply, push));
        if (push != NULL && !good) {
            driver__free_named(command->driver, push);
        }
    }
    phx_buf_free(&bytes);
    return good;
}

static bool do_leave(command_t *command)
{
    const named_t *named = lookup(command, CHANNEL, "channel");
    if (named != NULL) {
        phxc_channel_leave(named->channel);
    }
    return named != NULL;
}

static bool do_presence(command_t *command)
{
    named_t *named = lookup(command, CHANNEL, "channel");
    if (named != NULL && named->presence == NULL) {
        named->presence = phxc_presence_new(named->channel, NULL, NULL, &DRIVER_PRESENCE_CALLBACKS, named);
    }
    return named != NULL && (named->presence != NULL || came_out(command, "presence", PHX_ENOMEM));
}

static named_t *first_socket(const driver_t *driver)
{
    named_t *named = driver->names;
    while (named != NULL && named->kind != SOCKET) {
        named = named->next;
    }
    return named;
}

static void forget_all(driver_t *driver)
{
    named_t *named;
    driver->resetting = true;
    while ((named = first_socket(driver)) != NULL) {
        phxc_socket_free(named->socket); /* with its channels and pushes */
        driver__free_named(driver, named);
    }
    while (driver->names != NULL) {
        driver__free_named(driver, driver->names);
    }
    driver->resetting = false;
}

static bool do_reset(command_t *command)
{
    forget_all(command->driver);
    return true;
}

static const struct {
    const char *name;
    bool (*run)(command_t *command);
} COMMANDS[] = {
    {"socket", do_socket},   {"connect", do_connect},   {"disconnect", do_disconnect},
    {"channel", do_channel}, {"join", do_join},         {"push", do_push},
    {"leave", do_leave},     {"presence", do_presence}, {"reset", do_reset},
};

static bool run(command_t *command)
{
    phx_slice_t name;
    if (!string(command, "do", &name)) {
        return false;
    }
    command->scratch_used = 0; /* the name is not needed any more once it is known */
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        if (phx_slice_equals(name, COMMANDS[i].name)) {
            return COMMANDS[i].run(command);
        }
    }
    return wrong(command, "do", "no such command");
}

static void on_line(void *user, char *text)
{
    command_t command = {.driver = user};
    phx_slice_t id = PHX_SLICE("null");
    bool good = false;
    if (phx_json_check(phx_slice_of(text), &command.object, NULL) == 0) {
        (void)phx_json_member(command.object, "id", &id);
        good = run(&command);
    } else {
        (void)wrong(&command, "command", "not JSON");
    }
    phx_buf_t *line = driver__begin(command.driver, good ? "done" : "failed");
    json_line_payload(line, "id", (phx_payload_t){PHX_TEXT, id});
    if (!good) {
        json_line_string(line, "text", phx_slice_of(command.error));
    }
    driver__write_line(command.driver);
    for (size_t i = 0; i < sizeof command.scratch / sizeof command.scratch[0]; i++) {
        phx_buf_free(&command.scratch[i]);
    }
}

static void on_last_line(void *user)
{
    driver_t *driver = user;
    forget_all(driver);
    lines_free(driver->lines);
}

int driver_run(void)
{
    driver_t driver = {0};
    if (uv_loop_init(&driver.loop) != 0) {
        return 3;
    }
    driver.lines = lines_new(&driver.loop, STDIN_FILENO, on_line, on_last_line, &driver);
    if (driver.lines != NULL) {
        driver__say_hello(&driver);
    }
    (void)uv_run(&driver.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&driver.loop);
    phx_buf_free(&driver.line);
    return driver.lines != NULL ? 0 : 3;
}
