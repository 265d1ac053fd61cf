/* SPDX-License-Identifier: MIT */
#include "net/http_message.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE_MAX_BYTES = 65536, HEADERS_MAX = 1000, HEAD_MAX_BYTES = 131072 };

void http_headers_add(http_headers_t *headers, const char *name, const char *value)
{
    MEM_ROOM(headers->at, headers->len, headers->cap);
    headers->at[headers->len++] = (http_header_t){mem_string(name), mem_string(value)};
}

const char *http_headers_get(const http_headers_t *headers, const char *name)
{
    for (size_t i = 0; i < headers->len; i++) {
        if (strcasecmp(headers->at[i].name, name) == 0) {
            return headers->at[i].value;
        }
    }
    return NULL;
}

void http_headers_free(http_headers_t *headers)
{
    for (size_t i = 0; i < headers->len; i++) {
        free(headers->at[i].name);
        free(headers->at[i].value);
    }
    free(headers->at);
    *headers = (http_headers_t){0};
}

void http_response_free(http_response_t *response)
{
    free(response->reason);
    http_headers_free(&response->headers);
    text_free(&response->body);
    *response = (http_response_t){0};
}

void http_request_write(text_t *out, const http_request_t *request, const char *authority)
{
    if (request->raw.len > 0) {
        text_span_add(out, request->raw);
        return;
    }
    const http_headers_t *headers = &request->headers;
    text_printf(out, "%s %s HTTP/1.1\r\n", request->method, request->target);
    if (http_headers_get(headers, "host") == NULL) {
        text_printf(out, "Host: %s\r\n", authority);
    }
    if (!request->keep_alive && http_headers_get(headers, "connection") == NULL) {
        text_puts(out, "Connection: close\r\n");
    }
    for (size_t i = 0; i < headers->len; i++) {
        text_printf(out, "%s: %s\r\n", headers->at[i].name, headers->at[i].value);
    }
    const char *encoding = http_headers_get(headers, "transfer-encoding");
    if (encoding != NULL) {
        text_puts(out, "\r\n");
        if (request->body.len > 0) {
            text_printf(out, "%zx\r\n", request->body.len);
            text_span_add(out, request->body);
            text_puts(out, "\r\n");
        }
        text_puts(out, "0\r\n\r\n");
        return;
    }
    if ((request->has_body || request->body.len > 0) && http_headers_get(headers, "content-length") == NULL) {
        text_printf(out, "Content-Length: %zu\r\n", request->body.len);
    }
    text_puts(out, "\r\n");
    text_span_add(out, request->body);
}

typedef enum state {
    STATUS_LINE,
    HEADER_LINE,
    BODY_LENGTH,
    BODY_TO_END,
    CHUNK_SIZE,
    CHUNK_BYTES,
    CHUNK_BREAK,
    TRAILER,
    WHOLE,
    BROKEN,
} state_t;

struct http_parser {
    bool no_body;
    size_t max_body;
    state_t state;
    text_t line;       /* the line that is coming */
    uint64_t left;     /* bytes of the body or chunk */
    size_t head_bytes; /* of the headers so far */
    http_response_t response;
    char *error;
};

http_parser_t *http_parser_new(bool no_body, size_t max_body)
{
    http_parser_t *parser = mem_new(1, sizeof *parser);
    parser->no_body = no_body;
    parser->max_body = max_body;
    return parser;
}

void http_parser_free(http_parser_t *parser)
{
    if (parser != NULL) {
        text_free(&parser->line);
        http_response_free(&parser->response);
        free(parser->error);
        free(parser);
    }
}

const http_response_t *http_parser_response(const http_parser_t *parser)
{
    return &parser->response;
}

const char *http_parser_error(const http_parser_t *parser)
{
    return parser->error ? parser->error : "";
}

static void refuse(http_parser_t *parser, const char *why, span_t shown)
{
    text_t error = {0};
    text_puts(&error, why);
    if (shown.len > 0) {
        text_puts(&error, ": ");
        text_show(&error, shown, 80);
    }
    parser->error = text_take(&error);
    parser->state = BROKEN;
}

