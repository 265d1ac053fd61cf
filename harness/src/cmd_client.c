/* SPDX-License-Identifier: MIT */
/* phxspec client: a scripted server against the client that a driver drives. */
#include "commands.h"
#include "run_end.h"

#include "base/memory.h"
#include "client_options.h"
#include "client_suite/play_check.h"
#include "client_suite/pool.h"
#include "net/deadline.h"
#include "report/live.h"
#include "select/appraisal.h"
#include "select/list.h"
#include "select/suite_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double PATIENCE_MS = 2000, HELLO_MS = 30000;

/* What is run, read from files and from the driver. */
typedef struct plan {
    suite_files_t files;
    json_t *beginnings;
    greeting_t greeting;
    profile_t profile; /* what the driver can be asked for, in the form in which variants know it */
    expectations_t expectations;
    variants_t all, chosen; /* the latter borrow from the former */
    appraisal_t *appraisal;
} plan_t;

static bool check_without(const client_options_t *options, text_t *error)
{
    for (size_t i = 0; i < options->without.len; i++) {
        if (!client_dialect.capability_known(options->without.at[i])) {
            text_printf(error, "no capability of drivers is called \"%s\"\n", options->without.at[i]);
            return false;
        }
    }
    return true;
}

/* --list knows no driver: everything applies then. */
static bool read_profile(const client_options_t *options, uv_loop_t *loop, plan_t *plan, text_t *error)
{
    names_t *capabilities = &plan->profile.capabilities;
    plan->profile.mounts[MOUNT_MAIN].present = true;
    if (options->driver && !greeting_read(loop, options->driver, HELLO_MS, &plan->greeting, error)) {
        return false;
    }
    for (const char *const *name = client_capabilities; *name; name++) {
        if ((!options->driver || names_have(&plan->greeting.capabilities, *name)) &&
            !names_have(&options->without, *name)) {
            names_add(capabilities, *name);
        }
    }
    plan->profile.vsns[VSN_1] = names_have(capabilities, "vsn1");
    plan->profile.vsns[VSN_2] = names_have(capabilities, "vsn2");
    plan->profile.name = mem_string(options->driver ? plan->greeting.name : "no driver");
    return true;
}

static bool read_files(const client_options_t *options, plan_t *plan, text_t *error)
{
    text_t path = {0};
    const char *folder = suite_folder(options->vectors);
    text_printf(&path, "%s/client-beginnings.json", folder);
    plan->beginnings = jvalue_parse_file(text_str(&path), error);
    text_free(&path);
    plan->files.vectors.dialect = &client_dialect;
    plan->files.vectors.beginnings = json_object_get(plan->beginnings, "beginnings");
    return plan->beginnings && suite_files_load_part(folder, "client", &plan->files, error);
}

static bool read_plan(const client_options_t *options, plan_t *plan)
{
    text_t error = {0}, notes = {0};
    const vectors_t *vectors = &plan->files.vectors;
    bool good = read_files(options, plan, &error) &&
                run_read_expectations(options->expect, options->update, &plan->expectations, &error);
    if (good) {
        variants_expand(&plan->all, vectors, &plan->profile);
        plan->appraisal = appraisal_new(&plan->all, vectors, options->expect ? &plan->expectations : NULL,
                                        options->strict, &notes, &error);
        good = selection_apply(&options->selection, vectors, &plan->all, &plan->chosen, &notes, &error) &&
               plan->appraisal;
    }
    command_complain("client", &error);
    command_complain("client", &notes);
    return good;
}

static void free_plan(plan_t *plan)
{
    appraisal_free(plan->appraisal);
    free(plan->chosen.at);
    variants_free(&plan->all);
    expectations_free(&plan->expectations);
    suite_files_free(&plan->files);
    json_decref(plan->beginnings);
    greeting_free(&plan->greeting);
    free(plan->profile.name);
    names_free(&plan->profile.capabilities);
}

static int run(const client_options_t *options, const plan_t *plan, uv_loop_t *loop)
{
    pool_options_t pool = {
        {loop, plan->greeting.tolerance, PATIENCE_MS},
        options->driver,
        {(size_t)options->jobs, (double)options->deadline_s * 1000, outputs_appraise, outputs_started}};
    text_t target = {0}, error = {0};
    text_printf(&target, "%s %s", plan->greeting.name, plan->greeting.version);
    run_about_t about = {text_str(&options->command), text_str(&options->rerun), text_str(&target),
                         &plan->profile};
    outputs_t outputs = {plan->appraisal,
                         live_new(options->report, &about, &plan->chosen, plan->files.requirements)};
    suite_counts_t counts;
    double began = clock_ms();
    bool complete = pool_run(&pool, &plan->chosen, outputs_verdict, &outputs, &counts);
    int code = run_exit_code("client", "this driver", &counts, complete);
    run_ending_t ending = {&counts, complete, code, clock_ms() - began};
    bool told = live_end(outputs.live, &ending, &error);
    text_free(&target);
    command_complain("client", &error);
    if (!told || (options->update && !run_update_expectations("client", &plan->expectations, plan->appraisal,
                                                              &counts, complete))) {
        return EXIT_HARNESS;
    }
    return code;
}

static int plan_and_run(const client_options_t *options)
{
    plan_t plan = {0};
    uv_loop_t loop;
    text_t error = {0};
    int code = EXIT_USE;
    uv_loop_init(&loop);
    bool known = check_without(options, &error);
    if (known && !read_profile(options, &loop, &plan, &error)) {
        code = EXIT_HARNESS;
    } else if (!known || !read_plan(options, &plan)) {
        code = EXIT_USE;
    } else if (options->list) {
        (options->json ? list_json : list_text)(stdout, &plan.chosen);
        code = EXIT_AGREED;
    } else if (report_open(options->report, 1, true, &error)) {
        code = run(options, &plan, &loop);
    }
    command_complain("client", &error);
    free_plan(&plan);
    uv_loop_close(&loop);
    return code;
}

int cmd_client(int argc, char **argv)
{
    client_options_t options = {0};
    int code = EXIT_USE;
    if (client_options_read(argc, argv, &options)) {
        if (options.help) {
            fputs(client_usage, stdout);
            code = EXIT_AGREED;
        } else {
            code = plan_and_run(&options);
        }
    }
    client_options_free(&options);
    return code;
}
