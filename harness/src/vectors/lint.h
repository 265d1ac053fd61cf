/* SPDX-License-Identifier: MIT */
/* What makes a case worthless although it can be run. */
#ifndef VECTORS_LINT_H
#define VECTORS_LINT_H

#include "vectors/vector.h"

/*
 * Appends one line per flaw, "FILE: case ID, step 3 (expect): what, and the way out", and gives their number:
 * no positive control; something sent last, that nothing judges; captures and exchanges nobody reads; an
 * "allow" without a reason; a level above that of every requirement cited. `requirements` is an object by id.
 */
size_t lint_case(const vector_case_t *c, const json_t *requirements, text_t *out);

#endif
