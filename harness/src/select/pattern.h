/* SPDX-License-Identifier: MIT */
/*
 * How --run, --skip and the entries of an expectations file name cases and their variants:
 *     join  join.ok  join.ok/ws  join.ok/ws/v2   a group, a case, its variants of one transport, one variant
 *     join.*  *.push-null  *\/lp/v2               a glob on the last three of these; * stands for / and . too
 *     tag:GLOB  req:GLOB  group:GLOB  level:GLOB  what the case says of itself
 * A case goes by its former ids, too.
 */
#ifndef SELECT_PATTERN_H
#define SELECT_PATTERN_H

#include "base/near.h"
#include "vectors/variant.h"

bool pattern_matches(const char *pattern, const variant_t *variant);

/* The id of today when the pattern is a former id of the case; otherwise NULL. */
const char *pattern_renamed(const char *pattern, const vector_case_t *c);

/* Appends "; did you mean …? " or "; ", see near.h, with what there is in the vectors. */
void pattern_near_misses(text_t *out, const char *pattern, const vectors_t *vectors);

/* Considers every name a case goes by, for near misses of ids. */
void pattern_near_cases(near_names_t *near, const vectors_t *vectors);

#endif
