/* SPDX-License-Identifier: MIT */
#include "vectors/verdict.h"

#include <stdlib.h>

const char *verdict_name(verdict_t verdict)
{
    static const char *const names[VERDICTS] = {
        [VERDICT_PASS] = "pass",
        [VERDICT_FAIL] = "fail",
        [VERDICT_EXPECTED_FAILURE] = "expected failure",
        [VERDICT_UNEXPECTED_PASS] = "unexpected pass",
        [VERDICT_NOT_APPLICABLE] = "not applicable",
        [VERDICT_NOT_RUN] = "not run",
        [VERDICT_HARNESS_ERROR] = "harness error",
    };
    return names[verdict];
}

void case_result_set(case_result_t *result, verdict_t verdict, const char *format, va_list arguments)
{
    text_t reason = {0};
    text_vprintf(&reason, format, arguments);
    free(result->reason);
    result->reason = text_take(&reason);
    result->verdict = verdict;
}

void case_result_free(case_result_t *result)
{
    free(result->step_text);
    free(result->reason);
    free(result->expected);
    free(result->got);
    free(result->closing);
    if (result->transcript) {
        transcript_free(result->transcript);
    }
    for (size_t i = 0; i < result->label_count; i++) {
        free(result->labels[i]);
    }
    free(result->labels);
    *result = (case_result_t){0};
}
