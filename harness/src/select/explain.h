/* SPDX-License-Identifier: MIT */
/* What a case or a requirement is about, for people. */
#ifndef SELECT_EXPLAIN_H
#define SELECT_EXPLAIN_H

#include "select/recorded.h"
#include "select/suite_files.h"

/*
 * The parts are the cases for servers and those for others. Appends what there is to say about a case (by its
 * id, a former id, or the name of a variant) or a requirement. False, and a message with near misses appended
 * to `error`, when there is neither of this name.
 */
bool explain(text_t *out, const suite_files_t *parts, size_t count, const recorded_t *recorded,
             const char *id, text_t *error);

#endif
