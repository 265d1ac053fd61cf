/* SPDX-License-Identifier: MIT */
#include "client_suite/pool.h"

#include "base/memory.h"
#include "net/deadline.h"
#include "vectors/pace.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A driver that says no hello, or ends before it, is replaced; after this many in a row it is given up. */
enum { STARTS_MAX = 3 };
static const double HELLO_MS = 30000;

/*
 * Where this process stood still for so long, times that were measured are no word about the client: a case
 * that failed then is played again when all others are over, a few times at most. Other failures stand.
 */
static const double STOOD_STILL_MS = 60;
enum { AGAIN_MAX = 3, DISTURBED_MAX = 64 };

typedef struct pool pool_t;

/* One variant of the plan. */
typedef struct job {
    pool_t *pool;
    const variant_t *variant;
    case_result_t result; /* once it is over, until it was reported */
    bool over;
    unsigned again; /* how often it was played for nothing */
} job_t;

/* A driver process, and what it plays. */
typedef struct slot {
    pool_t *pool;
    driver_t *driver; /* NULL: none */
    deadline_t *hello;
    bool ready;
    job_t *job;
    play_t *play;
    double began_at; /* of the play */
    unsigned failures;
} slot_t;

struct pool {
    const pool_options_t *options;
    suite_verdict_cb *verdict;
    void *ctx;
    suite_counts_t *counts;
    job_t *jobs;   /* in the order of the plan */
    job_t **queue; /* those to be run, the longest first */
    slot_t *slots;
    size_t planned, queued, next, reported, slot_count;
    size_t disturbed; /* plays for nothing */
    pace_t *pace;
    unsigned salt;
    const char *ended; /* why early; NULL: it was not */
    bool stopped;
    deadline_t *deadline;
    uv_signal_t interrupt, terminate;
};

static void fill(pool_t *pool);

static void report(pool_t *pool)
{
    while (pool->reported < pool->planned && pool->jobs[pool->reported].over) {
        job_t *job = &pool->jobs[pool->reported++];
        if (pool->options->suite.appraise) {
            pool->options->suite.appraise(pool->ctx, job->variant, &job->result);
        }
        pool->counts->by[job->result.verdict]++;
        pool->counts->tolerated += job->result.tolerated;
        pool->verdict(pool->ctx, job->variant, &job->result);
        case_result_free(&job->result);
    }
}

static void settle(job_t *job, verdict_t verdict, const char *reason)
{
    job->over = true;
    job->result = (case_result_t){.verdict = verdict, .reason = mem_string(reason)};
}

static void release_driver(slot_t *slot)
{
    deadline_cancel(&slot->hello);
    driver_free(slot->driver);
    slot->driver = NULL;
    slot->ready = false;
}

static void stop(pool_t *pool)
{
    if (pool->stopped) {
        return;
    }
    pool->stopped = true;
    for (size_t i = 0; i < pool->slot_count; i++) {
        release_driver(&pool->slots[i]);
    }
    deadline_cancel(&pool->deadline);
    pace_free(pool->pace);
    uv_close((uv_handle_t *)&pool->interrupt, NULL);
    uv_close((uv_handle_t *)&pool->terminate, NULL);
}

static void end_early(pool_t *pool, const char *why)
{
    pool->ended = why;
    for (size_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i].play) {
            play_free(pool->slots[i].play);
            pool->slots[i].play = NULL;
            pool->slots[i].job = NULL;
        }
    }
    for (size_t i = 0; i < pool->planned; i++) {
        if (!pool->jobs[i].over) {
            settle(&pool->jobs[i], VERDICT_NOT_RUN, why);
        }
    }
    pool->next = pool->queued;
    report(pool);
    fill(pool);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    end_early(handle->data, "the run was interrupted");
}

static void on_run_deadline(void *ctx)
{
    pool_t *pool = ctx;
    pool->deadline = NULL;
    end_early(pool, "the deadline of the whole run had passed");
}

/* ---- drivers ---- */

static void on_start_failed(slot_t *slot)
{
    release_driver(slot);
    slot->failures++;
    fill(slot->pool);
}

static void on_said(void *ctx, const json_t *line)
{
    slot_t *slot = ctx;
    if (strcmp(json_string_value(json_object_get(line, "event")), "hello") == 0) {
        deadline_cancel(&slot->hello);
        slot->ready = true;
        slot->failures = 0;
        fill(slot->pool);
    }
}

static void on_noise(void *ctx, span_t line)
{
    (void)ctx;
    (void)line; /* between cases nobody is to be told */
}

static void on_end(void *ctx, const char *how)
{
    (void)how;
    on_start_failed(ctx);
}

static void on_hello_deadline(void *ctx)
{
    slot_t *slot = ctx;
    slot->hello = NULL;
    on_start_failed(slot);
}

static const driver_events_t idle_events = {on_said, on_noise, on_end};

static void start_driver(slot_t *slot)
{
    uv_loop_t *loop = slot->pool->options->stage.loop;
    slot->hello = deadline_start(loop, HELLO_MS, on_hello_deadline, slot);
    slot->driver = driver_start(loop, slot->pool->options->arguments, &idle_events, slot);
}

