/* SPDX-License-Identifier: MIT */
#include "conformance.h"

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "conformance_socket.h"
#include "phx/json.h"

enum { MAX_JOIN_DELAY_MS = 3600000 };

/* ---- sockets ---- */

static void append_string_or_null(phx_buf_t *out, phx_slice_t text)
{
    if (text.data == NULL || !phx_utf8_valid(text)) {
        phx_buf_append_text(out, "null");
    } else {
        phx_json_quote(out, text);
    }
}

static void describe(phx_buf_t *out, const phxs_socket_t *socket, const phxs_connect_info_t *info)
{
    phx_buf_append_text(out, "{\"auth_token\":");
    append_string_or_null(out, info->auth_token);
    phx_buf_append_text(out, ",\"node\":");
    phx_json_quote(out, phx_slice_of(phxs_server_node(phxs_socket_server(socket))));
    phx_buf_append_text(out, ",\"params\":");
    phx_buf_append_slice(out, info->params);
    phx_buf_append_text(out, ",\"uri\":{\"path\":");
    append_string_or_null(out, info->path);
    phx_buf_append_text(out, ",\"query\":");
    append_string_or_null(out, info->query);
    phx_buf_append_text(out, "},\"user_agent\":");
    append_string_or_null(out, info->user_agent);
    phx_buf_append_text(out, ",\"x_headers\":");
    phx_buf_append_slice(out, info->x_headers);
    phx_buf_append_text(out, "}");
}

static bool identify(phxs_socket_t *socket, phx_slice_t params)
{
    phx_buf_t id = {0};
    phx_buf_t scratch = {0};
    phx_slice_t user_id_json;
    phx_slice_t user_id;
    bool good = true;
    if (phx_json_member(params, "user_id", &user_id_json) &&
        phx_json_string(user_id_json, &scratch, &user_id) == 0) {
        phx_buf_append_text(&id, "user:");
        phx_buf_append_slice(&id, user_id);
        good = !id.failed && phxs_socket_identify(socket, phx_buf_slice(&id)) == 0;
    }
    phx_buf_free(&id);
    phx_buf_free(&scratch);
    return good;
}

static phxs_connect_outcome_t connect_socket(phxs_socket_t *socket, const phxs_connect_info_t *info,
                                             void *app, phxs_refusal_t *refusal)
{
    (void)app;
    phx_slice_t reject;
    if (phx_json_member(info->params, "reject", &reject)) {
        if (phx_json_is(reject, "true")) {
            return PHXS_CONNECT_REFUSED;
        }
        if (phx_json_is(reject, "raise")) {
            return PHXS_CONNECT_FAILED;
        }
        if (phx_json_is(reject, "reason")) {
            *refusal = (phxs_refusal_t){429, "Too many requests"};
            return PHXS_CONNECT_REFUSED_WITH_REASON;
        }
    }
    phx_buf_t *description = calloc(1, sizeof(*description));
    if (description == NULL) {
        return PHXS_CONNECT_FAILED;
    }
    phxs_socket_assign(socket, description);
    describe(description, socket, info);
    return !description->failed && identify(socket, info->params) ? PHXS_CONNECT_OK : PHXS_CONNECT_FAILED;
}

static void socket_closed(phxs_socket_t *socket)
{
    phx_buf_t *description = phxs_socket_assigns(socket);
    if (description != NULL) {
        phx_buf_free(description);
    }
    free(description);
}

phx_slice_t conformance_connect_info(const phxs_socket_t *socket)
{
    return phx_buf_slice(phxs_socket_assigns(socket));
}

/* ---- the channel ---- */

typedef struct conformance {
    phx_buf_t join;            /* the join payload, while it is being decided */
    phx_buf_t name;            /* of this subscriber, as JSON; empty: none */
    phx_buf_t terminate_event; /* empty: none */
} conformance_t;

static void channel_ended(phxs_channel_t *channel)
{
    conformance_t *conformance = phxs_channel_assigns(channel);
    if (conformance == NULL) {
        return;
    }
    phx_buf_free(&conformance->join);
    phx_buf_free(&conformance->name);
    phx_buf_free(&conformance->terminate_event);
    free(conformance);
}

static phxs_outcome_t respond(phxs_channel_t *channel, phx_slice_t value, phxs_outcome_t outcome)
{
    phx_buf_t bytes = {0};
    phx_payload_t response;
    bool good =
        commands_value(channel, value, &bytes, &response) == 0 && phxs_join_response(channel, response) == 0;
    phx_buf_free(&bytes);
    return good ? outcome : PHXS_FAIL;
}

/* What the join payload says, the delay aside. */
static phxs_outcome_t decide(phxs_channel_t *channel, phx_slice_t payload)
{
    conformance_t *conformance = phxs_channel_assigns(channel);
    phx_buf_t scratch = {0};
    phx_slice_t value;
    phx_slice_t event;
    if (phx_json_member(payload, "crash", &value) && phx_slice_equals(value, "true")) {
        return PHXS_FAIL;
    }
    if (phx_json_member(payload, "reject", &value)) {
        return respond(channel, value, PHXS_REFUSE);
    }
    if (phx_json_member(payload, "name", &value)) {
        phx_buf_append_slice(&conformance->name, value);
    }
    if (phx_json_member(payload, "on_terminate", &value) && phx_json_string(value, &scratch, &event) == 0) {
        phx_buf_append_slice(&conformance->terminate_event, event);
        phxs_trap_exit(channel);
    }
    phx_buf_free(&scratch);
    if (conformance->name.failed || conformance->terminate_event.failed) {
        return PHXS_FAIL;
    }
    if (phx_json_member(payload, "after_join", &value) && commands_post(channel, value) != 0) {
        return PHXS_FAIL;
    }
    if (phx_json_member(payload, "presence", &value) && commands_post_presence(channel, value) != 0) {
        return PHXS_FAIL;
    }
    if (phx_json_member(payload, "reply", &value)) {
        return respond(channel, value, PHXS_CONTINUE);
    }
    return PHXS_CONTINUE;
}

