/* SPDX-License-Identifier: MIT */
/*
 * Expected JSON against JSON that came. An expectation is a JSON value compared as it is, but for objects
 * whose keys begin with "$", the matchers (vectors/README.md describes each): $any  $type  $one_of  $not
 * $partial  $number  $list  $absent  $equals  $message, and $capture beside any of them.
 * {"$base64": …} is no matcher: it is how a binary payload is written.
 */
#ifndef VECTORS_MATCHER_H
#define VECTORS_MATCHER_H

#include "judge/message.h"

/* What matching depends on. */
typedef struct match_context {
    json_t *names;    /* object: what was captured; $capture adds to it when, and only when, the whole match
                         succeeds */
    vsn_t vsn;        /* how a $message is written */
    bool v1_join_ref; /* see view.h */
    bool v1_any_join_ref; /* in version 1.0.0 a message may have a join_ref, which is not looked at */
} match_context_t;

/*
 * Whether `actual` (NULL: nothing there) is what `expected` asks for. When not, and `why` is not NULL, the
 * first difference is appended: "payload.response.n: expected 1, got 2"; `where` names the root ("payload").
 */
bool matcher_match(const json_t *expected, const json_t *actual, const match_context_t *context,
                   const char *where, text_t *why);

/*
 * `expected` as far as `actual` differs from it, and `actual` where it does not: a diff of the result and
 * `actual` shows only what is wrong. A new reference.
 */
json_t *matcher_explain(const json_t *expected, const json_t *actual, const match_context_t *context);

/* Whether the matchers in an expectation are well formed; otherwise one line per flaw is appended to `error`.
 */
bool matcher_check(const json_t *expected, const jpath_t *path, text_t *error);

/* Adds the name of every $capture in `expected` to the object `names`. */
void matcher_captures(const json_t *expected, json_t *names);

/* Whether every $equals in `expected` names a key of `names`; otherwise one line per flaw is appended to
 * `error`. */
bool matcher_equals_known(const json_t *expected, const json_t *names, const jpath_t *path, text_t *error);

/* Whether an object is a matcher, and not a value to be compared. */
bool matcher_is(const json_t *value);

#endif
