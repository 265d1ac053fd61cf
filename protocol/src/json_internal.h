/* SPDX-License-Identifier: MIT */
#ifndef PHX_JSON_INTERNAL_H
#define PHX_JSON_INTERNAL_H

#include "phx/json.h"

enum { JSON_MAX_ELEMENTS = 5 };

/* What one scan of a text finds out. */
typedef struct json_scan {
    phx_slice_t value;                       /* without the blanks around it */
    phx_slice_t elements[JSON_MAX_ELEMENTS]; /* the first values in an outermost array (or object) */
    size_t element_count;                    /* of `elements` */
    bool escapes;                            /* some string has an escape */
    bool repeated_keys;                      /* some object may have two equal keys */
} json_scan_t;

/* As phx_json_check; equal keys are looked for only if `watch_keys`. */
int json__scan(phx_slice_t text, bool watch_keys, json_scan_t *scan);

static inline bool json__is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The four hexadecimal digits at `p`, or a number above FFFF if there are none. */
uint32_t json__hex4(const char *p, const char *end);

/* All functions below take the strings of checked JSON, with their quotes. */

/* The end of the string that begins at `p`: behind its closing quote. */
const char *json__skip_string(const char *p, const char *end);

/* Writes the character that the escape at `*p` (its backslash) stands for and moves `*p` behind it. */
size_t json__unescape_one(const char **p, char out[4]);

/* Writes the characters of `string`, at most `string.len - 2` bytes, and returns the end of what it wrote. */
char *json__unescape(char *to, phx_slice_t string);

/* The length of the characters of `string`. */
size_t json__unescaped_len(phx_slice_t string);

/* Appends `string` spelled as phx_json_quote spells it; no spelling of the same characters is shorter. */
void json__requote(phx_buf_t *out, phx_slice_t string);

/* The length of `characters` as phx_json_quote writes them. `*utf8` becomes false if they are not UTF-8. */
size_t json__quoted_len(phx_slice_t characters, bool *utf8);

#endif
