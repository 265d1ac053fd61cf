/* SPDX-License-Identifier: MIT */
#include "vectors/suite.h"

#include "base/memory.h"
#include "net/deadline.h"
#include "vectors/race.h"

#include <stdlib.h>
#include <sys/resource.h>

typedef struct suite suite_t;

/*
 * A run has four parts, one after the other, so that none disturbs another.
 * Calm: variants without short timers, a few at once, for all of them at once would make each other slow.
 * While nothing is heard there may be more: against a server that does not answer, waiting costs
 * nothing. Heavy: those that move many bytes. Races: those that must keep ahead of a timer of the server
 * (race.h). They mostly sleep, so there may be many, but they begin one by one: this machine has time for
 * each whenever it must speak. Where all that is under way only waits, the next part need not.
 * Loud, when all others are over: those that would disturb them, were the target to get them wrong.
 */
typedef enum part { PART_CALM, PART_HEAVY, PART_RACE, PART_LOUD } part_t;
enum { CALM_FIRST = 48, CALM_STEP = 16, IDLE_TICKS = 2, RACES_AWAKE = 4, RACES_FAILED = 16 };
static const double GROWTH_MS = 100, RACE_APART_MS = 6, RACE_WAITS_MS = 500;
/* What is kept of the process' file descriptors, and what a variant takes of them. */
enum { DESCRIPTORS_KEPT = 64, DESCRIPTORS_EACH = 4 };

/* One variant of the plan. */
typedef struct job {
    suite_t *suite;
    const variant_t *variant;
    part_t part;
    case_run_t *run; /* NULL before and after */
} job_t;

struct suite {
    target_t target;
    ledger_t *ledger;
    job_t *jobs;   /* in the order of the plan */
    job_t **queue; /* those to be run, part by part */
    size_t planned, queued, next, under_way;
    part_t part;     /* of the one started last */
    size_t calm;     /* how many of PART_CALM there may be at once */
    size_t settled;  /* how many came to an end since that was looked at */
    size_t heard;    /* and how often the server said something since then */
    unsigned idle;   /* how often in a row it was neither */
    size_t failed;   /* of PART_RACE */
    size_t at_once;  /* how many of all */
    double raced_at; /* when the last of PART_RACE was started */
    deadline_t *growth, *next_race;
};

static void fill(suite_t *suite);

static void on_done(void *ctx, case_result_t *result)
{
    job_t *job = ctx;
    suite_t *suite = job->suite;
    case_free(job->run);
    job->run = NULL;
    suite->settled++;
    suite->failed += job->part == PART_RACE && result->verdict != VERDICT_PASS;
    suite->under_way--;
    ledger_settle(suite->ledger, (size_t)(job - suite->jobs), result);
    fill(suite);
}

static void on_next_race(void *ctx)
{
    suite_t *suite = ctx;
    suite->next_race = NULL;
    fill(suite);
}

/* How many races are not asleep. */
static size_t awake(const suite_t *suite)
{
    size_t count = 0;
    for (size_t i = 0; i < suite->next; i++) {
        const job_t *job = suite->queue[i];
        count += job->part == PART_RACE && job->run && case_busy(job->run);
    }
    return count;
}

/* Whether machine and server have time for one more now; else it is tried again soon. Where many failed, it
 * is not for want of time. */
static bool may_race(suite_t *suite)
{
    double now = clock_ms(), since = now - suite->raced_at;
    bool calm =
        suite->failed > RACES_FAILED ||
        (pace_stood_still(suite->target.pace, now - RACE_APART_MS) == 0 && awake(suite) < RACES_AWAKE);
    if (since >= RACE_APART_MS && (calm || since >= RACE_WAITS_MS)) {
        return true;
    }
    if (!suite->next_race) {
        suite->next_race = deadline_start(suite->target.loop, RACE_APART_MS, on_next_race, suite);
    }
    return false;
}

static bool may_start(suite_t *suite)
{
    if (ledger_ended(suite->ledger) || suite->next == suite->queued || suite->under_way >= suite->at_once) {
        return false;
    }
    part_t part = suite->queue[suite->next]->part;
    bool may_overlap = part != PART_LOUD && suite->idle >= IDLE_TICKS;
    if (suite->under_way > 0 && part != suite->part && !may_overlap) {
        return false;
    }
    return part == PART_CALM ? suite->under_way < suite->calm : part != PART_RACE || may_race(suite);
}

