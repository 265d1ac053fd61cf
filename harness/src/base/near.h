/* SPDX-License-Identifier: MIT */
/* The known names most like one that is not known, for error messages. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include "base/text.h"

enum { NEAR_SHOWN = 3 };

/* Set `wanted`, leave the rest zero. Names are borrowed. */
typedef struct near_names {
    span_t wanted;
    struct {
        const char *name;
        size_t distance;
    } best[NEAR_SHOWN];
    size_t len;
} near_names_t;

/* Considers one known name; one that was considered before changes nothing. */
void near_add(near_names_t *near, const char *name);

/* Appends "; did you mean a, b or c? " or, when no name is like the wanted one, "; ". */
void near_write(text_t *out, const near_names_t *near);

#endif
