/* SPDX-License-Identifier: MIT */
/*
 * Where the harness itself stood still: it did not get the processor, was stopped, or was busy with bytes.
 * What it sent or read about then has a time that is not certain, and a wait that ended then was no wait.
 */
#ifndef VECTORS_PACE_H
#define VECTORS_PACE_H

#include <stdbool.h>
#include <uv.h>

typedef struct pace pace_t;

/* Watches the loop from now on, which turns at least every PACE_TURN_MS while it is watched; a turn that
 * takes up to PACE_USUAL_MS is no standing still. Owned by the caller. */
enum { PACE_TURN_MS = 10, PACE_USUAL_MS = 2 * PACE_TURN_MS };
pace_t *pace_new(uv_loop_t *loop);

/* When the loop had last looked at its sockets and seen to what was there (clock_ms): what is read now came
 * after that. */
double pace_looked(const pace_t *pace);

/* When something happened (clock_ms), as far as the harness can tell: not before and not after. */
typedef struct moment {
    double earliest, latest;
} moment_t;

/* What is read now came in this time. */
moment_t moment_now(const pace_t *pace);

/* What is read now, was not there yet at `looked`, and arrived last, by the kernel's account at `arrived`
 * (clock_ms, 0: it gives none). */
moment_t moment_last(double looked, double arrived);

/* What was done between `begun` and now, by the kernel's account at `done` (clock_ms, 0: it gives none). */
moment_t moment_done(double begun, double done);

/* The longest time since `since` (clock_ms) for which the loop did not look at its sockets; 0: it kept its
 * turns. */
double pace_stood_still(const pace_t *pace, double since);

void pace_free(pace_t *pace);

#endif
