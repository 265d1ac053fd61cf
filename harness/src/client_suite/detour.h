/* SPDX-License-Identifier: MIT */
/* phxspec's proxy between one client and the scripted server: what passes is altered by the faults of a
 * mutant, so that any client becomes one that breaks a rule (vectors/client-mutants/README.md). */
#ifndef CLIENT_SUITE_DETOUR_H
#define CLIENT_SUITE_DETOUR_H

#include "base/text.h"

#include <jansson.h>
#include <uv.h>

typedef struct detour detour_t;

/* To the server that listens on `port` of 127.0.0.1; `faults` is a list that was checked (mutants_load).
 * Owned by the caller; NULL and a message. */
detour_t *detour_open(uv_loop_t *loop, int port, json_t *faults, text_t *error);

/* Where the client connects to. */
int detour_port(const detour_t *detour);

/* How many times something was altered so far. */
size_t detour_altered(const detour_t *detour);

/* Ends all connections through it and releases; the loop must run on to its end. NULL: nothing. */
void detour_close(detour_t *detour);

#endif
