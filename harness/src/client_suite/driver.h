/* SPDX-License-Identifier: MIT */
/*
 * The program that drives the client under test: it takes commands, a line of JSON each, on stdin, and says
 * on stdout what happens. harness/DRIVER.md describes both.
 */
#ifndef CLIENT_SUITE_DRIVER_H
#define CLIENT_SUITE_DRIVER_H

#include "base/jvalue.h"
#include "vectors/pace.h"

#include <uv.h>

typedef struct driver driver_t;

/* Callbacks come from the loop only; any of them may free the driver. */
typedef struct driver_events {
    void (*said)(void *ctx, const json_t *line); /* one line of stdout, an object; borrowed */
    void (*noise)(void *ctx, span_t line);       /* one line of stderr */
    void (*ended)(void *ctx, const char *how);   /* once, the last: it ended, could not be started, or said
                                                    something that is no line of the protocol */
} driver_events_t;

/* Starts `arguments` (ended by NULL, found in $PATH), in a process group of its own. `arguments` is borrowed
 * during the call. Owned by the caller. */
driver_t *driver_start(uv_loop_t *loop, char *const *arguments, const driver_events_t *events, void *ctx);

/* From now on others listen. */
void driver_listen(driver_t *driver, const driver_events_t *events, void *ctx);

/* Writes one command; nothing once the driver has ended. */
void driver_tell(driver_t *driver, const json_t *command);

/* When it was last told something (clock_ms), by the kernel's account; 0: it gives none. */
double driver_told_at(const driver_t *driver);

bool driver_running(const driver_t *driver);

/* In `said`: when the line was written. */
moment_t driver_moment(const driver_t *driver, const pace_t *pace);

/* Kills what still runs, with all it started, and releases; no callback comes any more. */
void driver_free(driver_t *driver);

#endif
