/* SPDX-License-Identifier: MIT */
#include "vectors/ledger.h"

#include "base/memory.h"
#include "net/deadline.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct ledger_entry {
    case_result_t result; /* once it is settled, until it was reported */
    bool settled;
} ledger_entry_t;

struct ledger {
    ledger_owner_t owner;
    const variants_t *plan;
    suite_counts_t *counts;
    ledger_entry_t *entries; /* in the order of the plan */
    size_t reported;
    unsigned salt; /* of the topics of this run */
    char *ended;   /* owned; see ledger_ended */
    pace_t *pace;
    deadline_t *deadline;
    uv_signal_t interrupt, terminate;
    bool resting;
};

bool suite_counts_add_up(const suite_counts_t *counts)
{
    size_t sum = 0;
    for (int verdict = 0; verdict < VERDICTS; verdict++) {
        sum += counts->by[verdict];
    }
    return sum == counts->planned;
}

static void report(ledger_t *ledger)
{
    const ledger_owner_t *owner = &ledger->owner;
    while (ledger->reported < ledger->plan->len && ledger->entries[ledger->reported].settled) {
        const variant_t *variant = &ledger->plan->at[ledger->reported];
        case_result_t *result = &ledger->entries[ledger->reported++].result;
        if (owner->options->appraise) {
            owner->options->appraise(owner->ctx, variant, result);
        }
        ledger->counts->by[result->verdict]++;
        ledger->counts->tolerated += result->tolerated;
        ledger->counts->unclean += result->closing && strcmp(result->closing, "clean") != 0;
        owner->verdict(owner->ctx, variant, result);
        case_result_free(result);
    }
}

static void settle_unplayed(ledger_entry_t *entry, verdict_t verdict, const char *reason)
{
    entry->settled = true;
    entry->result = (case_result_t){.verdict = verdict, .reason = mem_string(reason)};
}

void ledger_end(ledger_t *ledger, const char *why)
{
    free(ledger->ended);
    ledger->ended = mem_string(why);
    for (size_t i = 0; i < ledger->plan->len; i++) {
        if (!ledger->entries[i].settled) {
            settle_unplayed(&ledger->entries[i], VERDICT_NOT_RUN, why);
        }
    }
    report(ledger);
    ledger->owner.ended(ledger->owner.owner);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    ledger_end(handle->data, "the run was interrupted");
}

static void on_deadline(void *ctx)
{
    ledger_t *ledger = ctx;
    ledger->deadline = NULL;
    ledger_end(ledger, "the deadline of the whole run had passed; --deadline sets it");
}

static void watch_signal(uv_loop_t *loop, uv_signal_t *handle, int number, ledger_t *ledger)
{
    handle->data = ledger;
    uv_signal_init(loop, handle);
    uv_signal_start(handle, on_signal, number);
}

ledger_t *ledger_open(const ledger_owner_t *owner, const variants_t *plan, suite_counts_t *counts)
{
    ledger_t *ledger = mem_new(1, sizeof *ledger);
    *counts = (suite_counts_t){.planned = plan->len};
    ledger->owner = *owner;
    ledger->plan = plan;
    ledger->counts = counts;
    ledger->entries = mem_new(plan->len, sizeof *ledger->entries);
    ledger->salt = ((unsigned)time(NULL) * 977u + (unsigned)getpid()) & 0xffffffu;
    for (size_t i = 0; i < plan->len; i++) {
        if (plan->at[i].lacking) {
            settle_unplayed(&ledger->entries[i], VERDICT_NOT_APPLICABLE, plan->at[i].lacking);
        }
    }
    watch_signal(owner->loop, &ledger->interrupt, SIGINT, ledger);
    watch_signal(owner->loop, &ledger->terminate, SIGTERM, ledger);
    ledger->deadline = deadline_start(owner->loop, owner->options->deadline_ms, on_deadline, ledger);
    ledger->pace = pace_new(owner->loop);
    report(ledger);
    return ledger;
}

const pace_t *ledger_pace(const ledger_t *ledger)
{
    return ledger->pace;
}

const char *ledger_ended(const ledger_t *ledger)
{
    return ledger->ended;
}

void ledger_begin(ledger_t *ledger, size_t index, text_t *unique)
{
    const ledger_owner_t *owner = &ledger->owner;
    text_printf(unique, "%06x-%zu", ledger->salt, index);
    if (owner->options->started) {
        owner->options->started(owner->ctx, &ledger->plan->at[index]);
    }
}

void ledger_settle(ledger_t *ledger, size_t index, case_result_t *result)
{
    ledger->entries[index] = (ledger_entry_t){*result, true};
    report(ledger);
}

void ledger_rest(ledger_t *ledger)
{
    if (!ledger->resting) {
        ledger->resting = true;
        deadline_cancel(&ledger->deadline);
        pace_free(ledger->pace);
        uv_close((uv_handle_t *)&ledger->interrupt, NULL);
        uv_close((uv_handle_t *)&ledger->terminate, NULL);
    }
}

void ledger_free(ledger_t *ledger)
{
    free(ledger->entries);
    free(ledger->ended);
    free(ledger);
}
