/* SPDX-License-Identifier: MIT */
/*
 * Whether this machine leaves a test the time it needs. Some vectors must speak before a timer of the server
 * runs out; where the harness stands still, or the server beside it does not get the processor, they fail for
 * a fault that is not the server's.
 */
#ifndef VECTORS_PACE_H
#define VECTORS_PACE_H

#include <stdbool.h>
#include <uv.h>

typedef struct pace pace_t;

/* Watches the loop from now on. Owned by the caller. */
pace_t *pace_new(uv_loop_t *loop);

/* Whether at any time since `since` (clock_ms) the loop stood still, or more programs wanted to run than
 * could. */
bool pace_lost(const pace_t *pace, double since);

void pace_free(pace_t *pace);

#endif
