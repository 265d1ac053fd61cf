/* SPDX-License-Identifier: MIT */
/* One variant of a case for clients, played: the driver is told what to do, the scripted server does its
 * part, and each step is judged by what is in the transcript and by what the driver said. */
#ifndef CLIENT_SUITE_PLAY_H
#define CLIENT_SUITE_PLAY_H

#include "client_suite/driver.h"
#include "vectors/pace.h"
#include "vectors/verdict.h"

/* How exactly a client keeps its times. */
typedef struct tolerance {
    double early_ms, late_ms;
} tolerance_t;

typedef struct stage {
    uv_loop_t *loop;
    tolerance_t tolerance;
    double patience_ms; /* how long a step waits beyond the time it is about */
    const pace_t *pace; /* of the loop; pool_run has its own */
    json_t *faults;     /* list: what is altered between client and server; NULL: nothing is between them */
    size_t *altered;    /* counted up by how many times that happened; needed with `faults` */
} stage_t;

typedef struct play play_t;

/*
 * Starts the variant, which must be applicable, with a driver that is idle; both are borrowed. `done` comes
 * once, from the loop and never from inside play_start; the result is the callee's then. It may call
 * play_free. `reusable`: the driver is idle again; otherwise it has ended, or hangs.
 */
play_t *play_start(const stage_t *stage, const variant_t *variant, const char *unique, driver_t *driver,
                   void (*done)(void *ctx, case_result_t *result, bool reusable), void *ctx);

/* Ends whatever is under way and releases. Before `done` came, it will not come any more. */
void play_free(play_t *play);

#endif
