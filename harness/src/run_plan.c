/* SPDX-License-Identifier: MIT */
#include "run_plan.h"

#include "commands.h"
#include "net/deadline.h"
#include "report/live.h"
#include "select/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Where the results go; borrowed. */
typedef struct outputs {
    appraisal_t *appraisal;
    live_t *live;
} outputs_t;

static void on_result(void *ctx, const variant_t *variant, case_result_t *result)
{
    appraisal_judge(((outputs_t *)ctx)->appraisal, variant, result);
}

static void on_started(void *ctx, const variant_t *variant)
{
    live_started(((outputs_t *)ctx)->live, variant);
}

static void on_verdict(void *ctx, const variant_t *variant, const case_result_t *result)
{
    live_verdict(((outputs_t *)ctx)->live, variant, result);
}

static int exit_code(const char *command, const char *target, const suite_counts_t *counts, bool complete)
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

static bool read_expectations(const char *path, bool update, expectations_t *file, text_t *error)
{
    if (!path) {
        return true;
    }
    if (update && !expectations_can_rewrite(path, error)) { /* better known before the run than behind it */
        return false;
    }
    if (update && access(path, F_OK) != 0) {
        expectations_begin(path, file);
        return true;
    }
    return command_file("expect", path, error) && expectations_load(path, file, error);
}

static bool update_expectations(const char *command, const expectations_t *file, const appraisal_t *appraisal,
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

/* What a profile says and nothing comes of. */
static void note_profile(text_t *notes, const profile_t *profile, const variants_t *all)
{
    for (size_t i = 0; i < profile->divergence_count; i++) {
        const divergence_t *divergence = &profile->divergences[i];
        size_t at = 0;
        while (at < all->len && !divergence_matches(divergence, all->at[at].c->id, all->at[at].name)) {
            at++;
        }
        if (at == all->len) {
            text_printf(notes, "profile %s: divergences[%zu], %s: it matches no case\n", profile->name, i,
                        divergence->pattern);
        }
    }
    if (profile_is_newer(profile)) {
        text_printf(notes, "the rules of Phoenix %s are not known: those of " PHOENIX_NEWEST " are applied\n",
                    profile->phoenix);
    }
}

bool run_plan_make(run_plan_t *plan, const char *command, const run_options_t *options)
{
    text_t error = {0}, notes = {0};
    const vectors_t *vectors = &plan->files.vectors;
    bool good = read_expectations(options->expect, options->update, &plan->expectations, &error);
    if (good) {
        variants_expand(&plan->all, vectors, &plan->profile);
        note_profile(&notes, &plan->profile, &plan->all);
        plan->appraisal = appraisal_new(&plan->all, vectors, options->expect ? &plan->expectations : NULL,
                                        options->strict, &notes, &error);
        good = selection_apply(&options->selection, vectors, &plan->all, &plan->chosen, &notes, &error) &&
               plan->appraisal;
    }
    command_complain(command, &error);
    command_complain(command, &notes);
    return good;
}

void run_plan_list(const run_plan_t *plan, const run_options_t *options)
{
    (options->json ? list_json : list_text)(stdout, &plan->chosen);
}

int run_plan_run(run_plan_t *plan, const run_options_t *options, const run_target_t *target)
{
    suite_options_t suite = {(size_t)options->jobs, (double)options->deadline_s * 1000, on_result,
                             on_started};
    run_about_t about = {text_str(&options->command), text_str(&options->rerun), target->name,
                         &plan->profile};
    outputs_t outputs = {plan->appraisal,
                         live_new(options->report, &about, &plan->chosen, plan->files.requirements)};
    suite_counts_t counts;
    text_t error = {0};
    double began = clock_ms();
    bool complete = target->run(target->ctx, &suite, &plan->chosen, on_verdict, &outputs, &counts);
    int code = exit_code(target->command, target->excuse, &counts, complete);
    run_ending_t ending = {&counts, complete, code, clock_ms() - began};
    bool told = live_end(outputs.live, &ending, &error);
    command_complain(target->command, &error);
    if (!told || (options->update && !update_expectations(target->command, &plan->expectations,
                                                          plan->appraisal, &counts, complete))) {
        return EXIT_HARNESS;
    }
    return code;
}

void run_plan_free(run_plan_t *plan)
{
    appraisal_free(plan->appraisal);
    free(plan->chosen.at);
    variants_free(&plan->all);
    expectations_free(&plan->expectations);
    suite_files_free(&plan->files);
    profile_free(&plan->profile);
}
