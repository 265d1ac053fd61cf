/* SPDX-License-Identifier: MIT */
/*
 * A round of chaos: two clients, one that pushes and broadcasts and one that listens, on two topics of the
 * conformance application, through a proxy with weather; then the sky clears, and everything has to work
 * again.
 */
#ifndef CHAOS_ROUND_H
#define CHAOS_ROUND_H

#include "weather.h"

#include <stdbool.h>
#include <stdio.h>

#ifdef PHXC_FAULTS
#include "faults.h"
#endif

typedef struct round round_t;

typedef struct round_counts {
    unsigned pushes;
    unsigned replied;
    unsigned unmatched; /* among these, by a server whose channel had failed */
    unsigned timed_out; /* lost with their connection */
    unsigned cancelled; /* their channel was left */
    unsigned received;  /* broadcasts, by both clients */
    unsigned outages;   /* that the clients noticed */
    weather_report_t weather;
} round_counts_t;

/* Begins; `over` comes once, from the loop. NULL when it cannot begin. */
round_t *round_start(uv_loop_t *loop, int server, uint64_t seed, unsigned number,
                     void (*over)(void *user, round_t *round), void *user);
#ifdef PHXC_FAULTS
/* From now on its clients have the fault. */
void round_break(round_t *round, phxc_fault_t fault);
#endif
unsigned round_number(const round_t *round);
/* What was wrong; NULL: nothing. */
const char *round_wrong(const round_t *round);
void round_tell(const round_t *round, FILE *to); /* what happened, with times */
round_counts_t round_counts(const round_t *round);
/* The loop must run until its handles are gone. */
void round_free(round_t *round);

#endif
