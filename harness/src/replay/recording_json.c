/* SPDX-License-Identifier: MIT */
#include "replay/recording_json.h"

#include "base/base64.h"
#include "base/memory.h"
#include "net/ws_codec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool reader_fail(const reader_t *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_printf(reader->error, "%s:%zu: ", reader->path, reader->line);
    text_vprintf(reader->error, format, arguments);
    va_end(arguments);
    return false;
}

static bool read_string(const json_t *object, const char *key, char **to, const reader_t *reader)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value)) {
        return reader_fail(reader, "\"%s\" must be a string, it is %s", key, jvalue_type(value));
    }
    span_t bytes = jvalue_bytes(value);
    *to = mem_string_n(bytes.at, bytes.len);
    return true;
}

static bool read_number(const json_t *object, const char *key, double *to, const reader_t *reader)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) {
        return reader_fail(reader, "\"%s\" must be a number, it is %s", key, jvalue_type(value));
    }
    *to = json_number_value(value);
    return true;
}

static bool read_headers(const json_t *object, const char *key, http_headers_t *to, const reader_t *reader)
{
    json_t *headers = json_object_get(object, key), *value;
    const char *name;
    if (headers == NULL) {
        return true;
    }
    if (!json_is_object(headers)) {
        return reader_fail(reader, "\"%s\" must be an object, it is %s", key, jvalue_type(headers));
    }
    json_object_foreach(headers, name, value)
    {
        if (!json_is_string(value)) {
            return reader_fail(reader, "header \"%s\" in \"%s\" must be a string", name, key);
        }
        http_headers_add(to, name, json_string_value(value));
    }
    return true;
}

/* A list of strings and [character, count] pairs. */
static bool read_runs(const json_t *runs, const char *key, text_t *to, const reader_t *reader)
{
    size_t i;
    json_t *run;
    json_array_foreach(runs, i, run)
    {
        json_t *count = json_array_get(run, 1);
        span_t bytes = jvalue_bytes(json_is_array(run) ? json_array_get(run, 0) : run);
        if (json_is_string(run)) {
            text_span_add(to, bytes);
        } else if (json_is_integer(count) && json_integer_value(count) >= 0 && bytes.len == 1) {
            text_fill(to, bytes.at[0], (size_t)json_integer_value(count));
        } else {
            return reader_fail(reader, "\"%s\" must be a list of strings and [character, count] pairs", key);
        }
    }
    return true;
}

/* `plain`, or plain_base64 / base64, or plain_runs. *found tells whether one of them is there. */
static bool read_bytes(const json_t *object, const char *plain, text_t *to, bool *found,
                       const reader_t *reader)
{
    char base64_key[32], runs_key[32];
    snprintf(base64_key, sizeof base64_key, "%s", strcmp(plain, "text") == 0 ? "base64" : "body_base64");
    snprintf(runs_key, sizeof runs_key, "%s_runs", plain);
    const json_t *text = json_object_get(object, plain), *base64 = json_object_get(object, base64_key);
    const json_t *runs = json_object_get(object, runs_key);
    *found = text != NULL || base64 != NULL || runs != NULL;
    if (runs != NULL) {
        return read_runs(runs, runs_key, to, reader);
    }
    if (base64 != NULL) {
        return (json_is_string(base64) && base64_decode(to, jvalue_bytes(base64))) ||
               reader_fail(reader, "\"%s\" is not base64", base64_key);
    }
    if (text != NULL && !json_is_string(text)) {
        return reader_fail(reader, "\"%s\" must be a string, it is %s", plain, jvalue_type(text));
    }
    text_span_add(to, jvalue_bytes(text));
    return true;
}

/* ---- the header ---- */

static bool read_vsn(const json_t *object, vsn_t *vsn, const reader_t *reader)
{
    const char *string = json_string_value(json_object_get(object, "vsn"));
    return (string != NULL && vsn_parse(string, vsn)) ||
           reader_fail(reader, "\"vsn\" must be \"1.0.0\" or \"2.0.0\"");
}

