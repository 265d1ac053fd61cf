/* SPDX-License-Identifier: MIT */
#include "base/jvalue_impl.h"

#include "base/files.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 1000 };

/* ---- parsing: the text is rewritten with tags in the place of what jansson cannot hold ---- */

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

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
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
            if (!is_one_of(text.at[i], " \t\r\n")) {
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

/* Whether jansson reads `number` (a JSON number, NUL behind it) as what it is; of reals with more digits than
 * a double has nobody knows that without looking closer. */
static bool fits(const char *number)
{
    enum { DIGITS_OF_A_DOUBLE = 17 };
    size_t digits = 0;
    errno = 0;
    if (strpbrk(number, ".eE") == NULL) {
        (void)strtoll(number, NULL, 10);
        return errno == 0;
    }
    for (const char *at = number; is_digit(*at) || *at == '-' || *at == '.'; at++) {
        digits += is_digit(*at);
    }
    return digits <= DIGITS_OF_A_DOUBLE && isfinite(strtod(number, NULL));
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
    while (i < text.len && (is_digit(text.at[i]) || is_one_of(text.at[i], "+-.eE"))) {
        i++;
    }
    return i;
}

static void rewrite(text_t *out, span_t text)
{
    size_t depth = 0;
    bool closed = true; /* what is not closed is no JSON: looked for once, for it takes the whole text */
    for (size_t i = 0; i < text.len;) {
        char c = text.at[i];
        bool opens = c == '[' || c == '{';
        size_t end = i + 1;
        if (c == '"') {
            end = string_end(text, i);
            add_string(out, (span_t){text.at + i, end - i});
        } else if (c == '-' || is_digit(c)) {
            end = number_end(text, i);
            add_number(out, (span_t){text.at + i, end - i});
        } else if (opens && depth == DEPTH_MAX && closed && (end = container_end(text, i)) > 0) {
            add_opaque(out, (span_t){text.at + i, end - i});
        } else {
            closed = closed && end > 0;
            end = i + 1;
            depth += opens && depth < DEPTH_MAX;
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
    for (size_t i = 0; i < rewritten.len; i++) {
        if (rewritten.at[i] == '\0') {
            rewritten.at[i] =
                '\x01'; /* as wrong as NUL anywhere; jansson would pass over NUL behind a number */
        }
    }
    json_t *value =
        json_loadb(text_str(&rewritten), rewritten.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, problem);
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

const char *jvalue__tag(const json_t *value)
{
    if (!json_is_string(value) || json_string_length(value) < 2) {
        return NULL;
    }
    const char *string = json_string_value(value);
    return string[0] == '\0' && string[1] != '\0' ? string + 1 : NULL;
}

span_t jvalue_bytes(const json_t *value)
{
    span_t string = {json_string_value(value), json_string_length(value)};
    return string.len > 0 && string.at[0] == '\0' ? span_from(string, 1) : string;
}

bool jvalue__is_number(const json_t *value)
{
    const char *text = jvalue__tag(value);
    return json_is_number(value) || (text != NULL && (*text == '-' || is_digit(*text)));
}

const char *jvalue_type(const json_t *value)
{
    if (value == NULL) {
        return "absent";
    }
    if (jvalue__is_number(value)) {
        return "number";
    }
    if (jvalue__tag(value) != NULL) {
        return *jvalue__tag(value) == '{' ? "object" : "array";
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
