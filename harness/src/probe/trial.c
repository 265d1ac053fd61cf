/* SPDX-License-Identifier: MIT */
#include "probe/trial.h"

#include "base/memory.h"
#include "net/deadline.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct round round_t;

typedef struct asked {
    round_t *round;
    trial_t *trial;
    case_run_t *run; /* NULL once it is over */
} asked_t;

struct round {
    asked_t *at;
    size_t len, left;
    deadline_t *deadline;
    pace_t *pace;
};

/* All questions are answered, or none is any more: the loop may end. */
static void end_round(round_t *round)
{
    deadline_cancel(&round->deadline);
    pace_free(round->pace);
}

size_t trials_add(trials_t *trials, const vector_case_t *c, mount_t mount, transport_t transport, vsn_t vsn)
{
    MEM_ROOM(trials->at, trials->len, trials->cap);
    trials->at[trials->len] =
        (trial_t){.variant = {.c = c, .mount = mount, .transport = transport, .vsn = vsn}};
    return trials->len++;
}

static void on_done(void *ctx, case_result_t *result)
{
    asked_t *asked = ctx;
    asked->trial->over = true;
    asked->trial->passed = result->verdict == VERDICT_PASS;
    asked->trial->ms = result->ms;
    asked->trial->reason = result->reason ? mem_string(result->reason) : NULL;
    case_result_free(result);
    case_free(asked->run);
    asked->run = NULL;
    if (--asked->round->left == 0) {
        end_round(asked->round);
    }
}

static void on_deadline(void *ctx)
{
    round_t *round = ctx;
    round->deadline = NULL;
    for (size_t i = 0; i < round->len; i++) {
        if (round->at[i].run) {
            case_free(round->at[i].run);
            round->at[i].run = NULL;
            round->at[i].trial->reason = mem_string("there was no time left for it");
        }
    }
    end_round(round);
}

void trials_run(trials_t *trials, const target_t *target, double deadline_ms)
{
    if (trials->len == 0) {
        return;
    }
    target_t paced = *target;
    round_t round = {mem_new(trials->len, sizeof *round.at), trials->len, trials->len, NULL,
                     pace_new(target->loop)};
    paced.pace = round.pace;
    round.deadline = deadline_start(target->loop, deadline_ms, on_deadline, &round);
    unsigned salt = (unsigned)getpid() ^ (unsigned)(uint64_t)(clock_ms() * 1000);
    for (size_t i = 0; i < trials->len; i++) {
        text_t unique = {0};
        text_printf(&unique, "probe-%06x-%zu", salt & 0xffffff, i);
        round.at[i] = (asked_t){&round, &trials->at[i], NULL};
        round.at[i].run =
            case_start(&paced, &trials->at[i].variant, text_str(&unique), on_done, &round.at[i]);
        text_free(&unique);
    }
    uv_run(target->loop, UV_RUN_DEFAULT);
    free(round.at);
}

void trials_free(trials_t *trials)
{
    for (size_t i = 0; i < trials->len; i++) {
        free(trials->at[i].reason);
    }
    free(trials->at);
    *trials = (trials_t){0};
}

/* An "expect" may also stand beside another verb. */
static verb_t verb_of(const json_t *step)
{
    verb_t verb = VERB_CONNECT;
    while (verb < VERBS && (verb == VERB_EXPECT || !json_object_get(step, verb_name(verb)))) {
        verb++;
    }
    return verb < VERBS ? verb : VERB_EXPECT;
}

void made_case(made_case_t *made, json_t *json)
{
    *made = (made_case_t){.c = {.id = "probe", .title = "", .len = json_array_size(json)}, .json = json};
    made->c.steps = mem_new(made->c.len, sizeof *made->c.steps);
    for (size_t i = 0; i < made->c.len; i++) {
        const json_t *step = json_array_get(json, i);
        made->c.steps[i] = (vector_step_t){verb_of(step), step};
    }
}

void made_case_free(made_case_t *made)
{
    free(made->c.steps);
    json_decref(made->json);
    *made = (made_case_t){0};
}
