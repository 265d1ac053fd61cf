/* SPDX-License-Identifier: MIT */
/* The parts of the HTML report that view_html.c puts together. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report/sheet.h"

/* Appends the runs: what each was and what it came to. */
void html_runs(text_t *out, const sheet_t *sheet);

/* Appends the matrix of groups by transport and serializer. */
void html_matrix(text_t *out, const sheet_t *sheet);

/* Appends what the runs showed of each requirement. */
void html_coverage(text_t *out, const sheet_t *sheet);

/* Appends all that is of this tone, each with its requirements, step, difference and timeline; returns how
 * many. */
size_t html_failures(text_t *out, const sheet_t *sheet, tone_t tone, const char *id, const char *heading);

/* Appends all variants by group, one row each. */
void html_variants(text_t *out, const sheet_t *sheet);

/* Appends a verdict as a coloured word. */
void html_verdict(text_t *out, const run_row_t *row);

#endif
