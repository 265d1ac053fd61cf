/* SPDX-License-Identifier: MIT */
#include "query.h"

#include <string.h>

#include "phx/json.h"

enum { MAX_DEPTH = 32, MAX_PARAMS = 1000 };

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

static void unescape(phx_buf_t *out, phx_slice_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%' && i + 2 < text.len && hex(text.data[i + 1]) >= 0 && hex(text.data[i + 2]) >= 0) {
            phx_buf_append_byte(out, (uint8_t)(hex(text.data[i + 1]) * 16 + hex(text.data[i + 2])));
            i += 2;
        } else {
            phx_buf_append_byte(out, (uint8_t)(c == '+' ? ' ' : c));
        }
    }
}

static phx_slice_t cut(phx_slice_t *rest, char at)
{
    const char *found = rest->len > 0 ? memchr(rest->data, at, rest->len) : NULL;
    phx_slice_t head = *rest;
    if (found == NULL) {
        rest->data += rest->len;
        rest->len = 0;
        return head;
    }
    head.len = (size_t)(found - rest->data);
    rest->data += head.len + 1;
    rest->len -= head.len + 1;
    return head;
}

/* The member of `map`, made a container of the wanted type if it is not one yet. */
static json_t *container(json_t *map, phx_slice_t key, bool list)
{
    json_t *value = json_object_getn(map, key.data, key.len);
    if (value != NULL && (list ? json_is_array(value) : json_is_object(value))) {
        return value;
    }
    value = list ? json_array() : json_object();
    return json_object_setn_new_nocheck(map, key.data, key.len, value) == 0 ? value : NULL;
}

/* Stores `value` (stolen) under a name like `a`, `a[b]`, `a[]`. Returns 0, -1. */
static int store(json_t *params, phx_slice_t name, json_t *value)
{
    const char *bracket = name.len > 0 ? memchr(name.data, '[', name.len) : NULL;
    if (bracket == NULL || bracket == name.data || name.data[name.len - 1] != ']') {
        return json_object_setn_new_nocheck(params, name.data, name.len, value);
    }

    json_t *map = params;
    phx_slice_t key = {name.data, (size_t)(bracket - name.data)};
    phx_slice_t rest = {bracket, name.len - key.len};
    for (int depth = 0; rest.len > 0 && rest.data[0] == '[' && depth < MAX_DEPTH; depth++) {
        rest.data++;
        rest.len--;
        phx_slice_t inner = cut(&rest, ']');
        if (inner.len == 0) {
            json_t *list = container(map, key, true);
            return list != NULL ? json_array_append_new(list, value) : (json_decref(value), -1);
        }
        map = container(map, key, false);
        if (map == NULL) {
            json_decref(value);
            return -1;
        }
        key = inner;
    }
    return json_object_setn_new_nocheck(map, key.data, key.len, value);
}

json_t *query_decode(phx_slice_t query)
{
    json_t *params = json_object();
    phx_buf_t name = {0};
    phx_buf_t value = {0};
    bool valid = params != NULL;
    size_t count = 0;
    while (valid && query.len > 0) {
        phx_slice_t pair = cut(&query, '&');
        if (pair.len == 0) {
            continue;
        }
        valid = ++count <= MAX_PARAMS;
        phx_slice_t raw_name = cut(&pair, '=');
        phx_buf_clear(&name);
        phx_buf_clear(&value);
        unescape(&name, raw_name);
        unescape(&value, pair);
        valid = valid && phx_utf8_valid(phx_buf_slice(&name)) && phx_utf8_valid(phx_buf_slice(&value)) &&
                !name.failed && !value.failed;
        if (valid && name.len > 0) {
            valid = store(params, phx_buf_slice(&name),
                          json_stringn_nocheck(value.len > 0 ? value.data : "", value.len)) == 0;
        }
    }
    phx_buf_free(&name);
    phx_buf_free(&value);
    if (!valid) {
        json_decref(params);
        return NULL;
    }
    return params;
}

bool query_string(const json_t *params, const char *name, phx_slice_t *value)
{
    const json_t *found = json_object_get(params, name);
    if (!json_is_string(found)) {
        return false;
    }
    *value = (phx_slice_t){json_string_value(found), json_string_length(found)};
    return true;
}
