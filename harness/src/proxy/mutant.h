/* SPDX-License-Identifier: MIT */
/*
 * Mutants: seeded faults, each with the requirement it breaks (vectors/mutants/README.md). A mutant is made
 * by the proxy, from a list of faults, or by a target that has the fault built in, by name.
 */
#ifndef PROXY_MUTANT_H
#define PROXY_MUTANT_H

#include "base/files.h"

#include <jansson.h>

typedef struct mutant {
    const char *id, *title;
    const json_t *requirements; /* list of ids */
    json_t *proxy;              /* list of faults; NULL: the target has it built in */
    const char *fault;          /* the name of the one built in; NULL: made by the proxy */
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

/*
 * What the proxy is to do: the faults of the mutant `id` of a file or folder. `id` NULL: of the only one
 * there is; "none": nothing. A new reference; NULL and a message.
 */
json_t *mutants_choose_faults(const char *path, const char *id, text_t *error);

const mutant_t *mutants_find(const mutants_t *mutants, const char *id);

#endif
