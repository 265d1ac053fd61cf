/* SPDX-License-Identifier: MIT */
/*
 * JSON as text: checked once, then sliced, never built into values.
 *
 * A message's refs and payload go back as they came: integers of any size, the type of a ref, the first of
 * two equal keys (MSG-02, MSG-06). A value library would lose those, and the copy costs more than the
 * message.
 */
#ifndef PHX_JSON_H
#define PHX_JSON_H

#include "phx/bytes.h"

#pragma GCC visibility push(default)

typedef enum phx_json_kind {
    PHX_JSON_NULL,
    PHX_JSON_BOOL,
    PHX_JSON_NUMBER,
    PHX_JSON_STRING,
    PHX_JSON_ARRAY,
    PHX_JSON_OBJECT,
} phx_json_kind_t;

/*
 * Checks that `text` is one JSON value (RFC 8259, UTF-8, no lone surrogate escapes) with optional blanks
 * around it; nesting is limited by memory only. On success `*value` is the value without those blanks
 * (borrowed from `text`) and `*repeated_keys`, when not NULL, says whether some object may have two equal
 * keys. Returns 0, PHX_EJSON, PHX_ENOMEM.
 */
int phx_json_check(phx_slice_t text, phx_slice_t *value, bool *repeated_keys);

/*
 * Appends checked `value` to `out` with only the first of equal keys kept in every object.
 * Returns 0, PHX_ENOMEM.
 */
int phx_json_unique_keys(phx_slice_t value, phx_buf_t *out);

/* All functions below take checked values: slices that phx_json_check or one of them gave. */

phx_json_kind_t phx_json_kind(phx_slice_t value);

/* Walks an array or object: start with `*cursor` = 0; returns false at the end. `key` is the string with its
 * quotes; NULL for arrays. Blanks are left out of the slices. */
bool phx_json_next(phx_slice_t container, size_t *cursor, phx_slice_t *key, phx_slice_t *value);

/* The member of `object` named `key` (UTF-8, unescaped), the first of several; false if there is none or
 * `object` is no object. */
bool phx_json_member(phx_slice_t object, const char *key, phx_slice_t *value);

/*
 * The characters of a string value, unescaped: borrowed from `value` where it has no escapes, else from
 * `scratch`, which is cleared first. Returns 0, PHX_EJSON (not a string), PHX_ENOMEM.
 */
int phx_json_string(phx_slice_t value, phx_buf_t *scratch, phx_slice_t *characters);

/* True if `value` is a string and its characters are those of `text`. */
bool phx_json_is(phx_slice_t value, const char *text);

/* An integer value within `[0, max]`; false for anything else. */
bool phx_json_uint(phx_slice_t value, uint64_t max, uint64_t *number);

/* Appends `characters` (UTF-8) as a JSON string with its quotes. */
void phx_json_quote(phx_buf_t *out, phx_slice_t characters);

/* True if the bytes are UTF-8 (RFC 3629). */
bool phx_utf8_valid(phx_slice_t bytes);

#pragma GCC visibility pop

#endif
