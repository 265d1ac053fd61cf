/* SPDX-License-Identifier: MIT */
#include "mutation/trial.h"

#include "base/memory.h"
#include "net/deadline.h"
#include "net/spawn.h"
#include "proxy/proxy.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double READY_MS = 15000;

struct trial {
    const trial_setup_t *setup;
    const mutant_t *mutant;
    trial_done_cb *done;
    void *ctx;
    faults_t *faults;
    proxy_t *proxy;
    spawn_t *server; /* with a fault built in */
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
    if (trial->server) {
        spawn_free(trial->server);
        trial->server = NULL;
    }
    deadline_cancel(&trial->deadline);
    trial->deadline = deadline_start(trial->setup->loop, 0, say_done, trial);
}

static void on_judged(void *ctx, int64_t status, int signal, const char *error)
{
    trial_t *trial = ctx;
    bool no_use = status == 2 && access(trial->report, R_OK) != 0; /* wrong options, say */
    if (error || signal || no_use) {
        text_puts(&trial->why, "phxspec server did not come to a result: ");
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

static void judge(trial_t *trial, const char *url)
{
    static const spawn_events_t events = {.exited = on_judged};
    text_t command = {0};
    text_shell_word(&command, trial->setup->self);
    text_puts(&command, " server --quiet --report ");
    text_shell_word(&command, trial->report);
    text_puts(&command, trial->setup->arguments);
    if (trial->setup->quick && trial->mutant) {
        add_groups(&command, trial->mutant->requirements);
    }
    text_putc(&command, ' ');
    text_shell_word(&command, url);
    trial->judge = spawn_start(trial->setup->loop, text_str(&command), &events, trial);
    text_free(&command);
}

static void on_server_ready(void *ctx, const char *url)
{
    trial_t *trial = ctx;
    deadline_cancel(&trial->deadline);
    judge(trial, url);
}

static void on_server_gone(void *ctx, int64_t status, int signal, const char *error)
{
    trial_t *trial = ctx;
    if (!trial->judge) { /* a mutant that dies under test has been seen by the judge */
        text_printf(&trial->why, "the server with the fault %s did not start (%s, exit %d, signal %d): ",
                    trial->mutant->server_fault, error ? error : "it ended", (int)status, signal);
        text_show(&trial->why, spawn_output(trial->server), 2000);
        finish(trial, TRIAL_BROKEN);
    }
}

static void on_not_ready(void *ctx)
{
    trial_t *trial = ctx;
    trial->deadline = NULL;
    text_printf(&trial->why, "the server with the fault %s did not say \"ready URL\" within %.0f s",
                trial->mutant->server_fault, READY_MS / 1000);
    finish(trial, TRIAL_BROKEN);
}

static void start_server(trial_t *trial)
{
    static const spawn_events_t events = {.ready = on_server_ready, .exited = on_server_gone};
    text_t command = {0};
    span_t rest = span_of(trial->setup->spawn);
    while (rest.len > 0) {
        if (span_starts(rest, "{port}")) {
            text_putc(&command, '0');
            rest = span_from(rest, strlen("{port}"));
        } else if (span_starts(rest, "{fault}")) {
            text_shell_word(&command, trial->mutant->server_fault);
            rest = span_from(rest, strlen("{fault}"));
        } else {
            text_putc(&command, rest.at[0]);
            rest = span_from(rest, 1);
        }
    }
    trial->deadline = deadline_start(trial->setup->loop, READY_MS, on_not_ready, trial);
    trial->server = spawn_start(trial->setup->loop, text_str(&command), &events, trial);
    text_free(&command);
}

static void start_proxy(trial_t *trial)
{
    json_t *nothing = json_array();
    trial->faults = faults_new(trial->mutant ? trial->mutant->faults : nothing);
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

trial_t *trial_start(const trial_setup_t *setup, const mutant_t *mutant, trial_done_cb *done, void *ctx)
{
    trial_t *trial = mem_new(1, sizeof *trial);
    text_t report = {0};
    trial->setup = setup;
    trial->mutant = mutant;
    trial->done = done;
    trial->ctx = ctx;
    text_printf(&report, "%s/%s.jsonl", setup->folder, mutant ? mutant->id : "control");
    trial->report = text_take(&report);
    if (!mutant || mutant->faults) {
        start_proxy(trial);
    } else if (setup->spawn) {
        start_server(trial);
    } else {
        text_puts(&trial->why, "made by the server: --spawn says how one is started");
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
    if (trial->server) {
        spawn_free(trial->server);
    }
    if (trial->judge) {
        spawn_free(trial->judge);
    }
    if (trial->faults) {
        faults_free(trial->faults);
    }
    unlink(trial->report);
    free(trial->report);
    text_free(&trial->why);
    free(trial);
}
