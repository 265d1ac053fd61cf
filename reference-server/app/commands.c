/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "conformance_socket.h"
#include "phx/base64.h"
#include "phx/json.h"

enum { MAX_DELAY_MS = 3600000, MAX_REPLIES = 100000 };

/* What a command runs in. */
typedef struct context {
    phxs_channel_t *channel;
    phx_slice_t ref; /* to answer, JSON text; empty: answers go nowhere */
    bool direct;     /* the command is the push itself */
    bool asleep;     /* set by `sleep`, with the time */
    uint64_t sleep_ms;
} context_t;

typedef phxs_outcome_t (*command_t)(context_t *context, phx_payload_t payload);

/* Commands in order, with what is left of them (owned). */
typedef struct script {
    phx_buf_t text; /* the ref, then the list */
    size_t ref_len;
    size_t cursor;
    void (*release)(void *script); /* when a handler that sleeps is through; NULL: its message owns it */
} script_t;

/* What waits in the channel's mailbox for its turn. */
typedef struct message {
    enum { RUN_SCRIPT, REPLY_LATER, APPEAR } kind;
    script_t script;
    phx_buf_t text; /* REPLY_LATER: ref, status, response; APPEAR: key and meta */
    size_t ref_len;
    size_t status_len;
} message_t;

static phxs_outcome_t sent(int error)
{
    return error == 0 ? PHXS_CONTINUE : PHXS_FAIL;
}

/* ---- payloads ---- */

int commands_value(const phxs_channel_t *channel, phx_slice_t value, phx_buf_t *scratch,
                   phx_payload_t *payload)
{
    phx_slice_t encoded;
    *payload = (phx_payload_t){PHX_TEXT, value};
    if (!phx_json_member(value, "$base64", &encoded)) {
        return 0;
    }
    if (phxs_channel_vsn(channel) == PHX_V1) {
        return PHX_EV1BINARY;
    }
    phx_buf_t characters = {0};
    phx_slice_t text;
    phx_buf_clear(scratch);
    int error = phx_json_string(encoded, &characters, &text) == 0
                    ? phx_base64_decode(scratch, text, PHX_BASE64_PADDED)
                    : PHX_EBASE64;
    phx_buf_free(&characters);
    *payload = (phx_payload_t){PHX_BINARY, phx_buf_slice(scratch)};
    return error;
}

static bool member(phx_payload_t payload, const char *key, phx_slice_t *value)
{
    return payload.form == PHX_TEXT && phx_json_member(payload.data, key, value);
}

/* A member that is a string, as characters: in `scratch` where it has escapes. */
static bool member_string(phx_payload_t payload, const char *key, phx_buf_t *scratch, phx_slice_t *characters)
{
    phx_slice_t value;
    return member(payload, key, &value) && phx_json_string(value, scratch, characters) == 0;
}

static bool member_uint(phx_payload_t payload, const char *key, uint64_t max, uint64_t *number)
{
    phx_slice_t value;
    return member(payload, key, &value) && phx_json_uint(value, max, number);
}

/* ---- replies ---- */

static phxs_outcome_t answer(const context_t *context, phx_slice_t status, phx_payload_t response)
{
    if (context->ref.len == 0) {
        return PHXS_CONTINUE;
    }
    return sent(phxs_reply_to(context->channel, context->ref, status, response));
}

static phxs_outcome_t run_echo(context_t *context, phx_payload_t payload)
{
    return answer(context, PHX_SLICE("ok"), payload);
}

static phxs_outcome_t run_reply(context_t *context, phx_payload_t payload)
{
    phx_buf_t scratch = {0};
    phx_buf_t bytes = {0};
    phx_slice_t status;
    phx_slice_t value;
    phx_payload_t response;
    phxs_outcome_t outcome = PHXS_FAIL;
    if (member_string(payload, "status", &scratch, &status) && member(payload, "response", &value) &&
        commands_value(context->channel, value, &bytes, &response) == 0) {
        outcome = answer(context, status, response);
    }
    phx_buf_free(&scratch);
    phx_buf_free(&bytes);
    return outcome;
}

