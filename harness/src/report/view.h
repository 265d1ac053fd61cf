/* SPDX-License-Identifier: MIT */
/*
 * A view turns events into text. It keeps nothing of its own: what it appends follows from the run, the event
 * and the settings alone, so that a live run and its saved events look the same.
 */
#ifndef REPORT_VIEW_H
#define REPORT_VIEW_H

#include "report/run.h"

/* How much a text shows. */
typedef enum detail {
    DETAIL_QUIET,   /* failures and the summary */
    DETAIL_NORMAL,  /* and one line for every variant */
    DETAIL_VERBOSE, /* and times, titles, requirements */
    DETAIL_TRACE,   /* and everything that was said, also where it passed */
} detail_t;

typedef struct view_settings {
    detail_t detail;
    bool colours;
    size_t runs; /* how many there are */
} view_settings_t;

typedef struct view {
    const char *name, *suffix; /* "junit", ".xml" */
    const char *about;
    /* After the run has taken the event; NULL: it does not care. */
    void (*event)(text_t *out, const view_settings_t *settings, const run_t *run, const json_t *event);
    /* A run has no further event. */
    void (*run_end)(text_t *out, const view_settings_t *settings, const run_t *run);
    /* There is no further run. */
    void (*end)(text_t *out, const view_settings_t *settings, const run_t *const *runs, size_t count);
} view_t;

extern const view_t view_text, view_jsonl, view_junit, view_tap, view_markdown, view_html;

/* ---- what several views say alike ---- */

/* Appends "step 5 of 6: …", or nothing where no step failed. */
void say_step(text_t *out, const json_t *verdict);

/* Appends one line of a transcript: "   12.4 ms  a  → [\"1\",…]   [step 3]". */
void say_entry(text_t *out, const json_t *entry);

/* Appends a text of several lines, each behind `indent` and with a line feed. */
void say_lines(text_t *out, const char *lines, const char *indent);

/* Appends why the verdict is what it is, in one line or several: reason, expectation, link. */
void say_why(text_t *out, const json_t *verdict);

/* Appends what a case is about, and where and why it failed: title, requirements, sources, step, reason. */
void say_case(text_t *out, const run_t *run, const json_t *verdict, const char *indent);

/* Appends what was said: the last `frames` lines; 0: all. */
void say_transcript(text_t *out, const json_t *verdict, size_t frames, const char *indent);

/* Whether a connection of the variant closed uncleanly. */
bool is_unclean(const json_t *verdict);

/* Appends everything about a failure as plain text: title, requirements, sources, step, reason, diff, what
 * was said (the last `frames` lines; 0: all), how to run it again. Each line behind `indent`. */
void say_failure(text_t *out, const run_t *run, const json_t *verdict, size_t frames, const char *indent);

/* Appends "recording push.echo", "phoenix/…#3590 (the POST …)". */
void say_source(text_t *out, const json_t *source);

/* Appends the command that runs the variant again. */
void say_again(text_t *out, const run_t *run, const json_t *verdict);

/* Appends why the run is not whole (see run_flaw), and how much of it is missing: "…; 3 of 12 variants were
 * not judged". */
void say_flaw(text_t *out, const run_t *run);

/* Appends what the run showed of the requirements: "228 requirements: 222 passed, …". */
void say_coverage(text_t *out, const run_t *run);

/* Appends "12 planned: pass 10, fail 2 (0.3 s)". */
void say_counts(text_t *out, const run_t *run);

#endif
