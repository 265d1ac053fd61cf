/* SPDX-License-Identifier: MIT */
#include "client_suite/pool.h"

#include "base/memory.h"
#include "client_suite/hurry.h"
#include "net/deadline.h"

#include <stdlib.h>
#include <string.h>

/* A driver that says no hello, or ends before it, is replaced; after this many in a row, of all together,
 * none is started any more. */
enum { STARTS_MAX = 3 };

/*
 * Cases that are about times (hurry.h) begin when all others have been handed out and no driver is being
 * started, which takes much of a machine; one by one, and where the harness keeps its turns. Where it never
 * does, they begin all the same.
 */
static const double CALM_MS = 20, CALM_WAITS_MS = 200;
/* What is told of a driver that does not start. */
enum { NOISE_MAX = 2000 };

typedef struct pool pool_t;

/* One variant of the plan. */
typedef struct job {
    const variant_t *variant;
    size_t index; /* in the plan */
    bool timed;
} job_t;

/* A driver process, and what it plays. */
typedef struct slot {
    pool_t *pool;
    driver_t *driver; /* NULL: none */
    deadline_t *hello;
    bool ready;
    job_t *job;
    play_t *play;
    text_t noise; /* of a driver that is being started */
} slot_t;

struct pool {
    const pool_options_t *options;
    stage_t stage;
    ledger_t *ledger;
    job_t *queue; /* those to be run, the timed ones last, the longest first */
    slot_t *slots;
    size_t queued, next, slot_count;
    double given_at;      /* when a case was last begun */
    deadline_t *next_try; /* whether the machine is calm now */
    unsigned failures;    /* drivers in a row that did not start */
    char *start_failure;  /* how the last of them ended */
    bool stopped;
};

static void fill(pool_t *pool);

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
    deadline_cancel(&pool->next_try);
    ledger_rest(pool->ledger);
}

static void on_ended(void *ctx)
{
    pool_t *pool = ctx;
    for (size_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i].play) {
            play_free(pool->slots[i].play);
            pool->slots[i].play = NULL;
            pool->slots[i].job = NULL;
        }
    }
    stop(pool);
}

/* ---- drivers ---- */

static void on_start_failed(slot_t *slot, const char *how)
{
    text_t failure = {0};
    text_printf(&failure, "%s%s%s", how, slot->noise.len > 0 ? "; it wrote to stderr: " : "",
                text_str(&slot->noise));
    free(slot->pool->start_failure);
    slot->pool->start_failure = text_take(&failure);
    release_driver(slot);
    slot->pool->failures++;
    fill(slot->pool);
}

static void on_said(void *ctx, const json_t *line)
{
    slot_t *slot = ctx;
    if (strcmp(json_string_value(json_object_get(line, "event")), "hello") == 0) {
        deadline_cancel(&slot->hello);
        slot->ready = true;
        slot->pool->failures = 0;
        fill(slot->pool);
    }
}

static void on_noise(void *ctx, span_t line)
{
    slot_t *slot = ctx;
    if (!slot->ready && slot->noise.len < NOISE_MAX) {
        text_puts(&slot->noise, slot->noise.len > 0 ? " | " : "");
        text_show(&slot->noise, line, NOISE_MAX / 4);
    }
}

static void on_end(void *ctx, const char *how)
{
    slot_t *slot = ctx;
    if (!slot->ready) {
        on_start_failed(slot, how);
        return;
    }
    release_driver(slot);
    fill(slot->pool);
}

static void on_hello_deadline(void *ctx)
{
    slot_t *slot = ctx;
    slot->hello = NULL;
    on_start_failed(slot, "the driver said no hello in time");
}

static const driver_events_t idle_events = {on_said, on_noise, on_end};

static void start_driver(slot_t *slot)
{
    uv_loop_t *loop = slot->pool->stage.loop;
    text_clear(&slot->noise);
    slot->hello = deadline_start(loop, slot->pool->options->hello_ms, on_hello_deadline, slot);
    slot->driver = driver_start(loop, slot->pool->options->arguments, &idle_events, slot);
}

static void on_done(void *ctx, case_result_t *result, bool reusable)
{
    slot_t *slot = ctx;
    pool_t *pool = slot->pool;
    size_t index = slot->job->index;
    play_free(slot->play);
    slot->play = NULL;
    slot->job = NULL;
    if (reusable) {
        driver_listen(slot->driver, &idle_events, slot);
    } else {
        release_driver(slot);
    }
    ledger_settle(pool->ledger, index, result);
    fill(pool);
}

