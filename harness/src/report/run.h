/* SPDX-License-Identifier: MIT */
/* A run, as its events tell it; the only thing a view sees. */
#ifndef REPORT_RUN_H
#define REPORT_RUN_H

#include "report/event.h"

/* One variant of the plan. */
typedef struct run_row {
    json_t *planned; /* the event */
    json_t *verdict; /* the event; NULL: there is none yet, or the run was cut short */
} run_row_t;

typedef struct run {
    char *label;          /* what it is called beside others; owned */
    json_t *head;         /* the event `run`; NULL: no event yet */
    json_t *requirements; /* by id; NULL: none cited */
    run_row_t *rows;
    size_t len, cap;
    size_t started, judged;
    json_t *counts;  /* of the verdicts so far, by their names */
    json_t *summary; /* NULL: not over, or cut short */
    json_t *index;   /* variant -> its row */
    size_t first;    /* the number of its first row, where the rows of several runs are numbered, from 1 */
} run_t;

run_t *run_new(const char *label);
void run_free(run_t *run);

/*
 * Takes the next event (a reference to it is kept). False and why appended to `error`, the run as it was,
 * when it is no event, or none that may come now: a verdict that was not planned or is the second one, counts
 * that are not those of the verdicts, anything behind the summary.
 */
bool run_add(run_t *run, json_t *event, text_t *error);

/* The row of a variant, or NULL; borrowed. */
const run_row_t *run_row(const run_t *run, const char *variant);

/* Whether every planned variant has its verdict and the run was not ended early. */
bool run_whole(const run_t *run);

/* What is wrong with the run as such, in words; NULL: nothing. */
const char *run_flaw(const run_t *run);

/* The exit code it ended with; 3 when it was cut short. */
int run_exit(const run_t *run);

/* "ws/v2" of "join.ok/ws/v2"; borrowed. */
const char *row_column(const run_row_t *row);

/* Of its verdict; bad without one. */
tone_t row_tone(const run_row_t *row);
const char *row_verdict(const run_row_t *row); /* "no verdict" without one */

/* Appends "JREF-02 (must, server): text"; the bare id when its text is not known. */
void run_requirement(text_t *out, const run_t *run, const char *id);

#endif
