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
    phx_buf_free(&named->of);
    phx_buf_free(&named->event);
    phx_buf_free(&named->params.list);
    free(named);
}

void driver__next_of(each_t *each, phx_buf_t *out, bool text)
{
    phx_buf_t scratch = {0};
    phx_slice_t value = {0};
    phx_slice_t next;
    phx_slice_t characters;
    size_t cursor = 0;
    each->given++;
    for (size_t i = 0; i < each->given && phx_json_next(phx_buf_slice(&each->list), &cursor, NULL, &next);
         i++) {
        value = next;
    }
    if (!text) {
        phx_buf_append_slice(out, value);
    } else if (phx_json_string(value, &scratch, &characters) == 0) {
        phx_buf_append_slice(out, characters);
    }
    phx_buf_free(&scratch);
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

/* One that has a name, also where that is not in the command. */
static named_t *make_named(command_t *command, kind_t kind, phx_slice_t name)
{
    named_t *named = calloc(1, sizeof *named);
    if (named == NULL) {
        (void)wrong(command, "memory", phxc_strerror(PHX_ENOMEM));
        return NULL;
    }
    named->driver = command->driver;
    named->kind = kind;
    phx_buf_append_slice(&named->name, name);
    named->next = command->driver->names;
    command->driver->names = named;
    return named;
}

static named_t *make(command_t *command, kind_t kind, const char *member)
{
    phx_slice_t name;
    if (!string(command, member, &name)) {
        return NULL;
    }
    if (kind != LISTENER && find(command->driver, kind, name) != NULL) {
        (void)wrong(command, member, "the name is taken");
        return NULL;
    }
    return make_named(command, kind, name);
}

/* A payload or params; bytes where the JSON says so, which are decoded into `bytes`. */
static bool payload(command_t *command, const char *name, phx_buf_t *bytes, phx_payload_t *value)
{
    phx_slice_t json;
    phx_slice_t base64;
    phx_slice_t text;
    size_t cursor = 0;
    phx_slice_t key;
    *value = PHX_JSON_PAYLOAD("{}");
    if (!phx_json_member(command->object, name, &json)) {
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
    return good || wrong(command, name, "$base64 is not base64");
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

static void next_params(void *user, phx_buf_t *json)
{
    driver_t *driver = user;
    driver__next_of(&driver->params, json, false);
}

static void next_token(void *user, phx_buf_t *token)
{
    driver_t *driver = user;
    driver__next_of(&driver->tokens, token, true);
}

static void next_join_params(void *user, phx_buf_t *json)
{
    named_t *channel = user;
    driver__next_of(&channel->params, json, false);
}

/* Keeps a list of the command; whether it is there. */
static bool keep_each(const command_t *command, const char *name, each_t *each)
{
    phx_slice_t list;
    if (!phx_json_member(command->object, name, &list)) {
        return false;
    }
    phx_buf_append_slice(&each->list, list);
    return true;
}

static bool make_socket(command_t *command)
{
    static const char *const transports[] = {"websocket", "longpoll", NULL};
    static const char *const versions[] = {"1.0.0", "2.0.0", NULL};
    driver_t *driver = command->driver;
    uint64_t reconnect[MAX_DELAYS];
    uint64_t rejoin[MAX_DELAYS];
    phx_buf_t scratch[3] = {{0}, {0}, {0}};
    phx_buf_t texts[3] = {{0}, {0}, {0}};
    char error[256] = "";
    phx_slice_t url;
    phx_slice_t transport;
    phx_slice_t version;
    phx_slice_t token;
    phx_slice_t params = {0};
    phx_slice_t options = PHX_SLICE("{}");
    int carriage = PHXC_WEBSOCKET;
    int vsn = 1;
    phxc_config_t config;
    phxc_config_defaults(&config);
    (void)phx_json_member(command->object, "options", &options);
    (void)phx_json_member(command->object, "params", &params);
    const bool good = string(command, "url", &url) &&
                      optional_string(command, command->object, &scratch[0], "transport", &transport) &&
                      choose(command, transport, "transport", transports, &carriage) &&
                      optional_string(command, command->object, &scratch[1], "vsn", &version) &&
                      choose(command, version, "vsn", versions, &vsn) &&
                      optional_string(command, command->object, &scratch[2], "token", &token) &&
                      optional_number(command, options, "timeout_ms", &config.timeout_ms) &&
                      optional_number(command, options, "heartbeat_ms", &config.heartbeat_ms) &&
                      optional_number(command, options, "longpoll_timeout_ms", &config.longpoll_timeout_ms) &&
                      optional_number(command, options, "fallback_ms", &config.longpoll_fallback_ms) &&
                      read_delays(command, options, "reconnect_ms", reconnect, &config.reconnect_after) &&
                      read_delays(command, options, "rejoin_ms", rejoin, &config.rejoin_after);
    if (good) {
        config.carriage = (phxc_carriage_t)carriage;
        config.vsn = vsn == 0 ? PHX_V1 : PHX_V2;
        config.endpoint = terminated(&texts[0], url);
        config.auth_token = terminated(&texts[1], token);
        config.params = terminated(&texts[2], params);
        config.params_at = keep_each(command, "params_each", &driver->params) ? next_params : NULL;
        config.auth_token_at = keep_each(command, "token_each", &driver->tokens) ? next_token : NULL;
        driver->socket =
            phxc_socket_new(&driver->loop, &config, &DRIVER_SOCKET_CALLBACKS, driver, error, sizeof error);
#ifdef PHXC_FAULTS
        if (driver->socket != NULL) {
            phxc_fault_set(driver->socket, driver->fault);
        }
#endif
    }
    for (size_t i = 0; i < 3; i++) {
        phx_buf_free(&scratch[i]);
        phx_buf_free(&texts[i]);
    }
    return driver->socket != NULL || (good && wrong(command, "connect", error));
}

static bool has_socket(command_t *command)
{
    return command->driver->socket != NULL || wrong(command, "connect", "was not told yet");
}

static bool do_connect(command_t *command)
{
    if (command->driver->socket == NULL && !make_socket(command)) {
        return false;
    }
    phxc_socket_connect(command->driver->socket);
    return true;
}

static bool do_disconnect(command_t *command)
{
    uint64_t code = 0;
    phx_slice_t reason;
    if (!has_socket(command) || !optional_number(command, command->object, "code", &code) ||
        !optional_string(command, command->object, &command->scratch[1], "reason", &reason)) {
        return false;
    }
    phxc_socket_disconnect(command->driver->socket, (int)code, reason);
    return true;
}

static bool do_replace_transport(command_t *command)
{
    static const char *const transports[] = {"websocket", "longpoll", NULL};
    phx_slice_t transport;
    int carriage = PHXC_WEBSOCKET;
    if (!has_socket(command) || !string(command, "transport", &transport) ||
        !choose(command, transport, "transport", transports, &carriage)) {
        return false;
    }
    phxc_socket_replace_carriage(command->driver->socket, (phxc_carriage_t)carriage);
    phxc_socket_connect(command->driver->socket);
    return true;
}

static void on_pong(void *user, uint64_t elapsed_ms)
{
    driver_t *driver = user;
    json_line_number(driver__begin(driver, "pong"), "rtt_ms", (long long)elapsed_ms);
    driver__write_line(driver);
}

static bool do_ping(command_t *command)
{
    return has_socket(command) &&
           came_out(command, "ping", phxc_socket_ping(command->driver->socket, on_pong, command->driver));
}

static bool listen_to(command_t *command, const named_t *channel, phx_slice_t event, named_t *listener)
{
    phx_buf_append_slice(&listener->of, phx_buf_slice(&channel->name));
    phx_buf_append_slice(&listener->event, event);
    listener->channel = channel->channel;
    listener->handler = phxc_channel_on(channel->channel, event, driver__on_event, listener);
    return listener->handler > 0 || came_out(command, "listen", listener->handler);
}

static bool listen_to_all(command_t *command, const named_t *channel)
{
    phx_slice_t list;
    phx_slice_t item;
    phx_slice_t event;
    phx_buf_t scratch = {0};
    size_t cursor = 0;
    bool good = true;
    if (!phx_json_member(command->object, "listen", &list)) {
        return true;
    }
    while (good && phx_json_next(list, &cursor, NULL, &item)) {
        named_t *listener = NULL;
        good = phx_json_string(item, &scratch, &event) == 0 || wrong(command, "listen", "not strings");
        if (good) {
            listener = make_named(command, LISTENER, event);
        }
        good = listener != NULL && listen_to(command, channel, event, listener);
    }
    phx_buf_free(&scratch);
    return good;
}

static bool do_channel(command_t *command)
{
    phx_buf_t bytes = {0};
    phx_slice_t topic;
    phx_payload_t params;
    named_t *named = NULL;
    if (has_socket(command) && string(command, "topic", &topic) &&
        payload(command, "params", &bytes, &params)) {
        named = make(command, CHANNEL, "channel");
    }
    if (named != NULL) {
        named->channel =
            phxc_channel_new(command->driver->socket, topic, params, &DRIVER_CHANNEL_CALLBACKS, named);
        if (named->channel == NULL) {
            driver__free_named(command->driver, named);
            named = NULL;
            (void)wrong(command, "channel", phxc_strerror(PHX_ENOMEM));
        }
    }
    if (named != NULL && keep_each(command, "params_each", &named->params)) {
        phxc_channel_params_at(named->channel, next_join_params);
    }
    phx_buf_free(&bytes);
    return named != NULL && listen_to_all(command, named);
}

static bool do_listen(command_t *command)
{
    phx_slice_t event;
    named_t *listener = NULL;
    const named_t *channel = lookup(command, CHANNEL, "channel");
    if (channel != NULL && string(command, "name", &event)) {
        listener = make(command, LISTENER, "listener");
    }
    return listener != NULL && listen_to(command, channel, event, listener);
}

static bool do_unlisten(command_t *command)
{
    const named_t *channel = lookup(command, CHANNEL, "channel");
    phx_slice_t name;
    if (channel == NULL || !string(command, "listener", &name)) {
        return false;
    }
    named_t *named = command->driver->names;
    while (named != NULL && !(named->kind == LISTENER && named->channel == channel->channel &&
                              phx_slice_equal(phx_buf_slice(&named->name), name))) {
        named = named->next;
    }
    if (named == NULL) {
        return wrong(command, "listener", "there is none of this name");
    }
    phxc_channel_off(channel->channel, named->handler);
    driver__free_named(command->driver, named);
    return true;
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
    if (channel != NULL && string(command, "name", &event) && payload(command, "payload", &bytes, &data) &&
        optional_number(command, command->object, "timeout_ms", &timeout_ms)) {
        named_t *push = make(command, PUSH, "push");
        if (push != NULL) {
            phx_buf_append_slice(&push->of, phx_buf_slice(&channel->name));
        }
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

static void forget_each(each_t *each)
{
    phx_buf_free(&each->list);
    *each = (each_t){0};
}

static void forget_all(driver_t *driver)
{
    driver->resetting = true;
    if (driver->socket != NULL) {
        phxc_socket_free(driver->socket); /* with its channels and pushes */
        driver->socket = NULL;
    }
    while (driver->names != NULL) {
        driver__free_named(driver, driver->names);
    }
    forget_each(&driver->params);
    forget_each(&driver->tokens);
    driver->resetting = false;
}

static void say(driver_t *driver, const char *event)
{
    (void)driver__begin(driver, event);
    driver__write_line(driver);
}

static bool do_sync(command_t *command)
{
    say(command->driver, "synced");
    return true;
}

static bool do_reset(command_t *command)
{
    forget_all(command->driver);
    say(command->driver, "reset");
    return true;
}

static const struct {
    const char *name;
    bool (*run)(command_t *command);
} COMMANDS[] = {
    {"connect", do_connect},
    {"disconnect", do_disconnect},
    {"replace_transport", do_replace_transport},
    {"channel", do_channel},
    {"listen", do_listen},
    {"unlisten", do_unlisten},
    {"join", do_join},
    {"push", do_push},
    {"leave", do_leave},
    {"presence", do_presence},
    {"ping", do_ping},
    {"sync", do_sync},
    {"reset", do_reset},
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
    phx_slice_t name = PHX_SLICE("null");
    bool good = false;
    if (phx_json_check(phx_slice_of(text), &command.object, NULL) == 0) {
        (void)phx_json_member(command.object, "do", &name);
        good = run(&command);
    } else {
        (void)wrong(&command, "command", "not JSON");
    }
    if (!good) {
        phx_buf_t *line = driver__begin(command.driver, "failed");
        json_line_payload(line, "do", (phx_payload_t){PHX_TEXT, name});
        json_line_string(line, "reason", phx_slice_of(command.error));
        driver__write_line(command.driver);
    }
    for (size_t i = 0; i < sizeof command.scratch / sizeof command.scratch[0]; i++) {
        phx_buf_free(&command.scratch[i]);
    }
}

static void on_last_line(void *user, int error)
{
    driver_t *driver = user;
    driver->code = error != 0 ? 3 : driver->code;
    if (error != 0) {
        (void)fprintf(stderr, "phxspec-client: cannot read commands from stdin: %s\n", uv_strerror(error));
    }
    forget_all(driver);
    lines_free(driver->lines);
}

#ifdef PHXC_FAULTS

/* False: there is nothing to run, and `*code` is the exit code. */
static bool choose_fault(driver_t *driver, const char *fault, int *code)
{
    const bool list = fault != NULL && strcmp(fault, "list") == 0;
    *code = list ? 0 : 2;
    if (list) {
        phxc_fault_list();
    } else if (fault != NULL && !phxc_fault_find(fault, &driver->fault)) {
        (void)fprintf(stderr, "phxspec-client: --fault %s: there is none of this name; `list` lists them\n",
                      fault);
    } else {
        return true;
    }
    return false;
}

#endif

int driver_run(const char *fault)
{
    driver_t driver = {0};
#ifdef PHXC_FAULTS
    int code;
    if (!choose_fault(&driver, fault, &code)) {
        return code;
    }
#else
    (void)fault;
#endif
    if (uv_loop_init(&driver.loop) != 0) {
        return 3;
    }
    driver.lines = lines_new(&driver.loop, STDIN_FILENO, on_line, on_last_line, &driver);
    if (driver.lines != NULL) {
        driver__say_hello(&driver);
    } else {
        (void)fprintf(stderr, "phxspec-client: cannot read commands from stdin\n");
    }
    (void)uv_run(&driver.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&driver.loop);
    phx_buf_free(&driver.line);
    return driver.lines != NULL ? driver.code : 3;
}
