/* SPDX-License-Identifier: MIT */
#include "probe/measure.h"

#include "test_util.h"

START_TEST(times_are_rounded_down_to_two_digits)
{
    ck_assert_double_eq(round_time(0), 0);
    ck_assert_double_eq(round_time(7.9), 7);
    ck_assert_double_eq(round_time(99.5), 99);
    ck_assert_double_eq(round_time(304.2), 300);
    ck_assert_double_eq(round_time(1001.7), 1000);
    ck_assert_double_eq(round_time(1112.4), 1100);
    ck_assert_double_eq(round_time(2500), 2500);
    ck_assert_double_eq(round_time(60003), 60000);
}
END_TEST

START_TEST(a_case_made_on_the_spot_has_the_verbs_of_its_steps)
{
    made_case_t made;
    made_case(&made,
              json_pack("[{s:s s:{s:{}}} {s:{} s:{s:i}} {s:s s:{s:i}} {s:[]} {s:[] s:s} {s:s}]", "connect",
                        "a", "expect", "headers", "http", "expect", "status", 200, "response", "x", "expect",
                        "status", 200, "expect", "allow", "on", "a", "barrier", "heartbeat"));
    static const verb_t verbs[] = {VERB_CONNECT, VERB_HTTP,  VERB_RESPONSE,
                                   VERB_EXPECT,  VERB_ALLOW, VERB_BARRIER};
    ck_assert_uint_eq(made.c.len, sizeof verbs / sizeof *verbs);
    for (size_t i = 0; i < made.c.len; i++) {
        ck_assert_int_eq(made.c.steps[i].verb, verbs[i]);
    }
    made_case_free(&made);
}
END_TEST

TEST_MAIN("measure", times_are_rounded_down_to_two_digits, a_case_made_on_the_spot_has_the_verbs_of_its_steps)
