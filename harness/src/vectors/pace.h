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

/* Watches the loop from now on, which turns at least every PACE_TURN_MS while it is watched. Owned by the
 * caller. */
enum { PACE_TURN_MS = 10 };
pace_t *pace_new(uv_loop_t *loop);

/* When the loop had last looked at its sockets and seen to what was there (clock_ms): what is read now came
 * after that. */
double pace_looked(const pace_t *pace);

/* The longest time since `since` (clock_ms) for which the loop did not look at its sockets; 0: it kept its
 * turns. */
double pace_stood_still(const pace_t *pace, double since);

void pace_free(pace_t *pace);

#endif
