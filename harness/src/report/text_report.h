/* SPDX-License-Identifier: MIT */
/* A run of the vectors for people: one line per variant, failures in full, a summary. */
#ifndef REPORT_TEXT_REPORT_H
#define REPORT_TEXT_REPORT_H

#include "vectors/suite.h"

#include <stdio.h>

/* How much is shown. */
typedef enum detail {
    DETAIL_QUIET,   /* failures and the summary */
    DETAIL_NORMAL,  /* and one line for every variant */
    DETAIL_VERBOSE, /* and times, titles */
    DETAIL_TRACE,   /* and everything that was said, also where it passed */
} detail_t;

/* Everything is borrowed. */
typedef struct text_report {
    FILE *to;
    detail_t detail;
    bool colours;
    const json_t *requirements;
    const char *rerun;     /* the command that runs one variant again, but for "--run NAME" */
    const char *rerun_end; /* what follows that; NULL: nothing */
} text_report_t;

/* Whether colours are wanted on a stream: a terminal, and no NO_COLOR in the environment. */
bool text_report_colours(FILE *to);

void text_report_verdict(const text_report_t *report, const variant_t *variant, const case_result_t *result);

/* The counts, and their sum against what was planned. */
void text_report_summary(const text_report_t *report, const suite_counts_t *counts, double ms);

#endif
