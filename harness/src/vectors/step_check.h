/* SPDX-License-Identifier: MIT */
/* What the steps of a case may say: members, their types, and names that must be known where they are used.
 */
#ifndef VECTORS_STEP_CHECK_H
#define VECTORS_STEP_CHECK_H

#include "vectors/vector.h"

/*
 * Checks the steps of `c` (its id, transports and vsns are read) and enters them into c->steps.
 * False and "FILE: case ID, step N (verb): …" lines appended to `error`.
 */
bool steps_check(vector_case_t *c, const json_t *steps, text_t *error);

#endif
