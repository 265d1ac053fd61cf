/* SPDX-License-Identifier: MIT */
/* What became of each recording, and how that is told: to people on stdout, to programs in --report. */
#ifndef REPLAY_VERDICT_H
#define REPLAY_VERDICT_H

#include "replay/player.h"

#include <stdio.h>

typedef enum verdict_kind {
    AGREE,
    DISAGREE,
    EXPECTED,       /* a disagreement that --expect names */
    NOT_APPLICABLE, /* the target lacks a capability; `reason` names it */
    NOT_RUN,        /* `reason` says why */
    HARNESS_ERROR,
    VERDICTS,
} verdict_kind_t;

typedef struct verdict {
    const recording_t *recording;
    verdict_kind_t kind;
    char *reason;     /* owned; NULL: none */
    bool came_untrue; /* --expect names it, and it agreed */
    double ms;
} verdict_t;

typedef enum verbosity { QUIET, NORMAL, VERBOSE, TRACE } verbosity_t;

typedef struct verdict_printer {
    verbosity_t verbosity;
    const char *rerun; /* the command that runs one recording again, its name still to be added */
    FILE *report;      /* NULL: none */
    size_t counts[VERDICTS];
    size_t played_again; /* recordings for which the client had fallen behind at first */
} verdict_printer_t;

/* Tells one verdict; `player` is NULL where nothing was played. */
void verdict_print(verdict_printer_t *printer, const verdict_t *verdict, const player_t *player);

/* The summary; false when the verdicts do not add up to what was planned. */
bool verdict_summary(const verdict_printer_t *printer, const verdict_t *verdicts, size_t planned, double ms);

#endif
