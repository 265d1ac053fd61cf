/* SPDX-License-Identifier: MIT */
#include "base/jvalue_impl.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void write_string(text_t *out, span_t string)
{
    text_putc(out, '"');
    for (size_t i = 0; i < string.len; i++) {
        char c = string.at[i];
        if (c == '"' || c == '\\') {
            text_printf(out, "\\%c", c);
        } else if (c == '\n') {
            text_puts(out, "\\n");
        } else if (c == '\t') {
            text_puts(out, "\\t");
        } else if (c == '\r') {
            text_puts(out, "\\r");
        } else if ((unsigned char)c < 0x20) {
            text_printf(out, "\\u%04x", (unsigned)c);
        } else {
            text_putc(out, c);
        }
    }
    text_putc(out, '"');
}

static void write_real(text_t *out, double real)
{
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, real);
        if (strtod(digits, NULL) == real) {
            break;
        }
    }
    text_puts(out, digits);
    if (strpbrk(digits, ".e") == NULL) {
        text_puts(out, ".0");
    }
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys sorted by bytes; the array is owned by the caller, the strings are the object's. */
static const char **sorted_keys(const json_t *object)
{
    json_t *walked = (json_t *)object, *value;
    const char *key, **keys = mem_new(json_object_size(object), sizeof *keys);
    size_t count = 0;
    json_object_foreach(walked, key, value)
    {
        keys[count++] = key;
    }
    qsort(keys, count, sizeof *keys, by_key);
    return keys;
}

static bool is_flat(const json_t *value)
{
    json_t *walked = (json_t *)value, *inner;
    const char *key;
    size_t index;
    json_object_foreach(walked, key, inner)
    {
        if (json_is_object(inner) || json_is_array(inner)) {
            return false;
        }
    }
    json_array_foreach(walked, index, inner)
    {
        if (json_is_object(inner) || json_is_array(inner)) {
            return false;
        }
    }
    return true;
}

typedef struct layout {
    bool lines;
    size_t width;
} layout_t;

static void write_value(text_t *out, const json_t *value, const layout_t *layout, size_t depth);

static void line_break(text_t *out, const layout_t *layout, size_t depth)
{
    if (layout->lines) {
        text_putc(out, '\n');
        text_fill(out, ' ', 2 * depth);
    }
}

static bool stays_on_one_line(const json_t *value, size_t width)
{
    if (!is_flat(value)) {
        return false;
    }
    text_t line = {0};
    jvalue_write(&line, value);
    bool stays = line.len <= width;
    text_free(&line);
    return stays;
}

static void write_container(text_t *out, const json_t *value, const layout_t *layout, size_t depth)
{
    bool object = json_is_object(value);
    size_t size = object ? json_object_size(value) : json_array_size(value);
    layout_t inner = *layout;
    if (layout->lines && stays_on_one_line(value, layout->width)) {
        inner.lines = false;
    }
    const char **keys = object ? sorted_keys(value) : NULL;
    text_putc(out, object ? '{' : '[');
    for (size_t i = 0; i < size; i++) {
        text_puts(out, i > 0 ? "," : "");
        line_break(out, &inner, depth + 1);
        if (object) {
            write_string(out, span_of(keys[i]));
            text_puts(out, inner.lines ? ": " : ":");
        }
        write_value(out, object ? json_object_get(value, keys[i]) : json_array_get(value, i), &inner,
                    depth + 1);
    }
    if (size > 0) {
        line_break(out, &inner, depth);
    }
    text_putc(out, object ? '}' : ']');
    free(keys);
}

static void write_value(text_t *out, const json_t *value, const layout_t *layout, size_t depth)
{
    if (value == NULL) {
        text_puts(out, "absent");
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        write_container(out, value, layout, depth);
        break;
    case JSON_STRING:
        if (jvalue__tag(value) != NULL) {
            text_puts(out, jvalue__tag(value));
        } else {
            write_string(out, jvalue_bytes(value));
        }
        break;
    case JSON_INTEGER:
        text_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        write_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        text_puts(out, json_is_true(value) ? "true" : "false");
        break;
    case JSON_NULL:
        text_puts(out, "null");
        break;
    }
}

void jvalue_write(text_t *out, const json_t *value)
{
    write_value(out, value, &(layout_t){.lines = false}, 0);
}

void jvalue_pretty(text_t *out, const json_t *value, size_t width)
{
    write_value(out, value, &(layout_t){.lines = true, .width = width}, 0);
}
