/* SPDX-License-Identifier: MIT */
/* A run of the vectors while it is under way, told to a report. */
#ifndef REPORT_LIVE_H
#define REPORT_LIVE_H

#include "report/events.h"
#include "report/report.h"

typedef struct live live_t;

/* Tells what will be run. The report is borrowed and must be open. */
live_t *live_new(report_t *report, const run_about_t *about, const variants_t *plan,
                 const json_t *requirements);

/* For suite_run: `ctx` is the live_t. */
void live_started(void *ctx, const variant_t *variant);
void live_verdict(void *ctx, const variant_t *variant, const case_result_t *result);

/*
 * Tells how it ended, closes the report and frees it. False and messages when the report is not whole, or the
 * events contradict each other, which would prove nothing.
 */
bool live_end(live_t *live, const run_ending_t *ending, text_t *error);

#endif
