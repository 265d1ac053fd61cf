/* SPDX-License-Identifier: MIT */
/* What a profile changes in what a case says: parameters its target wants to be told, answers it gives. */
#ifndef VECTORS_ADAPT_H
#define VECTORS_ADAPT_H

#include "net/http_message.h"
#include "vectors/vector.h"

/*
 * Changes a filled step in place: joins get the profile's parameters (what the case itself says stays), and
 * where the answer to a join of this case is expected to be {}, the profile's response is expected instead.
 */
void adapt_step(const profile_t *profile, const vector_case_t *c, json_t *filled);

/* Adds the profile's connect parameters to a target ("/socket/websocket?vsn=2.0.0"), but for those in it. */
void adapt_target(const profile_t *profile, text_t *target);

/* Adds the profile's headers, but for those that are there. */
void adapt_headers(const profile_t *profile, http_headers_t *headers);

/* Appends a string as a query has it. */
void query_escape(text_t *out, span_t string);

#endif
