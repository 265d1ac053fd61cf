/* SPDX-License-Identifier: MIT */
/* phxspec client: a scripted server against the client that a driver drives. */
#include "client_options.h"
#include "commands.h"
#include "run_plan.h"

#include "base/memory.h"
#include "client_suite/outlet.h"
#include "client_suite/play_check.h"
#include "client_suite/pool.h"
#include "proxy/mutant.h"

#include <stdio.h>
#include <stdlib.h>

static const double PATIENCE_MS = 2000;

static bool check_without(const run_options_t *options, text_t *error)
{
    for (size_t i = 0; i < options->without.len; i++) {
        if (!client_dialect.capability_known(options->without.at[i])) {
            text_printf(error, "no capability of drivers is called \"%s\"; known are",
                        options->without.at[i]);
            for (const char *const *known = client_capabilities; *known; known++) {
                text_printf(error, " %s", *known);
            }
            text_putc(error, '\n');
            return false;
        }
    }
    return true;
}

/* What the driver can be asked for, in the form in which variants know it. --list knows no driver: everything
 * applies then. */
static bool make_profile(const client_options_t *options, const greeting_t *greeting, profile_t *profile,
                         text_t *error)
{
    const char *phoenix = options->run.phoenix ? options->run.phoenix : greeting->phoenix;
    names_t *capabilities = &profile->capabilities;
    for (const char *const *name = client_capabilities; *name; name++) {
        if ((!options->driver || names_have(&greeting->capabilities, *name)) &&
            !names_have(&options->run.without, *name)) {
            names_add(capabilities, *name);
        }
    }
    profile->mounts[MOUNT_MAIN].present = true;
    profile->vsns[VSN_1] = names_have(capabilities, "vsn1");
    profile->vsns[VSN_2] = names_have(capabilities, "vsn2");
    profile->name = mem_string(options->driver ? greeting->name : "no driver");
    return profile_set_phoenix(profile, phoenix ? phoenix : PHOENIX_NEWEST, error);
}

static bool read_plan(const client_options_t *options, const greeting_t *greeting, run_plan_t *plan)
{
    text_t error = {0};
    bool good =
        make_profile(options, greeting, &plan->profile, &error) &&
        suite_files_load_part(suite_folder(options->run.vectors), &client_dialect, &plan->files, &error);
    command_complain("client", &error);
    return good && run_plan_make(plan, "client", &options->run);
}

static bool run_pool(void *ctx, const suite_options_t *options, const variants_t *variants,
                     suite_verdict_cb *verdict, void *verdict_ctx, suite_counts_t *counts)
{
    pool_options_t *pool = ctx;
    pool->suite = *options;
    return pool_run(pool, variants, verdict, verdict_ctx, counts);
}

static int run(const client_options_t *options, const greeting_t *greeting, json_t *faults, run_plan_t *plan,
               uv_loop_t *loop)
{
    text_t error = {0}, name = {0};
    size_t altered = 0;
    if (!report_open(options->run.report, 1, true, &error)) {
        command_complain("client", &error);
        return EXIT_USE;
    }
    pool_options_t pool = {.stage = {loop, greeting->tolerance, PATIENCE_MS, NULL, faults, &altered},
                           .arguments = options->driver,
                           .hello_ms = (double)options->hello_s * 1000};
    outlet_possible(&error);
    command_complain("client", &error);
    text_printf(&name, "%s %s", greeting->name, greeting->version);
    run_target_t tested = {"client", text_str(&name), "this driver", run_pool, &pool};
    int code = run_plan_run(plan, &options->run, &tested);
    if (faults) {
        fprintf(stderr, "phxspec client: %zu times something was altered\n", altered);
    }
    text_free(&name);
    return code;
}

static int plan_and_run(const client_options_t *options)
{
    run_plan_t plan = {0};
    greeting_t greeting = {0};
    uv_loop_t loop;
    text_t error = {0};
    int code = EXIT_USE;
    uv_loop_init(&loop);
    json_t *faults = NULL;
    bool known =
        check_without(&options->run, &error) &&
        (!options->faults || (command_file("faults", options->faults, &error) &&
                              (faults = mutants_choose_faults(options->faults, options->mutant, &error))));
    if (known && options->driver &&
        !greeting_read(&loop, options->driver, (double)options->hello_s * 1000, &greeting, &error)) {
        code = EXIT_HARNESS;
    } else if (known && read_plan(options, &greeting, &plan)) {
        if (options->run.list) {
            run_plan_list(&plan, &options->run);
            code = EXIT_AGREED;
        } else {
            code = run(options, &greeting, faults, &plan, &loop);
        }
    }
    command_complain("client", &error);
    run_plan_free(&plan);
    greeting_free(&greeting);
    uv_loop_close(&loop);
    json_decref(faults);
    return code;
}

int cmd_client(int argc, char **argv)
{
    client_options_t options = {0};
    int code = EXIT_USE;
    if (client_options_read(argc, argv, &options)) {
        if (options.run.help) {
            fputs(client_usage, stdout);
            code = EXIT_AGREED;
        } else {
            code = plan_and_run(&options);
        }
    }
    client_options_free(&options);
    return code;
}