static phxs_outcome_t run_reply_many(context_t *context, phx_payload_t payload)
{
    uint64_t count;
    if ((context->direct && !phxs_has_ref(context->channel)) ||
        !member_uint(payload, "count", MAX_REPLIES, &count)) {
        return PHXS_FAIL;
    }
    phxs_outcome_t outcome = PHXS_CONTINUE;
    for (uint64_t n = 1; n <= count && outcome == PHXS_CONTINUE; n++) {
        char digits[24];
        size_t at = sizeof(digits);
        for (uint64_t rest = n; rest > 0; rest /= 10) {
            digits[--at] = (char)('0' + rest % 10);
        }
        phx_buf_t response = {0};
        phx_buf_append_text(&response, "{\"n\":");
        phx_buf_append(&response, digits + at, sizeof(digits) - at);
        phx_buf_append_text(&response, "}");
        outcome = answer(context, PHX_SLICE("ok"), (phx_payload_t){PHX_TEXT, phx_buf_slice(&response)});
        phx_buf_free(&response);
    }
    return outcome;
}

static void message_free(void *data)
{
    message_t *message = data;
    phx_buf_free(&message->script.text);
    phx_buf_free(&message->text);
    free(message);
}

static phxs_outcome_t run_reply_later(context_t *context, phx_payload_t payload)
{
    phx_buf_t scratch = {0};
    phx_slice_t status;
    phx_slice_t response;
    uint64_t delay_ms;
    if (context->direct && !phxs_has_ref(context->channel)) {
        return PHXS_FAIL; /* PUSH-09 */
    }
    message_t *message = calloc(1, sizeof(*message));
    bool posted = false;
    if (message != NULL && member_string(payload, "status", &scratch, &status) &&
        member(payload, "response", &response) && member_uint(payload, "delay_ms", MAX_DELAY_MS, &delay_ms)) {
        message->kind = REPLY_LATER;
        message->ref_len = context->ref.len;
        message->status_len = status.len;
        phx_buf_append_slice(&message->text, context->ref);
        phx_buf_append_slice(&message->text, status);
        phx_buf_append_slice(&message->text, response);
        posted =
            !message->text.failed && phxs_post_after(context->channel, delay_ms, message, message_free) == 0;
    }
    phx_buf_free(&scratch);
    if (!posted && message != NULL) {
        message_free(message);
    }
    return posted ? PHXS_CONTINUE : PHXS_FAIL;
}

static phxs_outcome_t reply_due(phxs_channel_t *channel, const message_t *message)
{
    const char *text = message->text.data;
    size_t head = message->ref_len + message->status_len;
    context_t context = {.channel = channel, .ref = {text, message->ref_len}};
    return answer(&context, (phx_slice_t){text + message->ref_len, message->status_len},
                  (phx_payload_t){PHX_TEXT, {text + head, message->text.len - head}});
}

static phxs_outcome_t run_noreply(context_t *context, phx_payload_t payload)
{
    (void)context;
    (void)payload;
    return PHXS_CONTINUE;
}

static phxs_outcome_t run_connect_info(context_t *context, phx_payload_t payload)
{
    (void)payload;
    phx_slice_t info = conformance_connect_info(phxs_channel_socket(context->channel));
    return answer(context, PHX_SLICE("ok"), (phx_payload_t){PHX_TEXT, info});
}

/* ---- pushes and broadcasts ---- */

typedef int (*emit_t)(const context_t *context, phx_payload_t command, phx_slice_t event,
                      phx_payload_t payload);

static phxs_outcome_t emit(const context_t *context, phx_payload_t command, emit_t how)
{
    phx_buf_t scratch = {0};
    phx_buf_t bytes = {0};
    phx_slice_t event;
    phx_slice_t value;
    phx_payload_t payload;
    phxs_outcome_t outcome = PHXS_FAIL;
    if (member_string(command, "event", &scratch, &event) && member(command, "payload", &value) &&
        commands_value(context->channel, value, &bytes, &payload) == 0) {
        outcome = sent(how(context, command, event, payload));
    }
    phx_buf_free(&scratch);
    phx_buf_free(&bytes);
    return outcome;
}

static int emit_push(const context_t *context, phx_payload_t command, phx_slice_t event,
                     phx_payload_t payload)
{
    (void)command;
    return phxs_push(context->channel, event, payload);
}

static int emit_broadcast(const context_t *context, phx_payload_t command, phx_slice_t event,
                          phx_payload_t payload)
{
    (void)command;
    return phxs_broadcast(context->channel, event, payload);
}

