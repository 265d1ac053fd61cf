/* SPDX-License-Identifier: MIT */
/*
 * Mutants: seeded faults, each with the requirement it breaks (vectors/mutants/README.md). A mutant is made
 * by the proxy, from a list of faults, or by a server that was built to misbehave, by name.
 */
#ifndef PROXY_MUTANT_H
#define PROXY_MUTANT_H

#include "base/files.h"

#include <jansson.h>

typedef struct mutant {
    const char *id, *title;
    const json_t *requirements; /* list of ids */
    json_t *faults;             /* for the proxy; NULL: made by the server */
    const char *server_fault;
} mutant_t;

/* Zero-initialise; release with mutants_free. */
typedef struct mutants {
    mutant_t *at; /* what they point to is owned by `files` */
    size_t len, cap;
    json_t *files; /* list */
} mutants_t;

/* Adds the mutants of a file, or of all *.json below a folder. False, and one line for every flaw ("FILE:
 * mutant ID: …"). */
bool mutants_load(mutants_t *mutants, const char *path, text_t *error);
void mutants_free(mutants_t *mutants);

const mutant_t *mutants_find(const mutants_t *mutants, const char *id);

#endif
