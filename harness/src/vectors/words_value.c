/* SPDX-License-Identifier: MIT */
#include "vectors/matcher.h"
#include "vectors/words.h"

#include <string.h>

/* Whether anything in the value is written otherwise than as JSON. */
static bool is_plain(const json_t *value)
{
    const char *key;
    json_t *member;
    if (json_is_string(value)) {
        return strstr(json_string_value(value), "${") == NULL;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!is_plain(json_array_get(value, i))) {
            return false;
        }
    }
    json_object_foreach((json_t *)value, key, member)
    {
        if (*key == '$' || !is_plain(member)) {
            return false;
        }
    }
    return true;
}

static void write_list(text_t *out, const json_t *list, const char *between, const char *last)
{
    size_t len = json_array_size(list);
    for (size_t i = 0; i < len; i++) {
        text_puts(out, i == 0 ? "" : i + 1 == len ? last : between);
        words_value(out, json_array_get(list, i));
    }
}

static void write_members(text_t *out, const json_t *object)
{
    const char *key, *between = "";
    json_t *member;
    text_putc(out, '{');
    json_object_foreach((json_t *)object, key, member)
    {
        text_printf(out, "%s\"%s\": ", between, key);
        words_value(out, member);
        between = ", ";
    }
    text_putc(out, '}');
}

static void write_type(text_t *out, const char *type)
{
    bool vowel = type && strchr("ao", *type); /* array, object */
    bool null = type && strcmp(type, "null") == 0;
    text_printf(out, "%s%s", null ? "" : vowel ? "an " : "a ", type);
}

static void write_list_matcher(text_t *out, const json_t *list)
{
    const json_t *length = json_object_get(list, "length"), *each = json_object_get(list, "each");
    text_puts(out, "a list");
    if (length) {
        text_puts(out, " of ");
        words_value(out, length);
    }
    if (each) {
        text_puts(out, ", each ");
        words_value(out, each);
    }
}

static void write_times(text_t *out, const json_t *times)
{
    const char *limit = json_string_value(json_object_get(times, "limit"));
    if (limit) {
        const json_t *factor = json_object_get(times, "times");
        words_value(out, factor);
        text_printf(out, "%s%s", factor ? " × " : "", limit);
    } else {
        words_value(out, times);
    }
}

/* One key of a matcher or a generator; false: it has no words. */
static bool write_key(text_t *out, const char *key, const json_t *value)
{
    const char *string = json_string_value(value);
    if (strcmp(key, "$any") == 0) {
        text_puts(out, "anything");
    } else if (strcmp(key, "$absent") == 0) {
        text_puts(out, "nothing");
    } else if (strcmp(key, "$type") == 0) {
        write_type(out, string);
    } else if (strcmp(key, "$one_of") == 0) {
        write_list(out, value, ", ", " or ");
    } else if (strcmp(key, "$not") == 0) {
        text_puts(out, "anything but ");
        words_value(out, value);
    } else if (strcmp(key, "$partial") == 0) {
        text_puts(out, "an object that has ");
        words_value(out, value);
    } else if (strcmp(key, "$list") == 0) {
        write_list_matcher(out, value);
    } else if (strcmp(key, "$number") == 0) {
        words_value(out, json_object_get(value, "near"));
        text_puts(out, " ± ");
        words_value(out, json_object_get(value, "within"));
    } else if (strcmp(key, "$message") == 0) {
        text_puts(out, "the message ");
        words_message(out, value);
    } else if (strcmp(key, "$equals") == 0) {
        text_printf(out, "the %s of before", string);
    } else if (strcmp(key, "$base64") == 0) {
        text_printf(out, "the bytes that base64 writes \"%s\"", string);
    } else if (strcmp(key, "$repeat") == 0) {
        text_puts(out, "the text ");
        words_value(out, json_object_get(value, "text"));
        text_puts(out, " repeated ");
        write_times(out, json_object_get(value, "times"));
        text_puts(out, " times");
    } else if (strcmp(key, "$ms") == 0) {
        words_value(out, json_object_get(value, "times"));
        text_printf(out, " × %s", json_string_value(json_object_get(value, "timer")));
    } else if (strcmp(key, "$lines") == 0) {
        text_puts(out, "the lines ");
        write_list(out, value, ", ", ", ");
    } else {
        return false;
    }
    return true;
}

static void write_matcher(text_t *out, const json_t *matcher)
{
    const char *key, *captured = json_string_value(json_object_get(matcher, "$capture"));
    json_t *value;
    bool any = false;
    json_object_foreach((json_t *)matcher, key, value)
    {
        if (strcmp(key, "$capture") == 0) {
            continue;
        }
        text_puts(out, any ? " and " : "");
        if (!write_key(out, key, value)) {
            text_printf(out, "%s ", key);
            words_value(out, value);
        }
        any = true;
    }
    text_puts(out, any ? "" : "anything");
    if (captured) {
        text_printf(out, " (the %s)", captured);
    }
}

void words_value(text_t *out, const json_t *value)
{
    const char *string = json_string_value(value);
    if (!value) {
        return;
    }
    if (string && strcmp(string, "${topic}") == 0) {
        text_puts(out, "the topic");
    } else if (json_is_object(value) && !is_plain(value)) {
        const char *first = json_object_iter_key(json_object_iter((json_t *)value));
        if (*first == '$') {
            write_matcher(out, value);
        } else {
            write_members(out, value);
        }
    } else if (json_is_array(value) && !is_plain(value)) {
        text_putc(out, '[');
        write_list(out, value, ", ", ", ");
        text_putc(out, ']');
    } else {
        jvalue_write(out, value);
    }
}

/* Joins, leaves and heartbeats mostly carry nothing. */
static bool goes_without_saying(const char *event, const json_t *payload)
{
    static const char *const events[] = {"phx_join", "phx_leave", "heartbeat"};
    bool any = false;
    for (size_t i = 0; event && i < sizeof events / sizeof *events; i++) {
        any = any || strcmp(event, events[i]) == 0;
    }
    return any && json_is_object(payload) && json_object_size(payload) == 0;
}

static void write_refs(text_t *out, const json_t *five)
{
    text_puts(out, " (join_ref ");
    words_value(out, json_array_get(five, 0));
    text_puts(out, ", ref ");
    words_value(out, json_array_get(five, 1));
    text_putc(out, ')');
}

void words_message(text_t *out, const json_t *five)
{
    const json_t *topic = json_array_get(five, 2), *event = json_array_get(five, 3),
                 *payload = json_array_get(five, 4), *with = payload;
    const char *name = json_string_value(event), *on = json_string_value(topic);
    if (json_array_size(five) != 5) {
        jvalue_write(out, five);
        return;
    }
    if (name && on && strcmp(name, "heartbeat") == 0 && strcmp(on, "phoenix") == 0) {
        text_puts(out, "a heartbeat");
    } else {
        const json_t *status = json_object_get(payload, "status");
        if (name && strcmp(name, "phx_reply") == 0 && status && json_object_size(payload) == 2) {
            text_puts(out, "the reply ");
            words_value(out, status);
            with = json_object_get(payload, "response");
        } else {
            words_value(out, event);
        }
        text_puts(out, " on ");
        words_value(out, topic);
    }
    if (!goes_without_saying(name, with)) {
        text_puts(out, " with ");
        words_value(out, with);
    }
    write_refs(out, five);
}
