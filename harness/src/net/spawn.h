/* SPDX-License-Identifier: MIT */
/* A program under test: started, known to be ready, stopped; its output is kept. */
#ifndef NET_SPAWN_H
#define NET_SPAWN_H

#include "base/text.h"

#include <stdint.h>
#include <uv.h>

typedef struct spawn spawn_t;

typedef struct spawn_events {
    /* A line "ready URL" came on stdout: the URL (borrowed). Once at most. */
    void (*ready)(void *ctx, const char *url);
    /* The program ended, or could not be started at all (then `status` is -1 and `error` says why, else
     * NULL). Once; the spawn stays valid until spawn_free. */
    void (*exited)(void *ctx, int64_t status, int signal, const char *error);
} spawn_events_t;

/*
 * Starts `command`, run by /bin/sh -c with "exec " before it, in a process group of its own, stdin empty.
 * Callbacks come from the loop only. Returns a spawn owned by the caller.
 */
spawn_t *spawn_start(uv_loop_t *loop, const char *command, const spawn_events_t *events, void *ctx);

/* Sends a signal to the program (its whole group); nothing when it has ended. */
void spawn_signal(spawn_t *spawn, int signal);

/* What it wrote to stdout and stderr, the last 64 KiB of it; borrowed. */
span_t spawn_output(const spawn_t *spawn);

/* Kills the group if it still runs and releases; no callback comes any more. */
void spawn_free(spawn_t *spawn);

/* A TCP port of the loopback address that is free at the moment, for programs that cannot choose one; 0:
 * none. */
int spawn_free_port(void);

#endif
