/* SPDX-License-Identifier: MIT */
#include "vectors/suite.h"

#include "base/memory.h"
#include "net/deadline.h"
#include "vectors/pace.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

/* A run that loses its pace excuses a few failures, not a server that does nothing right. */
enum { ATTEMPTS_MAX = 4, AGAIN_MAX = 48, AGAIN_AT_ONCE = 16 };

/* One variant of the plan. */
typedef struct job {
    suite_t *suite;
    const variant_t *variant;
    case_run_t *run;      /* NULL before and after */
    case_result_t result; /* once it is over, until it was reported */
    bool over;
    double began_at;
    unsigned attempts;
} job_t;

struct suite {
    const target_t *target;
    const suite_options_t *options;
    suite_verdict_cb *verdict;
    void *ctx;
    suite_counts_t *counts;
    job_t *jobs;   /* in the order of the plan */
    job_t **queue; /* those to be run, the longest first */
    job_t **again; /* those to be run again */
    size_t planned, queued, next, again_count, failed, under_way, at_once, reported;
    size_t quick, allowance; /* under way without timers, and how many of these there may be */
    bool heavy;              /* the one started last is */
    unsigned salt;           /* makes the topics of this run differ from those of any other */
    const char *ended;       /* why early; NULL: it was not */
    deadline_t *deadline, *growth;
    pace_t *pace;
    uv_signal_t interrupt, terminate;
};

bool suite_counts_add_up(const suite_counts_t *counts)
{
    size_t sum = 0;
    for (int verdict = 0; verdict < VERDICTS; verdict++) {
        sum += counts->by[verdict];
    }
    return sum == counts->planned;
}

/* Verdicts go out in the order of the plan, each as soon as all before it have gone. */
static void report(suite_t *suite)
{
    while (suite->reported < suite->planned && suite->jobs[suite->reported].over) {
        job_t *job = &suite->jobs[suite->reported++];
        if (suite->options->appraise) {
            suite->options->appraise(suite->ctx, job->variant, &job->result);
        }
        suite->counts->by[job->result.verdict]++;
        suite->counts->tolerated += job->result.tolerated;
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

/* Whether the case has to keep ahead of a timer of the server: only then may a busy machine be its fault. */
static bool races(const job_t *job)
{
    return job->variant->waits_ms > 0 || job->variant->mount == MOUNT_TIGHT;
}

static void stop_watching(suite_t *suite)
{
    deadline_cancel(&suite->deadline);
    deadline_cancel(&suite->growth);
    pace_free(suite->pace);
    uv_close((uv_handle_t *)&suite->interrupt, NULL);
    uv_close((uv_handle_t *)&suite->terminate, NULL);
}

static void on_done(void *ctx, case_result_t *result)
{
    job_t *job = ctx;
    suite_t *suite = job->suite;
    bool failed = result->verdict == VERDICT_FAIL;
    bool excused =
        failed && races(job) && pace_lost(suite->pace, job->began_at) && job->attempts < ATTEMPTS_MAX;
    job->result = *result;
    job->result.attempts = job->attempts;
    job->over = !excused;
    if (excused) {
        suite->again[suite->again_count++] = job;
    }
    case_free(job->run);
    job->run = NULL;
    suite->failed += failed;
    suite->under_way--;
    suite->quick -= is_quick(job);
    report(suite);
    fill(suite);
}

/* Heavy ones come last, and wait for all others to be over. */
static bool may_start(const suite_t *suite)
{
    if (suite->ended || suite->next == suite->queued || suite->under_way == suite->at_once) {
        return false;
    }
    const job_t *job = suite->queue[suite->next];
    bool apart = suite->under_way == 0 || job->variant->heavy == suite->heavy;
    return apart && (suite->quick < suite->allowance || !is_quick(job));
}

/* What has to be run again waits until nothing else makes the machine busy. Where many failed, it is not for
 * that. */
static void take_again(suite_t *suite)
{
    if (suite->ended || suite->next < suite->queued || suite->under_way > 0 || suite->again_count == 0) {
        return;
    }
    suite->queued = suite->next = 0;
    for (size_t i = 0; i < suite->again_count; i++) {
        job_t *job = suite->again[i];
        if (suite->failed > AGAIN_MAX) {
            job->over = true;
        } else {
            case_result_free(&job->result);
            suite->queue[suite->queued++] = job;
        }
    }
    suite->again_count = suite->failed = 0;
    suite->at_once = suite->at_once < AGAIN_AT_ONCE ? suite->at_once : AGAIN_AT_ONCE;
    report(suite);
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
    take_again(suite);
    while (may_start(suite)) {
        job_t *job = suite->queue[suite->next++];
        text_t unique = {0};
        text_printf(&unique, "%06x-%zu", suite->salt, (size_t)(job - suite->jobs));
        if (job->attempts++ > 0) {
            text_printf(&unique, "-%u", job->attempts);
        }
        job->began_at = clock_ms();
        suite->under_way++;
        suite->quick += is_quick(job);
        suite->heavy = job->variant->heavy;
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
            case_result_free(&job->result);
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

/* The heavy ones last; the longest first; and early those on the mount with the short timers, for a client
 * that may be silent for a second only must not wait for hundreds of others. */
static int in_order(const void *a, const void *b)
{
    const job_t *left = *(job_t *const *)a, *right = *(job_t *const *)b;
    const variant_t *l = left->variant, *r = right->variant;
    if (l->heavy != r->heavy) {
        return l->heavy ? 1 : -1;
    }
    if (l->waits_ms != r->waits_ms) {
        return l->waits_ms < r->waits_ms ? 1 : -1;
    }
    if ((l->mount == MOUNT_TIGHT) != (r->mount == MOUNT_TIGHT)) {
        return l->mount == MOUNT_TIGHT ? -1 : 1;
    }
    return left < right ? -1 : 1;
}

static void plan(suite_t *suite, const variants_t *variants)
{
    suite->planned = suite->counts->planned = variants->len;
    suite->jobs = mem_new(variants->len, sizeof *suite->jobs);
    suite->queue = mem_new(variants->len, sizeof *suite->queue);
    suite->again = mem_new(variants->len, sizeof *suite->again);
    for (size_t i = 0; i < variants->len; i++) {
        suite->jobs[i] = (job_t){.suite = suite, .variant = &variants->at[i]};
        if (variants->at[i].lacking) {
            settle(&suite->jobs[i], VERDICT_NOT_APPLICABLE, variants->at[i].lacking);
        } else {
            suite->queue[suite->queued++] = &suite->jobs[i];
        }
    }
    qsort(suite->queue, suite->queued, sizeof *suite->queue, in_order);
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
                     .at_once = options->jobs,
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
    suite.pace = pace_new(target->loop);
    fill(&suite);
    uv_run(target->loop, UV_RUN_DEFAULT);
    free(suite.queue);
    free(suite.again);
    free(suite.jobs);
    return suite.ended == NULL;
}
