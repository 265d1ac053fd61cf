/* SPDX-License-Identifier: MIT */
/* One variant, run: its steps one after the other, each judged by what is in the transcript. */
#ifndef VECTORS_CASE_RUN_H
#define VECTORS_CASE_RUN_H

#include "vectors/endpoints.h"
#include "vectors/pace.h"
#include "vectors/verdict.h"

#include <uv.h>

/* What is tested. Everything is borrowed and must outlive the runs. */
typedef struct target {
    uv_loop_t *loop;
    const endpoints_t *endpoints;
    const profile_t *profile;
    double patience_ms; /* how long a step waits beyond the protocol timer it waits for */
    const pace_t *pace; /* of the loop; suite_run has its own */
    size_t *heard;      /* counts what comes from the server; suite_run has its own; may be NULL */
} target_t;

typedef struct case_run case_run_t;

/*
 * Starts the variant, which must be applicable. `unique` is put into its topics and user ids. `done` comes
 * once, from the loop and never from inside case_start; the result is the callee's then. It may call
 * case_free.
 */
case_run_t *case_start(const target_t *target, const variant_t *variant, const char *unique,
                       void (*done)(void *ctx, case_result_t *result), void *ctx);

/* Whether it is at a step that the server should be done with at once: not one that waits for a timer, and
 * not one for which it has waited long already. */
bool case_busy(const case_run_t *run);

/* Ends every connection of the run and releases it. Before `done` came, it will not come any more. */
void case_free(case_run_t *run);

#endif
