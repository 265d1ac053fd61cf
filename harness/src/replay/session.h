/* SPDX-License-Identifier: MIT */
/*
 * A whole run: which recordings are played when and against which server. Recordings that use a topic or a
 * socket id in common would hear each other and are never played side by side; all others are, on one loop.
 */
#ifndef REPLAY_SESSION_H
#define REPLAY_SESSION_H

#include "judge/expectations.h"
#include "replay/target.h"
#include "replay/verdict.h"

typedef struct session_options {
    const char *spawn; /* command template; NULL: `url` */
    ready_by_t ready;
    url_t url;
    address_t address;
    bool assume_config;           /* the target is what each recording's config says */
    names_t assumed;              /* config keys of which that is so */
    names_t without;              /* capabilities the target lacks */
    names_t only, skip;           /* patterns of names; `only` empty: all */
    const expectations_t *expect; /* or NULL */
    size_t jobs;
    verbosity_t verbosity;
    FILE *report;
    const char *rerun;
} session_options_t;

/* Whether the recording is among those chosen. */
bool session_chosen(const session_options_t *options, const recording_t *recording);

/* Plays the chosen recordings, tells the verdicts, and returns the program's exit code. */
int session_run(const session_options_t *options, const recordings_t *recordings, const rules_t *rules);

#endif
