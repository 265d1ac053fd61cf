/* SPDX-License-Identifier: MIT */
#include "mutation/trial.h"

#include "base/memory.h"
#include "net/deadline.h"
#include "net/spawn.h"
#include "proxy/proxy.h"
#include "replay/command.h"
#include "replay/target.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct trial {
    const trial_setup_t *setup;
    const mutant_t *mutant;
    const names_t *only;
    trial_done_cb *done;
    void *ctx;
    faults_t *faults;
    proxy_t *proxy;
    target_t *target; /* with a fault built in */
    spawn_t *judge;
    deadline_t *deadline;
    char *report;
    text_t why;
    trial_state_t state;
    size_t hits;
};

const mutant_t *trial_mutant(const trial_t *trial)
{
    return trial->mutant;
}

const names_t *trial_only(const trial_t *trial)
{
    return trial->only;
}

trial_state_t trial_state(const trial_t *trial)
{
    return trial->state;
}

const char *trial_why(const trial_t *trial)
{
    return text_str(&trial->why);
}

const char *trial_report(const trial_t *trial)
{
    return trial->report;
}

size_t trial_hits(const trial_t *trial)
{
    return trial->hits;
}

static void say_done(void *ctx)
{
    trial_t *trial = ctx;
    trial->deadline = NULL;
    trial->done(trial->ctx, trial);
}

/* Ends what makes the mutant, and tells the owner in the next turn. */
static void finish(trial_t *trial, trial_state_t state)
{
    trial->state = state;
    if (trial->proxy) {
        trial->hits = faults_hits(trial->faults);
        proxy_free(trial->proxy);
        trial->proxy = NULL;
    }
    target_free(trial->target);
    trial->target = NULL;
    if (state != TRIAL_RAN) {
        spawn_free(trial->judge);
        trial->judge = NULL;
    }
    deadline_cancel(&trial->deadline);
    trial->deadline = deadline_start(trial->setup->loop, 0, say_done, trial);
}

static void on_judged(void *ctx, int64_t status, int signal, const char *error)
{
    trial_t *trial = ctx;
    (void)status; /* what counts is the report */
    struct stat file;
    bool no_report = stat(trial->report, &file) != 0 || file.st_size == 0; /* wrong options, say */
    if (error || signal || no_report) {
        text_printf(&trial->why,
                    "phxspec %s did not come to a result: ", trial->setup->client ? "client" : "server");
        text_show(&trial->why, error ? span_of(error) : spawn_output(trial->judge), 2000);
        finish(trial, TRIAL_BROKEN);
    } else {
        finish(trial, TRIAL_RAN); /* a case that proved nothing (exit code 3) kills nobody, and costs the
                                     others nothing */
    }
}

/* "--run req:LP-GET-*" for every group of requirements the mutant breaks. */
static void add_groups(text_t *command, const json_t *requirements)
{
    for (size_t i = 0; i < json_array_size(requirements); i++) {
        const char *id = json_string_value(json_array_get(requirements, i)), *dash = strrchr(id, '-');
        text_printf(command, " --run 'req:%.*s-*'", dash ? (int)(dash - id) : (int)strlen(id), id);
    }
}

/* phxspec client has a proxy of its own. */
static bool goes_through_proxy(const trial_t *trial)
{
    return trial->setup->client && (trial->mutant ? trial->mutant->proxy != NULL : trial->setup->detour);
}

/* `target`: a URL, or what drives a client. */
static void judge(trial_t *trial, const char *target)
{
    static const spawn_events_t events = {.exited = on_judged};
    text_t command = {0};
    text_shell_word(&command, trial->setup->self);
    text_puts(&command, trial->setup->client ? " client --quiet --report " : " server --quiet --report ");
    text_shell_word(&command, trial->report);
    text_puts(&command, trial->setup->arguments);
    if (trial->only) {
        for (size_t i = 0; i < trial->only->len; i++) {
            text_puts(&command, " --run ");
            text_shell_word(&command, trial->only->at[i]);
        }
    } else if (trial->setup->quick && trial->mutant) {
        add_groups(&command, trial->mutant->requirements);
    }
    if (goes_through_proxy(trial)) {
        text_puts(&command, " --faults ");
        text_shell_word(&command, trial->setup->mutants);
        text_puts(&command, " --mutant ");
        text_shell_word(&command, trial->mutant ? trial->mutant->id : "none");
        trial->hits = SIZE_MAX;
    }
    text_puts(&command, trial->setup->client ? " --driver " : " ");
    text_shell_word(&command, target);
    trial->judge = spawn_start(trial->setup->loop, text_str(&command), &events, trial);
    text_free(&command);
}

static void on_target(void *ctx, target_t *target)
{
    trial_t *trial = ctx;
    if (target_state(target) == TARGET_READY) {
        text_t url = {0};
        text_printf(&url, "http://%s", target_authority(target));
        judge(trial, text_str(&url));
        text_free(&url);
    } else { /* one that dies under test shows nothing about its fault */
        text_printf(&trial->why, "%s: %s: ", target_command(target), target_error(target));
        text_show(&trial->why, target_output(target), 2000);
        finish(trial, TRIAL_BROKEN);
    }
}

static void start_target(trial_t *trial)
{
    text_t command = {0};
    command_set(&command, trial->setup->spawn, "fault", trial->mutant->fault);
    trial->target = target_spawn(trial->setup->loop, text_str(&command), READY_BY_LINE, on_target, trial);
    text_free(&command);
}

static void start_driver(trial_t *trial)
{
    text_t command = {0};
    command_set(&command, trial->setup->spawn, "fault",
                trial->mutant && trial->mutant->fault ? trial->mutant->fault : "none");
    judge(trial, text_str(&command));
    text_free(&command);
}

static void start_proxy(trial_t *trial)
{
    json_t *nothing = json_array();
    trial->faults = faults_new(trial->mutant ? trial->mutant->proxy : nothing);
    trial->proxy = proxy_start(trial->setup->loop, 0, trial->setup->upstream, trial->faults, &trial->why);
    json_decref(nothing);
    if (!trial->proxy) {
        finish(trial, TRIAL_BROKEN);
        return;
    }
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", proxy_port(trial->proxy));
    judge(trial, url);
}

trial_t *trial_start(const trial_setup_t *setup, const mutant_t *mutant, const names_t *only,
                     trial_done_cb *done, void *ctx)
{
    trial_t *trial = mem_new(1, sizeof *trial);
    text_t report = {0};
    trial->setup = setup;
    trial->mutant = mutant;
    trial->only = only;
    trial->done = done;
    trial->ctx = ctx;
    text_printf(&report, "%s/%s.jsonl", setup->folder, mutant ? mutant->id : "control");
    trial->report = text_take(&report);
    if (setup->client) {
        start_driver(trial);
    } else if (!mutant || mutant->proxy) {
        start_proxy(trial);
    } else if (setup->spawn) {
        start_target(trial);
    } else {
        text_printf(&trial->why,
                    "no proxy can make the fault %s: --spawn says how a target that has it is started",
                    mutant->fault);
        finish(trial, TRIAL_NOT_MADE);
    }
    return trial;
}

void trial_free(trial_t *trial)
{
    deadline_cancel(&trial->deadline);
    if (trial->proxy) {
        proxy_free(trial->proxy);
    }
    target_free(trial->target);
    spawn_free(trial->judge);
    if (trial->faults) {
        faults_free(trial->faults);
    }
    unlink(trial->report);
    free(trial->report);
    text_free(&trial->why);
    free(trial);
}
