/* SPDX-License-Identifier: MIT */
/* Walking through checked JSON. Loops end at the slice's end even where a value's own end must come first. */
#include <string.h>

#include "json_internal.h"

phx_json_kind_t phx_json_kind(phx_slice_t value)
{
    switch (value.len > 0 ? value.data[0] : 'n') {
    case 'n':
        return PHX_JSON_NULL;
    case 't':
    case 'f':
        return PHX_JSON_BOOL;
    case '"':
        return PHX_JSON_STRING;
    case '[':
        return PHX_JSON_ARRAY;
    case '{':
        return PHX_JSON_OBJECT;
    default:
        return PHX_JSON_NUMBER;
    }
}

static bool ends_scalar(char c)
{
    return c == ',' || c == ']' || c == '}' || json__is_blank(c);
}

static const char *skip_scalar(const char *p, const char *end)
{
    while (p < end && !ends_scalar(*p)) {
        p++;
    }
    return p;
}

static const char *skip_container(const char *p, const char *end)
{
    size_t depth = 0;
    while (p < end) {
        if (*p == '"') {
            p = json__skip_string(p, end);
            continue;
        }
        if (*p == '[' || *p == '{') {
            depth++;
        } else if ((*p == ']' || *p == '}') && --depth == 0) {
            return p + 1;
        }
        p++;
    }
    return end;
}

static const char *skip_value(const char *p, const char *end)
{
    if (*p == '"') {
        return json__skip_string(p, end);
    }
    return *p == '[' || *p == '{' ? skip_container(p, end) : skip_scalar(p, end);
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && json__is_blank(*p)) {
        p++;
    }
    return p;
}

bool phx_json_next(phx_slice_t container, size_t *cursor, phx_slice_t *key, phx_slice_t *value)
{
    const phx_json_kind_t kind = phx_json_kind(container);
    if (kind != PHX_JSON_ARRAY && kind != PHX_JSON_OBJECT) {
        return false;
    }
    const char *end = container.data + container.len - 1; /* the closing bracket */
    const char *p = skip_blanks(container.data + (*cursor > 0 ? *cursor : 1), end);
    if (p < end && *p == ',') {
        p = skip_blanks(p + 1, end);
    }
    if (p >= end) {
        return false;
    }
    if (kind == PHX_JSON_OBJECT) {
        const char *key_end = json__skip_string(p, end);
        if (key != NULL) {
            *key = (phx_slice_t){p, (size_t)(key_end - p)};
        }
        p = skip_blanks(key_end, end);
        p = skip_blanks(p + 1, end); /* the colon */
    }
    const char *value_end = skip_value(p, end);
    *value = (phx_slice_t){p, (size_t)(value_end - p)};
    *cursor = (size_t)(value_end - container.data);
    return true;
}

bool phx_json_member(phx_slice_t object, const char *key, phx_slice_t *value)
{
    if (phx_json_kind(object) != PHX_JSON_OBJECT) {
        return false;
    }
    size_t cursor = 0;
    phx_slice_t name;
    phx_slice_t found;
    while (phx_json_next(object, &cursor, &name, &found)) {
        if (phx_json_is(name, key)) {
            *value = found;
            return true;
        }
    }
    return false;
}

bool phx_json_uint(phx_slice_t value, uint64_t max, uint64_t *number)
{
    uint64_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        const char c = value.data[i];
        if (c < '0' || c > '9') {
            return false;
        }
        const uint64_t digit = (uint64_t)(c - '0');
        if (digit > max || n > (max - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *number = n;
    return value.len > 0;
}
