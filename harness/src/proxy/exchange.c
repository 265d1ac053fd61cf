/* SPDX-License-Identifier: MIT */
#include "proxy/exchange.h"

#include "base/memory.h"
#include "proxy/act.h"
#include "proxy/edit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void passage_free(passage_t *passage)
{
    free(passage->method);
    free(passage->path);
    free(passage->conversation);
    *passage = (passage_t){0};
}

/* ---- describing ---- */

static json_t *headers_json(const http_headers_t *headers)
{
    json_t *object = json_object();
    for (size_t i = 0; i < headers->len; i++) {
        text_t name = {0};
        text_puts(&name, headers->at[i].name);
        for (size_t c = 0; c < name.len; c++) {
            name.at[c] = (char)(name.at[c] >= 'A' && name.at[c] <= 'Z' ? name.at[c] + 32 : name.at[c]);
        }
        json_object_set_new(object, text_str(&name), json_string(headers->at[i].value));
        text_free(&name);
    }
    return object;
}

static json_t *query_json(const char *target)
{
    json_t *object = json_object();
    const char *query = strchr(target, '?');
    span_t rest = query ? span_of(query + 1) : (span_t){0}, piece;
    while (span_next(&rest, '&', &piece)) {
        const char *equals = memchr(piece.at, '=', piece.len);
        char *name = mem_string_n(piece.at, equals ? (size_t)(equals - piece.at) : piece.len);
        char *value = target_parameter(target, name);
        json_t *string = json_string(value);
        json_object_set_new(object, name, string ? string : json_null());
        free(value);
        free(name);
    }
    return object;
}

static unit_t http_unit(direction_t from, const passage_t *passage, const json_t *http)
{
    return (unit_t){.from = from,
                    .websocket = passage->upgrade,
                    .vsn = passage->vsn,
                    .conversation = passage->conversation,
                    .http = http};
}

/* ---- altering ---- */

/* The messages of a body, each through the faults. A new list of what goes on. */
static json_t *relay_messages(faults_t *faults, const passage_t *passage, direction_t from,
                              const json_t *messages, relayed_t *relayed, bool *altered)
{
    json_t *out = json_array(), *held = NULL;
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *text = json_array_get(messages, i);
        span_t bytes = jvalue_bytes(text);
        message_t message = {0};
        bool readable = message_decode(&message, passage->vsn, from, false, bytes, NULL);
        unit_t unit = http_unit(from, passage, NULL);
        unit.message = readable ? &message : NULL;
        json_t *actions = faults_match(faults, &unit);
        piece_t piece = {0};
        text_span_add(&piece.payload, bytes);
        acts_t acts = act(actions, passage->vsn, piece);
        *altered = *altered || actions;
        relayed->cut = relayed->cut || acts.cut || acts.close;
        for (size_t p = 0; p < acts.len; p++) {
            json_t *string = jvalue_string(text_span(&acts.at[p].payload));
            relayed->delay_ms += acts.at[p].delay_ms;
            if (acts.swap && p == 0 && !held) {
                held = string;
            } else if (string) {
                json_array_append_new(out, string);
            }
        }
        if (held && !acts.swap) {
            json_array_append_new(out, held);
            held = NULL;
        }
        acts_free(&acts);
        json_decref(actions);
        message_free(&message);
    }
    if (held) {
        json_array_append_new(out, held);
    }
    return out;
}

static void set_header(http_headers_t *headers, const char *name, const char *value)
{
    size_t kept = 0;
    for (size_t i = 0; i < headers->len; i++) {
        if (strcasecmp(headers->at[i].name, name) == 0) {
            free(headers->at[i].name);
            free(headers->at[i].value);
        } else {
            headers->at[kept++] = headers->at[i];
        }
    }
    headers->len = kept;
    if (value != NULL) {
        http_headers_add(headers, name, value);
    }
}

static void set_headers(http_headers_t *headers, const json_t *change)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(change, "headers"), name, value)
    {
        set_header(headers, name, json_string_value(value));
    }
}

