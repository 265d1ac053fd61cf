/* SPDX-License-Identifier: MIT */
/* Runs side by side: groups of cases by transport and serializer, and variants by run. */
#ifndef REPORT_SHEET_H
#define REPORT_SHEET_H

#include "base/files.h"
#include "report/run.h"

/* What one group came to over one transport and serializer. */
typedef struct cell {
    size_t planned, applicable, by[TONES]; /* applicable: all but what is muted */
} cell_t;

/* One variant in all runs. */
typedef struct sheet_row {
    const run_row_t *any;   /* where it is planned first; borrowed */
    const run_row_t **runs; /* in each run, NULL where it is not planned */
    size_t group;           /* index into sheet->groups */
    bool differs;           /* the runs that plan it did not come to the same verdict */
    bool lone;              /* not all runs plan it */
} sheet_row_t;

typedef struct sheet {
    const run_t *const *runs; /* borrowed */
    size_t count;
    names_t groups;  /* in the order of the plan */
    names_t columns; /* "ws/v2", "ws/v1", "lp/v2", "lp/v1" */
    sheet_row_t *rows;
    size_t len, cap;
    size_t differing, lone;
    cell_t *cells;
} sheet_t;

/* The runs are borrowed, and must not change any more. */
sheet_t *sheet_new(const run_t *const *runs, size_t count);
void sheet_free(sheet_t *sheet);

const cell_t *sheet_cell(const sheet_t *sheet, size_t run, size_t group, size_t column);

/* Appends "12/13", passed of applicable, "n/a" where nothing is applicable, nothing where nothing is planned.
 */
void cell_write(text_t *out, const cell_t *cell);

#endif
