/* SPDX-License-Identifier: MIT */
/* A build without hiredis. */
#include <stdio.h>

#include "redis.h"

adapter_t *redis_adapter_new(uv_loop_t *loop, timers_t *timers, const redis_config_t *config, char *error,
                             size_t error_size)
{
    (void)loop;
    (void)timers;
    (void)config;
    snprintf(error, error_size, "this build has no Redis: install libhiredis-dev and build again");
    return NULL;
}
