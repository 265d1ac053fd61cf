/* SPDX-License-Identifier: MIT */
/* A diff of two texts by lines, for people. */
#ifndef BASE_DIFF_H
#define BASE_DIFF_H

#include "base/text.h"

/*
 * Appends the lines of both texts: "  " before lines both have, "- " before those only `expected` has, "+ "
 * before those only `got` has; runs of more than 6 common lines are shortened to "  …". Every line is put
 * behind `indent`. Long lines are cut around their first difference. Texts over 2 000 lines are compared at
 * their ends only.
 */
void diff_lines(text_t *out, span_t expected, span_t got, const char *indent);

#endif