static bool read_conn(recorded_conn_t *conn, const char *name, const json_t *json, const reader_t *reader)
{
    const char *transport = json_string_value(json_object_get(json, "transport"));
    bool found;
    conn->name = mem_string(name);
    conn->vsn = VSN_2;
    if (transport != NULL && strcmp(transport, "http") == 0) {
        conn->transport = CONN_HTTP;
        return true;
    }
    if (transport == NULL || (strcmp(transport, "websocket") != 0 && strcmp(transport, "longpoll") != 0)) {
        return reader_fail(reader, "connection \"%s\": \"transport\" must be websocket, longpoll or http",
                           name);
    }
    conn->transport = strcmp(transport, "longpoll") == 0 ? CONN_LONGPOLL : CONN_WEBSOCKET;
    if (!read_string(json, "url", &conn->url, reader)) {
        return false;
    }
    const json_t *vsn = json_object_get(json, "vsn");
    if (json_is_string(vsn)) {
        vsn_parse(json_string_value(vsn), &conn->vsn); /* a handshake may have asked for one that is none */
    }
    if (conn->transport == CONN_LONGPOLL) {
        return true;
    }
    double status = 0;
    if (!read_number(json, "status", &status, reader) ||
        !read_headers(json, "request_headers", &conn->request_headers, reader) ||
        !read_headers(json, "response_headers", &conn->response_headers, reader)) {
        return false;
    }
    conn->status = (int)status;
    conn->given_up = json_object_get(json, "client_error") != NULL;
    return json_object_get(json, "response_body") == NULL ||
           read_bytes(json, "response_body", &conn->response_body, &found, reader);
}

static bool read_conns(recording_t *recording, const json_t *header, const reader_t *reader)
{
    json_t *conns = json_object_get(header, "connections"), *json;
    const char *name;
    if (!json_is_object(conns)) {
        return reader_fail(reader, "\"connections\" must be an object, it is %s", jvalue_type(conns));
    }
    recording->conns = mem_new(json_object_size(conns), sizeof *recording->conns);
    json_object_foreach(conns, name, json)
    {
        if (!read_conn(&recording->conns[recording->conns_len++], name, json, reader)) {
            return false;
        }
    }
    return true;
}

static bool read_name(recording_t *recording, const json_t *header, const reader_t *reader)
{
    static const char *const keys[] = {"name", "version", "adapter"};
    const json_t *server = json_object_get(header, "server");
    const char *transport = json_string_value(json_object_get(header, "transport"));
    vsn_t vsn;
    text_t name = {0};
    if (transport == NULL || !read_vsn(header, &vsn, reader)) {
        return transport != NULL ||
               reader_fail(reader, "\"transport\" must be \"websocket\" or \"longpoll\"");
    }
    for (size_t i = 0; i < 3; i++) {
        const char *part = json_string_value(json_object_get(server, keys[i]));
        if (part == NULL) {
            text_free(&name);
            return reader_fail(reader, "\"server\" must have the strings name, version and adapter");
        }
        text_printf(&name, "%s%s", i > 0 ? "-" : "", part);
    }
    text_printf(&name, "/%s.%s.v%d", recording->scenario, strcmp(transport, "longpoll") == 0 ? "lp" : "ws",
                vsn == VSN_1 ? 1 : 2);
    recording->name = text_take(&name);
    recording->release = mem_string(json_string_value(json_object_get(server, "version")));
    return true;
}

bool recording_read_header(recording_t *recording, const json_t *header, const reader_t *reader)
{
    json_t *format = json_object_get(header, "recording");
    json_t *config = json_object_get(header, "config"), *needs = json_object_get(header, "needs"), *need;
    size_t i;
    if (!json_is_integer(format) || json_integer_value(format) != 1) {
        return reader_fail(reader, "not the header of a recording of format 1 (\"recording\": 1)");
    }
    if (!json_is_object(config)) {
        return reader_fail(reader, "\"config\" must be an object, it is %s", jvalue_type(config));
    }
    recording->config = json_incref(config);
    json_array_foreach(needs, i, need)
    {
        names_add(&recording->needs, json_is_string(need) ? json_string_value(need) : "?");
    }
    const json_t *varies = json_object_get(header, "varies");
    recording->varies = json_is_string(varies) ? mem_string(json_string_value(varies)) : NULL;
    return read_string(header, "scenario", &recording->scenario, reader) &&
           read_string(header, "title", &recording->title, reader) &&
           read_string(header, "group", &recording->group, reader) && read_name(recording, header, reader) &&
           read_conns(recording, header, reader);
}

/* ---- events ---- */

static void read_message(recorded_frame_t *frame, vsn_t vsn, direction_t from)
{
    bool binary = frame->opcode == WS_BINARY;
    if ((binary || frame->opcode == WS_TEXT) && frame->fin && frame->rsv == 0) {
        frame->has_message =
            message_decode(&frame->message, vsn, from, binary, text_span(&frame->bytes), NULL);
    }
}

