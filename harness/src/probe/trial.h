/* SPDX-License-Identifier: MIT */
/* Cases run against a target that nothing is known of: each is a question, and its verdict the answer. */
#ifndef PROBE_TRIAL_H
#define PROBE_TRIAL_H

#include "vectors/case_run.h"

/* One question. `variant` says what is asked, where and how; the rest is the answer. */
typedef struct trial {
    variant_t variant;
    bool passed, over; /* not over: the deadline came first */
    double ms;         /* how long it took */
    char *reason;      /* why it did not pass; owned */
} trial_t;

typedef struct trials {
    trial_t *at;
    size_t len, cap;
} trials_t;

/* Adds a question; the case is borrowed. Its index. */
size_t trials_add(trials_t *trials, const vector_case_t *c, mount_t mount, transport_t transport, vsn_t vsn);

/* Asks all of them at once on target->loop, which is run here and empty afterwards; `deadline_ms` ends it. */
void trials_run(trials_t *trials, const target_t *target, double deadline_ms);

void trials_free(trials_t *trials);

/* A case made on the spot; `json` is a list of steps as in a file, and is owned by the case then. */
typedef struct made_case {
    vector_case_t c;
    json_t *json;
} made_case_t;

void made_case(made_case_t *made, json_t *json);
void made_case_free(made_case_t *made);

#endif
