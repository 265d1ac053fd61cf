/* SPDX-License-Identifier: MIT */
/* The steps that speak HTTP: handshakes and exchanges. */
#include "vectors/steps.h"

#include "base/member.h"
#include "base/memory.h"
#include "vectors/adapt.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add_parameter(text_t *target, const char *name, const json_t *value)
{
    text_putc(target, memchr(text_str(target), '?', target->len) ? '&' : '?');
    query_escape(target, span_of(name));
    text_putc(target, '=');
    query_escape(target, (span_t){json_string_value(value), json_string_length(value)});
}

static void add_parameters(text_t *target, const json_t *parameters)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)parameters, name, value)
    {
        add_parameter(target, name, value);
    }
}

static void add_headers(http_headers_t *headers, const json_t *json)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)json, name, value)
    {
        http_headers_add(headers, name, json_string_value(value));
    }
}

static void add_subprotocols(http_headers_t *headers, const json_t *list)
{
    text_t value = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        text_printf(&value, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    }
    if (list) {
        http_headers_add(headers, "sec-websocket-protocol", text_str(&value));
    }
    text_free(&value);
}

static transport_t connect_transport(const case_run_t *run)
{
    transport_t transport = run->variant->transport;
    const json_t *name = json_object_get(run->filled, "transport");
    if (name) {
        transport_parse(json_string_value(name), &transport);
    }
    return transport;
}

/* Where the step goes: to the mount, of the first node or of the one it names. */
static const endpoint_t *endpoint_of(const case_run_t *run, mount_t mount)
{
    const char *node = json_string_value(json_object_get(run->filled, "node"));
    return endpoints_at(run->target->endpoints, run->target->profile, mount, node);
}

static mount_t connect_mount(const case_run_t *run)
{
    mount_t mount = run->variant->mount;
    mount_parse(string_member(run->filled, "mount", mount_name(mount)), &mount);
    return mount;
}

/* Path and query: the parameters, and behind them the vsn, as phoenix.js has it (WS-CONN-11). */
static char *connect_target(const case_run_t *run, transport_t transport)
{
    const json_t *step = run->filled, *vsn = json_object_get(step, "vsn"),
                 *query = json_object_get(step, "query");
    text_t target = {0};
    if (json_object_get(step, "path")) {
        text_puts(&target, string_member(step, "path", ""));
    } else {
        text_printf(&target, "%s/%s", run->target->profile->mounts[connect_mount(run)].path,
                    transport_name(transport));
    }
    if (query) {
        text_printf(&target, "%s%s", json_string_length(query) ? "?" : "", json_string_value(query));
        adapt_target(run->target->profile, &target);
        return text_take(&target);
    }
    add_parameters(&target, json_object_get(step, "params"));
    if (!json_is_null(vsn)) {
        json_t *spoken = json_string(vsn ? json_string_value(vsn) : vsn_name(run->variant->vsn));
        add_parameter(&target, "vsn", spoken);
        json_decref(spoken);
    }
    adapt_target(run->target->profile, &target);
    return text_take(&target);
}

/* The format that belongs to the vsn asked for (WS-VSN-01). */
static vsn_t connect_vsn(const case_run_t *run)
{
    const json_t *vsn = json_object_get(run->filled, "vsn");
    if (!vsn) {
        return run->variant->vsn;
    }
    return json_is_string(vsn) && json_string_value(vsn)[0] == '2' ? VSN_2 : VSN_1;
}

outcome_t connect_begin(case_run_t *run)
{
    transport_t transport = connect_transport(run);
    char *target = connect_target(run, transport);
    const endpoint_t *endpoint = endpoint_of(run, connect_mount(run));
    client_setup_t setup = {.loop = run->target->loop,
                            .address = &endpoint->address,
                            .authority = endpoint->authority,
                            .pace = run->target->pace,
                            .room = run->room,
                            .transcript = run->transcript,
                            .name = string_member(run->filled, "connect", "a"),
                            .transport = transport,
                            .vsn = connect_vsn(run),
                            .batches = profile_has_batches(run->target->profile),
                            .target = target,
                            .changed = case_advance,
                            .ctx = run};
    add_headers(&setup.headers, json_object_get(run->filled, "headers"));
    add_subprotocols(&setup.headers, json_object_get(run->filled, "subprotocols"));
    adapt_headers(run->target->profile, &setup.headers);
    MEM_ROOM(run->seats, run->seat_count, run->seat_cap);
    run->seats[run->seat_count++] = (seat_t){.client = client_open(&setup)};
    http_headers_free(&setup.headers);
    free(target);
    return STEP_WAITING;
}