static int emit_broadcast_from(const context_t *context, phx_payload_t command, phx_slice_t event,
                               phx_payload_t payload)
{
    (void)command;
    return phxs_broadcast_from(context->channel, event, payload);
}

static int emit_broadcast_to(const context_t *context, phx_payload_t command, phx_slice_t event,
                             phx_payload_t payload)
{
    phx_buf_t scratch = {0};
    phx_slice_t topic;
    int error = PHX_ESHAPE;
    phxs_server_t *server = phxs_socket_server(phxs_channel_socket(context->channel));
    if (member_string(command, "topic", &scratch, &topic)) {
        error = phxs_server_broadcast(server, topic, event, payload);
    }
    phx_buf_free(&scratch);
    return error;
}

static phxs_outcome_t run_push(context_t *context, phx_payload_t payload)
{
    return emit(context, payload, emit_push);
}

static phxs_outcome_t run_broadcast(context_t *context, phx_payload_t payload)
{
    return emit(context, payload, emit_broadcast);
}

static phxs_outcome_t run_broadcast_from(context_t *context, phx_payload_t payload)
{
    return emit(context, payload, emit_broadcast_from);
}

static phxs_outcome_t run_broadcast_to(context_t *context, phx_payload_t payload)
{
    return emit(context, payload, emit_broadcast_to);
}

static phxs_outcome_t run_disconnect(context_t *context, phx_payload_t payload)
{
    phx_buf_t scratch = {0};
    phx_slice_t id;
    bool named = member_string(payload, "id", &scratch, &id);
    if (named) {
        phxs_disconnect(phxs_socket_server(phxs_channel_socket(context->channel)), id);
    }
    phx_buf_free(&scratch);
    return named ? PHXS_CONTINUE : PHXS_FAIL;
}

/* ---- presence ---- */

typedef int (*track_t)(phxs_channel_t *channel, phx_slice_t key, phx_slice_t meta);

static phxs_outcome_t track(const context_t *context, phx_payload_t payload, track_t how)
{
    phx_buf_t scratch = {0};
    phx_slice_t key;
    phx_slice_t meta;
    bool done = member_string(payload, "key", &scratch, &key) && member(payload, "meta", &meta) &&
                how(context->channel, key, meta) == 0;
    phx_buf_free(&scratch);
    return done ? answer(context, PHX_SLICE("ok"), PHX_JSON_PAYLOAD("{}")) : PHXS_FAIL;
}

static phxs_outcome_t run_presence_track(context_t *context, phx_payload_t payload)
{
    return track(context, payload, phxs_presence_track);
}

static phxs_outcome_t run_presence_update(context_t *context, phx_payload_t payload)
{
    return track(context, payload, phxs_presence_update);
}

static phxs_outcome_t run_presence_untrack(context_t *context, phx_payload_t payload)
{
    phx_buf_t scratch = {0};
    phx_slice_t key;
    bool done =
        member_string(payload, "key", &scratch, &key) && phxs_presence_untrack(context->channel, key) == 0;
    phx_buf_free(&scratch);
    return done ? answer(context, PHX_SLICE("ok"), PHX_JSON_PAYLOAD("{}")) : PHXS_FAIL;
}

static phxs_outcome_t run_presence_list(context_t *context, phx_payload_t payload)
{
    (void)payload;
    phx_buf_t list = {0};
    phxs_outcome_t outcome = PHXS_FAIL;
    if (phxs_presence_list(context->channel, &list) == 0) {
        outcome = answer(context, PHX_SLICE("ok"), (phx_payload_t){PHX_TEXT, phx_buf_slice(&list)});
    }
    phx_buf_free(&list);
    return outcome;
}

/* What a join with `presence` asked for. */
static phxs_outcome_t appear(phxs_channel_t *channel, phx_slice_t presence)
{
    const context_t silent = {.channel = channel};
    phx_buf_t list = {0};
    phxs_outcome_t outcome = track(&silent, (phx_payload_t){PHX_TEXT, presence}, phxs_presence_track);
    if (outcome == PHXS_CONTINUE) {
        bool done = phxs_presence_list(channel, &list) == 0 &&
                    phxs_push(channel, PHX_SLICE("presence_state"),
                              (phx_payload_t){PHX_TEXT, phx_buf_slice(&list)}) == 0;
        outcome = done ? PHXS_CONTINUE : PHXS_FAIL;
    }
    phx_buf_free(&list);
    return outcome;
}

