/* SPDX-License-Identifier: MIT */
/* What a run showed of the requirements: each that a case of the plan cites, and what those cases came to. */
#ifndef REPORT_COVERAGE_H
#define REPORT_COVERAGE_H

#include "report/run.h"

/* What variants came to, and the requirements they cite. */
typedef enum standing {
    STANDING_PASSED,
    STANDING_FAILED,
    STANDING_EXCUSED,
    STANDING_OPEN,   /* no verdict on the target: not run, or a harness error */
    STANDING_UNSEEN, /* this target lets nothing judge it */
} standing_t;
enum { STANDINGS = STANDING_UNSEEN + 1 };

/* One requirement. It has passed when all that cites it has, or cannot judge this target; else the worst
 * decides. */
typedef struct coverage_row {
    const char *id; /* borrowed */
    standing_t standing;
    size_t by[STANDINGS];         /* of the variants that cite it */
    const char *first[STANDINGS]; /* the first of them; NULL: none; borrowed */
} coverage_row_t;

typedef struct coverage {
    coverage_row_t *rows; /* in the order of the plan */
    size_t len, cap;
    size_t by[STANDINGS];
    json_t *index; /* id -> its row */
} coverage_t;

/* The run is borrowed, and must not change any more. */
coverage_t *coverage_new(const run_t *run);
void coverage_free(coverage_t *coverage);

/* The row of a requirement, or NULL: the run does not cite it. */
const coverage_row_t *coverage_row(const coverage_t *coverage, const char *id);

/* "passed", "failed", "failed and excused", "not decided", "not observable with this target" */
const char *coverage_word(standing_t standing);
tone_t coverage_tone(standing_t standing);

/* Appends "228 requirements: 222 passed, 6 not observable with this target". */
void coverage_write(text_t *out, const coverage_t *coverage);

#endif
