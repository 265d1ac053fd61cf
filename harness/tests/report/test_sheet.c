/* SPDX-License-Identifier: MIT */
#include "report/sheet.h"

#include "report_util.h"

/* A run of these variants; a verdict of NULL: the run was cut short before it. */
static run_t *made_run(const char *const (*rows)[2], int count)
{
    run_t *run = run_new("made");
    assert_added(run, made_head(count));
    for (int i = 0; i < count; i++) {
        assert_added(run, made_variant(rows[i][0], NULL));
    }
    for (int i = 0; i < count; i++) {
        if (rows[i][1]) {
            assert_added(run, made_variant(rows[i][0], rows[i][1]));
        }
    }
    return run;
}

static const char *shown(const cell_t *cell, text_t *out)
{
    text_clear(out);
    cell_write(out, cell);
    return text_str(out);
}

START_TEST(runs_side_by_side)
{
    static const char *const before[][2] = {
        {"a.x/lp/v1", "pass"}, {"a.x/ws/v2", "pass"}, {"b.y/ws/v2", "not applicable"}, {"c.z/ws/v2", "pass"}};
    static const char *const after[][2] = {{"a.x/ws/v2", "fail"}, {"b.y/ws/v2", NULL}, {"d.w/ws/v2", "pass"}};
    run_t *runs[] = {made_run(before, 4), made_run(after, 3)};
    sheet_t *sheet = sheet_new((const run_t *const *)runs, 2);
    text_t out = {0};
    ck_assert_uint_eq(sheet->len, 5);
    ck_assert_uint_eq(sheet->groups.len, 4);
    ck_assert_str_eq(sheet->columns.at[0], "ws/v2");
    ck_assert_str_eq(sheet->columns.at[1], "lp/v1");
    ck_assert(!sheet->rows[0].differs && sheet->rows[0].lone); /* a.x/lp/v1 */
    ck_assert(sheet->rows[1].differs && !sheet->rows[1].lone); /* pass, fail */
    ck_assert(sheet->rows[2].differs && !sheet->rows[2].lone); /* not applicable, no verdict */
    ck_assert(!sheet->rows[4].differs && sheet->rows[4].lone); /* d.w/ws/v2 */
    ck_assert_uint_eq(sheet->differing, 2);
    ck_assert_uint_eq(sheet->lone, 3);
    ck_assert_str_eq(shown(sheet_cell(sheet, 0, 0, 0), &out), "1/1");
    ck_assert_str_eq(shown(sheet_cell(sheet, 1, 0, 0), &out), "0/1");
    ck_assert_str_eq(shown(sheet_cell(sheet, 1, 0, 1), &out), "");
    ck_assert_str_eq(shown(sheet_cell(sheet, 0, 1, 0), &out), "n/a");
    ck_assert_str_eq(shown(sheet_cell(sheet, 1, 1, 0), &out), "0/1");
    text_free(&out);
    sheet_free(sheet);
    run_free(runs[0]);
    run_free(runs[1]);
}
END_TEST

START_TEST(a_run_of_nothing)
{
    run_t *run = run_new("made");
    assert_added(run, made_head(0));
    sheet_t *sheet = sheet_new((const run_t *const *)&run, 1);
    ck_assert_uint_eq(sheet->len + sheet->groups.len + sheet->columns.len, 0);
    sheet_free(sheet);
    run_free(run);
}
END_TEST

TEST_MAIN("report sheet", runs_side_by_side, a_run_of_nothing)
