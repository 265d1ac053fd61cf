/* SPDX-License-Identifier: MIT */
/*
 * A whole run: all variants on one loop, as many at once as allowed, every one with a verdict.
 * Every variant runs once. One that fails while the harness itself stood still for longer than the variant
 * can bear (race.h) has proven nothing, and ends as a harness error.
 */
#ifndef VECTORS_SUITE_H
#define VECTORS_SUITE_H

#include "vectors/case_run.h"

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

/*
 * Runs the plan (target->pace and ->heard are not read) on target->loop, which is run here and is empty again
 * afterwards. SIGINT and SIGTERM end it early: what is under way or still to come is not run. True when it
 * was not ended early.
 */
bool suite_run(const target_t *target, const variants_t *variants, const suite_options_t *options,
               suite_verdict_cb *verdict, void *ctx, suite_counts_t *counts);

#endif
