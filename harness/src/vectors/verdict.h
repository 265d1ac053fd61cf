/* SPDX-License-Identifier: MIT */
/* How a variant ended, and everything a report may say about it. */
#ifndef VECTORS_VERDICT_H
#define VECTORS_VERDICT_H

#include "judge/transcript.h"
#include "vectors/variant.h"

typedef enum verdict {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_NOT_APPLICABLE,
    VERDICT_NOT_RUN,
    VERDICT_HARNESS_ERROR,
    VERDICTS
} verdict_t;
const char *
verdict_name(verdict_t verdict); /* "pass", "fail", "not applicable", "not run", "harness error" */

/* Zero-initialise; release with case_result_free. Strings are owned and may be NULL. */
typedef struct case_result {
    verdict_t verdict;
    double ms;
    size_t step;          /* of a failure, from 1; one more than the case has: the end of the case */
    char *step_text;      /* what that step says */
    char *reason;         /* what is wrong; or why it was not run */
    char *expected, *got; /* for a diff; both or none */
    unsigned attempts;    /* more than 1: earlier ones failed while the machine was overloaded, see suite.h */
    transcript_t *transcript;
    char **labels; /* what the transcript's entries are marked with */
    size_t label_count;
} case_result_t;

void case_result_free(case_result_t *result);

#endif
