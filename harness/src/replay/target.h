/* SPDX-License-Identifier: MIT */
/* A server to be tested: one that runs already, or one started for the run. */
#ifndef REPLAY_TARGET_H
#define REPLAY_TARGET_H

#include "net/url.h"

#include <uv.h>

typedef struct target target_t;

typedef enum target_state { TARGET_STARTING, TARGET_READY, TARGET_GONE } target_state_t;

typedef enum ready_by {
    READY_BY_LINE, /* {port} is 0; the first line of stdout that says "ready URL" tells where it listens */
    READY_BY_TCP,  /* {port} is a free one; it is ready when it takes connections there */
} ready_by_t;

/* Called whenever the state has changed, from the loop. */
typedef void target_cb(void *ctx, target_t *target);

target_t *target_at(const url_t *url, const address_t *address);

/* Starts the command (with {port} in it). */
target_t *target_spawn(uv_loop_t *loop, const char *command, ready_by_t ready, target_cb *changed, void *ctx);

target_state_t target_state(const target_t *target);
const address_t *target_address(const target_t *target);
const char *target_authority(const target_t *target);
const char *target_command(const target_t *target); /* NULL when it was not started here */

/* Why it is gone, in words; and what it wrote. */
const char *target_error(const target_t *target);
span_t target_output(const target_t *target);

void target_signal(target_t *target, int signal_number);

/* SIGTERM; SIGKILL when it is still there after 3 s. `changed` tells when it is gone. */
void target_stop(target_t *target);
/* Whether it ended otherwise than by our signal and with status 0. */
bool target_ended_badly(const target_t *target);

void target_free(target_t *target);

#endif
