/* SPDX-License-Identifier: MIT */
/* Whether a case can be judged by a profile at all, and what a release of Phoenix is known to do instead. */
#ifndef VECTORS_APPLICABLE_H
#define VECTORS_APPLICABLE_H

#include "vectors/demands.h"

/* What the profile lacks for the case over a transport and a version, in words and owned; NULL: nothing. */
char *case_lacks(const vector_case_t *c, const demands_t *demands, transport_t transport, vsn_t vsn,
                 const profile_t *profile);

/*
 * The defect of the release; NULL: none is known. It excuses a failure. A pass needs no excuse: the defect is
 * Phoenix's, and another server that goes by the rules of that release need not have it.
 */
const known_defect_t *case_known_defect(const vector_case_t *c, const release_t *release);

#endif
