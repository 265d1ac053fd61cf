/* SPDX-License-Identifier: MIT */
/* A case over one transport and one version: what is run, and what it is called. */
#ifndef VECTORS_VARIANT_H
#define VECTORS_VARIANT_H

#include "vectors/vector.h"

typedef struct variant {
    const vector_case_t *c;
    transport_t transport;
    vsn_t vsn;
    mount_t mount;
    char *name;      /* "join.ok/ws/v2" */
    char *lacking;   /* not applicable: what the profile lacks, in words; NULL: applicable */
    double waits_ms; /* the protocol timers its steps wait for, added up: the longest start first */
    bool heavy;      /* it moves so many bytes that it slows down whatever runs beside it */
} variant_t;

typedef struct variants {
    variant_t *at;
    size_t len, cap;
} variants_t;

/* What is to be run. Patterns are matched with the id and the name; an empty `run` means all. */
typedef struct selection {
    names_t run, skip;
    level_t weakest; /* cases of a weaker level are left out */
} selection_t;

/*
 * The selected variants of all cases, in the order of the files, each judged applicable to the profile or
 * not. False, and a message naming it, when a pattern of `run` or `skip` matches nothing, or nothing is
 * selected.
 */
bool variants_select(variants_t *variants, const vectors_t *vectors, const profile_t *profile,
                     const selection_t *selection, text_t *error);

void variants_free(variants_t *variants);

#endif