static http_headers_t headers_copy(const http_headers_t *headers)
{
    http_headers_t copy = {0};
    for (size_t i = 0; i < headers->len; i++) {
        http_headers_add(&copy, headers->at[i].name, headers->at[i].value);
    }
    return copy;
}

/* Edits of a body that is JSON, or another text in its place. */
static void alter_body(text_t *body, const json_t *action)
{
    const json_t *text = json_object_get(json_object_get(action, "http"), "body");
    if (text) {
        text_clear(body);
        text_add(body, json_string_value(text), json_string_length(text));
    }
    if (edit_is(action)) {
        json_t *root = jvalue_parse(text_span(body), NULL);
        if (root) {
            edit_json(root, action);
            text_clear(body);
            jvalue_write(body, root);
            json_decref(root);
        }
    }
}

/* What can be done to a request and to an answer alike. */
static void alter_exchange(const json_t *action, http_headers_t *headers, text_t *body, relayed_t *relayed)
{
    set_headers(headers, json_object_get(action, "http"));
    alter_body(body, action);
    relayed->drop = relayed->drop || json_is_true(json_object_get(action, "drop"));
    relayed->cut = relayed->cut || json_is_true(json_object_get(action, "cut"));
    relayed->delay_ms += json_number_value(json_object_get(action, "delay_ms"));
}

static void write_headers(text_t *out, http_headers_t *headers, const text_t *body, bool has_body)
{
    char length[32];
    snprintf(length, sizeof length, "%zu", body->len);
    set_header(headers, "transfer-encoding", NULL);
    set_header(headers, "content-length", has_body ? length : NULL);
    for (size_t i = 0; i < headers->len; i++) {
        text_printf(out, "%s: %s\r\n", headers->at[i].name, headers->at[i].value);
    }
    text_puts(out, "\r\n");
    if (has_body) {
        text_span_add(out, text_span(body));
    }
}

/* ---- requests ---- */

static void describe_request(const raw_request_t *request, passage_t *passage)
{
    const char *upgrade = http_headers_get(&request->headers, "upgrade");
    const char *header = http_headers_get(&request->headers, "x-phoenix-longpoll-token");
    char *vsn = target_parameter(request->target, "vsn");
    char *token = header ? mem_string(header) : target_parameter(request->target, "token");
    passage->upgrade = upgrade && strcasecmp(upgrade, "websocket") == 0;
    passage->method = mem_string(request->method);
    passage->path = mem_string_n(request->target, strcspn(request->target, "?"));
    passage->conversation = token ? token : mem_string("");
    passage->vsn = vsn && strncmp(vsn, "2.", 2) == 0 ? VSN_2 : VSN_1;
    free(vsn);
}

/* The lines of a batch, or the one message of a body. */
static json_t *body_messages(const raw_request_t *request)
{
    const char *type = http_headers_get(&request->headers, "content-type");
    json_t *messages = json_array();
    span_t rest = text_span(&request->body), line;
    if (!type || strcmp(type, "application/x-ndjson") != 0) {
        line = rest;
        rest = (span_t){0};
        json_array_append_new(messages, jvalue_string(line));
    }
    while (span_next(&rest, '\n', &line)) {
        json_t *string = jvalue_string(line);
        if (string) {
            json_array_append_new(messages, string);
        }
    }
    return messages;
}

static void write_lines(text_t *out, const json_t *messages)
{
    text_clear(out);
    for (size_t i = 0; i < json_array_size(messages); i++) {
        text_puts(out, i > 0 ? "\n" : "");
        text_span_add(out, jvalue_bytes(json_array_get(messages, i)));
    }
}