/* ---- ends ---- */

static phxs_outcome_t run_stop(context_t *context, phx_payload_t payload)
{
    phx_buf_t scratch = {0};
    phx_slice_t reason;
    phx_slice_t status;
    phx_slice_t value;
    if (!member(payload, "reason", &reason)) {
        return PHXS_FAIL;
    }
    phxs_outcome_t outcome = PHXS_CONTINUE;
    if (member_string(payload, "status", &scratch, &status)) {
        phx_payload_t response = PHX_JSON_PAYLOAD("{}");
        if (member(payload, "response", &value)) {
            response.data = value;
        }
        outcome = answer(context, status, response); /* STOP-02 */
    }
    phx_buf_free(&scratch);
    if (outcome != PHXS_CONTINUE) {
        return outcome;
    }
    bool graceful = phx_json_is(reason, "normal") || phx_json_is(reason, "shutdown") ||
                    phx_json_is(reason, "shutdown_tuple");
    return graceful ? PHXS_STOP : PHXS_FAIL;
}

static phxs_outcome_t run_fail(context_t *context, phx_payload_t payload)
{
    (void)context;
    (void)payload;
    return PHXS_FAIL; /* `exit` too: an end that is not announced is a failure to the client (STOP-04) */
}

/* ---- time ---- */

static phxs_outcome_t run_sleep(context_t *context, phx_payload_t payload)
{
    context->asleep = member_uint(payload, "ms", MAX_DELAY_MS, &context->sleep_ms);
    return context->asleep ? PHXS_SUSPENDED : PHXS_FAIL;
}

/* ---- lists of commands ---- */

static void script_free(void *data)
{
    script_t *script = data;
    phx_buf_free(&script->text);
    free(script);
}

/* Takes a copy of ref and list. */
static int script_init(script_t *script, phx_slice_t ref, phx_slice_t list)
{
    if (phx_json_kind(list) != PHX_JSON_ARRAY) {
        return PHX_ESHAPE;
    }
    phx_buf_append_slice(&script->text, ref);
    phx_buf_append_slice(&script->text, list);
    script->ref_len = ref.len;
    return script->text.failed ? PHX_ENOMEM : 0;
}

static phxs_outcome_t run_command(context_t *context, phx_slice_t event, phx_payload_t payload);

/* Runs on until the list is over, a command ends the channel, or one wants to sleep. */
static phxs_outcome_t script_run(phxs_channel_t *channel, script_t *script, uint64_t *sleep_ms)
{
    context_t context = {.channel = channel, .ref = {script->text.data, script->ref_len}};
    phx_slice_t list = {script->text.data + script->ref_len, script->text.len - script->ref_len};
    phx_slice_t command;
    phx_buf_t scratch = {0};
    phxs_outcome_t outcome = PHXS_CONTINUE;
    while (outcome == PHXS_CONTINUE && phx_json_next(list, &script->cursor, NULL, &command)) {
        phx_slice_t event;
        phx_payload_t parts = {PHX_TEXT, command};
        phx_payload_t payload = {PHX_TEXT, PHX_SLICE("null")};
        outcome = PHXS_FAIL;
        if (!member_string(parts, "event", &scratch, &event)) {
            break;
        }
        member(parts, "payload", &payload.data);
        outcome = run_command(&context, event, payload);
    }
    phx_buf_free(&scratch);
    *sleep_ms = context.sleep_ms;
    return outcome;
}

static phxs_outcome_t script_resume(phxs_channel_t *channel, void *data);

static phxs_outcome_t script_continue(phxs_channel_t *channel, script_t *script)
{
    uint64_t sleep_ms;
    phxs_outcome_t outcome = script_run(channel, script, &sleep_ms);
    if (outcome == PHXS_SUSPENDED &&
        phxs_suspend(channel, sleep_ms, script_resume, script, script->release) != 0) {
        return PHXS_FAIL;
    }
    return outcome;
}

static phxs_outcome_t script_resume(phxs_channel_t *channel, void *data)
{
    return script_continue(channel, data);
}

static phx_slice_t ref_to_answer(const context_t *context)
{
    /* Where there is none, the commands of a list answer nothing. */
    return phx_slice_equals(context->ref, "null") ? (phx_slice_t){0} : context->ref;
}