static bool all_digits(span_t span, int base)
{
    for (size_t i = 0; i < span.len; i++) {
        if (strchr(base == 16 ? "0123456789abcdefABCDEF" : "0123456789", span.at[i]) == NULL ||
            span.at[i] == '\0') {
            return false;
        }
    }
    return span.len > 0 && span.len < 16;
}

/* "HTTP/1.1 200 OK" */
static void take_status_line(http_parser_t *parser, span_t line)
{
    http_response_t *response = &parser->response;
    span_t status = span_from(line, strlen("HTTP/1.1 "));
    if (!span_starts(line, "HTTP/1.") || status.len < 3 || !all_digits((span_t){line.at + 7, 1}, 10) ||
        line.at[8] != ' ' || !all_digits((span_t){status.at, 3}, 10) ||
        (status.len > 3 && status.at[3] != ' ')) {
        refuse(parser, "not the first line of an HTTP/1.1 answer", line);
        return;
    }
    span_t reason = span_from(status, 4);
    response->minor_version = line.at[7] - '0';
    response->status = (int)strtol(status.at, NULL, 10);
    response->reason = mem_string_n(reason.at, reason.len);
    parser->state = HEADER_LINE;
}

static void take_header(http_parser_t *parser, span_t line)
{
    const char *colon = memchr(line.at, ':', line.len);
    if (colon == NULL || colon == line.at || memchr(line.at, '\0', line.len) != NULL) {
        refuse(parser, "not a header", line);
        return;
    }
    if (parser->response.headers.len == HEADERS_MAX) {
        refuse(parser, "too many headers", (span_t){NULL, 0});
        return;
    }
    parser->head_bytes += line.len;
    if (parser->head_bytes > HEAD_MAX_BYTES) {
        refuse(parser, "headers of more than 128 kB", (span_t){NULL, 0});
        return;
    }
    char *name = mem_string_n(line.at, (size_t)(colon - line.at));
    for (char *c = name; *c; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c);
    }
    span_t value = span_trim(span_from(line, (size_t)(colon - line.at) + 1));
    char *copy = mem_string_n(value.at, value.len);
    http_headers_add(&parser->response.headers, name, copy);
    free(name);
    free(copy);
}

static void begin_body(http_parser_t *parser)
{
    http_response_t *response = &parser->response;
    int status = response->status;
    if (status >= 100 && status < 200 && status != 101) {
        http_response_free(response); /* an interim answer; the real one follows */
        parser->head_bytes = 0;
        parser->state = STATUS_LINE;
        return;
    }
    if (parser->no_body || status == 101 || status == 204 || status == 304) {
        parser->state = WHOLE;
        return;
    }
    const char *encoding = http_headers_get(&response->headers, "transfer-encoding");
    const char *length = http_headers_get(&response->headers, "content-length");
    if (encoding != NULL) {
        if (strcasecmp(encoding, "chunked") == 0) {
            parser->state = CHUNK_SIZE;
        } else {
            refuse(parser, "a transfer encoding other than chunked", span_of(encoding));
        }
    } else if (length != NULL) {
        if (!all_digits(span_of(length), 10)) {
            refuse(parser, "a content-length that is none", span_of(length));
            return;
        }
        parser->left = strtoull(length, NULL, 10);
        parser->state = parser->left > 0 ? BODY_LENGTH : WHOLE;
    } else {
        parser->state = BODY_TO_END;
    }
}

static void take_chunk_size(http_parser_t *parser, span_t line)
{
    span_t size;
    span_t rest = line;
    span_next(&rest, ';', &size);
    size = span_trim(size);
    if (!all_digits(size, 16)) {
        refuse(parser, "not the size of a chunk", line);
        return;
    }
    parser->left = strtoull(size.at, NULL, 16);
    parser->state = parser->left > 0 ? CHUNK_BYTES : TRAILER;
}

