/* SPDX-License-Identifier: MIT */
#include "base/jvalue.h"

#include "base/files.h"
#include "base/memory.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 1000 };

/* ---- parsing: the text is rewritten so that jansson can hold it, tags in the place of what it cannot ---- */

static size_t string_end(span_t text, size_t quote)
{
    size_t i = quote + 1;
    while (i < text.len && text.at[i] != '"') {
        i += text.at[i] == '\\' ? 2 : 1;
    }
    return i < text.len ? i + 1 : text.len;
}

static void add_string(text_t *out, span_t string)
{
    bool nul = span_starts(span_from(string, 1), "\\u0000");
    text_puts(out, nul ? "\"\\u0000" : "\"");
    text_span_add(out, span_from(string, 1));
}

/* Where the array or object that begins at `open` ends; 0 when it does not. */
static size_t container_end(span_t text, size_t open)
{
    size_t depth = 0;
    for (size_t i = open; i < text.len;) {
        char c = text.at[i];
        if (c == '"') {
            i = string_end(text, i);
            continue;
        }
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
        i++;
        if (depth == 0) {
            return i;
        }
    }
    return 0;
}

static void add_opaque(text_t *out, span_t text)
{
    text_puts(out, "\"\\u0000");
    for (size_t i = 0; i < text.len;) {
        if (text.at[i] == '"') {
            size_t end = string_end(text, i);
            for (; i < end; i++) {
                if (text.at[i] == '"' || text.at[i] == '\\') {
                    text_putc(out, '\\');
                }
                text_putc(out, text.at[i]);
            }
        } else {
            if (memchr(" \t\r\n", text.at[i], 4) == NULL) {
                text_putc(out, text.at[i]);
            }
            i++;
        }
    }
    text_putc(out, '"');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether jansson reads `number` (a JSON number, NUL behind it) as what it is. */
static bool fits(const char *number)
{
    errno = 0;
    if (strpbrk(number, ".eE") == NULL) {
        (void)strtoll(number, NULL, 10);
        return errno == 0;
    }
    return isfinite(strtod(number, NULL));
}

static bool is_number(const char *text)
{
    text += *text == '-';
    if (*text == '0') {
        text++;
    } else if (is_digit(*text)) {
        text += strspn(text, "0123456789");
    } else {
        return false;
    }
    if (*text == '.') {
        size_t digits = strspn(++text, "0123456789");
        if (digits == 0) {
            return false;
        }
        text += digits;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        size_t digits = strspn(text, "0123456789");
        if (digits == 0) {
            return false;
        }
        text += digits;
    }
    return *text == '\0';
}

static void add_number(text_t *out, span_t number)
{
    char *copy = mem_string_n(number.at, number.len);
    bool tag = is_number(copy) && !fits(copy);
    text_puts(out, tag ? "\"\\u0000" : "");
    text_puts(out, copy);
    text_puts(out, tag ? "\"" : "");
    free(copy);
}

static size_t number_end(span_t text, size_t start)
{
    size_t i = start;
    while (i < text.len && (is_digit(text.at[i]) || memchr("+-.eE", text.at[i], 5) != NULL)) {
        i++;
    }
    return i;
}

static void rewrite(text_t *out, span_t text)
{
    size_t depth = 0;
    for (size_t i = 0; i < text.len;) {
        char c = text.at[i];
        size_t end = i + 1;
        if (c == '"') {
            end = string_end(text, i);
            add_string(out, (span_t){text.at + i, end - i});
        } else if (c == '-' || is_digit(c)) {
            end = number_end(text, i);
            add_number(out, (span_t){text.at + i, end - i});
        } else if ((c == '[' || c == '{') && depth == DEPTH_MAX && container_end(text, i) > 0) {
            end = container_end(text, i);
            add_opaque(out, (span_t){text.at + i, end - i});
        } else {
            depth += (c == '[' || c == '{') && depth < DEPTH_MAX;
            depth -= (c == ']' || c == '}') && depth > 0;
            text_putc(out, c);
        }
        i = end;
    }
}

static json_t *parse(span_t text, size_t flags, json_error_t *problem)
{
    text_t rewritten = {0};
    rewrite(&rewritten, text);
    json_t *value = json_loadb(text_str(&rewritten), rewritten.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, problem);
    text_free(&rewritten);
    return value;
}

json_t *jvalue_parse(span_t text, text_t *error)
{
    json_error_t problem;
    json_t *value = parse(text, 0, &problem);
    if (value == NULL && error != NULL) {
        text_printf(error, "line %d, column %d: %s", problem.line, problem.column, problem.text);
    }
    return value;
}

json_t *jvalue_parse_file(const char *path, text_t *error)
{
    text_t bytes = {0};
    json_t *value = NULL;
    if (file_read(path, &bytes, error)) {
        json_error_t problem;
        value = parse(text_span(&bytes), JSON_REJECT_DUPLICATES, &problem);
        if (value == NULL) {
            text_printf(error, "%s:%d:%d: %s", path, problem.line, problem.column, problem.text);
        }
    }
    text_free(&bytes);
    return value;
}

json_t *jvalue_string(span_t string)
{
    if (string.len == 0 || string.at[0] != '\0') {
        return json_stringn(string.at ? string.at : "", string.len);
    }
    text_t marked = {0};
    text_putc(&marked, '\0');
    text_span_add(&marked, string);
    json_t *value = json_stringn(marked.at, marked.len);
    text_free(&marked);
    return value;
}

/* ---- tags ---- */

/* What a tagged string carries; NULL when `value` is no tagged string. */
static const char *tagged(const json_t *value)
{
    if (!json_is_string(value) || json_string_length(value) < 2) {
        return NULL;
    }
    const char *string = json_string_value(value);
    return string[0] == '\0' && string[1] != '\0' ? string + 1 : NULL;
}

static bool tagged_number(const json_t *value)
{
    const char *text = tagged(value);
    return text != NULL && (*text == '-' || is_digit(*text));
}

span_t jvalue_bytes(const json_t *value)
{
    span_t string = {json_string_value(value), json_string_length(value)};
    return string.len > 0 && string.at[0] == '\0' ? span_from(string, 1) : string;
}

/* ---- equality ---- */

/* A decimal as 0.d1d2… × 10^exponent, without zeros at both ends. */
typedef struct decimal {
    bool negative;
    text_t digits;
    long long exponent;
} decimal_t;

static decimal_t decimal_of(const char *number)
{
    decimal_t decimal = {.negative = *number == '-'};
    bool fraction = false;
    number += decimal.negative;
    for (; is_digit(*number) || *number == '.'; number++) {
        if (*number == '.') {
            fraction = true;
            continue;
        }
        if (decimal.digits.len > 0 || *number != '0') {
            text_putc(&decimal.digits, *number);
            decimal.exponent += !fraction;
        } else {
            decimal.exponent -= fraction;
        }
    }
    if (*number == 'e' || *number == 'E') {
        long long exponent = strtoll(number + 1, NULL, 10);
        const long long most = LLONG_MAX / 4; /* room for the digits counted above */
        decimal.exponent += exponent > most ? most : exponent < -most ? -most : exponent;
    }
    while (decimal.digits.len > 0 && decimal.digits.at[decimal.digits.len - 1] == '0') {
        decimal.digits.len--;
    }
    return decimal;
}

static bool decimals_equal(const char *a, const char *b)
{
    decimal_t x = decimal_of(a), y = decimal_of(b);
    bool equal = span_equal(text_span(&x.digits), text_span(&y.digits)) &&
                 (x.digits.len == 0 || (x.negative == y.negative && x.exponent == y.exponent));
    text_free(&x.digits);
    text_free(&y.digits);
    return equal;
}

static bool integer_is_real(json_int_t integer, double real)
{
    /* 2^63 as a double is the first one that does not fit back */
    return real >= -0x1p63 && real < 0x1p63 && (json_int_t)real == integer && (double)(json_int_t)real == real;
}

static bool numbers_equal(const json_t *a, const json_t *b)
{
    if (tagged_number(b)) {
        const json_t *swap = a;
        a = b;
        b = swap;
    }
    if (tagged_number(a)) {
        if (tagged_number(b)) {
            return decimals_equal(tagged(a), tagged(b));
        }
        return json_is_real(b) && strtod(tagged(a), NULL) == json_real_value(b);
    }
    if (json_is_integer(a)) {
        return json_is_integer(b) ? json_integer_value(a) == json_integer_value(b)
                                  : integer_is_real(json_integer_value(a), json_real_value(b));
    }
    return json_is_integer(b) ? integer_is_real(json_integer_value(b), json_real_value(a))
                              : json_real_value(a) == json_real_value(b);
}

static bool is_number_value(const json_t *value)
{
    return json_is_number(value) || tagged_number(value);
}

static bool objects_equal(const json_t *a, const json_t *b)
{
    if (json_object_size(a) != json_object_size(b)) {
        return false;
    }
    json_t *object = (json_t *)(uintptr_t)a, *value; /* jansson's iteration takes no const, and changes nothing */
    const char *key;
    json_object_foreach(object, key, value)
    {
        if (!jvalue_equal(value, json_object_get(b, key))) {
            return false;
        }
    }
    return true;
}

bool jvalue_equal(const json_t *a, const json_t *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    if (is_number_value(a) || is_number_value(b)) {
        return is_number_value(a) && is_number_value(b) && numbers_equal(a, b);
    }
    if (json_typeof(a) != json_typeof(b)) {
        return false;
    }
    switch (json_typeof(a)) {
    case JSON_OBJECT:
        return objects_equal(a, b);
    case JSON_ARRAY:
        if (json_array_size(a) != json_array_size(b)) {
            return false;
        }
        for (size_t i = 0; i < json_array_size(a); i++) {
            if (!jvalue_equal(json_array_get(a, i), json_array_get(b, i))) {
                return false;
            }
        }
        return true;
    case JSON_STRING:
        return span_equal((span_t){json_string_value(a), json_string_length(a)},
                          (span_t){json_string_value(b), json_string_length(b)});
    default:
        return true; /* null, true, false: the type is the value */
    }
}

/* ---- writing ---- */

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
    json_t *walked = (json_t *)(uintptr_t)object, *value;
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
    json_t *walked = (json_t *)(uintptr_t)value, *inner;
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
        write_value(out, object ? json_object_get(value, keys[i]) : json_array_get(value, i), &inner, depth + 1);
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
        if (tagged(value) != NULL) {
            text_puts(out, tagged(value));
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

const char *jvalue_type(const json_t *value)
{
    if (value == NULL) {
        return "absent";
    }
    if (is_number_value(value)) {
        return "number";
    }
    if (tagged(value) != NULL) {
        return *tagged(value) == '{' ? "object" : "array";
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    default:
        return "null";
    }
}

void jpath_write(text_t *out, const jpath_t *path)
{
    if (path == NULL) {
        return;
    }
    jpath_write(out, path->parent);
    if (path->key == NULL) {
        text_printf(out, "[%zu]", path->index);
    } else {
        text_printf(out, "%s%s", path->parent ? "." : "", path->key);
    }
}
