/* SPDX-License-Identifier: MIT */
/* The events of a run of the vectors: what happens, put into JSON. Each function returns a new reference. */
#ifndef REPORT_EVENTS_H
#define REPORT_EVENTS_H

#include "vectors/suite.h"

#include <jansson.h>

/* What a run is said to be; everything is borrowed. */
typedef struct run_about {
    const char *command; /* the command line, as words for a shell */
    const char *rerun;   /* the command that runs one variant again, but for "--run NAME" */
    const char *target;  /* its URL */
    const profile_t *profile;
} run_about_t;

json_t *events_run(const run_about_t *about, size_t planned);

/* The texts of those requirements that the plan cites; `requirements` is an object by id. */
json_t *events_requirements(const variants_t *variants, const json_t *requirements);

json_t *events_planned(const variant_t *variant);
json_t *events_started(const variant_t *variant);

/* `trace`: with what was said also where it passed. */
json_t *events_verdict(const variant_t *variant, const case_result_t *result, bool trace);

/* How the run ended. */
typedef struct run_ending {
    const suite_counts_t *counts;
    bool complete; /* it was not ended early */
    int exit_code;
    double ms;
} run_ending_t;

json_t *events_summary(const run_ending_t *ending);

#endif
