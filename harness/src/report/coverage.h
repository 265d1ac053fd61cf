/* SPDX-License-Identifier: MIT */
/* What a run showed of the requirements: each that a case of the plan cites, and what those cases came to. */
#ifndef REPORT_COVERAGE_H
#define REPORT_COVERAGE_H

#include "report/run.h"

/* One requirement. It is good when all that judged it passed, bad or known when one did not, open when one
 * that should have judged it did not, and muted when this target let nothing judge it. */
typedef struct coverage_row {
    const char *id; /* borrowed */
    tone_t tone;
    size_t by[TONES];         /* of the variants that cite it */
    const char *first[TONES]; /* the first of them; NULL: none; borrowed */
} coverage_row_t;

typedef struct coverage {
    coverage_row_t *rows; /* in the order of the plan */
    size_t len, cap;
    size_t by[TONES];
    json_t *index; /* id -> its row */
} coverage_t;

/* The run is borrowed, and must not change any more. */
coverage_t *coverage_new(const run_t *run);
void coverage_free(coverage_t *coverage);

/* The row of a requirement, or NULL: the run does not cite it. */
const coverage_row_t *coverage_row(const coverage_t *coverage, const char *id);

/* "passed", "failed", "not decided", "failed and excused", "not observable with this target" */
const char *coverage_word(tone_t tone);

/* Appends "228 requirements: 222 passed, 6 not observable with this target". */
void coverage_write(text_t *out, const coverage_t *coverage);

#endif
