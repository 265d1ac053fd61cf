/* SPDX-License-Identifier: MIT */
/*
 * Whether what the target sent is what was recorded. Values are compared as values; what every server makes
 * up anew (tokens, phx_refs, the node's name, dates) by rule, not by text.
 *
 * All return true when they agree. When not, `identities` is as it was, and one line that says what differs
 * is appended to `why`, and a diff of both ("- " recorded, "+ " got) to `diff`; both may be NULL.
 */
#ifndef REPLAY_COMPARE_H
#define REPLAY_COMPARE_H

#include "judge/transcript.h"
#include "replay/identities.h"
#include "replay/recording.h"

/* Where the differences are put. */
typedef struct finding {
    text_t what; /* one line */
    text_t diff;
} finding_t;
void finding_free(finding_t *finding);

/* Frames and long-poll messages: opcode, reserved bits, message; close codes (the reason is free). */
bool compare_frame(const recorded_frame_t *recorded, const entry_t *got, identities_t *identities,
                   finding_t *finding);

/* The answer to an upgrade; `accept` is the Sec-WebSocket-Accept that belongs to the key that was sent. */
bool compare_handshake(const recorded_conn_t *recorded, const entry_t *got, const char *accept,
                       finding_t *finding);

/* An HTTP answer: status, headers that clients read, body; the messages of a poll only when `with_messages`.
 */
bool compare_answer(const recorded_exchange_t *recorded, const entry_t *got, bool with_messages,
                    identities_t *identities, finding_t *finding);

#endif
