/* SPDX-License-Identifier: MIT */
/* A server with the conformance application and a few clients, led line by line. */
#ifndef STAGE_H
#define STAGE_H

#include "fuzz.h"
#include "phxspec/server.h"
#include "scripted.h"

enum { CLIENTS = 4, TOKEN_CHARS = 76 };

typedef struct stage {
    phxs_server_t *server;
    carrier_t *carrier;
    carrier_conn_t *clients[CLIENTS];
    char token[TOKEN_CHARS]; /* the last that a long-poll answer told */
} stage_t;

/* What a client says, in a target's own way. */
typedef void stage_say_t(stage_t *stage, size_t number, phx_slice_t line);

/*
 * Plays a script on a new server, and ends it: in order or, by chance, at once. Its lines: `NLINE`, client N
 * (a digit) says LINE; `-N`, it hangs up; `+MS`, time passes.
 */
void stage_play(phx_slice_t script, stage_say_t *say);

/* Client `number`'s connection, a new one if it has none; `fresh` says so. NULL: the server refuses. */
carrier_conn_t *stage_client(stage_t *stage, size_t number, bool *fresh);

/* Takes note of what the server has said. */
void stage_take_answers(stage_t *stage);

#endif
