/* SPDX-License-Identifier: MIT */
/* The rules of releases: which they are is seen in recordings; here, where they begin and end. */
#include "rules.h"
#include "test_util.h"

#include <string.h>

static rules_t rules_for(const char *release)
{
    rules_t rules;
    ck_assert_msg(rules_of(release, &rules), "%s has rules", release);
    return rules;
}

START_TEST(the_newest_is_the_default)
{
    rules_t newest = rules_for("1.8.12");
    rules_t rules;
    ck_assert(rules_of(NULL, &rules));
    ck_assert_int_eq(rules.push_join_ref, newest.push_join_ref);
    ck_assert_int_eq(rules.leave_join_ref, JOIN_REF_IF_GIVEN);
    ck_assert_int_eq(rules.drain_code, 1012);
    ck_assert(rules.channel_limit && rules.batches_carry_binary && rules.auth_token);
    ck_assert(!rules.late_post_fails && !rules.batch_read_first);
}
END_TEST

START_TEST(what_is_no_known_release)
{
    static const char *const NONE[] = {"",
                                       "1",
                                       "1.8",
                                       "1.8.",
                                       "1.8.13",
                                       "1.8.12.1",
                                       "1.9.0",
                                       "2.8.1",
                                       "1.5.14",
                                       "1.8.-1",
                                       "1.8.+1",
                                       " 1.8.11",
                                       "1.8.011",
                                       "1.8.x",
                                       "1.8.11-rc.1",
                                       "v1.8.1",
                                       "1..1",
                                       "1.8.99999999999999999999",
                                       "1.99999999999999999999.1"};
    rules_t rules;
    for (size_t i = 0; i < sizeof(NONE) / sizeof(NONE[0]); i++) {
        ck_assert_msg(!rules_of(NONE[i], &rules), "\"%s\" has no rules", NONE[i]);
    }
    ck_assert(rules_of("1.6.0", &rules) && rules_of("1.7.24", &rules) && rules_of("1.8.0", &rules));
}
END_TEST

/* Each line: a release, and the one before it in its series, that do not agree. */
START_TEST(rules_begin_with_their_release)
{
    ck_assert_int_eq(rules_for("1.8.2").push_join_ref, JOIN_REF_ANY);
    ck_assert_int_eq(rules_for("1.8.3").push_join_ref, JOIN_REF_OF_THE_JOIN);
    ck_assert_int_eq(rules_for("1.8.11").push_join_ref, JOIN_REF_OF_THE_JOIN);
    ck_assert_int_eq(rules_for("1.8.12").push_join_ref, JOIN_REF_IF_GIVEN);
    ck_assert_int_eq(rules_for("1.6.15").leave_join_ref, JOIN_REF_ANY);
    ck_assert_int_eq(rules_for("1.6.16").leave_join_ref, JOIN_REF_OF_THE_JOIN);
    ck_assert_int_eq(rules_for("1.7.0").leave_join_ref, JOIN_REF_OF_THE_JOIN);
    ck_assert_int_eq(rules_for("1.8.11").leave_join_ref, JOIN_REF_OF_THE_JOIN);
    ck_assert(!rules_for("1.6.16").channel_limit && rules_for("1.6.17").channel_limit);
    ck_assert(!rules_for("1.7.23").channel_limit && rules_for("1.7.24").channel_limit);
    ck_assert(!rules_for("1.8.8").channel_limit && rules_for("1.8.9").channel_limit);
    ck_assert_str_eq(rules_for("1.8.9").phx_error_payload, "{}");
    ck_assert_str_eq(rules_for("1.8.10").phx_error_payload, "{\"reason\":\"channel_crash\"}");
    ck_assert_int_eq(rules_for("1.8.7").disconnect_code, 1000);
    ck_assert_int_eq(rules_for("1.8.8").disconnect_code, 1001);
    ck_assert_int_eq(rules_for("1.7.3").drain_code, 1000);
    ck_assert_int_eq(rules_for("1.7.4").drain_code, 1012);
    ck_assert_int_eq(rules_for("1.7.9").bad_upgrade_status, 426);
    ck_assert_int_eq(rules_for("1.7.10").bad_upgrade_status, 400);
    ck_assert_int_eq(rules_for("1.8.5").odd_vsn_status, 500);
    ck_assert_int_eq(rules_for("1.8.6").odd_vsn_status, 403);
    ck_assert(!rules_for("1.7.24").auth_token && rules_for("1.8.0").auth_token);
}
END_TEST

START_TEST(rules_of_long_poll_begin_with_their_release)
{
    ck_assert(!rules_for("1.8.9").longpoll_token_in_header && rules_for("1.8.10").longpoll_token_in_header);
    ck_assert(!rules_for("1.8.9").longpoll_token_of_any_type &&
              rules_for("1.8.10").longpoll_token_of_any_type);
    ck_assert_str_eq(rules_for("1.8.9").longpoll_cache_control, "max-age=0, private, must-revalidate");
    ck_assert_str_eq(rules_for("1.8.10").longpoll_cache_control, "no-store");
    ck_assert(!rules_for("1.6.99").batches && rules_for("1.7.0").batches);
    ck_assert(!rules_for("1.7.6").batches_carry_binary && rules_for("1.7.7").batches_carry_binary);
    ck_assert(!rules_for("1.7.6").batch_read_first && rules_for("1.7.7").batch_read_first);
    ck_assert(rules_for("1.7.23").batch_read_first && !rules_for("1.7.24").batch_read_first);
    ck_assert(rules_for("1.8.8").batch_read_first && !rules_for("1.8.9").batch_read_first);
    ck_assert_uint_eq(rules_for("1.7.23").batch_limit, 0);
    ck_assert_uint_eq(rules_for("1.7.24").batch_limit, 100);
    ck_assert_uint_eq(rules_for("1.8.8").batch_limit, 0);
    ck_assert_uint_eq(rules_for("1.8.9").batch_limit, 100);
    ck_assert(rules_for("1.8.6").late_post_fails && rules_for("1.7.22").late_post_fails);
    ck_assert(!rules_for("1.8.5").late_post_fails && !rules_for("1.8.7").late_post_fails);
    ck_assert(!rules_for("1.7.21").late_post_fails && !rules_for("1.7.23").late_post_fails);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("rules");
    tcase_add_test(tcase, the_newest_is_the_default);
    tcase_add_test(tcase, what_is_no_known_release);
    tcase_add_test(tcase, rules_begin_with_their_release);
    tcase_add_test(tcase, rules_of_long_poll_begin_with_their_release);
    Suite *suite = suite_create("rules");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
