/* SPDX-License-Identifier: MIT */
#include "replay/command.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `{name}` at the start of `at`: its length with the braces, 0 when there is none. */
static size_t placeholder(const char *at, span_t *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t len = *at == '{' ? strspn(at + 1, letters) : 0;
    if (len == 0 || at[1 + len] != '}') {
        return 0;
    }
    *name = (span_t){at + 1, len};
    return len + 2;
}

bool command_check(const char *template, text_t *error)
{
    bool inside = false;
    span_t name;
    for (const char *at = template; *at != '\0'; at++) {
        if ((*at == '[' && inside) || (*at == ']' && !inside)) {
            text_printf(error, "--spawn: the square brackets do not pair at \"%.20s\"", at);
            return false;
        }
        inside = *at == '[' || (inside && *at != ']');
        if (placeholder(at, &name) > 0 && !inside && !span_is(name, "port") && !span_is(name, "release")) {
            text_printf(
                error,
                "--spawn: {%.*s} stands outside of square brackets; put the option it belongs to in them, "
                "since not every recording sets it",
                (int)name.len, name.at);
            return false;
        }
    }
    if (inside) {
        text_puts(error, "--spawn: a square bracket is not closed");
    }
    return !inside;
}

static const json_t *value_of(const command_input_t *input, span_t name)
{
    char *key = mem_string_n(name.at, name.len);
    const json_t *value = names_have(input->without, key) ? NULL : json_object_get(input->config, key);
    free(key);
    return value;
}

static void add_value(text_t *out, const json_t *value)
{
    text_t word = {0};
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            text_puts(&word, i > 0 ? "," : "");
            text_span_add(&word, jvalue_bytes(json_array_get(value, i)));
        }
    } else if (json_is_string(value)) {
        text_span_add(&word, jvalue_bytes(value));
    } else {
        jvalue_write(&word, value);
    }
    text_shell_word(out, text_str(&word));
    text_free(&word);
}

/* Appends `part`, its keys filled in; false when the config lacks one. */
static bool add_part(text_t *out, span_t part, const command_input_t *input)
{
    for (size_t i = 0; i < part.len;) {
        span_t name;
        size_t len = placeholder(part.at + i, &name);
        if (len == 0 || span_is(name, "port")) {
            text_putc(out, part.at[i++]);
            continue;
        }
        i += len;
        if (span_is(name, "release")) {
            text_shell_word(out, input->release);
            continue;
        }
        const json_t *value = value_of(input, name);
        if (value == NULL) {
            return false;
        }
        add_value(out, value);
    }
    return true;
}

static bool has_place(const char *template, const char *key)
{
    text_t wanted = {0};
    text_printf(&wanted, "{%s}", key);
    bool found = strstr(template, wanted.at) != NULL;
    text_free(&wanted);
    return found;
}

bool command_for(text_t *out, const char *template, const command_input_t *input, const char **key)
{
    json_t *walked = (json_t *)input->config, *value; /* jansson's iteration takes no const */
    json_object_foreach(walked, *key, value)
    {
        if (!has_place(template, *key) && !names_have(input->assumed, *key) &&
            !names_have(input->without, *key)) {
            return false;
        }
    }
    while (*template != '\0') {
        size_t plain = strcspn(template, "[");
        add_part(out, (span_t){template, plain}, input);
        template += plain;
        if (*template == '[') {
            size_t len = strcspn(template, "]");
            text_t part = {0};
            if (add_part(&part, (span_t){template + 1, len - 1}, input)) {
                text_span_add(out, text_span(&part));
            }
            text_free(&part);
            template += len + 1;
        }
    }
    return true;
}

size_t command_set(text_t *out, const char *command, const char *name, const char *value)
{
    text_t place = {0};
    const char *at;
    size_t count = 0;
    text_printf(&place, "{%s}", name);
    for (; (at = strstr(command, text_str(&place))) != NULL; count++) {
        text_add(out, command, (size_t)(at - command));
        text_shell_word(out, value);
        command = at + place.len;
    }
    text_puts(out, command);
    text_free(&place);
    return count;
}

void command_port(text_t *out, const char *command, int port)
{
    char value[16];
    snprintf(value, sizeof value, "%d", port);
    command_set(out, command, "port", value);
}
