/* SPDX-License-Identifier: MIT */
#include "proxy/split.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const uint64_t LONGEST = 256u << 20;

/* ---- WebSocket ---- */

split_t split_frame(span_t bytes, raw_frame_t *frame)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    *frame = (raw_frame_t){0};
    if (bytes.len < 2) {
        return SPLIT_MORE;
    }
    size_t head = 2;
    uint64_t len = at[1] & 127;
    size_t more = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (bytes.len < head + more) {
        return SPLIT_MORE;
    }
    if (more > 0) {
        len = 0;
        for (size_t i = 0; i < more; i++) {
            len = len << 8 | at[head + i];
        }
        head += more;
    }
    if (len > LONGEST) {
        return SPLIT_BROKEN;
    }
    frame->fin = at[0] >> 7;
    frame->rsv = at[0] >> 4 & 7;
    frame->opcode = at[0] & 15;
    frame->masked = at[1] >> 7;
    size_t mask = frame->masked ? sizeof frame->mask : 0;
    frame->total = head + mask + (size_t)len;
    if (bytes.len < frame->total) {
        return SPLIT_MORE;
    }
    memcpy(frame->mask, at + head, mask);
    frame->payload = (span_t){bytes.at + head + mask, (size_t)len};
    return SPLIT_WHOLE;
}

void raw_frame_payload(const raw_frame_t *frame, text_t *out)
{
    size_t start = out->len;
    text_span_add(out, frame->payload);
    for (size_t i = 0; frame->masked && i < frame->payload.len; i++) {
        out->at[start + i] = (char)(out->at[start + i] ^ frame->mask[i % 4]);
    }
}

/* ---- HTTP ---- */

void raw_request_free(raw_request_t *request)
{
    free(request->method);
    free(request->target);
    http_headers_free(&request->headers);
    text_free(&request->body);
    *request = (raw_request_t){0};
}

/* The line that ends with LF at the start of `rest`, without CR; false: not there yet. */
static bool take_line(span_t *rest, span_t *line)
{
    const char *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;
    if (end == NULL) {
        return false;
    }
    *line = (span_t){rest->at, (size_t)(end - rest->at)};
    if (line->len > 0 && line->at[line->len - 1] == '\r') {
        line->len--;
    }
    rest->len -= (size_t)(end + 1 - rest->at);
    rest->at = end + 1;
    return true;
}

static void add_header(raw_request_t *request, span_t line)
{
    const char *colon = memchr(line.at, ':', line.len);
    size_t name_len = colon ? (size_t)(colon - line.at) : line.len;
    char *name = mem_string_n(line.at, name_len);
    span_t value = span_trim(span_from(line, name_len + 1));
    char *copy = mem_string_n(value.len ? value.at : "", value.len);
    http_headers_add(&request->headers, name, copy);
    free(name);
    free(copy);
}

/* `body` NULL: the chunks are passed over. */
static split_t take_chunks(text_t *body, span_t *rest)
{
    span_t line;
    while (take_line(rest, &line)) {
        char *digits = mem_string_n(line.at, line.len), *end;
        unsigned long long size = strtoull(digits, &end, 16);
        bool good = end != digits;
        free(digits);
        if (!good) {
            return SPLIT_BROKEN;
        }
        if (size > REQUEST_BODY_MAX) {
            return SPLIT_TOO_LONG;
        }
        if (size == 0) {
            while (take_line(rest, &line)) {
                if (line.len == 0) {
                    return SPLIT_WHOLE;
                }
            }
            return SPLIT_MORE;
        }
        if (rest->len < size + 2) {
            return SPLIT_MORE;
        }
        if (body) {
            text_add(body, rest->at, (size_t)size);
        }
        *rest = span_from(*rest, (size_t)size);
        take_line(rest, &line);
    }
    return SPLIT_MORE;
}

/* Nothing is copied before all of it is there: it is looked at anew with each read. */
static split_t take_chunked(raw_request_t *request, span_t *rest)
{
    span_t behind = *rest;
    split_t split = take_chunks(NULL, &behind);
    size_t len = split == SPLIT_WHOLE ? rest->len - behind.len : rest->len;
    if ((split == SPLIT_WHOLE || split == SPLIT_MORE) && len > REQUEST_BODY_MAX) {
        return SPLIT_TOO_LONG;
    }
    return split == SPLIT_WHOLE ? take_chunks(&request->body, rest) : split;
}