static bool read_opcode(const char *kind, uint8_t *opcode)
{
    static const struct {
        const char *name;
        uint8_t opcode;
    } names[] = {{"continuation", WS_CONTINUATION},
                 {"text", WS_TEXT},
                 {"binary", WS_BINARY},
                 {"close", WS_CLOSE},
                 {"ping", WS_PING},
                 {"pong", WS_PONG}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(kind, names[i].name) == 0) {
            *opcode = names[i].opcode;
            return true;
        }
    }
    unsigned number;
    if (sscanf(kind, "opcode-%u", &number) == 1 && number < 16) {
        *opcode = (uint8_t)number;
        return true;
    }
    return false;
}

/* Recordings keep close reasons as text: what was not UTF-8 in them stands there as U+FFFD. One byte that is
 * not UTF-8 is sent for each. */
static void add_reason(text_t *bytes, span_t reason)
{
    for (size_t i = 0; i < reason.len;) {
        bool replaced = span_starts(span_from(reason, i), "\xef\xbf\xbd");
        text_putc(bytes, (char)(replaced ? 0xff : reason.at[i]));
        i += replaced ? 3 : 1;
    }
}

static bool read_close(recorded_frame_t *frame, const json_t *json, const reader_t *reader)
{
    const json_t *code = json_object_get(json, "code"), *reason = json_object_get(json, "reason");
    const json_t *raw = json_object_get(json, "base64");
    if (raw != NULL) { /* a payload that is no code and reason */
        if (!json_is_string(raw) || !base64_decode(&frame->bytes, jvalue_bytes(raw))) {
            return reader_fail(reader, "\"base64\" is not base64");
        }
        if (frame->bytes.len >= 2) {
            frame->has_code = true;
            frame->code =
                (unsigned)(unsigned char)frame->bytes.at[0] << 8 | (unsigned char)frame->bytes.at[1];
        }
        return true;
    }
    if (json_is_integer(code)) {
        frame->has_code = true;
        frame->code = (unsigned)json_integer_value(code) & 0xffff;
        text_putc(&frame->bytes, (char)(frame->code >> 8));
        text_putc(&frame->bytes, (char)(frame->code & 0xff));
        add_reason(&frame->bytes, jvalue_bytes(reason));
    } else if (code != NULL && !json_is_null(code)) {
        return reader_fail(reader, "\"code\" must be a number or null");
    }
    return true;
}

static bool read_frame(recorded_event_t *event, const char *kind, const recording_t *recording,
                       const json_t *json, const reader_t *reader)
{
    recorded_frame_t *frame = &event->frame;
    bool found;
    if (!read_opcode(kind, &frame->opcode)) {
        return reader_fail(reader, "\"kind\" is \"%s\", which no event has", kind);
    }
    frame->fin = !json_is_false(json_object_get(json, "fin"));
    frame->rsv = (uint8_t)(json_integer_value(json_object_get(json, "rsv")) & 7);
    json_t *masked = json_object_get(json, "masked");
    frame->masked = masked ? json_is_true(masked) : event->from == FROM_CLIENT;
    if (frame->opcode == WS_CLOSE) {
        return read_close(frame, json, reader);
    }
    if (!read_bytes(json, "text", &frame->bytes, &found, reader)) {
        return false;
    }
    read_message(frame, recording->conns[event->conn].vsn, event->from);
    return true;
}

/* The messages of a poll: JSON texts, or binary messages as strings of their bytes. */
static void read_poll(recorded_exchange_t *http, vsn_t vsn)
{
    json_t *messages = json_object_get(http->answer, "messages"), *text;
    size_t i;
    http->poll_status = (int)json_integer_value(json_object_get(http->answer, "status"));
    http->messages = mem_new(json_array_size(messages), sizeof *http->messages);
    json_array_foreach(messages, i, text)
    {
        recorded_frame_t *frame = &http->messages[http->messages_len++];
        span_t bytes = jvalue_bytes(text);
        bool binary = vsn == VSN_2 && bytes.len > 0 && (unsigned char)bytes.at[0] <= 2;
        text_span_add(&frame->bytes, bytes);
        frame->fin = true;
        frame->opcode = binary ? WS_BINARY : WS_TEXT;
        read_message(frame, vsn, FROM_SERVER);
    }
}

