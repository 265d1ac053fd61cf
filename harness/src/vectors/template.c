/* SPDX-License-Identifier: MIT */
#include "vectors/template.h"

#include <string.h>

/* The first "${name}" at or behind `from`; false: none. */
static bool next_name(span_t text, size_t from, size_t *start, span_t *name)
{
    for (size_t i = from; i + 2 < text.len; i++) {
        if (text.at[i] == '$' && text.at[i + 1] == '{') {
            const char *end = memchr(text.at + i + 2, '}', text.len - i - 2);
            if (end) {
                *start = i;
                *name = (span_t){text.at + i + 2, (size_t)(end - (text.at + i + 2))};
                return true;
            }
        }
    }
    return false;
}

static span_t string_span(const json_t *string)
{
    return (span_t){json_string_value(string), json_string_length(string)};
}

static json_t *named(const json_t *names, span_t name)
{
    return json_object_getn(names, name.at, name.len);
}

static json_t *fill_string(const json_t *string, const json_t *names, text_t *error)
{
    span_t text = string_span(string), name;
    size_t start, done = 0;
    text_t out = {0};
    json_t *result = NULL;
    while (next_name(text, done, &start, &name)) {
        json_t *value = named(names, name);
        if (!value) {
            text_printf(error, "no value is known for \"${%.*s}\"", (int)name.len, name.at);
            text_free(&out);
            return NULL;
        }
        if (start == 0 && name.len + 3 == text.len) {
            return json_deep_copy(value);
        }
        text_add(&out, text.at + done, start - done);
        if (json_is_string(value)) {
            text_span_add(&out, string_span(value));
        } else {
            jvalue_write(&out, value);
        }
        done = start + name.len + 3;
    }
    text_span_add(&out, span_from(text, done));
    result = json_stringn_nocheck(text_str(&out), out.len);
    text_free(&out);
    return result;
}

static json_int_t repeat_times(const json_t *repeat, const profile_mount_t *mount)
{
    const json_t *times = json_object_get(repeat, "times");
    const char *name = json_string_value(json_object_get(times, "limit"));
    limit_t limit;
    if (name && limit_parse(name, &limit)) {
        return (json_int_t)(json_number_value(json_object_get(times, "times")) * (double)mount->limit[limit]);
    }
    return json_integer_value(times);
}

double template_size(const json_t *value, const profile_mount_t *mount)
{
    double size = 0;
    const json_t *repeat = json_object_get(value, "$repeat");
    if (repeat) {
        const json_t *text = json_object_get(repeat, "text");
        return (double)json_string_length(text) * (double)repeat_times(repeat, mount);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        size += template_size(json_array_get(value, i), mount);
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member)
    {
        size += template_size(member, mount);
    }
    return size;
}

static json_t *fill_repeat(const json_t *repeat, const json_t *names, const profile_mount_t *mount,
                           text_t *error)
{
    json_t *unit = template_fill(json_object_get(repeat, "text"), names, mount, error);
    if (!unit) {
        return NULL;
    }
    json_int_t count = repeat_times(repeat, mount);
    text_t out = {0};
    for (json_int_t i = 0; i < count; i++) {
        text_span_add(&out, string_span(unit));
    }
    json_decref(unit);
    json_t *result = json_stringn_nocheck(text_str(&out), out.len);
    text_free(&out);
    return result;
}

