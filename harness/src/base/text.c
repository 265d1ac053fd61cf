/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

span_t span_of(const char *string)
{
    return string ? (span_t){string, strlen(string)} : (span_t){NULL, 0};
}

bool span_equal(span_t a, span_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool span_is(span_t span, const char *string)
{
    return span_equal(span, span_of(string));
}

bool span_starts(span_t span, const char *prefix)
{
    size_t len = strlen(prefix);
    return span.len >= len && (len == 0 || memcmp(span.at, prefix, len) == 0);
}

span_t span_from(span_t span, size_t start)
{
    return start < span.len ? (span_t){span.at + start, span.len - start} : (span_t){NULL, 0};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

span_t span_trim(span_t span)
{
    while (span.len > 0 && is_blank(span.at[0])) {
        span.at++;
        span.len--;
    }
    while (span.len > 0 && is_blank(span.at[span.len - 1])) {
        span.len--;
    }
    return span;
}

bool word_listed(const char *const *words, const char *word)
{
    while (*words != NULL && strcmp(*words, word) != 0) {
        words++;
    }
    return *words != NULL;
}

bool span_next(span_t *rest, char separator, span_t *piece)
{
    if (rest->at == NULL) {
        return false;
    }
    const char *end = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
    if (end == NULL) {
        *piece = *rest;
        *rest = (span_t){NULL, 0};
        return true;
    }
    *piece = (span_t){rest->at, (size_t)(end - rest->at)};
    *rest = (span_t){end + 1, rest->len - piece->len - 1};
    return true;
}

void text_free(text_t *text)
{
    free(text->at);
    *text = (text_t){0};
}

void text_clear(text_t *text)
{
    text->len = 0;
    if (text->at != NULL) {
        text->at[0] = '\0';
    }
}

char *text_take(text_t *text)
{
    char *string = text->at ? text->at : mem_string("");
    *text = (text_t){0};
    return string;
}

const char *text_str(const text_t *text)
{
    return text->at ? text->at : "";
}

span_t text_span(const text_t *text)
{
    return (span_t){text->at, text->len};
}

static void reserve(text_t *text, size_t more)
{
    size_t needed = text->len + more + 1;
    if (needed > text->cap) {
        text->cap = needed > 2 * text->cap ? needed : 2 * text->cap;
        text->at = mem_grow(text->at, text->cap);
    }
}

void text_add(text_t *text, const void *bytes, size_t len)
{
    reserve(text, len);
    if (len > 0) {
        memcpy(text->at + text->len, bytes, len);
    }
    text->len += len;
    text->at[text->len] = '\0';
}

void text_span_add(text_t *text, span_t span)
{
    text_add(text, span.at, span.len);
}

void text_puts(text_t *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_putc(text_t *text, char byte)
{
    text_add(text, &byte, 1);
}

void text_fill(text_t *text, char byte, size_t count)
{
    reserve(text, count);
    memset(text->at + text->len, byte, count);
    text->len += count;
    text->at[text->len] = '\0';
}

void text_vprintf(text_t *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    if (len > 0) {
        reserve(text, (size_t)len);
        vsnprintf(text->at + text->len, (size_t)len + 1, format, again);
        text->len += (size_t)len;
    }
    va_end(again);
}

void text_printf(text_t *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_vprintf(text, format, arguments);
    va_end(arguments);
}

void text_drop(text_t *text, size_t count)
{
    if (count > 0) {
        memmove(text->at, text->at + count, text->len - count + 1);
        text->len -= count;
    }
}

static void show_byte(text_t *text, unsigned char byte)
{
    switch (byte) {
    case '\n':
        text_puts(text, "\\n");
        break;
    case '\r':
        text_puts(text, "\\r");
        break;
    case '\t':
        text_puts(text, "\\t");
        break;
    default:
        text_printf(text, "\\x%02x", byte);
    }
}

void text_show(text_t *text, span_t bytes, size_t limit)
{
    for (size_t i = 0; i < bytes.len;) {
        if (limit > 0 && i >= limit) {
            text_printf(text, "… (%zu bytes)", bytes.len);
            return;
        }
        unsigned char byte = (unsigned char)bytes.at[i];
        size_t len = byte < 0x20 || byte == 0x7f ? 0 : utf8_character(span_from(bytes, i));
        if (len > 0) {
            text_add(text, bytes.at + i, len);
        } else {
            show_byte(text, byte);
        }
        i += len > 0 ? len : 1;
    }
}

void text_shell_word(text_t *text, const char *word)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (word[0] != '\0' && word[strspn(word, harmless)] == '\0') {
        text_puts(text, word);
        return;
    }
    text_putc(text, '\'');
    for (; *word; word++) {
        if (*word == '\'') {
            text_puts(text, "'\\''");
        } else {
            text_putc(text, *word);
        }
    }
    text_putc(text, '\'');
}