static bool read_response(recorded_exchange_t *http, vsn_t vsn, const json_t *response,
                          const reader_t *reader)
{
    double status = 0;
    bool found;
    if (!read_number(response, "status", &status, reader) ||
        !read_headers(response, "headers", &http->response_headers, reader) ||
        !read_bytes(response, "body", &http->response_body, &found, reader)) {
        return false;
    }
    http->status = (int)status;
    http->answer = jvalue_parse(text_span(&http->response_body), NULL);
    if (!json_is_object(http->answer)) {
        json_decref(http->answer);
        http->answer = NULL;
    }
    if (json_is_integer(json_object_get(http->answer, "status"))) {
        read_poll(http, vsn);
    }
    return true;
}

static bool read_http(recorded_event_t *event, const recording_t *recording, const json_t *json,
                      const reader_t *reader)
{
    recorded_exchange_t *http = &event->http;
    const json_t *request = json_object_get(json, "request"), *response = json_object_get(json, "response");
    const json_t *raw = json_object_get(request, "raw");
    if (!json_is_object(request) || !read_number(json, "done_ms", &http->done_ms, reader)) {
        return json_is_object(request) || reader_fail(reader, "\"request\" must be an object");
    }
    if (raw != NULL) {
        text_span_add(&http->raw, jvalue_bytes(raw));
    } else if (!read_string(request, "method", &http->method, reader) ||
               !read_string(request, "path", &http->path, reader) ||
               !read_string(request, "query", &http->query, reader) ||
               !read_headers(request, "headers", &http->headers, reader) ||
               !read_bytes(request, "body", &http->body, &http->has_body, reader)) {
        return false;
    }
    if (json_is_object(response)) {
        return read_response(http, recording->conns[event->conn].vsn, response, reader);
    }
    return read_string(json, "error", &http->error, reader);
}

bool recording_read_event(recorded_event_t *event, const recording_t *recording, const json_t *json,
                          const reader_t *reader)
{
    const char *kind = json_string_value(json_object_get(json, "kind"));
    const char *conn = json_string_value(json_object_get(json, "conn"));
    const char *dir = json_string_value(json_object_get(json, "dir"));
    if (kind == NULL || conn == NULL) {
        return reader_fail(reader, "an event must have the strings \"kind\" and \"conn\"%s",
                           json_object_get(json, "recording") ? "; the recording before is cut short" : "");
    }
    while (event->conn < recording->conns_len && strcmp(recording->conns[event->conn].name, conn) != 0) {
        event->conn++;
    }
    if (event->conn == recording->conns_len) {
        return reader_fail(reader, "there is no connection \"%s\" in the header", conn);
    }
    if (!read_number(json, "t_ms", &event->t_ms, reader)) {
        return false;
    }
    if (strcmp(kind, "http") == 0) {
        event->kind = EVENT_HTTP;
        return read_http(event, recording, json, reader);
    }
    if (dir == NULL || (strcmp(dir, "in") != 0 && strcmp(dir, "out") != 0)) {
        return reader_fail(reader, "\"dir\" must be \"in\" or \"out\"");
    }
    event->from = strcmp(dir, "out") == 0 ? FROM_CLIENT : FROM_SERVER;
    if (strcmp(kind, "tcp_end") == 0 || strcmp(kind, "tcp_reset") == 0) {
        event->kind = strcmp(kind, "tcp_end") == 0 ? EVENT_TCP_END : EVENT_TCP_RESET;
        return true;
    }
    if (strcmp(kind, "raw") == 0) {
        bool found;
        event->kind = EVENT_RAW;
        return read_bytes(json, "text", &event->raw, &found, reader);
    }
    event->kind = EVENT_FRAME;
    return read_frame(event, kind, recording, json, reader);
}

void recorded_frame_free(recorded_frame_t *frame)
{
    text_free(&frame->bytes);
    message_free(&frame->message);
}

void recorded_event_free(recorded_event_t *event)
{
    recorded_exchange_t *http = &event->http;
    recorded_frame_free(&event->frame);
    text_free(&event->raw);
    free(http->method);
    free(http->path);
    free(http->query);
    free(http->error);
    http_headers_free(&http->headers);
    http_headers_free(&http->response_headers);
    text_free(&http->body);
    text_free(&http->raw);
    text_free(&http->response_body);
    json_decref(http->answer);
    for (size_t i = 0; i < http->messages_len; i++) {
        recorded_frame_free(&http->messages[i]);
    }
    free(http->messages);
}
