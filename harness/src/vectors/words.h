/* SPDX-License-Identifier: MIT */
/* Steps and what they expect, in plain words: a must get the reply "ok" on the topic with {"n":1}, within 2
 * s. */
#ifndef VECTORS_WORDS_H
#define VECTORS_WORDS_H

#include "vectors/vector.h"

/* Appends a step, filled (template.h) or as the file has it, in one line, with how long it waits. A member
 * that has no words here is appended as JSON: nothing that a step says is left out. */
void words_step(text_t *out, verb_t verb, const json_t *step, double patience_ms);

/* Appends a value that is sent or expected, matchers in words. */
void words_value(text_t *out, const json_t *value);

/* Appends a message: the reply "ok" on the topic with {"n":1} (join_ref "1", ref "2"). */
void words_message(text_t *out, const json_t *five);

#endif
