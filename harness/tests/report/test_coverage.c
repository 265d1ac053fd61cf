/* SPDX-License-Identifier: MIT */
#include "report/coverage.h"

#include "report_util.h"

static void add(run_t *run, const char *variant, const char *verdict, const char *first, const char *second)
{
    json_t *event = made_variant(variant, verdict);
    json_object_set_new(event, "requirements", json_pack("[s s*]", first, second));
    assert_added(run, event);
}

static const char *written(const coverage_t *coverage, text_t *out)
{
    text_clear(out);
    coverage_write(out, coverage);
    return text_str(out);
}

/* The worst decides; what could not be judged decides nothing. */
START_TEST(one_failure_is_enough)
{
    static const struct {
        const char *variant, *verdict, *first, *second;
    } rows[] = {
        {"a.x/ws/v2", "pass", "R-01", "R-02"},         {"a.x/ws/v1", "not applicable", "R-01", "R-03"},
        {"a.y/ws/v2", "fail", "R-02", NULL},           {"a.z/ws/v2", "expected failure", "R-04", NULL},
        {"a.w/ws/v2", "pass", "R-04", NULL},           {"a.v/ws/v2", "pass", "R-05", NULL},
        {"a.v/ws/v1", "harness error", "R-05", NULL},  {"a.u/ws/v2", "not run", "R-06", "R-02"},
        {"a.t/ws/v2", "unexpected pass", "R-07", NULL}};
    enum { COUNT = sizeof rows / sizeof *rows };
    run_t *run = run_new("made");
    text_t out = {0};
    assert_added(run, made_head(COUNT));
    for (size_t i = 0; i < COUNT; i++) {
        add(run, rows[i].variant, NULL, rows[i].first, rows[i].second);
    }
    for (size_t i = 0; i < COUNT; i++) {
        add(run, rows[i].variant, rows[i].verdict, rows[i].first, rows[i].second);
    }
    coverage_t *coverage = coverage_new(run);
    ck_assert_uint_eq(coverage->len, 7);
    ck_assert_int_eq(coverage_row(coverage, "R-01")->tone, TONE_GOOD);
    ck_assert_int_eq(coverage_row(coverage, "R-02")->tone, TONE_BAD);
    ck_assert_str_eq(coverage_row(coverage, "R-02")->first[TONE_BAD], "a.y/ws/v2");
    ck_assert_int_eq(coverage_row(coverage, "R-03")->tone, TONE_MUTED);
    ck_assert_int_eq(coverage_row(coverage, "R-04")->tone, TONE_KNOWN);
    ck_assert_int_eq(coverage_row(coverage, "R-05")->tone, TONE_OPEN);
    ck_assert_str_eq(coverage_row(coverage, "R-05")->first[TONE_OPEN], "a.v/ws/v1");
    ck_assert_int_eq(coverage_row(coverage, "R-06")->tone, TONE_OPEN);
    ck_assert_int_eq(coverage_row(coverage, "R-07")->tone, TONE_GOOD);
    ck_assert_ptr_null(coverage_row(coverage, "R-08"));
    ck_assert_str_eq(written(coverage, &out),
                     "7 requirements: 2 passed, 1 failed, 2 not decided, 1 failed and excused, 1 not "
                     "observable with this target");
    text_free(&out);
    coverage_free(coverage);
    run_free(run);
}
END_TEST

START_TEST(no_verdict_is_no_pass)
{
    static const char *const verdicts[] = {NULL, "not run", "harness error", "pass", "fail"};
    enum { COUNT = sizeof verdicts / sizeof *verdicts };
    run_t *run = run_new("made");
    text_t out = {0};
    assert_added(run, made_head(COUNT));
    char variants[COUNT][16];
    char rules[COUNT][16];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(variants[i], sizeof variants[i], "a.%c/ws/v2", (int)('a' + i));
        snprintf(rules[i], sizeof rules[i], "R-%zu", i);
        add(run, variants[i], NULL, rules[i], "R-99");
    }
    for (size_t i = 1; i < COUNT; i++) {
        add(run, variants[i], verdicts[i], rules[i], "R-99");
    }
    coverage_t *coverage = coverage_new(run);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(coverage_row(coverage, rules[i])->tone, TONE_OPEN);
        ck_assert_str_eq(coverage_row(coverage, rules[i])->first[TONE_OPEN], variants[i]);
    }
    ck_assert_int_eq(coverage_row(coverage, "R-99")->tone, TONE_BAD);
    ck_assert_str_eq(written(coverage, &out), "6 requirements: 1 passed, 2 failed, 3 not decided");
    text_free(&out);
    coverage_free(coverage);
    run_free(run);
}
END_TEST

TEST_MAIN("report coverage", one_failure_is_enough, no_verdict_is_no_pass)
