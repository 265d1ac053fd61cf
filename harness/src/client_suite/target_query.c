/* SPDX-License-Identifier: MIT */
#include "client_suite/target_query.h"

#include <ctype.h>
#include <string.h>

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return found ? (int)(found - digits) : -1;
}

static json_t *decoded(span_t text)
{
    text_t out = {0};
    for (size_t i = 0; i < text.len; i++) {
        bool escaped = text.at[i] == '%' && i + 2 < text.len && hex_digit(text.at[i + 1]) >= 0 &&
                       hex_digit(text.at[i + 2]) >= 0;
        char byte = text.at[i] == '+' ? ' ' : text.at[i];
        text_putc(&out, escaped ? (char)(hex_digit(text.at[i + 1]) * 16 + hex_digit(text.at[i + 2])) : byte);
        i += escaped ? 2 : 0;
    }
    json_t *string = jvalue_string(text_span(&out));
    text_free(&out);
    return string ? string : json_null();
}

static json_t *query_json(span_t rest)
{
    json_t *query = json_object();
    span_t piece;
    while (span_next(&rest, '&', &piece)) {
        span_t name = piece, value = {0};
        const char *equals = piece.len ? memchr(piece.at, '=', piece.len) : NULL;
        if (equals) {
            name.len = (size_t)(equals - piece.at);
            value = span_from(piece, name.len + 1);
        }
        json_t *key = decoded(name);
        bool no_token = span_is(name, "token") && value.len == 0; /* as good as left out */
        if (name.len > 0 && json_is_string(key) && !no_token) {
            json_object_set_new(query, json_string_value(key), decoded(value));
        }
        json_decref(key);
    }
    return query;
}

json_t *offer_json(const char *target, const http_headers_t *headers)
{
    const char *mark = strchr(target, '?');
    json_t *names = json_object(), *protocols = json_array();
    for (size_t i = 0; i < headers->len; i++) {
        text_t name = {0};
        for (const char *at = headers->at[i].name; *at; at++) {
            text_putc(&name, (char)tolower((unsigned char)*at));
        }
        json_object_set_new(names, text_str(&name), json_string(headers->at[i].value));
        if (strcmp(text_str(&name), "sec-websocket-protocol") == 0) {
            span_t rest = span_of(headers->at[i].value), piece;
            while (span_next(&rest, ',', &piece)) {
                piece = span_trim(piece);
                json_array_append_new(protocols, jvalue_string(piece));
            }
        }
        text_free(&name);
    }
    return json_pack("{s:s% s:o s:o s:o}", "path", target, mark ? (size_t)(mark - target) : strlen(target),
                     "query", query_json(span_of(mark ? mark + 1 : NULL)), "headers", names, "protocols",
                     protocols);
}
