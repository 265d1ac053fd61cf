/* SPDX-License-Identifier: MIT */
#include "replay/pool.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { STARTS_MAX = 10 };

typedef struct server {
    target_t *target;
    char *command; /* NULL: not shared */
    bool was_ready;
} server_t;

struct pool {
    uv_loop_t *loop;
    ready_by_t ready;
    target_cb *changed;
    void *ctx;
    server_t *at;
    size_t len, cap;
    bool stopping;
};

static void on_changed(void *ctx, target_t *target)
{
    pool_t *pool = ctx;
    for (size_t i = 0; i < pool->len; i++) {
        if (pool->at[i].target == target && target_state(target) == TARGET_READY) {
            pool->at[i].was_ready = true;
        }
    }
    pool->changed(pool->ctx, target);
}

pool_t *pool_new(uv_loop_t *loop, ready_by_t ready, target_cb *changed, void *ctx)
{
    pool_t *pool = mem_new(1, sizeof *pool);
    pool->loop = loop;
    pool->ready = ready;
    pool->changed = changed;
    pool->ctx = ctx;
    return pool;
}

static target_t *start(pool_t *pool, const char *command, bool shared)
{
    target_t *target = target_spawn(pool->loop, command, pool->ready, on_changed, pool);
    MEM_ROOM(pool->at, pool->len, pool->cap);
    pool->at[pool->len++] = (server_t){.target = target, .command = shared ? mem_string(command) : NULL};
    return target;
}

target_t *pool_own(pool_t *pool, const char *command)
{
    return start(pool, command, false);
}

target_t *pool_shared(pool_t *pool, const char *command)
{
    size_t starts = 0;
    for (size_t i = 0; i < pool->len; i++) {
        const server_t *server = &pool->at[i];
        if (server->command == NULL || strcmp(server->command, command) != 0) {
            continue;
        }
        if (target_state(server->target) != TARGET_GONE || !server->was_ready || ++starts == STARTS_MAX) {
            return server->target;
        }
    }
    return start(pool, command, true);
}

bool pool_stop(pool_t *pool)
{
    bool all_gone = true;
    for (size_t i = 0; i < pool->len; i++) {
        if (!pool->stopping) {
            target_stop(pool->at[i].target);
        }
        all_gone = all_gone && target_state(pool->at[i].target) == TARGET_GONE;
    }
    pool->stopping = true;
    return all_gone;
}

void pool_free(pool_t *pool)
{
    for (size_t i = 0; i < pool->len; i++) {
        target_free(pool->at[i].target);
        free(pool->at[i].command);
    }
    free(pool->at);
    free(pool);
}