static void grow(void *ctx)
{
    suite_t *suite = ctx;
    bool idle = suite->settled == 0 && suite->heard == 0;
    suite->idle = idle ? suite->idle + 1 : 0;
    suite->calm += idle ? suite->calm : suite->settled > 0 ? CALM_STEP : 0;
    suite->settled = suite->heard = 0;
    suite->growth = deadline_start(suite->target.loop, GROWTH_MS, grow, suite);
    fill(suite);
}

static void fill(suite_t *suite)
{
    while (may_start(suite)) {
        job_t *job = suite->queue[suite->next++];
        text_t unique = {0};
        suite->under_way++;
        suite->part = job->part;
        suite->raced_at = clock_ms();
        ledger_begin(suite->ledger, (size_t)(job - suite->jobs), &unique);
        job->run = case_start(&suite->target, job->variant, text_str(&unique), on_done, job);
        text_free(&unique);
    }
    bool left = !ledger_ended(suite->ledger) && suite->next < suite->queued;
    if (suite->under_way == 0 && !left) {
        deadline_cancel(&suite->growth);
        deadline_cancel(&suite->next_race);
        ledger_rest(suite->ledger);
    }
}

static void on_ended(void *ctx)
{
    suite_t *suite = ctx;
    for (size_t i = 0; i < suite->planned; i++) {
        job_t *job = &suite->jobs[i];
        if (job->run) {
            case_free(job->run);
            job->run = NULL;
            suite->under_way--;
        }
    }
    fill(suite);
}

/* Part by part, the longest first. */
static int in_order(const void *a, const void *b)
{
    const job_t *left = *(job_t *const *)a, *right = *(job_t *const *)b;
    if (left->part != right->part) {
        return left->part < right->part ? -1 : 1;
    }
    return variant_order(left->variant, right->variant);
}

static part_t part_of(const variant_t *variant, const profile_t *profile)
{
    if (variant->c->disturbs) {
        return PART_LOUD;
    }
    if (race_margin_ms(variant, profile) > 0) {
        return PART_RACE;
    }
    return variant->heavy ? PART_HEAVY : PART_CALM;
}

static void plan(suite_t *suite, const variants_t *variants)
{
    suite->planned = variants->len;
    suite->jobs = mem_new(variants->len, sizeof *suite->jobs);
    suite->queue = mem_new(variants->len, sizeof *suite->queue);
    for (size_t i = 0; i < variants->len; i++) {
        suite->jobs[i] = (job_t){.suite = suite,
                                 .variant = &variants->at[i],
                                 .part = part_of(&variants->at[i], suite->target.profile)};
        if (!variants->at[i].lacking) {
            suite->queue[suite->queued++] = &suite->jobs[i];
        }
    }
    qsort(suite->queue, suite->queued, sizeof *suite->queue, in_order);
}

/* As many as were asked for, and as the system has descriptors for. */
static size_t at_once(size_t jobs)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return jobs;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    size_t most = limit.rlim_cur > DESCRIPTORS_KEPT + DESCRIPTORS_EACH
                      ? (size_t)(limit.rlim_cur - DESCRIPTORS_KEPT) / DESCRIPTORS_EACH
                      : 1;
    return jobs < most ? jobs : most;
}

bool suite_run(const target_t *target, const variants_t *variants, const suite_options_t *options,
               suite_verdict_cb *verdict, void *ctx, suite_counts_t *counts)
{
    suite_t suite = {.target = *target, .calm = CALM_FIRST, .at_once = at_once(options->jobs)};
    ledger_owner_t owner = {target->loop, options, verdict, ctx, on_ended, &suite};
    plan(&suite, variants);
    suite.ledger = ledger_open(&owner, variants, counts);
    suite.target.pace = ledger_pace(suite.ledger);
    suite.target.heard = &suite.heard;
    suite.growth = deadline_start(target->loop, GROWTH_MS, grow, &suite);
    fill(&suite);
    uv_run(target->loop, UV_RUN_DEFAULT);
    bool whole = ledger_ended(suite.ledger) == NULL;
    ledger_free(suite.ledger);
    free(suite.queue);
    free(suite.jobs);
    return whole;
}