static phxs_outcome_t run_sequence(context_t *context, phx_payload_t payload)
{
    phx_slice_t list;
    script_t *script = calloc(1, sizeof(*script));
    if (script == NULL || !member(payload, "commands", &list) ||
        script_init(script, ref_to_answer(context), list) != 0) {
        if (script != NULL) {
            script_free(script);
        }
        return PHXS_FAIL;
    }
    script->release = script_free;
    phxs_outcome_t outcome = script_continue(context->channel, script);
    if (outcome != PHXS_SUSPENDED) {
        script_free(script);
    }
    return outcome;
}

static int post_script(phxs_channel_t *channel, phx_slice_t ref, phx_slice_t list, uint64_t delay_ms)
{
    message_t *message = calloc(1, sizeof(*message));
    if (message == NULL) {
        return PHX_ENOMEM;
    }
    message->kind = RUN_SCRIPT;
    int error = script_init(&message->script, ref, list);
    if (error == 0) {
        error = delay_ms > 0 ? phxs_post_after(channel, delay_ms, message, message_free)
                             : phxs_post(channel, message, message_free);
    }
    if (error != 0) {
        message_free(message);
    }
    return error;
}

static phxs_outcome_t run_later(context_t *context, phx_payload_t payload)
{
    uint64_t delay_ms;
    phx_slice_t list;
    if (!member_uint(payload, "delay_ms", MAX_DELAY_MS, &delay_ms) || !member(payload, "commands", &list)) {
        return PHXS_FAIL;
    }
    return sent(post_script(context->channel, ref_to_answer(context), list, delay_ms));
}

int commands_post(phxs_channel_t *channel, phx_slice_t list)
{
    return post_script(channel, (phx_slice_t){0}, list, 0);
}

int commands_post_presence(phxs_channel_t *channel, phx_slice_t presence)
{
    message_t *message = calloc(1, sizeof(*message));
    if (message == NULL) {
        return PHX_ENOMEM;
    }
    message->kind = APPEAR;
    phx_buf_append_slice(&message->text, presence);
    int error = message->text.failed ? PHX_ENOMEM : phxs_post(channel, message, message_free);
    if (error != 0) {
        message_free(message);
    }
    return error;
}

phxs_outcome_t commands_due(phxs_channel_t *channel, void *data)
{
    message_t *message = data;
    if (message->kind == APPEAR) {
        return appear(channel, phx_buf_slice(&message->text));
    }
    if (message->kind == REPLY_LATER) {
        return reply_due(channel, message);
    }
    return script_continue(channel, &message->script); /* the message lives until the handler is through */
}

/* ---- the table ---- */

static const struct {
    const char *event;
    command_t run;
} COMMANDS[] = {
    {"echo", run_echo},
    {"reply", run_reply},
    {"reply_later", run_reply_later},
    {"reply_many", run_reply_many},
    {"noreply", run_noreply},
    {"sleep", run_sleep},
    {"push", run_push},
    {"broadcast", run_broadcast},
    {"broadcast_from", run_broadcast_from},
    {"broadcast_to", run_broadcast_to},
    {"stop", run_stop},
    {"raise", run_fail},
    {"exit", run_fail},
    {"disconnect", run_disconnect},
    {"presence_track", run_presence_track},
    {"presence_update", run_presence_update},
    {"presence_untrack", run_presence_untrack},
    {"presence_list", run_presence_list},
    {"connect_info", run_connect_info},
    {"sequence", run_sequence},
    {"later", run_later},
};

static phxs_outcome_t run_command(context_t *context, phx_slice_t event, phx_payload_t payload)
{
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
        if (phx_slice_equals(event, COMMANDS[i].event)) {
            return COMMANDS[i].run(context, payload);
        }
    }
    return PHXS_FAIL; /* PUSH-15 */
}

static phxs_outcome_t wake(phxs_channel_t *channel, void *data)
{
    (void)channel;
    (void)data;
    return PHXS_CONTINUE;
}

phxs_outcome_t commands_push(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    context_t context = {.channel = channel, .ref = phxs_ref(channel), .direct = true};
    phxs_outcome_t outcome = run_command(&context, event, payload);
    if (context.asleep && phxs_suspend(channel, context.sleep_ms, wake, NULL, NULL) != 0) {
        return PHXS_FAIL;
    }
    return outcome;
}
