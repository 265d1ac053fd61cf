/* SPDX-License-Identifier: MIT */
/*
 * The adapter that joins nodes by a Redis: all listen to one channel, each to one of its own. While Redis is
 * away nothing is kept for it; it is sought again until it is back.
 */
#ifndef REDIS_H
#define REDIS_H

#include "adapter.h"
#include "timers.h"

typedef struct redis_config {
    const char *url;     /* redis://[[USER]:PASSWORD@]HOST[:PORT] */
    const char *cluster; /* what the channels' names begin with */
    node_id_t node;
    uint64_t down_ms; /* a Redis that does not answer for half of that, or 5 s, is given up */
} redis_config_t;

/* All is copied. NULL when the URL is wrong, memory ran out or this build knows no Redis: `error` says so. It
 * connects when the loop runs. */
adapter_t *redis_adapter_new(uv_loop_t *loop, timers_t *timers, const redis_config_t *config, char *error,
                             size_t error_size);

#endif
