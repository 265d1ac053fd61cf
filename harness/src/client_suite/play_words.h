/* SPDX-License-Identifier: MIT */
/* A step of a case for clients in plain words. */
#ifndef CLIENT_SUITE_PLAY_WORDS_H
#define CLIENT_SUITE_PLAY_WORDS_H

#include "base/jvalue.h"

/* Appends a step, filled or as the file has it, in one line. What has no words here is appended as JSON. */
void play_words(text_t *out, const json_t *step);

#endif
