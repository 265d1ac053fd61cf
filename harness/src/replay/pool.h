/* SPDX-License-Identifier: MIT */
/* The servers started for a run: one for each distinct command, shared by all who want it, and some of their
 * own. */
#ifndef REPLAY_POOL_H
#define REPLAY_POOL_H

#include "replay/target.h"

typedef struct pool pool_t;

/* `changed` is called for every target's change of state. */
pool_t *pool_new(uv_loop_t *loop, ready_by_t ready, target_cb *changed, void *ctx);

/* The server that runs this command, started when there is none. One that died is started anew, a few times;
 * one that never was ready is not: then it is the dead one. Owned by the pool. */
target_t *pool_shared(pool_t *pool, const char *command);

/* A server nobody else gets. */
target_t *pool_own(pool_t *pool, const char *command);

/* Stops all; true when none is left (else `changed` tells when to ask again). */
bool pool_stop(pool_t *pool);

void pool_free(pool_t *pool);

#endif
