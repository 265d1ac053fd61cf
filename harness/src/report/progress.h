/* SPDX-License-Identifier: MIT */
/* The last line of a terminal while a run is under way. It is gone when the run is over. */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include "report/run.h"

#include <stdio.h>

/* Whether a stream is a terminal that can show one. */
bool progress_wanted(FILE *to);

void progress_clear(text_t *out);
void progress_write(text_t *out, const run_t *run);

#endif
