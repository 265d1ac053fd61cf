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

/* The worst of what was judged decides; what was not judged decides nothing. */
START_TEST(one_failure_is_enough)
{
    static const struct {
        const char *variant, *verdict, *first, *second;
    } rows[] = {{"a.x/ws/v2", "pass", "R-01", "R-02"},
                {"a.x/ws/v1", "not applicable", "R-01", "R-03"},
                {"a.y/ws/v2", "fail", "R-02", NULL},
                {"a.z/ws/v2", "expected failure", "R-04", NULL},
                {"a.w/ws/v2", "pass", "R-04", NULL}};
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
    ck_assert_uint_eq(coverage->len, 4);
    ck_assert_int_eq(coverage_row(coverage, "R-01")->standing, STANDING_PASSED);
    ck_assert_int_eq(coverage_row(coverage, "R-02")->standing, STANDING_FAILED);
    ck_assert_str_eq(coverage_row(coverage, "R-02")->first[STANDING_FAILED], "a.y/ws/v2");
    ck_assert_int_eq(coverage_row(coverage, "R-03")->standing, STANDING_UNSEEN);
    ck_assert_int_eq(coverage_row(coverage, "R-04")->standing, STANDING_EXCUSED);
    ck_assert_ptr_null(coverage_row(coverage, "R-05"));
    ck_assert_str_eq(written(coverage, &out),
                     "4 requirements: 1 passed, 1 failed, 1 failed and excused, 1 not "
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
        ck_assert_int_eq(coverage_row(coverage, rules[i])->standing, STANDING_OPEN);
        ck_assert_str_eq(coverage_row(coverage, rules[i])->first[STANDING_OPEN], variants[i]);
    }
    ck_assert_int_eq(coverage_row(coverage, "R-99")->standing, STANDING_FAILED);
    ck_assert_int_eq(coverage_tone(STANDING_OPEN), TONE_BAD);
    ck_assert_str_eq(written(coverage, &out), "6 requirements: 1 passed, 2 failed, 3 not decided");
    text_free(&out);
    coverage_free(coverage);
    run_free(run);
}
END_TEST

TEST_MAIN("report coverage", one_failure_is_enough, no_verdict_is_no_pass)