relayed_t relay_request(faults_t *faults, const raw_request_t *request, span_t raw, passage_t *passage)
{
    relayed_t relayed = {0};
    describe_request(request, passage);
    bool altered = false, has_body = request->body.len > 0;
    text_t body = {0};
    text_span_add(&body, text_span(&request->body));
    if (has_body && strcmp(request->method, "POST") == 0 && faults_read_messages(faults, FROM_CLIENT)) {
        json_t *messages = body_messages(request);
        json_t *kept = relay_messages(faults, passage, FROM_CLIENT, messages, &relayed, &altered);
        if (altered) {
            write_lines(&body, kept);
        }
        json_decref(kept);
        json_decref(messages);
    }
    json_t *http = json_pack("{s:s s:s s:o s:o}", "method", passage->method, "path", passage->path, "query",
                             query_json(request->target), "headers", headers_json(&request->headers));
    unit_t unit = http_unit(FROM_CLIENT, passage, http);
    json_t *actions = faults_match(faults, &unit);
    http_headers_t headers = headers_copy(&request->headers);
    char *target = mem_string(request->target);
    for (size_t i = 0; i < json_array_size(actions); i++) {
        const json_t *action = json_array_get(actions, i), *change = json_object_get(action, "http");
        const char *name;
        json_t *value;
        alter_exchange(action, &headers, &body, &relayed);
        json_object_foreach(json_object_get(change, "query"), name, value)
        {
            char *other = target_with(target, name, json_string_value(value));
            free(target);
            target = other;
        }
        altered = true;
    }
    if (altered) {
        text_printf(&relayed.bytes, "%s %s HTTP/1.1\r\n", request->method, target);
        write_headers(&relayed.bytes, &headers, &body, has_body);
    } else {
        text_span_add(&relayed.bytes, raw);
    }
    free(target);
    http_headers_free(&headers);
    text_free(&body);
    json_decref(actions);
    json_decref(http);
    return relayed;
}

/* ---- responses ---- */

/* The messages in the answer to a poll; one that is left without any says so as an answer without messages
 * does. */
static bool relay_poll(faults_t *faults, const passage_t *passage, json_t *body, relayed_t *relayed)
{
    bool altered = false;
    const json_t *messages = json_object_get(body, "messages");
    if (json_array_size(messages) > 0 && faults_read_messages(faults, FROM_SERVER)) {
        json_t *kept = relay_messages(faults, passage, FROM_SERVER, messages, relayed, &altered);
        if (json_array_size(kept) == 0) {
            json_object_set_new(body, "status", json_integer(204));
        }
        json_object_set_new(body, "messages", kept);
    }
    return altered;
}

relayed_t relay_response(faults_t *faults, const http_response_t *response, span_t raw,
                         const passage_t *passage)
{
    relayed_t relayed = {0};
    bool altered = false;
    int status = response->status;
    text_t body = {0};
    json_t *json = jvalue_parse(text_span(&response->body), NULL);
    json_t *http = json_pack("{s:s s:s s:i s:o s:O*}", "method", passage->method, "path", passage->path,
                             "status", status, "headers", headers_json(&response->headers), "body", json);
    text_span_add(&body, text_span(&response->body));
    if (json_is_object(json) && relay_poll(faults, passage, json, &relayed)) {
        text_clear(&body);
        jvalue_write(&body, json);
        altered = true;
    }
    unit_t unit = http_unit(FROM_SERVER, passage, http);
    json_t *actions = faults_match(faults, &unit);
    http_headers_t headers = headers_copy(&response->headers);
    for (size_t i = 0; i < json_array_size(actions); i++) {
        const json_t *action = json_array_get(actions, i), *change = json_object_get(action, "http");
        const json_t *other = json_object_get(change, "status");
        alter_exchange(action, &headers, &body, &relayed);
        status = other ? (int)json_integer_value(other) : status;
        altered = true;
    }
    if (altered) {
        text_printf(&relayed.bytes, "HTTP/1.1 %d %s\r\n", status, response->reason ? response->reason : "");
        write_headers(&relayed.bytes, &headers, &body, status != 101 && strcmp(passage->method, "HEAD") != 0);
    } else {
        text_span_add(&relayed.bytes, raw);
    }
    http_headers_free(&headers);
    text_free(&body);
    json_decref(actions);
    json_decref(http);
    json_decref(json);
    return relayed;
}