static split_t take_body(raw_request_t *request, span_t *rest)
{
    const char *encoding = http_headers_get(&request->headers, "transfer-encoding");
    const char *length = http_headers_get(&request->headers, "content-length");
    if (encoding != NULL) {
        return strcasecmp(encoding, "chunked") == 0 ? take_chunked(request, rest) : SPLIT_BROKEN;
    }
    if (length == NULL) {
        return SPLIT_WHOLE;
    }
    char *end;
    unsigned long long size = strtoull(length, &end, 10);
    if (end == length || *end != 0) {
        return SPLIT_BROKEN;
    }
    if (size > REQUEST_BODY_MAX) {
        return SPLIT_TOO_LONG;
    }
    if (rest->len < size) {
        return SPLIT_MORE;
    }
    text_add(&request->body, rest->at, (size_t)size);
    rest->at += size;
    rest->len -= (size_t)size;
    return SPLIT_WHOLE;
}

/* The head does not end in `bytes`. */
static split_t head_goes_on(span_t bytes)
{
    return bytes.len > REQUEST_HEAD_MAX ? SPLIT_TOO_LONG : SPLIT_MORE;
}

split_t split_request(span_t bytes, raw_request_t *request)
{
    span_t rest = bytes, line, method, target;
    if (!take_line(&rest, &line)) {
        return head_goes_on(bytes);
    }
    span_t words = line;
    if (!span_next(&words, ' ', &method) || !span_next(&words, ' ', &target) || method.len == 0 ||
        target.len == 0 || !span_starts(words, "HTTP/1.")) {
        return SPLIT_BROKEN;
    }
    request->method = mem_string_n(method.at, method.len);
    request->target = mem_string_n(target.at, target.len);
    do {
        if (!take_line(&rest, &line)) {
            return head_goes_on(bytes);
        }
        if (line.len > 0) {
            add_header(request, line);
        }
    } while (line.len > 0);
    if (bytes.len - rest.len > REQUEST_HEAD_MAX) {
        return SPLIT_TOO_LONG;
    }
    split_t body = take_body(request, &rest);
    request->total = bytes.len - rest.len;
    return body;
}

/* ---- queries ---- */

/* Whether a piece "name=value" of a query is about this parameter. */
static bool is_parameter(span_t piece, const char *name)
{
    size_t len = strlen(name);
    return span_starts(piece, name) && (piece.len == len || piece.at[len] == '=');
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c | 32) : NULL;
    return found ? (int)(found - digits) : -1;
}

char *target_parameter(const char *target, const char *name)
{
    const char *query = strchr(target, '?');
    span_t rest = query ? span_of(query + 1) : (span_t){0}, piece;
    while (span_next(&rest, '&', &piece)) {
        if (!is_parameter(piece, name)) {
            continue;
        }
        text_t value = {0};
        for (size_t i = strlen(name) + 1; i < piece.len; i++) {
            bool escaped = piece.at[i] == '%' && i + 2 < piece.len && hex_digit(piece.at[i + 1]) >= 0 &&
                           hex_digit(piece.at[i + 2]) >= 0;
            text_putc(&value, escaped ? (char)((unsigned)hex_digit(piece.at[i + 1]) << 4 |
                                               (unsigned)hex_digit(piece.at[i + 2]))
                                      : piece.at[i]);
            i += escaped ? 2 : 0;
        }
        return text_take(&value);
    }
    return NULL;
}

char *target_with(const char *target, const char *name, const char *value)
{
    const char *query = strchr(target, '?');
    span_t rest = query ? span_of(query + 1) : (span_t){0}, piece;
    text_t out = {0};
    text_add(&out, target, query ? (size_t)(query - target) : strlen(target));
    char before = '?';
    while (span_next(&rest, '&', &piece)) {
        if (!is_parameter(piece, name)) {
            text_putc(&out, before);
            text_span_add(&out, piece);
            before = '&';
        }
    }
    if (value != NULL) {
        text_printf(&out, "%c%s=%s", before, name, value);
    }
    return text_take(&out);
}
