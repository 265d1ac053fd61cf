/* SPDX-License-Identifier: MIT */
/* phxspec server: the vectors against a server. */
#include "commands.h"
#include "run_plan.h"
#include "server_options.h"

#include "vectors/suite.h"

#include <stdio.h>

enum { PROBE_MS = 1500 };

static bool read_profile(const server_options_t *options, profile_t *profile, text_t *error)
{
    const run_options_t *run = &options->run;
    if (!options->profile) {
        profile_default(profile);
    } else if (!command_file("profile", options->profile, error) ||
               !profile_load(options->profile, profile, error)) {
        return false;
    }
    bool good = !run->phoenix || profile_set_phoenix(profile, run->phoenix, error);
    for (size_t i = 0; i < run->without.len; i++) {
        good = profile_without(profile, run->without.at[i], error) && good;
    }
    return good;
}

static bool read_plan(const server_options_t *options, run_plan_t *plan)
{
    text_t error = {0};
    bool good = suite_files_load(suite_folder(options->run.vectors), &plan->files, &error) &&
                read_profile(options, &plan->profile, &error);
    command_complain("server", &error);
    return good && run_plan_make(plan, "server", &options->run);
}

static bool run_suite(void *ctx, const suite_options_t *options, const variants_t *variants,
                      suite_verdict_cb *verdict, void *verdict_ctx, suite_counts_t *counts)
{
    return suite_run(ctx, variants, options, verdict, verdict_ctx, counts);
}

static int run(const server_options_t *options, run_plan_t *plan, const endpoints_t *endpoints)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    target_t target = {.loop = &loop,
                       .endpoints = endpoints,
                       .profile = &plan->profile,
                       .patience_ms = plan->profile.patience_ms};
    run_target_t tested = {"server", options->url, "this profile", run_suite, &target};
    int code = run_plan_run(plan, &options->run, &tested);
    uv_loop_close(&loop);
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
static int reach_and_run(const server_options_t *options, run_plan_t *plan, const url_t *url)
{
    endpoints_t endpoints;
    text_t error = {0};
    if (!report_open(options->run.report, 1, true, &error)) {
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
    run_plan_t plan = {0};
    url_t url;
    int code = EXIT_USE;
    if ((options->run.list || read_url(options, &url)) && read_plan(options, &plan)) {
        if (options->run.list) {
            run_plan_list(&plan, &options->run);
            code = EXIT_AGREED;
        } else {
            code = reach_and_run(options, &plan, &url);
        }
    }
    run_plan_free(&plan);
    return code;
}

int cmd_server(int argc, char **argv)
{
    server_options_t options = {0};
    int code = EXIT_USE;
    if (server_options_read(argc, argv, &options)) {
        if (options.run.help) {
            fputs(server_usage, stdout);
            code = EXIT_AGREED;
        } else {
            code = plan_and_run(&options);
        }
    }
    run_options_free(&options.run);
    return code;
}
