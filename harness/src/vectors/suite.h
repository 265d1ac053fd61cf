/* SPDX-License-Identifier: MIT */
/*
 * A whole run: all variants on one loop, as many at once as allowed, every one with a verdict.
 * Every variant runs once. One that fails while the harness itself stood still for longer than the variant
 * can bear (race.h) has proven nothing, and ends as a harness error.
 */
#ifndef VECTORS_SUITE_H
#define VECTORS_SUITE_H

#include "vectors/case_run.h"
#include "vectors/ledger.h"

/*
 * Runs the plan (target->pace and ->heard are not read) on target->loop, which is run here and is empty again
 * afterwards. SIGINT and SIGTERM end it early: what is under way or still to come is not run. True when it
 * was not ended early.
 */
bool suite_run(const target_t *target, const variants_t *variants, const suite_options_t *options,
               suite_verdict_cb *verdict, void *ctx, suite_counts_t *counts);

#endif