static void on_done(void *ctx, case_result_t *result, bool reusable)
{
    slot_t *slot = ctx;
    pool_t *pool = slot->pool;
    job_t *job = slot->job;
    if (result->verdict == VERDICT_FAIL && job->again < AGAIN_MAX && pool->disturbed < DISTURBED_MAX &&
        pace_stood_still(pool->pace, slot->began_at) > STOOD_STILL_MS) {
        job->again++;
        pool->disturbed++;
        pool->queue[pool->queued++] = job;
        case_result_free(result);
    } else {
        job->result = *result;
        job->over = true;
    }
    play_free(slot->play);
    slot->play = NULL;
    slot->job = NULL;
    if (reusable) {
        driver_listen(slot->driver, &idle_events, slot);
    } else {
        release_driver(slot);
    }
    report(pool);
    fill(pool);
}

static void give_job(slot_t *slot)
{
    pool_t *pool = slot->pool;
    job_t *job = pool->queue[pool->next++];
    text_t unique = {0};
    text_printf(&unique, "%06x-%zu", pool->salt, (size_t)(job - pool->jobs));
    slot->job = job;
    slot->began_at = clock_ms();
    if (job->again == 0 && pool->options->suite.started) {
        pool->options->suite.started(pool->ctx, job->variant);
    }
    slot->play =
        play_start(&pool->options->stage, job->variant, text_str(&unique), slot->driver, on_done, slot);
    text_free(&unique);
}

/* Hands out what is left, starts drivers for it, and stops when nothing is. */
static void fill(pool_t *pool)
{
    size_t at_work = 0, starting = 0;
    for (size_t i = 0; i < pool->slot_count; i++) {
        slot_t *slot = &pool->slots[i];
        if (slot->ready && !slot->play && pool->next < pool->queued) {
            give_job(slot);
        }
        at_work += slot->play != NULL;
        starting += slot->driver && !slot->ready;
    }
    for (size_t i = 0; i < pool->slot_count && pool->queued - pool->next > starting; i++) {
        slot_t *slot = &pool->slots[i];
        if (!slot->driver && slot->failures < STARTS_MAX) {
            start_driver(slot);
            starting++;
        }
    }
    if (at_work > 0) {
        return;
    }
    if (pool->next == pool->queued) {
        stop(pool);
    } else if (starting == 0) {
        end_early(pool, "no driver starts any more");
    }
}

/* ---- the run ---- */

static int in_order(const void *a, const void *b)
{
    const job_t *left = *(job_t *const *)a, *right = *(job_t *const *)b;
    if (left->variant->waits_ms != right->variant->waits_ms) {
        return left->variant->waits_ms < right->variant->waits_ms ? 1 : -1;
    }
    return left < right ? -1 : 1;
}

bool pool_run(const pool_options_t *options, const variants_t *variants, suite_verdict_cb *verdict, void *ctx,
              suite_counts_t *counts)
{
    *counts = (suite_counts_t){0};
    pool_t pool = {.options = options,
                   .verdict = verdict,
                   .ctx = ctx,
                   .counts = counts,
                   .slot_count = options->suite.jobs,
                   .salt = ((unsigned)time(NULL) * 977u + (unsigned)getpid()) & 0xffffffu};
    uv_loop_t *loop = options->stage.loop;
    pool.planned = counts->planned = variants->len;
    pool.jobs = mem_new(variants->len, sizeof *pool.jobs);
    pool.queue = mem_new(variants->len + DISTURBED_MAX, sizeof *pool.queue);
    pool.slots = mem_new(pool.slot_count, sizeof *pool.slots);
    for (size_t i = 0; i < pool.slot_count; i++) {
        pool.slots[i].pool = &pool;
    }
    for (size_t i = 0; i < variants->len; i++) {
        pool.jobs[i] = (job_t){.pool = &pool, .variant = &variants->at[i]};
        if (variants->at[i].lacking) {
            settle(&pool.jobs[i], VERDICT_NOT_APPLICABLE, variants->at[i].lacking);
        } else {
            pool.queue[pool.queued++] = &pool.jobs[i];
        }
    }
    qsort(pool.queue, pool.queued, sizeof *pool.queue, in_order);
    pool.interrupt.data = pool.terminate.data = &pool;
    uv_signal_init(loop, &pool.interrupt);
    uv_signal_init(loop, &pool.terminate);
    uv_signal_start(&pool.interrupt, on_signal, SIGINT);
    uv_signal_start(&pool.terminate, on_signal, SIGTERM);
    pool.deadline = deadline_start(loop, options->suite.deadline_ms, on_run_deadline, &pool);
    report(&pool);
    pool.pace = pace_new(loop);
    fill(&pool);
    uv_run(loop, UV_RUN_DEFAULT);
    free(pool.queue);
    free(pool.jobs);
    free(pool.slots);
    return pool.ended == NULL;
}
