/* SPDX-License-Identifier: MIT */
/*
 * Messages in vectors are five fields as version 2.0.0 has them. On a 1.0.0 connection
 *   - join_ref is not sent (with v1_join_ref: it is, unless null), and nothing that comes has one (V1-03);
 *   - phx_close and phx_error carry as ref the join_ref of the join, or null where it had none (V1-06).
 */
#ifndef VECTORS_VIEW_H
#define VECTORS_VIEW_H

#include "vectors/matcher.h"

/* The message a vector writes as [join_ref, ref, topic, event, payload], as it is sent. References are
 * counted up; release with message_free. */
message_t view_to_send(const json_t *five, vsn_t vsn, bool v1_join_ref);

/* Whether `message` is what the five expected fields ask for; otherwise appends the first difference to `why`
 * (may be NULL). */
bool view_match(const json_t *five, const message_t *message, const match_context_t *context, text_t *why);

/* The five expected fields as this connection would show them, and what came, for a diff: see
 * matcher_explain. `expected` and `got` are appended to. `message` NULL: nothing came. */
void view_diff(const json_t *five, const message_t *message, const match_context_t *context, text_t *expected,
               text_t *got);

#endif
