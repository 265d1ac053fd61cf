/* SPDX-License-Identifier: MIT */
#include "report/clean.h"

#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static uint32_t code_point(const char *at, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)at;
    uint32_t code = len == 1 ? bytes[0] : bytes[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        code = code << 6 | (bytes[i] & 0x3fu);
    }
    return code;
}

/* Ranges of characters that are not what they look like. */
static const struct {
    uint32_t first, last;
} deceptive[] = {
    {0x0000, 0x001f},    /* C0 */
    {0x007f, 0x009f},    /* DEL, C1 */
    {0x00ad, 0x00ad},    /* soft hyphen */
    {0x034f, 0x034f},    /* combining grapheme joiner */
    {0x061c, 0x061c},    /* Arabic letter mark */
    {0x115f, 0x1160},    /* Hangul fillers */
    {0x17b4, 0x17b5},    /* Khmer vowels without a shape */
    {0x180b, 0x180f},    /* Mongolian selectors */
    {0x200b, 0x200f},    /* zero width, marks of direction */
    {0x2028, 0x202e},    /* ends of lines and paragraphs, embeddings of direction */
    {0x2060, 0x206f},    /* invisible operators, isolates of direction */
    {0x3164, 0x3164},    /* Hangul filler */
    {0xe000, 0xf8ff},    /* private use */
    {0xfdd0, 0xfdef},    /* non-characters */
    {0xfeff, 0xfeff},    /* byte order mark */
    {0xffa0, 0xffa0},    /* Hangul filler */
    {0xfff0, 0xffff},    /* specials, non-characters */
    {0xe0000, 0x10ffff}, /* tags, selectors, private use */
};

static bool is_deceptive(uint32_t code)
{
    for (size_t i = 0; i < sizeof deceptive / sizeof *deceptive; i++) {
        if (code >= deceptive[i].first && code <= deceptive[i].last) {
            return true;
        }
    }
    return (code & 0xfffe) == 0xfffe;
}

static void add_escape(text_t *out, uint32_t code)
{
    switch (code) {
    case '\n':
        text_puts(out, "\\n");
        break;
    case '\r':
        text_puts(out, "\\r");
        break;
    case '\t':
        text_puts(out, "\\t");
        break;
    default:
        text_printf(out, code < 0x80 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\u{%x}", code);
    }
}

void clean_add(text_t *out, span_t bytes, bool lines, size_t limit)
{
    for (size_t i = 0; i < bytes.len;) {
        if (limit > 0 && i >= limit) {
            text_printf(out, "… (%zu bytes)", bytes.len);
            return;
        }
        size_t len = utf8_character(span_from(bytes, i));
        uint32_t code = len > 0 ? code_point(bytes.at + i, len) : 0;
        if (len == 0) {
            text_printf(out, "\\x%02x", (unsigned)(unsigned char)bytes.at[i]);
        } else if (is_deceptive(code) && !(lines && code == '\n')) {
            add_escape(out, code);
        } else {
            text_add(out, bytes.at + i, len);
        }
        i += len > 0 ? len : 1;
    }
}

json_t *clean_string(span_t bytes, bool lines, size_t limit)
{
    text_t out = {0};
    clean_add(&out, bytes, lines, limit);
    json_t *string = json_stringn(text_str(&out), out.len);
    text_free(&out);
    return string;
}

static bool has_lines(const char *key)
{
    static const char *const keys[] = {"reason", "expected", "got", "diff"};
    for (size_t i = 0; key && i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void clean_value(json_t *value, const char *key)
{
    if (json_is_string(value)) {
        text_t out = {0};
        span_t bytes = {json_string_value(value), json_string_length(value)};
        clean_add(&out, bytes, has_lines(key), 0);
        if (!span_equal(bytes, text_span(&out))) {
            json_string_setn(value, text_str(&out), out.len);
        }
        text_free(&out);
    } else if (json_is_array(value)) {
        size_t i;
        json_t *item;
        json_array_foreach(value, i, item)
        {
            clean_value(item, key);
        }
    } else if (json_is_object(value)) {
        const char *name;
        json_t *item;
        json_object_foreach(value, name, item)
        {
            clean_value(item, name);
        }
    }
}

void clean_json(json_t *value)
{
    clean_value(value, NULL);
}
