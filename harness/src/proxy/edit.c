/* SPDX-License-Identifier: MIT */
#include "proxy/edit.h"

#include <stdlib.h>
#include <string.h>

static const char *const elements[] = {"join_ref", "ref", "topic", "event", "payload"};
enum { ELEMENTS = sizeof elements / sizeof *elements };

/* The place of a path's part in a list; its length: none. */
static size_t index_of(const json_t *list, span_t part)
{
    for (size_t i = 0; i < ELEMENTS; i++) {
        if (span_is(part, elements[i])) {
            return i;
        }
    }
    size_t index = 0;
    for (size_t i = 0; i < part.len; i++) {
        if (part.at[i] < '0' || part.at[i] > '9') {
            return json_array_size(list);
        }
        index = index * 10 + (size_t)(part.at[i] - '0');
    }
    return index;
}

static json_t *get(const json_t *in, span_t part)
{
    return json_is_array(in) ? json_array_get(in, index_of(in, part))
                             : json_object_getn(in, part.at, part.len);
}

static void put(json_t *in, span_t part, json_t *value)
{
    if (json_is_array(in)) {
        size_t index = index_of(in, part);
        if (index < json_array_size(in)) {
            json_array_set(in, index, value);
        } else {
            json_array_append(in, value);
        }
    } else {
        json_object_setn(in, part.at, part.len, value);
    }
}

static void cut(json_t *in, span_t part)
{
    if (json_is_array(in)) {
        json_array_remove(in, index_of(in, part));
    } else {
        json_object_deln(in, part.at, part.len);
    }
}

/* The value that holds the last part of a path; NULL: a part before it is not there. */
static json_t *holder(json_t *root, const char *path, span_t *last)
{
    span_t rest = span_of(path), part, next;
    span_next(&rest, '.', &part);
    while (root && span_next(&rest, '.', &next)) {
        root = get(root, part);
        part = next;
    }
    *last = part;
    return json_is_object(root) || json_is_array(root) ? root : NULL;
}

/* The value in another type, as near as it gets. A new reference. */
static json_t *retyped(const json_t *value, const char *type)
{
    text_t text = {0};
    json_t *result;
    if (strcmp(type, "null") == 0) {
        return json_null();
    }
    if (json_is_string(value)) {
        text_puts(&text, json_string_value(value));
    } else {
        jvalue_write(&text, value);
    }
    if (strcmp(type, "number") == 0) {
        result = json_integer(strtoll(text_str(&text), NULL, 10));
    } else if (strcmp(type, "list") == 0) {
        result = json_pack("[O]", value);
    } else {
        result = json_string(text_str(&text));
    }
    text_free(&text);
    return result;
}

bool edit_is(const json_t *action)
{
    return json_object_get(action, "set") || json_object_get(action, "remove") ||
           json_object_get(action, "retype");
}

void edit_json(json_t *root, const json_t *action)
{
    const char *path;
    json_t *value;
    span_t last;
    json_object_foreach(json_object_get(action, "set"), path, value)
    {
        json_t *in = holder(root, path, &last);
        if (in) {
            put(in, last, value);
        }
    }
    for (size_t i = 0; i < json_array_size(json_object_get(action, "remove")); i++) {
        path = json_string_value(json_array_get(json_object_get(action, "remove"), i));
        json_t *in = holder(root, path, &last);
        if (in) {
            cut(in, last);
        }
    }
    json_object_foreach(json_object_get(action, "retype"), path, value)
    {
        json_t *in = holder(root, path, &last), *old = in ? get(in, last) : NULL;
        if (old) {
            json_t *other = retyped(old, json_string_value(value));
            put(in, last, other);
            json_decref(other);
        }
    }
}
