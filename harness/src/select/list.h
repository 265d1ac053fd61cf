/* SPDX-License-Identifier: MIT */
/* --list: what would be run. */
#ifndef SELECT_LIST_H
#define SELECT_LIST_H

#include "vectors/variant.h"

#include <stdio.h>

/* One line for each: name, level, title, and what is lacking where it is not applicable. */
void list_text(FILE *to, const variants_t *variants);

/* A JSON array with an object for each. */
void list_json(FILE *to, const variants_t *variants);

#endif
