/* SPDX-License-Identifier: MIT */
#include "vectors/suite.h"

#include "base/memory.h"
#include "net/deadline.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef struct suite suite_t;

/*
 * How many variants without timers are under way at once. All of them at once would make each other slow, and
 * some stand on a mount that closes who is silent for a second; so this begins small, and grows as long as
 * there is something left: against a server that does not answer, waiting costs nothing.
 */
enum { ALLOWANCE_FIRST = 48, ALLOWANCE_STEP = 16 };
static const double ALLOWANCE_MS = 100;

/* One variant of the plan. */
typedef struct job {
    suite_t *suite;
    const variant_t *variant;
    case_run_t *run;      /* NULL before and after */
    case_result_t result; /* once it is over, until it was reported */
    bool over;
} job_t;

struct suite {
    const target_t *target;
    const suite_options_t *options;
    suite_verdict_cb *verdict;
    void *ctx;
    suite_counts_t *counts;
    job_t *jobs;   /* in the order of the plan */
    job_t **queue; /* those to be run, the longest first */
    size_t planned, queued, next, under_way, reported;
    size_t quick, allowance; /* under way without timers, and how many of these there may be */
    unsigned salt;           /* makes the topics of this run differ from those of any other */
    const char *ended;       /* why early; NULL: it was not */
    deadline_t *deadline, *growth;
    uv_signal_t interrupt, terminate;
};

/* Verdicts go out in the order of the plan, each as soon as all before it have gone. */
static void report(suite_t *suite)
{
    while (suite->reported < suite->planned && suite->jobs[suite->reported].over) {
        job_t *job = &suite->jobs[suite->reported++];
        suite->counts->by[job->result.verdict]++;
        suite->verdict(suite->ctx, job->variant, &job->result);
        case_result_free(&job->result);
    }
}

static void settle(job_t *job, verdict_t verdict, const char *reason)
{
    job->over = true;
    job->result = (case_result_t){.verdict = verdict, .reason = mem_string(reason)};
}

static void fill(suite_t *suite);

static bool is_quick(const job_t *job)
{
    return job->variant->waits_ms == 0;
}

static void stop_watching(suite_t *suite)
{
    deadline_cancel(&suite->deadline);
    deadline_cancel(&suite->growth);
    uv_close((uv_handle_t *)&suite->interrupt, NULL);
    uv_close((uv_handle_t *)&suite->terminate, NULL);
}

static void on_done(void *ctx, case_result_t *result)
{
    job_t *job = ctx;
    suite_t *suite = job->suite;
    job->result = *result;
    job->over = true;
    case_free(job->run);
    job->run = NULL;
    suite->under_way--;
    suite->quick -= is_quick(job);
    report(suite);
    fill(suite);
}

static bool may_start(const suite_t *suite)
{
    return !suite->ended && suite->next < suite->queued && suite->under_way < suite->options->jobs &&
           (suite->quick < suite->allowance || !is_quick(suite->queue[suite->next]));
}

static void grow(void *ctx)
{
    suite_t *suite = ctx;
    suite->allowance += ALLOWANCE_STEP;
    suite->growth = deadline_start(suite->target->loop, ALLOWANCE_MS, grow, suite);
    fill(suite);
}

static void fill(suite_t *suite)
{
    while (may_start(suite)) {
        job_t *job = suite->queue[suite->next++];
        text_t unique = {0};
        text_printf(&unique, "%06x-%zu", suite->salt, (size_t)(job - suite->jobs));
        suite->under_way++;
        suite->quick += is_quick(job);
        job->run = case_start(suite->target, job->variant, text_str(&unique), on_done, job);
        text_free(&unique);
    }
    if (suite->under_way == 0 && !uv_is_closing((uv_handle_t *)&suite->interrupt)) {
        stop_watching(suite);
    }
}

static void end_early(suite_t *suite, const char *why)
{
    suite->ended = why;
    for (size_t i = 0; i < suite->planned; i++) {
        job_t *job = &suite->jobs[i];
        if (!job->over) {
            if (job->run) {
                case_free(job->run);
                job->run = NULL;
                suite->under_way--;
            }
            settle(job, VERDICT_NOT_RUN, why);
        }
    }
    report(suite);
    fill(suite);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    end_early(handle->data, "the run was interrupted");
}

static void on_deadline(void *ctx)
{
    suite_t *suite = ctx;
    suite->deadline = NULL;
    end_early(suite, "the deadline of the whole run had passed");
}

static int longest_first(const void *a, const void *b)
{
    const job_t *left = *(job_t *const *)a, *right = *(job_t *const *)b;
    if (left->variant->waits_ms != right->variant->waits_ms) {
        return left->variant->waits_ms < right->variant->waits_ms ? 1 : -1;
    }
    return left < right ? -1 : 1;
}

static void plan(suite_t *suite, const variants_t *variants)
{
    suite->planned = suite->counts->planned = variants->len;
    suite->jobs = mem_new(variants->len, sizeof *suite->jobs);
    suite->queue = mem_new(variants->len, sizeof *suite->queue);
    for (size_t i = 0; i < variants->len; i++) {
        suite->jobs[i] = (job_t){.suite = suite, .variant = &variants->at[i]};
        if (variants->at[i].lacking) {
            settle(&suite->jobs[i], VERDICT_NOT_APPLICABLE, variants->at[i].lacking);
        } else {
            suite->queue[suite->queued++] = &suite->jobs[i];
        }
    }
    qsort(suite->queue, suite->queued, sizeof *suite->queue, longest_first);
}

bool suite_run(const target_t *target, const variants_t *variants, const suite_options_t *options,
               suite_verdict_cb *verdict, void *ctx, suite_counts_t *counts)
{
    *counts = (suite_counts_t){0};
    suite_t suite = {.target = target,
                     .options = options,
                     .verdict = verdict,
                     .ctx = ctx,
                     .counts = counts,
                     .allowance = ALLOWANCE_FIRST,
                     .salt = ((unsigned)time(NULL) * 977u + (unsigned)getpid()) & 0xffffffu};
    plan(&suite, variants);
    suite.interrupt.data = suite.terminate.data = &suite;
    uv_signal_init(target->loop, &suite.interrupt);
    uv_signal_init(target->loop, &suite.terminate);
    uv_signal_start(&suite.interrupt, on_signal, SIGINT);
    uv_signal_start(&suite.terminate, on_signal, SIGTERM);
    suite.deadline = deadline_start(target->loop, options->deadline_ms, on_deadline, &suite);
    report(&suite);
    suite.growth = deadline_start(target->loop, ALLOWANCE_MS, grow, &suite);
    fill(&suite);
    uv_run(target->loop, UV_RUN_DEFAULT);
    free(suite.queue);
    free(suite.jobs);
    return suite.ended == NULL;
}
