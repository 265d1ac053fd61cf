/* SPDX-License-Identifier: MIT */
/* phxspec server: the vectors against a server. */
#include "commands.h"
#include "run_end.h"

#include "net/deadline.h"
#include "report/live.h"
#include "select/appraisal.h"
#include "select/list.h"
#include "select/suite_files.h"
#include "server_options.h"
#include "vectors/suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double PATIENCE_MS = 2000;
enum { PROBE_MS = 1500 };

/* What is run, read from files. */
typedef struct plan {
    suite_files_t files;
    profile_t profile;
    expectations_t expectations;
    variants_t all, chosen; /* the latter borrow from the former */
    appraisal_t *appraisal;
} plan_t;

static bool read_profile(const server_options_t *options, plan_t *plan, text_t *error)
{
    if (!options->profile) {
        profile_default(&plan->profile);
    } else if (!profile_load(options->profile, &plan->profile, error)) {
        return false;
    }
    bool good = !options->phoenix || profile_set_phoenix(&plan->profile, options->phoenix, error);
    for (size_t i = 0; i < options->without.len; i++) {
        good = profile_without(&plan->profile, options->without.at[i], error) && good;
    }
    return good;
}

static bool read_plan(const server_options_t *options, plan_t *plan)
{
    text_t error = {0}, notes = {0};
    const vectors_t *vectors = &plan->files.vectors;
    bool good = suite_files_load(suite_folder(options->vectors), &plan->files, &error) &&
                read_profile(options, plan, &error) &&
                run_read_expectations(options->expect, options->update, &plan->expectations, &error);
    if (good) {
        variants_expand(&plan->all, vectors, &plan->profile);
        plan->appraisal = appraisal_new(&plan->all, vectors, options->expect ? &plan->expectations : NULL,
                                        options->strict, &notes, &error);
        good = selection_apply(&options->selection, vectors, &plan->all, &plan->chosen, &notes, &error) &&
               plan->appraisal;
    }
    command_complain("server", &error);
    command_complain("server", &notes);
    return good;
}

static void free_plan(plan_t *plan)
{
    appraisal_free(plan->appraisal);
    free(plan->chosen.at);
    variants_free(&plan->all);
    expectations_free(&plan->expectations);
    suite_files_free(&plan->files);
    profile_free(&plan->profile);
}

static int run(const server_options_t *options, const plan_t *plan, const endpoints_t *endpoints)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    target_t target = {
        .loop = &loop, .endpoints = endpoints, .profile = &plan->profile, .patience_ms = PATIENCE_MS};
    suite_options_t suite = {(size_t)options->jobs, (double)options->deadline_s * 1000, outputs_appraise,
                             outputs_started};
    run_about_t about = {text_str(&options->command), text_str(&options->rerun), options->url,
                         &plan->profile};
    outputs_t outputs = {plan->appraisal,
                         live_new(options->report, &about, &plan->chosen, plan->files.requirements)};
    suite_counts_t counts;
    text_t error = {0};
    double began = clock_ms();
    bool complete = suite_run(&target, &plan->chosen, &suite, outputs_verdict, &outputs, &counts);
    int code = run_exit_code("server", "this profile", &counts, complete);
    run_ending_t ending = {&counts, complete, code, clock_ms() - began};
    bool told = live_end(outputs.live, &ending, &error);
    uv_loop_close(&loop);
    command_complain("server", &error);
    if (!told || (options->update && !run_update_expectations("server", &plan->expectations, plan->appraisal,
                                                              &counts, complete))) {
        return EXIT_HARNESS;
    }
    return code;
}

static bool read_url(const server_options_t *options, url_t *url)
{
    text_t error = {0};
    if (!url_parse(options->url, url, &error)) {
        return command_complain("server", &error);
    }
    if (*url->path) {
        fprintf(stderr,
                "phxspec server: %s: leave the path out; the paths of the mounts are in the profile\n",
                options->url);
    }
    return !*url->path;
}

/* The reports can be written, and the target is there; else the exit code that says what is not. */
static int reach_and_run(const server_options_t *options, const plan_t *plan, const url_t *url)
{
    endpoints_t endpoints;
    text_t error = {0};
    if (!report_open(options->report, 1, true, &error)) {
        command_complain("server", &error);
        return EXIT_USE;
    }
    if (!endpoints_find(&endpoints, url, &plan->profile, PROBE_MS, &error)) {
        command_complain("server", &error);
        return EXIT_HARNESS;
    }
    int code = run(options, plan, &endpoints);
    endpoints_free(&endpoints);
    return code;
}

static int plan_and_run(const server_options_t *options)
{
    plan_t plan = {0};
    url_t url;
    int code = EXIT_USE;
    if ((options->list || read_url(options, &url)) && read_plan(options, &plan)) {
        if (options->list) {
            (options->json ? list_json : list_text)(stdout, &plan.chosen);
            code = EXIT_AGREED;
        } else {
            code = reach_and_run(options, &plan, &url);
        }
    }
    free_plan(&plan);
    return code;
}

int cmd_server(int argc, char **argv)
{
    server_options_t options = {0};
    int code = EXIT_USE;
    if (server_options_read(argc, argv, &options)) {
        if (options.help) {
            fputs(server_usage, stdout);
            code = EXIT_AGREED;
        } else {
            code = plan_and_run(&options);
        }
    }
    server_options_free(&options);
    return code;
}
