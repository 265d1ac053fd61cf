/* SPDX-License-Identifier: MIT */
/*
 * A run of many variants, as far as it does not matter what they are run against: each variant of the plan
 * gets one verdict, reported in the order of the plan as soon as all before it have theirs. SIGINT, SIGTERM
 * and the deadline of the run end it early; what has no verdict then is not run.
 */
#ifndef VECTORS_LEDGER_H
#define VECTORS_LEDGER_H

#include "vectors/pace.h"
#include "vectors/verdict.h"

typedef struct suite_options {
    size_t jobs;        /* variants under way at once, at least 1 */
    double deadline_ms; /* of the whole run: what is not over by then is not run */
    /* Sees each result before it is counted and reported, and may say that it was expected; or NULL. */
    void (*appraise)(void *ctx, const variant_t *variant, case_result_t *result);
    /* Called when a variant begins; or NULL. */
    void (*started)(void *ctx, const variant_t *variant);
} suite_options_t;

typedef struct suite_counts {
    size_t planned, by[VERDICTS];
    size_t tolerated; /* of those that failed, see case_result_t */
    size_t unclean;   /* how many closed their connections otherwise than clean */
} suite_counts_t;

/* Whether every variant that was planned was counted once. */
bool suite_counts_add_up(const suite_counts_t *counts);

/* Called for every variant, in the order of the plan. */
typedef void suite_verdict_cb(void *ctx, const variant_t *variant, const case_result_t *result);

typedef struct ledger ledger_t;

/* Who runs the variants. */
typedef struct ledger_owner {
    uv_loop_t *loop;
    const suite_options_t *options;
    suite_verdict_cb *verdict;
    void *ctx; /* of the callbacks above */
    /* The run was ended early and has all its verdicts: the owner lets go of what is under way. */
    void (*ended)(void *owner);
    void *owner;
} ledger_owner_t;

/* Begins to watch for signals, the deadline, and where the harness stands still. What is not applicable has
 * its verdict then. Owned by the caller; `owner` is copied, the rest borrowed. */
ledger_t *ledger_open(const ledger_owner_t *owner, const variants_t *plan, suite_counts_t *counts);

const pace_t *ledger_pace(const ledger_t *ledger);

/* Why the run was ended early; NULL: it was not. */
const char *ledger_ended(const ledger_t *ledger);

/* The variant begins; what makes its topics differ from those of any other is appended to `unique`. */
void ledger_begin(ledger_t *ledger, size_t index, text_t *unique);

/* The variant is over; the result is the ledger's then. */
void ledger_settle(ledger_t *ledger, size_t index, case_result_t *result);

/* Ends the run early; `why` is copied. */
void ledger_end(ledger_t *ledger, const char *why);

/* Nothing is left to do: the loop is not kept from ending any more. May be called again. */
void ledger_rest(ledger_t *ledger);

/* After the loop has ended. */
void ledger_free(ledger_t *ledger);

#endif
