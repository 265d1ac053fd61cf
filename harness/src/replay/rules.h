/* SPDX-License-Identifier: MIT */
/*
 * What repeated runs of one server differed in, as data: vectors/recorded/varies.json. A recording without a
 * rule is judged by what it says and nothing else.
 *
 *   {"varies": 1, "rules": [RULE, …]}
 *   RULE     {"scenario": GLOB, "why": TEXT,
 *             "free": [PATTERN, …]       such messages keep their order among themselves, not with others
 *             "optional": [PATTERN, …]   such messages may be missing, or come though they were not recorded
 *             "ends": [{"conn": NAME, "codes": [N, …]}]   the connection may end without a close frame, or
 * with one of these codes, whichever was recorded "empty_polls": "free"      a poll that was answered 204 may
 * have brought the messages that were recorded behind it, and the other way round "posts": {"until": 410,
 * "windows": [1.5, 3]}}   a run of POSTs goes on until one is answered so, which is to be so many poll
 * windows after the last poll PATTERN  {"conn", "join_ref", "ref", "topic", "event"}: what is there must be
 * equal; "payload": the keys that are there must be equal
 */
#ifndef REPLAY_RULES_H
#define REPLAY_RULES_H

#include "judge/message.h"

typedef struct rules rules_t;

/* NULL and a message for people when the file cannot be read or says what it may not. */
rules_t *rules_load(const char *path, text_t *error);
/* Rules that allow nothing. */
rules_t *rules_none(void);
void rules_free(rules_t *rules);

bool rules_free_order(const rules_t *rules, const char *scenario, const char *conn, const message_t *message);
bool rules_optional(const rules_t *rules, const char *scenario, const char *conn, const message_t *message);
bool rules_empty_polls_free(const rules_t *rules, const char *scenario);

/* Whether a rule lets this connection end as it likes; *code_allowed: also with a close frame of this code.
 */
bool rules_end(const rules_t *rules, const char *scenario, const char *conn, unsigned code,
               bool *code_allowed);

/* The rule "posts": false when there is none. */
bool rules_posts(const rules_t *rules, const char *scenario, int *until, double *first_window,
                 double *last_window);

#endif
