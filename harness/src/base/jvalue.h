/* SPDX-License-Identifier: MIT */
/*
 * JSON values over jansson, compared as values.
 *
 * jansson holds 64-bit integers and doubles, and nests 2048 deep at most. A peer may send more. What jansson
 * cannot hold is carried as a *tagged string*: a NUL character followed by the JSON text itself. Strings of
 * the peer that begin with NUL get one more NUL in front, so that nothing is mistaken for a tag. Tagged are
 *   - integers beyond 64 bits and reals beyond a double: compared as exact decimals;
 *   - arrays and objects that stand 1000 levels deep: equal when their texts are, blanks aside.
 * The functions here know of tags; strings that do not begin with NUL are never touched.
 */
#ifndef BASE_JVALUE_H
#define BASE_JVALUE_H

#include "base/text.h"

#include <jansson.h>

/* Any JSON value (not only arrays and objects); of equal keys the last counts, as everywhere in jansson.
 * Returns a new reference, or NULL and, if `error` is not NULL, appends why and where ("line 3, column 7:
 * …"). */
json_t *jvalue_parse(span_t text, text_t *error);

/*
 * The JSON value in a file of ours (a vector, a profile): equal keys in one object are an error, too.
 * Returns a new reference, or NULL and appends "path:line:column: what is wrong" to `error`.
 */
json_t *jvalue_parse_file(const char *path, text_t *error);

/* Equal as JSON values: 1, 1.0 and 1e0 are equal, -0 is 0, the order of keys does not matter; "1" is not 1.
 * NULL equals NULL only. */
bool jvalue_equal(const json_t *a, const json_t *b);

/* A string, whatever it begins with; a new reference, or NULL when it is not UTF-8. */
json_t *jvalue_string(span_t string);

/* The bytes of a string value, whatever they begin with; borrowed. Empty for other values. */
span_t jvalue_bytes(const json_t *string);

/* Appends the value in one spelling: keys sorted by bytes, no blanks, "/" not escaped, UTF-8 not escaped;
 * tags become what they carry. NULL is written as `absent`. */
void jvalue_write(text_t *out, const json_t *value);

/* The same over several lines, two blanks per level, for diffs; arrays and objects without an array or object
 * inside stay on one line when that is at most `width` characters long. */
void jvalue_pretty(text_t *out, const json_t *value, size_t width);

/* One word for the type: "null", "boolean", "number", "string", "array", "object", "absent" for NULL. */
const char *jvalue_type(const json_t *value);

/* For error messages about files: appends where in a value a thing is, "cases[3].steps[1].expect". */
typedef struct jpath {
    const struct jpath *parent; /* NULL at the root */
    const char *key;            /* NULL: `index` counts */
    size_t index;
} jpath_t;
void jpath_write(text_t *out, const jpath_t *path);

#endif
