/* SPDX-License-Identifier: MIT */
/* A first profile of a target that nothing is known of, found by trying it. */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "net/url.h"
#include "vectors/vector.h"

typedef struct probe_options {
    const char *mount;   /* path of the main mount; NULL: that of the URL, or /socket */
    const char *topic;   /* one that can be joined; NULL: that of the conformance application */
    const json_t *known; /* a profile, some of whose members hold without being tried; NULL: none */
    double wait_ms;      /* for timers of the target */
} probe_options_t;

typedef enum probe_outcome { PROBE_FOUND, PROBE_UNREACHABLE, PROBE_SILENT } probe_outcome_t;

/*
 * Tries the target with the cases of `questions` (vectors/probe/), and what it measures itself; this takes
 * about `wait_ms` and a few seconds, and never longer than wait_ms and 14 seconds. PROBE_FOUND: *profile is a
 * new reference, and `notes` has a line for everything that was assumed or could not be found out. Otherwise
 * `notes` says what is wrong.
 */
probe_outcome_t probe(const url_t *url, const vectors_t *questions, const probe_options_t *options,
                      json_t **profile, text_t *notes);

#endif
