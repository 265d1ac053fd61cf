/* SPDX-License-Identifier: MIT */
#include "run_end.h"

#include "commands.h"

#include <stdio.h>
#include <unistd.h>

void outputs_appraise(void *ctx, const variant_t *variant, case_result_t *result)
{
    appraisal_judge(((outputs_t *)ctx)->appraisal, variant, result);
}

void outputs_started(void *ctx, const variant_t *variant)
{
    live_started(((outputs_t *)ctx)->live, variant);
}

void outputs_verdict(void *ctx, const variant_t *variant, const case_result_t *result)
{
    live_verdict(((outputs_t *)ctx)->live, variant, result);
}

int run_exit_code(const char *command, const char *target, const suite_counts_t *counts, bool complete)
{
    if (!suite_counts_add_up(counts) || counts->by[VERDICT_HARNESS_ERROR] > 0) {
        return EXIT_HARNESS;
    }
    if (counts->by[VERDICT_FAIL] > counts->tolerated || counts->by[VERDICT_UNEXPECTED_PASS] > 0) {
        return EXIT_FAILED;
    }
    if (!complete || counts->by[VERDICT_NOT_RUN] > 0) {
        return EXIT_HARNESS;
    }
    if (counts->by[VERDICT_NOT_APPLICABLE] == counts->planned) {
        fprintf(stderr, "phxspec %s: no selected case applies to %s\n", command, target);
        return EXIT_USE;
    }
    return EXIT_AGREED;
}

bool run_read_expectations(const char *path, bool update, expectations_t *file, text_t *error)
{
    if (!path) {
        return true;
    }
    if (update && access(path, F_OK) != 0) {
        expectations_begin(path, file);
        return true;
    }
    return expectations_load(path, file, error);
}

bool run_update_expectations(const char *command, const expectations_t *file, const appraisal_t *appraisal,
                             const suite_counts_t *counts, bool complete)
{
    if (!complete || !suite_counts_add_up(counts) || counts->by[VERDICT_HARNESS_ERROR] > 0 ||
        counts->by[VERDICT_NOT_RUN] > 0) {
        fprintf(stderr, "phxspec %s: %s is left as it is: this run was not complete, or had harness errors\n",
                command, file->path);
        return false;
    }
    text_t error = {0};
    appraisal_update_t update;
    json_t *entries = appraisal_update(appraisal, &update);
    bool written = expectations_rewrite(file, entries, &error);
    json_decref(entries);
    if (!written) {
        return command_complain(command, &error);
    }
    fprintf(stderr, "phxspec %s: %s: entries: %zu kept, %zu narrowed, %zu dropped, %zu added%s\n", command,
            file->path, update.kept, update.narrowed, update.dropped, update.added,
            update.added ? "; write their reasons" : "");
    return true;
}