static bool is_status(const json_t *wanted, int status)
{
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        if (json_integer_value(json_array_get(wanted, i)) == status) {
            return true;
        }
    }
    return json_is_integer(wanted) && json_integer_value(wanted) == status;
}

/* "403", "one of 400, 404" */
static void status_write(text_t *out, const json_t *wanted)
{
    if (json_is_integer(wanted)) {
        jvalue_write(out, wanted);
    }
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        text_puts(out, i == 0 ? "one of " : ", ");
        jvalue_write(out, json_array_get(wanted, i));
    }
}

static bool check_headers(case_run_t *run, const json_t *expected, const entry_t *answer)
{
    match_context_t context = case_context(run, NULL, run->filled);
    const char *name;
    json_t *wanted;
    json_object_foreach((json_t *)expected, name, wanted)
    {
        const char *value = http_headers_get(&answer->headers, name);
        json_t *json = value ? json_string(value) : NULL;
        text_t why = {0}, where = {0};
        text_printf(&where, "header %s", name);
        bool good = matcher_match(wanted, json, &context, text_str(&where), &why);
        if (!good) {
            step_fail(run, "%s", text_str(&why));
        }
        json_decref(json);
        text_free(&why);
        text_free(&where);
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool check_text(case_run_t *run, const json_t *expected, const entry_t *answer)
{
    match_context_t context = case_context(run, NULL, run->filled);
    json_t *text = json_stringn_nocheck(text_str(&answer->bytes), answer->bytes.len);
    text_t why = {0};
    bool good = !expected || matcher_match(expected, text, &context, "body", &why);
    if (!good) {
        step_fail(run, "%s", text_str(&why));
    }
    json_decref(text);
    text_free(&why);
    return good;
}

/* What every 101 must have, for the client could not go on otherwise (WS-CONN-04, SUBP-01). */
static bool check_upgrade(case_run_t *run, const client_t *client, const entry_t *answer)
{
    const char *upgrade = http_headers_get(&answer->headers, "upgrade");
    const char *connection = http_headers_get(&answer->headers, "connection");
    const char *accept = http_headers_get(&answer->headers, "sec-websocket-accept");
    if (!upgrade || strcasecmp(upgrade, "websocket") != 0 || !connection ||
        strcasecmp(connection, "upgrade") != 0) {
        step_fail(run, "the 101 lacks \"upgrade: websocket\" or \"connection: upgrade\"");
        return false;
    }
    if (!accept || strcmp(accept, client_accept_expected(client)) != 0) {
        step_fail(run, "sec-websocket-accept is to be %s, and is %s", client_accept_expected(client),
                  accept ? accept : "absent");
        return false;
    }
    bool asked = json_object_get(run->filled, "subprotocols") ||
                 json_object_get(json_object_get(run->filled, "headers"), "sec-websocket-protocol");
    if (!asked && http_headers_get(&answer->headers, "sec-websocket-protocol")) {
        step_fail(run, "the 101 chooses a subprotocol, and none was asked for");
        return false;
    }
    return true;
}

static outcome_t check_accepted(case_run_t *run, const client_t *client)
{
    const entry_t *answer = client_answer(client);
    if (json_object_get(run->filled, "refused")) {
        return step_fail(run, "the connection is to be refused, and was accepted");
    }
    bool good = client_transport(client) == LONGPOLL || check_upgrade(run, client, answer);
    const json_t *headers = json_object_get(json_object_get(run->filled, "expect"), "headers");
    return good && check_headers(run, headers, answer) ? STEP_DONE : STEP_FAILED;
}

/* Over long-poll a refusal by 403 is a status in the body of an HTTP 200, and nothing beside it (LP-OPEN-03);
 * any other status is that of HTTP. */
static outcome_t check_refused(case_run_t *run, const client_t *client)
{
    const entry_t *answer = client_answer(client);
    const json_t *refused = json_object_get(run->filled, "refused");
    bool longpoll = client_transport(client) == LONGPOLL;
    if (json_is_object(refused)) {
        refused = json_object_get(refused, transport_name(client_transport(client)));
    }
    if (answer->kind == ENTRY_END || answer->kind == ENTRY_FAILED) {
        return step_fail(run, "the handshake was not answered: %s", answer->text);
    }
    int status = longpoll && answer->status == 200 ? client_body_status(client) : answer->status;
    if (!refused) {
        return step_fail(run, "the connection was refused with status %d", status);
    }
    if (!is_status(refused, status) || (longpoll && status == 403 && answer->status != 200)) {
        text_t wanted = {0}, with = {0};
        status_write(&wanted, refused);
        if (longpoll) {
            text_puts(&with, answer->bytes.len > 0 ? " with the body " : " without a body");
            text_show(&with, text_span(&answer->bytes), 200);
        }
        step_fail(run, "a refusal with status %s is expected, and came: HTTP status %d%s", text_str(&wanted),
                  answer->status, text_str(&with));
        text_free(&wanted);
        text_free(&with);
        return STEP_FAILED;
    }
    json_t *body = longpoll && status == 403 ? jvalue_parse(text_span(&answer->bytes), NULL) : NULL;
    bool bare = !body || json_object_size(body) == 1;
    json_decref(body);
    if (!bare) {
        return step_fail(run, "a refusal has neither token nor messages, and came: %s",
                         text_str(&answer->bytes));
    }
    return longpoll || check_text(run, json_object_get(run->filled, "body"), answer) ? STEP_DONE
                                                                                     : STEP_FAILED;
}

outcome_t connect_poll(case_run_t *run)
{
    client_t *client = run->seats[run->seat_count - 1].client;
    if (client_state(client) == CLIENT_CONNECTING) {
        return run->time_up
                   ? step_fail(run, "the handshake was not answered within %.0f ms", run->target->patience_ms)
                   : STEP_WAITING;
    }
    if (client_state(client) == CLIENT_OPEN) {
        return check_accepted(run, client);
    }
    return check_refused(run, client);
}

void step_exchange_free(exchange_t *exchange)
{
    http_client_free(exchange->connection);
    free(exchange->name);
    free(exchange);
}

static void on_answer(void *ctx, const http_response_t *response, const char *error)
{
    exchange_t *exchange = ctx;
    exchange->under_way = NULL;
    exchange->came = moment_now(exchange->run->target->pace);
    exchange->answer = transcript_response(exchange->run->transcript, exchange->request, response, error);
    case_advance(exchange->run);
}

static exchange_t *exchange_find(case_run_t *run, const char *name)
{
    for (size_t i = run->exchange_count; i > 0; i--) {
        if (strcmp(run->exchanges[i - 1]->name, name) == 0) {
            return run->exchanges[i - 1];
        }
    }
    return NULL;
}

/* The client gives the exchange up; false when it is over. */
bool exchange_drop(case_run_t *run, const char *name)
{
    exchange_t *exchange = exchange_find(run, name);
    if (!exchange || !exchange->under_way) {
        return false;
    }
    transcript_note(run->transcript, name, "the client gives the exchange up");
    http_exchange_abort(exchange->under_way, false);
    exchange->under_way = NULL;
    return true;
}

static bool request_body(case_run_t *run, const json_t *body, text_t *out, text_t *error)
{
    const json_t *lines = json_object_get(body, "$lines"), *bytes = json_object_get(body, "$bytes");
    vsn_t vsn = run->variant->vsn;
    if (bytes) {
        return bytes_value(run, bytes, vsn, out, error);
    }
    if (!lines) {
        return !body || text_value(run, body, vsn, out, error);
    }
    const char *between = json_is_true(json_object_get(body, "crlf")) ? "\r\n" : "\n";
    for (size_t i = 0; i < json_array_size(lines); i++) {
        text_puts(out, i ? between : "");
        if (!text_value(run, json_array_get(lines, i), vsn, out, error)) {
            return false;
        }
    }
    return true;
}

outcome_t http_begin(case_run_t *run)
{
    const json_t *json = json_object_get(run->filled, "http");
    const char *name = string_member(run->filled, "as", "");
    text_t target = {0}, body = {0}, error = {0};
    if (!request_body(run, json_object_get(json, "body"), &body, &error)) {
        step_broken(run, "%s", text_str(&error));
        text_free(&body);
        text_free(&error);
        return STEP_FAILED;
    }
    text_puts(&target, string_member(json, "path", "/"));
    add_parameters(&target, json_object_get(json, "query"));
    adapt_target(run->target->profile, &target);
    http_request_t request = {.method = string_member(json, "method", "GET"),
                              .target = text_str(&target),
                              .body = text_span(&body),
                              .has_body = json_object_get(json, "body") != NULL};
    add_headers(&request.headers, json_object_get(json, "headers"));
    adapt_headers(run->target->profile, &request.headers);
    if (json_is_true(json_object_get(json, "chunked"))) {
        http_headers_add(&request.headers, "transfer-encoding", "chunked");
    }
    const endpoint_t *endpoint = endpoint_of(run, run->variant->mount);
    exchange_t *exchange = mem_new(1, sizeof *exchange);
    exchange->run = run;
    exchange->name = mem_string(name);
    exchange->connection = http_client_new(run->target->loop, &endpoint->address, endpoint->authority);
    http_client_limit(exchange->connection, run->room);
    exchange->begun_at = clock_ms();
    exchange->request = transcript_request(run->transcript, *name ? name : "http", &request);
    client_note_headers(run->transcript, exchange->request, &request.headers);
    exchange->under_way = http_client_start(exchange->connection, &request, on_answer, exchange);
    MEM_ROOM(run->exchanges, run->exchange_count, run->exchange_cap);
    run->exchanges[run->exchange_count++] = exchange;
    http_headers_free(&request.headers);
    text_free(&target);
    text_free(&body);
    return STEP_WAITING;
}

/* The answer of an exchange is what the step expects. */
static outcome_t answer_poll(case_run_t *run, const exchange_t *exchange)
{
    const json_t *expected = json_object_get(run->filled, "expect");
    const json_t *status = json_object_get(expected, "status"), *wanted = json_object_get(expected, "body");
    entry_t *answer = exchange->answer;
    double patience =
        run->target->patience_ms + time_ms(json_object_get(run->filled, "within"), case_mount(run));
    if (!answer) {
        return run->time_up ? step_fail(run, "no answer within %.0f ms", patience) : STEP_WAITING;
    }
    answer->taken = true;
    answer->taken_by = run->labels[run->step];
    if (answer->kind == ENTRY_FAILED) {
        return step_fail(run, "the request was not answered: %s", answer->text);
    }
    if (status && !is_status(status, answer->status)) {
        text_t text = {0};
        status_write(&text, status);
        step_fail(run, "HTTP status: expected %s, got %d", text_str(&text), answer->status);
        text_free(&text);
        return STEP_FAILED;
    }
    if (!check_headers(run, json_object_get(expected, "headers"), answer) ||
        !check_text(run, json_object_get(expected, "text"), answer)) {
        return STEP_FAILED;
    }
    match_context_t context = case_context(run, NULL, run->filled);
    text_t why = {0};
    json_t *body = wanted ? jvalue_parse(text_span(&answer->bytes), NULL) : NULL;
    bool good = !wanted || matcher_match(wanted, body, &context, "body", &why);
    if (!good) {
        json_int_t said = json_integer_value(json_object_get(body, "status"));
        run->by_end = said == 410 || said == 204; /* the session is gone, or the window was over */
        step_fail(run, "%s", text_str(&why));
        text_t lines = {0};
        json_t *explained = matcher_explain(wanted, body, &context);
        jvalue_pretty(&lines, explained, 80);
        run->result.expected = text_take(&lines);
        jvalue_pretty(&lines, body, 80);
        run->result.got = text_take(&lines);
        json_decref(explained);
    }
    json_decref(body);
    text_free(&why);
    double sent = http_client_sent_at(exchange->connection);
    moment_t since = {exchange->begun_at, sent > 0 ? sent : exchange->begun_at};
    return good ? check_early(run, exchange->came, since, "the request") : STEP_FAILED;
}

outcome_t http_poll(case_run_t *run)
{
    return json_object_get(run->filled, "as") ? STEP_DONE
                                              : answer_poll(run, run->exchanges[run->exchange_count - 1]);
}

outcome_t response_poll(case_run_t *run)
{
    const char *name = string_member(run->filled, "response", "");
    const exchange_t *exchange = exchange_find(run, name);
    return exchange ? answer_poll(run, exchange) : step_broken(run, "no exchange %s", name);
}
