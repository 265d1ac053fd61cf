/* SPDX-License-Identifier: MIT */
/*
 * Names that each server makes up anew: long-poll tokens, phx_refs. What the recorded server called R and the
 * target calls G must be so wherever R was recorded, and two that differ in the recording must differ here.
 */
#ifndef REPLAY_IDENTITIES_H
#define REPLAY_IDENTITIES_H

#include "base/text.h"

typedef struct identity {
    char *recorded, *got;
} identity_t;

/* Zero-initialise, release with identities_free. */
typedef struct identities {
    identity_t *at;
    size_t len, cap;
} identities_t;

void identities_free(identities_t *identities);

/* Whether the two may be the same thing; a pair not seen before is remembered. */
bool identities_agree(identities_t *identities, span_t recorded, span_t got);

/* Forgets the pairs after the first `len`: a comparison that failed must leave nothing behind. */
void identities_forget(identities_t *identities, size_t len);

/*
 * Appends `text` with every recorded name replaced by the target's. A word that is no known name but nearly
 * one (the same length and at most 4 characters changed, or up to 8 cut off) is changed in the same way: a
 * tampered token.
 */
void identities_replace(const identities_t *identities, text_t *out, span_t text);

#endif
