/* SPDX-License-Identifier: MIT */
/* How a variant ended, and everything a report may say about it. */
#ifndef VECTORS_VERDICT_H
#define VECTORS_VERDICT_H

#include "judge/transcript.h"
#include "vectors/variant.h"

typedef enum verdict {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_EXPECTED_FAILURE, /* it failed, and an expectation or a known defect says why */
    VERDICT_UNEXPECTED_PASS,  /* it passed, and an expectation says that it would not */
    VERDICT_NOT_APPLICABLE,
    VERDICT_NOT_RUN,
    VERDICT_HARNESS_ERROR,
    VERDICTS
} verdict_t;

/* "pass", "fail", "expected failure", "unexpected pass", "not applicable", "not run", "harness error". */
const char *verdict_name(verdict_t verdict);

/* Why a variant is expected not to pass. Everything is borrowed. */
typedef struct expected {
    const char *pattern; /* of the expectations' or the profile's entry; NULL: a defect the vectors know of */
    const char *reason;  /* NULL: it is expected to pass */
    const char *link;    /* or NULL */
} expected_t;

/* Zero-initialise; release with case_result_free. Strings are owned and may be NULL. */
typedef struct case_result {
    verdict_t verdict;
    double ms;
    size_t step;          /* of a failure, from 1; one more than the case has: the end of the case */
    char *step_text;      /* what that step says */
    char *reason;         /* what is wrong; or why it was not run */
    char *expected, *got; /* for a diff; both or none */
    expected_t excuse;    /* of an expected failure or an unexpected pass */
    bool tolerated;       /* a failure that does not fail the run: its level is not must, without --strict */
    char *closing;        /* how its connections closed, which never changes the verdict: "clean", or
                             "unclean: …"; NULL: there was nothing to be closed */
    transcript_t *transcript;
    char **labels; /* what the transcript's entries are marked with */
    size_t label_count;
} case_result_t;

void case_result_free(case_result_t *result);

/* Takes this verdict and this reason, in place of what was there. */
void case_result_set(case_result_t *result, verdict_t verdict, const char *format, va_list arguments);

#endif
