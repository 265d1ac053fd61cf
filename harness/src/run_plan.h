/* SPDX-License-Identifier: MIT */
/* What phxspec server and phxspec client have in common: which variants are run, what is expected of them,
 * and the run itself. */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include "run_options.h"
#include "select/appraisal.h"
#include "select/suite_files.h"
#include "vectors/ledger.h"

/* Zero-initialise; release with run_plan_free. */
typedef struct run_plan {
    suite_files_t files;
    profile_t profile;
    expectations_t expectations;
    variants_t all, chosen; /* the latter borrow from the former */
    appraisal_t *appraisal;
} run_plan_t;

/* Expands the cases of `files` for the profile, and selects. False when that cannot be; whatever there is to
 * say was said on stderr. */
bool run_plan_make(run_plan_t *plan, const char *command, const run_options_t *options);

/* Writes what would be run to stdout. */
void run_plan_list(const run_plan_t *plan, const run_options_t *options);

/* Runs the variants, as suite_run and pool_run do. */
typedef bool run_suite_cb(void *ctx, const suite_options_t *options, const variants_t *variants,
                          suite_verdict_cb *verdict, void *verdict_ctx, suite_counts_t *counts);

typedef struct run_target {
    const char *command, *name; /* "server"; what is tested */
    const char *excuse;         /* "this profile": what nothing applied to, then */
    run_suite_cb *run;
    void *ctx;
} run_target_t;

/* Runs the plan, reports, writes expectations anew if asked to; the exit code. The report is open. */
int run_plan_run(run_plan_t *plan, const run_options_t *options, const run_target_t *target);

void run_plan_free(run_plan_t *plan);

#endif
