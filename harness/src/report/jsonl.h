/* SPDX-License-Identifier: MIT */
/*
 * A run of the vectors for programs: JSON lines.
 *     {"event":"plan","report":1,"planned":N,"target":URL,"profile":NAME}
 *     {"event":"verdict","case":ID,"variant":NAME,"transport":…,"vsn":…,"level":…,"requirements":[…],"verdict":…,
 *      "ms":…,"closing":…,"step":N,"reason":…,"expected":…,"got":…}            one for each, in the order of
 * the plan
 *     {"event":"summary","planned":N,"pass":N,"fail":N, … (each verdict's count),"complete":B}
 * A file without a summary was cut short and says nothing.
 */
#ifndef REPORT_JSONL_H
#define REPORT_JSONL_H

#include "vectors/suite.h"

#include <stdio.h>

/* Each writes one line; false when the file could not be written to. */
bool jsonl_plan(FILE *to, size_t planned, const char *target, const profile_t *profile);
bool jsonl_verdict(FILE *to, const variant_t *variant, const case_result_t *result);
bool jsonl_summary(FILE *to, const suite_counts_t *counts, bool complete);

#endif
