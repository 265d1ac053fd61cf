/* SPDX-License-Identifier: MIT */
/* What phxspec server and phxspec client have in common around a run: where its results go, and how it ends.
 */
#ifndef RUN_END_H
#define RUN_END_H

#include "report/live.h"
#include "select/appraisal.h"

/* Where the results go; borrowed. The functions below are for a suite, with this as their `ctx`. */
typedef struct outputs {
    appraisal_t *appraisal;
    live_t *live;
} outputs_t;

void outputs_appraise(void *ctx, const variant_t *variant, case_result_t *result);
void outputs_started(void *ctx, const variant_t *variant);
void outputs_verdict(void *ctx, const variant_t *variant, const case_result_t *result);

/* The exit code of a run; when nothing of it applied to `target` ("this profile"), that is said on stderr. */
int run_exit_code(const char *command, const char *target, const suite_counts_t *counts, bool complete);

/* The file of expectations: none without a path, one to be begun where it is to be updated and is not there.
 * False and messages when it cannot be read. */
bool run_read_expectations(const char *path, bool update, expectations_t *file, text_t *error);

/* Writes the expectations anew, and tells what changed on stderr. A run that has not judged everything says
 * nothing about them: false then. */
bool run_update_expectations(const char *command, const expectations_t *file, const appraisal_t *appraisal,
                             const suite_counts_t *counts, bool complete);

#endif
