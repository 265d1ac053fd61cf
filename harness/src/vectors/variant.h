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
    size_t number; /* in the whole expansion, from 0 */
    char *name;    /* "join.ok/ws/v2" */
    char *lacking; /* not applicable: what the profile lacks, in words; NULL: applicable */
    const known_defect_t *known_defect; /* of the release judged by; NULL: it knows of none */
    const divergence_t *divergence;     /* of the profile; NULL: none */
    double waits_ms; /* the protocol timers its steps wait for, added up: the longest start first */
    bool heavy;      /* it moves so many bytes that it slows down whatever runs beside it */
} variant_t;

/* Zero-initialise; release with variants_free. */
typedef struct variants {
    variant_t *at;
    size_t len, cap;
} variants_t;

/* All variants of all cases, in the order of the files, each judged applicable to the profile or not. */
void variants_expand(variants_t *variants, const vectors_t *vectors, const profile_t *profile);

/* In what order to start them, for qsort: the longest first, then as in the plan. */
int variant_order(const variant_t *a, const variant_t *b);

/* "ws" or "lp", as in names of variants. */
const char *transport_short(transport_t transport);

void variants_free(variants_t *variants);

#endif