static phxs_outcome_t decide_later(phxs_channel_t *channel, void *data)
{
    conformance_t *conformance = data;
    phxs_outcome_t outcome = decide(channel, phx_buf_slice(&conformance->join));
    phx_buf_free(&conformance->join);
    return outcome;
}

static phxs_outcome_t join(phxs_channel_t *channel, phx_payload_t payload)
{
    conformance_t *conformance = calloc(1, sizeof(*conformance));
    if (conformance == NULL) {
        return PHXS_FAIL;
    }
    phxs_channel_assign(channel, conformance);
    if (payload.form != PHX_TEXT || phx_json_kind(payload.data) != PHX_JSON_OBJECT) {
        return PHXS_CONTINUE;
    }
    phx_slice_t value;
    uint64_t delay_ms;
    if (!phx_json_member(payload.data, "delay_ms", &value) ||
        !phx_json_uint(value, MAX_JOIN_DELAY_MS, &delay_ms)) {
        return decide(channel, payload.data);
    }
    phx_buf_append_slice(&conformance->join, payload.data);
    if (conformance->join.failed || phxs_suspend(channel, delay_ms, decide_later, conformance, NULL) != 0) {
        return PHXS_FAIL;
    }
    return PHXS_SUSPENDED;
}

static void terminate(phxs_channel_t *channel, phxs_end_t why)
{
    (void)why;
    const conformance_t *conformance = phxs_channel_assigns(channel);
    if (conformance->terminate_event.len > 0) {
        phxs_push(channel, phx_buf_slice(&conformance->terminate_event), PHX_JSON_PAYLOAD("{}"));
    }
}

/* ---- interception ---- */

static bool same_string(phx_slice_t a, phx_slice_t b)
{
    phx_buf_t a_scratch = {0};
    phx_buf_t b_scratch = {0};
    phx_slice_t a_text;
    phx_slice_t b_text;
    bool same = phx_json_string(a, &a_scratch, &a_text) == 0 &&
                phx_json_string(b, &b_scratch, &b_text) == 0 && phx_slice_equal(a_text, b_text);
    phx_buf_free(&a_scratch);
    phx_buf_free(&b_scratch);
    return same;
}

/* `object` with the member "intercepted_by" set. */
static void stamp(phx_buf_t *out, phx_slice_t object, phx_slice_t name)
{
    size_t cursor = 0;
    phx_slice_t key;
    phx_slice_t value;
    phx_buf_append_text(out, "{\"intercepted_by\":");
    phx_buf_append_slice(out, name.len > 0 ? name : PHX_SLICE("null"));
    while (phx_json_next(object, &cursor, &key, &value)) {
        if (phx_json_is(key, "intercepted_by")) {
            continue;
        }
        phx_buf_append_byte(out, ',');
        phx_buf_append_slice(out, key);
        phx_buf_append_byte(out, ':');
        phx_buf_append_slice(out, value);
    }
    phx_buf_append_byte(out, '}');
}

static phxs_outcome_t handle_out(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    const conformance_t *conformance = phxs_channel_assigns(channel);
    phx_slice_t name = phx_buf_slice(&conformance->name);
    phx_slice_t value;
    if (payload.form != PHX_TEXT || phx_json_kind(payload.data) != PHX_JSON_OBJECT) {
        return phxs_push(channel, event, payload) == 0 ? PHXS_CONTINUE : PHXS_FAIL;
    }
    if (name.len > 0 && phx_json_member(payload.data, "except", &value) && same_string(name, value)) {
        return PHXS_CONTINUE;
    }
    if (name.len > 0 && phx_json_member(payload.data, "stop", &value) && same_string(name, value)) {
        return PHXS_STOP; /* STOP-08 */
    }
    phx_buf_t stamped = {0};
    stamp(&stamped, payload.data, name);
    int error = stamped.failed
                    ? PHX_ENOMEM
                    : phxs_push(channel, event, (phx_payload_t){PHX_TEXT, phx_buf_slice(&stamped)});
    phx_buf_free(&stamped);
    return error == 0 ? PHXS_CONTINUE : PHXS_FAIL;
}

/* ---- routes ---- */

static phxs_outcome_t first_join(phxs_channel_t *channel, phx_payload_t payload)
{
    (void)payload;
    return phxs_join_response(channel, PHX_JSON_PAYLOAD("{\"route\":\"first\"}")) == 0 ? PHXS_CONTINUE
                                                                                       : PHXS_FAIL;
}

static phxs_outcome_t first_push(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    (void)channel;
    (void)event;
    (void)payload;
    return PHXS_FAIL;
}

static const phxs_channel_handler_t FIRST = {.join = first_join, .handle_in = first_push};

static const char *const INTERCEPTS[] = {"intercepted", NULL};

static const phxs_channel_handler_t CHANNEL = {
    .join = join,
    .handle_in = commands_push,
    .handle_info = commands_due,
    .handle_out = handle_out,
    .terminate = terminate,
    .ended = channel_ended,
    .intercepts = INTERCEPTS,
};

static const phxs_route_t ROUTES[] = {
    {"phxspec:first:*", &FIRST},
    {"phxspec:*", &CHANNEL},
    {"exact", &CHANNEL},
};

const phxs_socket_handler_t CONFORMANCE_HANDLER = {
    .routes = ROUTES,
    .route_count = sizeof(ROUTES) / sizeof(ROUTES[0]),
    .connect = connect_socket,
    .closed = socket_closed,
};
