/* SPDX-License-Identifier: MIT */
#include "vectors/verdict.h"

#include <stdlib.h>

static const struct {
    const char *name, *key;
    bool failed;
} verdicts[VERDICTS] = {
    [VERDICT_PASS] = {"pass", "pass", false},
    [VERDICT_FAIL] = {"fail", "fail", true},
    [VERDICT_EXPECTED_FAILURE] = {"expected failure", "expected_failure", true},
    [VERDICT_UNEXPECTED_PASS] = {"unexpected pass", "unexpected_pass", false},
    [VERDICT_NOT_APPLICABLE] = {"not applicable", "not_applicable", false},
    [VERDICT_NOT_RUN] = {"not run", "not_run", false},
    [VERDICT_HARNESS_ERROR] = {"harness error", "harness_error", true},
};

const char *verdict_name(verdict_t verdict)
{
    return verdicts[verdict].name;
}

const char *verdict_key(verdict_t verdict)
{
    return verdicts[verdict].key;
}

bool verdict_failed(verdict_t verdict)
{
    return verdicts[verdict].failed;
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