json_t *template_fill(const json_t *value, const json_t *names, const profile_mount_t *mount, text_t *error)
{
    if (json_is_string(value)) {
        return fill_string(value, names, error);
    }
    const json_t *repeat = json_object_get(value, "$repeat");
    if (repeat) {
        return fill_repeat(repeat, names, mount, error);
    }
    const json_t *time = json_object_get(value, "$ms");
    if (time) {
        return json_integer((json_int_t)time_ms(time, mount));
    }
    if (json_is_array(value)) {
        json_t *out = json_array();
        for (size_t i = 0; i < json_array_size(value); i++) {
            json_t *element = template_fill(json_array_get(value, i), names, mount, error);
            if (!element) {
                json_decref(out);
                return NULL;
            }
            json_array_append_new(out, element);
        }
        return out;
    }
    if (json_is_object(value)) {
        json_t *out = json_object();
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)value, key, member)
        {
            json_t *filled = template_fill(member, names, mount, error);
            if (!filled) {
                json_decref(out);
                return NULL;
            }
            json_object_set_new_nocheck(out, key, filled);
        }
        return out;
    }
    return json_deep_copy(value);
}

static bool complain(const jpath_t *path, text_t *error, const char *what)
{
    jpath_write(error, path);
    text_printf(error, ": %s\n", what);
    return false;
}

static bool check_repeat(const json_t *repeat, const jpath_t *path, text_t *error)
{
    const json_t *times = json_object_get(repeat, "times");
    limit_t limit;
    const char *name = json_string_value(json_object_get(times, "limit"));
    bool of_limit = name && limit_parse(name, &limit) && json_is_number(json_object_get(times, "times"));
    if (json_object_size(repeat) == 2 && json_is_string(json_object_get(repeat, "text")) &&
        (of_limit || (json_is_integer(times) && json_integer_value(times) >= 0))) {
        return true;
    }
    return complain(path, error,
                    "write {\"text\": T, \"times\": N}, N a number or {\"limit\": NAME, \"times\": X}");
}

bool template_check(const json_t *value, const json_t *names, const jpath_t *path, text_t *error)
{
    bool good = true;
    if (json_is_string(value)) {
        size_t start, done = 0;
        span_t name;
        while (next_name(string_span(value), done, &start, &name)) {
            if (!named(names, name)) {
                jpath_write(error, path);
                text_printf(
                    error,
                    ": nothing is known as \"${%.*s}\" here: it is neither built in nor captured by an "
                    "earlier step\n",
                    (int)name.len, name.at);
                good = false;
            }
            done = start + name.len + 3;
        }
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            jpath_t inner = {path, NULL, i};
            good = template_check(json_array_get(value, i), names, &inner, error) && good;
        }
    } else if (json_is_object(value)) {
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)value, key, member)
        {
            jpath_t inner = {path, key, 0};
            if (strcmp(key, "$repeat") == 0) {
                good = check_repeat(member, &inner, error) && good;
            }
            if (strcmp(key, "$ms") == 0 && !time_check(member)) {
                good = complain(&inner, error,
                                "a timer of the profile is needed here, {\"timer\": NAME, \"times\": X}");
            }
            good = template_check(member, names, &inner, error) && good;
        }
    }
    return good;
}

static bool hex_bytes(const char *hex, text_t *out)
{
    int high = -1;
    for (; *hex; hex++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, *hex);
        if (*hex == ' ') {
            continue;
        }
        if (!at) {
            return false;
        }
        if (high < 0) {
            high = (int)(at - digits);
        } else {
            text_putc(out, (char)(high * 16 + (int)(at - digits)));
            high = -1;
        }
    }
    return high < 0;
}

bool template_bytes(const json_t *part, text_t *out, text_t *error)
{
    if (json_is_integer(part) && json_integer_value(part) >= 0 && json_integer_value(part) <= 255) {
        text_putc(out, (char)json_integer_value(part));
        return true;
    }
    if (json_is_string(part)) {
        text_span_add(out, string_span(part));
        return true;
    }
    const json_t *hex = json_object_get(part, "hex"), *length = json_object_get(part, "length");
    if (json_is_string(hex) && hex_bytes(json_string_value(hex), out)) {
        return true;
    }
    if (json_is_string(length) && json_string_length(length) <= 255) {
        text_putc(out, (char)json_string_length(length));
        return true;
    }
    text_puts(error, "not a part of a list of bytes: ");
    jvalue_write(error, part);
    return false;
}