static void take_line(http_parser_t *parser, span_t line)
{
    switch (parser->state) {
    case STATUS_LINE:
        take_status_line(parser, line);
        break;
    case HEADER_LINE:
        if (line.len > 0) {
            take_header(parser, line);
        } else {
            begin_body(parser);
        }
        break;
    case CHUNK_SIZE:
        take_chunk_size(parser, line);
        break;
    case CHUNK_BREAK:
        if (line.len > 0) {
            refuse(parser, "a chunk longer than its size", line);
        } else {
            parser->state = CHUNK_SIZE;
        }
        break;
    default: /* trailers are read and forgotten */
        parser->state = line.len > 0 ? TRAILER : WHOLE;
    }
}

static void feed_line(http_parser_t *parser, span_t *bytes)
{
    const char *end = memchr(bytes->at, '\n', bytes->len);
    size_t len = end ? (size_t)(end - bytes->at) + 1 : bytes->len;
    text_add(&parser->line, bytes->at, len);
    *bytes = span_from(*bytes, len);
    if (parser->line.len > LINE_MAX_BYTES) {
        refuse(parser, "a line too long for HTTP", text_span(&parser->line));
    } else if (end != NULL) {
        span_t line = {parser->line.at, parser->line.len - 1};
        if (line.len > 0 && line.at[line.len - 1] == '\r') {
            line.len--;
        }
        take_line(parser, line);
        text_clear(&parser->line);
    }
}

static void feed_body(http_parser_t *parser, span_t *bytes)
{
    size_t len = bytes->len;
    if (parser->state != BODY_TO_END && len > parser->left) {
        len = (size_t)parser->left;
    }
    if (parser->response.body.len + len > parser->max_body) {
        refuse(parser, "a body that is too large", (span_t){NULL, 0});
        return;
    }
    text_add(&parser->response.body, bytes->at, len);
    *bytes = span_from(*bytes, len);
    if (parser->state == BODY_TO_END) {
        return;
    }
    parser->left -= len;
    if (parser->left == 0) {
        parser->state = parser->state == CHUNK_BYTES ? CHUNK_BREAK : WHOLE;
    }
}

http_progress_t http_parser_feed(http_parser_t *parser, span_t bytes, size_t *used)
{
    size_t given = bytes.len;
    while (bytes.len > 0 && parser->state < WHOLE) {
        if (parser->state == BODY_LENGTH || parser->state == BODY_TO_END || parser->state == CHUNK_BYTES) {
            feed_body(parser, &bytes);
        } else {
            feed_line(parser, &bytes);
        }
    }
    *used = given - bytes.len;
    return parser->state == WHOLE ? HTTP_DONE : parser->state == BROKEN ? HTTP_BROKEN : HTTP_MORE;
}

http_progress_t http_parser_end(http_parser_t *parser)
{
    if (parser->state == BODY_TO_END || parser->state == WHOLE) {
        parser->state = WHOLE;
        return HTTP_DONE;
    }
    if (parser->state != BROKEN) {
        bool begun = parser->state != STATUS_LINE || parser->line.len > 0;
        refuse(parser,
               begun ? "the connection ended before the answer was whole"
                     : "the connection ended without an answer",
               (span_t){NULL, 0});
    }
    return HTTP_BROKEN;
}

bool http_parser_keeps_alive(const http_parser_t *parser)
{
    const char *connection = http_headers_get(&parser->response.headers, "connection");
    const char *length = http_headers_get(&parser->response.headers, "content-length");
    const char *encoding = http_headers_get(&parser->response.headers, "transfer-encoding");
    bool delimited = length || encoding || parser->no_body || parser->response.status == 204 ||
                     parser->response.status == 304;
    bool wanted = connection ? strcasecmp(connection, "close") != 0 : parser->response.minor_version >= 1;
    return parser->state == WHOLE && parser->response.status != 101 && delimited && wanted;
}