static void give_job(slot_t *slot)
{
    pool_t *pool = slot->pool;
    text_t unique = {0};
    slot->job = &pool->queue[pool->next++];
    pool->given_at = clock_ms();
    ledger_begin(pool->ledger, slot->job->index, &unique);
    slot->play = play_start(&pool->stage, slot->job->variant, text_str(&unique), slot->driver, on_done, slot);
    text_free(&unique);
}

static void on_next_try(void *ctx)
{
    pool_t *pool = ctx;
    pool->next_try = NULL;
    fill(pool);
}

static size_t starting(const pool_t *pool)
{
    size_t count = 0;
    for (size_t i = 0; i < pool->slot_count; i++) {
        count += pool->slots[i].driver && !pool->slots[i].ready;
    }
    return count;
}

/* Whether the next case may begin now; else it is tried again soon. */
static bool may_begin(pool_t *pool)
{
    double now = clock_ms(), since = now - pool->given_at;
    bool calm = starting(pool) == 0 && since >= PACE_TURN_MS &&
                pace_stood_still(pool->stage.pace, now - CALM_MS) == 0;
    if (!pool->queue[pool->next].timed || calm || since >= CALM_WAITS_MS) {
        return true;
    }
    if (!pool->next_try) {
        pool->next_try = deadline_start(pool->stage.loop, PACE_TURN_MS, on_next_try, pool);
    }
    return false;
}

/* Starts drivers for what is left, one for each case at the most. */
static void start_drivers(pool_t *pool)
{
    size_t idle = starting(pool);
    for (size_t i = 0; i < pool->slot_count; i++) {
        idle += pool->slots[i].ready && !pool->slots[i].play;
    }
    for (size_t i = 0; i < pool->slot_count && pool->queued - pool->next > idle; i++) {
        slot_t *slot = &pool->slots[i];
        if (!slot->driver && pool->failures < STARTS_MAX) {
            start_driver(slot);
            idle++;
        }
    }
}

static void give_up(pool_t *pool)
{
    text_t why = {0};
    text_printf(&why, "no driver starts any more: %s", pool->start_failure);
    ledger_end(pool->ledger, text_str(&why));
    text_free(&why);
}

/* Hands out what is left, starts drivers for it, and stops when nothing is. */
static void fill(pool_t *pool)
{
    size_t alive = 0;
    if (pool->stopped) {
        return;
    }
    for (size_t i = 0; i < pool->slot_count; i++) {
        slot_t *slot = &pool->slots[i];
        if (slot->ready && !slot->play && pool->next < pool->queued && may_begin(pool)) {
            give_job(slot);
        }
    }
    start_drivers(pool);
    bool at_work = false;
    for (size_t i = 0; i < pool->slot_count; i++) {
        at_work = at_work || pool->slots[i].play;
        alive += pool->slots[i].driver != NULL;
    }
    if (pool->next == pool->queued && !at_work) {
        stop(pool);
    } else if (alive == 0) {
        give_up(pool);
    }
}

/* ---- the run ---- */

static int in_order(const void *a, const void *b)
{
    const job_t *left = a, *right = b;
    return left->timed != right->timed ? left->timed - right->timed
                                       : variant_order(left->variant, right->variant);
}

bool pool_run(const pool_options_t *options, const variants_t *variants, suite_verdict_cb *verdict, void *ctx,
              suite_counts_t *counts)
{
    pool_t pool = {.options = options, .stage = options->stage, .slot_count = options->suite.jobs};
    ledger_owner_t owner = {pool.stage.loop, &options->suite, verdict, ctx, on_ended, &pool};
    pool.queue = mem_new(variants->len, sizeof *pool.queue);
    pool.slots = mem_new(pool.slot_count, sizeof *pool.slots);
    for (size_t i = 0; i < pool.slot_count; i++) {
        pool.slots[i].pool = &pool;
    }
    for (size_t i = 0; i < variants->len; i++) {
        const variant_t *variant = &variants->at[i];
        if (!variant->lacking) {
            pool.queue[pool.queued++] = (job_t){variant, i, hurry_timed(variant->c)};
        }
    }
    qsort(pool.queue, pool.queued, sizeof *pool.queue, in_order);
    pool.ledger = ledger_open(&owner, variants, counts);
    pool.stage.pace = ledger_pace(pool.ledger);
    fill(&pool);
    uv_run(pool.stage.loop, UV_RUN_DEFAULT);
    bool whole = ledger_ended(pool.ledger) == NULL;
    for (size_t i = 0; i < pool.slot_count; i++) {
        text_free(&pool.slots[i].noise);
    }
    ledger_free(pool.ledger);
    free(pool.start_failure);
    free(pool.queue);
    free(pool.slots);
    return whole;
}
