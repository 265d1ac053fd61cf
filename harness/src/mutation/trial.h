/* SPDX-License-Identifier: MIT */
/* One run of the vectors against one mutant: the target or proxy that makes it, and a phxspec server, or
 * phxspec client, of its own. */
#ifndef MUTATION_TRIAL_H
#define MUTATION_TRIAL_H

#include "base/files.h"
#include "net/url.h"
#include "proxy/mutant.h"

#include <uv.h>

/* What all trials share; borrowed, outlives them. */
typedef struct trial_setup {
    uv_loop_t *loop;
    const address_t *upstream; /* the server without a fault; NULL: of a client */
    const char *self;          /* this program */
    const char *folder;        /* for the reports of the runs */
    const char *spawn; /* how a target with a fault built in is started: {port}, {fault}; NULL: not at all */
    const char *arguments; /* words for the judge, quoted for a shell; begins with a blank or is "" */
    const char *mutants;   /* file or folder they are from */
    bool client; /* the mutants are clients: `spawn` starts the driver; without a fault built in {fault} is
                    "none" */
    bool detour; /* of a client: the run without a fault goes through the proxy as well */
    bool quick;  /* only the cases about the group of requirements that is broken */
} trial_setup_t;

typedef enum trial_state {
    TRIAL_RAN,      /* `report` holds what came out */
    TRIAL_NOT_MADE, /* nothing makes this mutant here; `why` */
    TRIAL_BROKEN,   /* the run did not end as a run does; `why` */
} trial_state_t;

typedef struct trial trial_t;
typedef void trial_done_cb(void *ctx, trial_t *trial);

/* Starts; `mutant` NULL: nothing is altered; `only`: variants, to run no others (borrowed for the trial's
 * life); NULL: all. `done` comes once, from the loop. Owned by the caller. */
trial_t *trial_start(const trial_setup_t *setup, const mutant_t *mutant, const names_t *only,
                     trial_done_cb *done, void *ctx);

const mutant_t *trial_mutant(const trial_t *trial);
const names_t *trial_only(const trial_t *trial); /* as given */
trial_state_t trial_state(const trial_t *trial);
const char *trial_why(const trial_t *trial);    /* "" unless there is something to say */
const char *trial_report(const trial_t *trial); /* path of the JSON lines */
size_t trial_hits(
    const trial_t *trial); /* how many times the proxy altered something; of a client not known, SIZE_MAX */

/* Ends what still runs, removes the report and releases. */
void trial_free(trial_t *trial);

#endif
