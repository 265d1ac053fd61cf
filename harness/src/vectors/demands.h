/* SPDX-License-Identifier: MIT */
/*
 * What a case takes of a target beyond a URL, seen from what it sends: nobody has to state it. A case that
 * only connects, joins, leaves, sends heartbeats, talks to topics nobody serves or sends what cannot be read
 * belongs to the bare tier; an `echo` on a joined topic takes the conformance application.
 */
#ifndef VECTORS_DEMANDS_H
#define VECTORS_DEMANDS_H

#include "vectors/vector.h"

typedef struct demands {
    bool application; /* what is sent is understood by the conformance application only */
    bool topic;       /* a topic is joined */
    bool own_topics;  /* more topics are joined than one, or one nobody else may use */
    bool pipeline;    /* several messages go out at once */
    bool timers[TIMERS];
    bool limits[LIMITS];
    const char *node; /* another node it goes to, borrowed from the case; NULL: none */
} demands_t;

demands_t case_demands(const vector_case_t *c);

#endif
