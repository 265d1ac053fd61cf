/* SPDX-License-Identifier: MIT */
/* Cases for clients that have to do with time: what they need of this machine. */
#ifndef CLIENT_SUITE_HURRY_H
#define CLIENT_SUITE_HURRY_H

#include "vectors/vector.h"

/*
 * How late the server may do its part before a failure of the case is no word about the client: a part of the
 * shortest timer of the client that runs out where the server is not prompt. 0: it has set none.
 */
double hurry_margin_ms(const vector_case_t *c);

/* Whether a time is judged or kept by it at all. */
bool hurry_timed(const vector_case_t *c);

#endif
