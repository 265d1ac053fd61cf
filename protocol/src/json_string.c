/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "json_internal.h"
#include "phx/error.h"
#include "utf8.h"

uint32_t json__hex4(const char *p, const char *end)
{
    if (end - p < 4) {
        return UINT32_MAX;
    }
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        const char c = p[i];
        const char letter = (char)(c | 0x20);
        if (c >= '0' && c <= '9') {
            value = value << 4 | (uint32_t)(c - '0');
        } else if (letter >= 'a' && letter <= 'f') {
            value = value << 4 | (uint32_t)(letter - 'a' + 10);
        } else {
            return UINT32_MAX;
        }
    }
    return value;
}

const char *json__skip_string(const char *p, const char *end)
{
    p++;
    while (p < end) {
        if (end - p >= 8) {
            const uint64_t marks = utf8__quote_or_backslash(utf8__load((const uint8_t *)p));
            if (marks == 0) {
                p += 8;
                continue;
            }
            p += utf8__before(marks);
        }
        if (*p == '"') {
            return p + 1;
        }
        p += *p == '\\' ? 2 : 1;
    }
    return end;
}

size_t json__unescape_one(const char **p, char out[4])
{
    const char *escape = *p;
    *p += 2;
    switch (escape[1]) {
    case 'b':
        out[0] = '\b';
        return 1;
    case 'f':
        out[0] = '\f';
        return 1;
    case 'n':
        out[0] = '\n';
        return 1;
    case 'r':
        out[0] = '\r';
        return 1;
    case 't':
        out[0] = '\t';
        return 1;
    case 'u':
        break;
    default: /* quote, backslash, slash */
        out[0] = escape[1];
        return 1;
    }
    uint32_t code_point = json__hex4(*p, *p + 4);
    *p += 4;
    if (code_point >= 0xD800 && code_point <= 0xDFFF) {
        const uint32_t low = json__hex4(*p + 2, *p + 6);
        *p += 6;
        code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
    }
    return utf8__encode(out, code_point);
}

/* Where the run of characters at `p` ends that stand for themselves: at a backslash or at `end`. */
static const char *run_end(const char *p, const char *end)
{
    const char *backslash = memchr(p, '\\', (size_t)(end - p));
    return backslash != NULL ? backslash : end;
}

char *json__unescape(char *to, phx_slice_t string)
{
    const char *p = string.data + 1;
    const char *end = string.data + string.len - 1;
    while (p < end) {
        const size_t run = (size_t)(run_end(p, end) - p);
        memcpy(to, p, run);
        to += run;
        p += run;
        if (p < end) {
            to += json__unescape_one(&p, to);
        }
    }
    return to;
}

size_t json__unescaped_len(phx_slice_t string)
{
    const char *p = string.data + 1;
    const char *end = string.data + string.len - 1;
    size_t len = 0;
    while (p < end) {
        const char *run = run_end(p, end);
        len += (size_t)(run - p);
        p = run;
        if (p < end) {
            char character[4];
            len += json__unescape_one(&p, character);
        }
    }
    return len;
}

int phx_json_string(phx_slice_t value, phx_buf_t *scratch, phx_slice_t *characters)
{
    if (value.len < 2 || value.data[0] != '"') {
        return PHX_EJSON;
    }
    if (memchr(value.data, '\\', value.len) == NULL) {
        *characters = (phx_slice_t){value.data + 1, value.len - 2};
        return PHX_OK;
    }
    phx_buf_clear(scratch);
    if (!phx_buf_reserve(scratch, value.len)) {
        return PHX_ENOMEM;
    }
    scratch->len = (size_t)(json__unescape(scratch->data, value) - scratch->data);
    *characters = phx_buf_slice(scratch);
    return PHX_OK;
}

bool phx_json_is(phx_slice_t value, const char *text)
{
    if (value.len < 2 || value.data[0] != '"') {
        return false;
    }
    const char *p = value.data + 1;
    const char *end = value.data + value.len - 1;
    while (p < end) {
        char character[4];
        size_t len = 1;
        if (*p == '\\') {
            len = json__unescape_one(&p, character);
        } else {
            character[0] = *p++;
        }
        if (strncmp(text, character, len) != 0 || character[0] == '\0') {
            return false;
        }
        text += len;
    }
    return *text == '\0';
}

/* What a byte below 0x20, a quote or a backslash is written as. Returns its length. */
static size_t escape(char out[6], uint8_t byte)
{
    static const char letters[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    static const char hex[] = "0123456789ABCDEF";
    const char letter = (char)(byte < 0x20 ? letters[byte] : byte);
    out[0] = '\\';
    if (letter != 0) {
        out[1] = letter;
        return 2;
    }
    out[1] = 'u';
    out[2] = '0';
    out[3] = '0';
    out[4] = hex[byte >> 4];
    out[5] = hex[byte & 0x0F];
    return 6;
}

static bool needs_escape(uint8_t byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

static void append_escaped(phx_buf_t *out, phx_slice_t characters)
{
    if (characters.len == 0) {
        return;
    }
    const uint8_t *p = (const uint8_t *)characters.data;
    const uint8_t *end = p + characters.len;
    while (p < end) {
        const uint8_t *run = p;
        while (p < end && !needs_escape(*p)) {
            p++;
        }
        phx_buf_append(out, run, (size_t)(p - run));
        if (p < end) {
            char escaped[6];
            phx_buf_append(out, escaped, escape(escaped, *p));
            p++;
        }
    }
}

void phx_json_quote(phx_buf_t *out, phx_slice_t characters)
{
    phx_buf_append_byte(out, '"');
    append_escaped(out, characters);
    phx_buf_append_byte(out, '"');
}

size_t json__quoted_len(phx_slice_t characters, bool *utf8)
{
    if (characters.len == 0) {
        return 2;
    }
    const uint8_t *p = (const uint8_t *)characters.data;
    const uint8_t *end = p + characters.len;
    size_t len = characters.len + 2;
    while (p < end) {
        if (end - p >= 8 && utf8__not_plain(utf8__load(p)) == 0) {
            p += 8;
            continue;
        }
        if (needs_escape(*p)) {
            char escaped[6];
            len += escape(escaped, *p) - 1;
        }
        const size_t sequence = utf8__sequence(p, end);
        *utf8 = *utf8 && sequence > 0;
        p += sequence > 0 ? sequence : 1;
    }
    return len;
}

void json__requote(phx_buf_t *out, phx_slice_t string)
{
    const char *p = string.data + 1;
    const char *end = string.data + string.len - 1;
    phx_buf_append_byte(out, '"');
    while (p < end) {
        const char *run = run_end(p, end);
        phx_buf_append(out, p, (size_t)(run - p));
        p = run;
        if (p < end) {
            char character[4];
            append_escaped(out, (phx_slice_t){character, json__unescape_one(&p, character)});
        }
    }
    phx_buf_append_byte(out, '"');
}
