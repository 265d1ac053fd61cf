/* SPDX-License-Identifier: MIT */
/* A whole run against a client: several driver processes, each playing one case after the other. */
#ifndef CLIENT_SUITE_POOL_H
#define CLIENT_SUITE_POOL_H

#include "client_suite/play.h"
#include "vectors/suite.h"

/* What a driver says of itself first; zero-initialise, release with greeting_free. */
typedef struct greeting {
    char *name, *version;
    char *phoenix; /* the release of phoenix.js whose rules it follows; NULL: it says none */
    names_t capabilities;
    tolerance_t tolerance;
} greeting_t;
void greeting_free(greeting_t *greeting);

/*
 * Starts one driver, reads its hello and ends it again. False and a message when there is none within
 * `limit_ms`, or it is of another version of the protocol. The loop is run.
 */
bool greeting_read(uv_loop_t *loop, char *const *arguments, double limit_ms, greeting_t *greeting,
                   text_t *error);

typedef struct pool_options {
    stage_t stage;          /* but for the pace */
    char *const *arguments; /* of the driver, ended by NULL */
    double hello_ms;        /* how long one may take to say hello */
    suite_options_t suite;
} pool_options_t;

/*
 * Runs the plan on stage.loop, which is run here and is empty again afterwards. SIGINT and SIGTERM end it
 * early: what is under way or still to come is not run. True when it was not ended early. Verdicts come in
 * the order of the plan.
 */
bool pool_run(const pool_options_t *options, const variants_t *variants, suite_verdict_cb *verdict, void *ctx,
              suite_counts_t *counts);

#endif
