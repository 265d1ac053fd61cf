/* SPDX-License-Identifier: MIT */
/* Borrowed bytes (span_t) and a growing buffer that owns its bytes (text_t). */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes that belong to someone else; may contain NUL. {NULL, 0} is the empty span. */
typedef struct span {
    const char *at;
    size_t len;
} span_t;

#define SPAN(literal) ((span_t){"" literal, sizeof(literal) - 1})

span_t span_of(const char *string); /* NULL gives the empty span */
bool span_equal(span_t a, span_t b);
bool span_is(span_t span, const char *string);
bool span_starts(span_t span, const char *prefix);
span_t span_from(span_t span, size_t start); /* from `start` to the end; empty when start is past it */
span_t span_trim(span_t span);               /* without blanks, tabs, CR and LF on both sides */
/* The bytes up to `separator`, which `rest` is moved past; false when nothing is left. rest->at becomes NULL
 * behind the last piece, so that "a," has the pieces "a" and "". */
bool span_next(span_t *rest, char separator, span_t *piece);

/* Whether a word is in a NULL-ended list. */
bool word_listed(const char *const *words, const char *word);

/* Zero-initialise; release with text_free. `at` is NULL while empty, else `at[len]` is always 0. */
typedef struct text {
    char *at;
    size_t len, cap;
} text_t;

void text_free(text_t *text);  /* releases and zeroes */
void text_clear(text_t *text); /* length 0, memory kept */
char *text_take(text_t *text); /* the string, owned by the caller ("" when empty); the text is zeroed */
const char *text_str(const text_t *text); /* borrowed, never NULL */
span_t text_span(const text_t *text);     /* borrowed */

void text_add(text_t *text, const void *bytes, size_t len);
void text_span_add(text_t *text, span_t span);
void text_puts(text_t *text, const char *string);
void text_putc(text_t *text, char byte);
void text_fill(text_t *text, char byte, size_t count);
void text_printf(text_t *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(text_t *text, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
void text_drop(text_t *text, size_t count); /* removes the first `count` bytes */

/*
 * Adds `bytes` so that a person can read them on one line: UTF-8 as it is, control characters and other bytes
 * as \n, \t, \xNN. Longer than `limit` bytes: the first ones, then "… (N bytes)". limit 0: all.
 */
void text_show(text_t *text, span_t bytes, size_t limit);

/* Adds a word for a POSIX shell: as it is when harmless, else in single quotes. */
void text_shell_word(text_t *text, const char *word);

#endif
