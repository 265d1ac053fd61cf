/* SPDX-License-Identifier: MIT */
/*
 * Where the events of one or several runs go: a text for people, and the reports that were asked for. All of
 * them see the same events, cleaned (clean.h), and nothing else.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "report/view.h"

typedef struct report report_t;

report_t *report_new(void);
void report_free(report_t *report); /* what was not closed stays as it is */

/*
 * Asks for one more report, as an option says it: "FILE", whose suffix tells the format, or "FORMAT=FILE";
 * the file "-" is standard output. False and what is wrong with it appended to `error`.
 */
bool report_add(report_t *report, const char *option, text_t *error);

/* How much the text shows. */
void report_detail(report_t *report, detail_t detail);
bool report_traces(const report_t *report);

/*
 * Opens all files and says how many runs will come. The text goes to standard output, or to standard error
 * where a report took that, in colours on a terminal unless NO_COLOR is set. `live`: with a line of progress
 * on a terminal. False and messages when a file cannot be written to.
 */
bool report_open(report_t *report, size_t runs, bool live, text_t *error);

/* The next run; borrowed until report_close. */
void report_run(report_t *report, run_t *run);

/* The next event of that run, which takes it; the reference is stolen. False and why when it is none that may
 * come now. */
bool report_event(report_t *report, json_t *event, text_t *error);

/* That run has no further event. */
void report_run_end(report_t *report);

/* Ends all reports. False and a line for each that could not be written whole. */
bool report_close(report_t *report, text_t *error);

#endif
