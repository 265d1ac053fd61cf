/* SPDX-License-Identifier: MIT */
#include "vectors/race.h"

#include "test_load.h"

#define WAIT(times) "{\"wait\":{\"timer\":\"longpoll.window_ms\",\"times\":" times "}}"

/* The members and steps of a case, where it runs, and how long the harness may stand still for it. The
 * profile is that of the reference server: on tight, the shortest timer takes 300 ms, on main 10 s. */
static const struct {
    const char *file;
    mount_t mount;
    double margin, wait_margin;
} cases[] = {
    {FILE_OF(CASE_WITH("", "{\"connect\":\"a\"}")), MOUNT_MAIN, 0, 0},
    {FILE_OF(CASE_WITH("", "{\"connect\":\"a\"}")), MOUNT_TIGHT, 60, 0},
    {FILE_OF(CASE_WITH("", CONNECT WAIT("0.02"))), MOUNT_MAIN, 100, 100},
    {FILE_OF(CASE_WITH("", CONNECT WAIT("0.02") "," WAIT("0.01"))), MOUNT_MAIN, 50, 50},
    {FILE_OF(CASE_WITH("", CONNECT WAIT("4"))), MOUNT_TIGHT, 60, 600},
    {FILE_OF(CASE_WITH("", CONNECT "{\"expect_close\":{},\"within\":{\"timer\":\"longpoll.window_ms\"}}")),
     MOUNT_MAIN, 0, 0},
    {FILE_OF(CASE_WITH("", CONNECT "{\"expect_close\":{},\"within\":{\"ms\":150}}")), MOUNT_MAIN, 75, 75},
    {FILE_OF(CASE_WITH("", CONNECT "{\"expect_close\":{},\"not_before\":{\"ms\":100}}")), MOUNT_MAIN, 50, 50},
};

START_TEST(margins)
{
    profile_t profile;
    profile_default(&profile);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vectors_t vectors;
        variant_t variant = {.c = load_case(cases[i].file, &vectors), .mount = cases[i].mount};
        double margin = race_margin_ms(&variant, &profile);
        double wait_margin = race_wait_margin_ms(&variant, &profile);
        ck_assert_msg(wait_margin > cases[i].wait_margin - 0.001 &&
                          wait_margin < cases[i].wait_margin + 0.001,
                      "%s: %f", cases[i].file, wait_margin);
        ck_assert_msg(margin > cases[i].margin - 0.001 && margin < cases[i].margin + 0.001, "%s: %f",
                      cases[i].file, margin);
        vectors_free(&vectors);
    }
    profile_free(&profile);
}
END_TEST

TEST_MAIN("race", margins)
