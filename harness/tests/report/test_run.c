/* SPDX-License-Identifier: MIT */
#include "report_util.h"

/* A run whose two variants were planned. */
static run_t *planned(void)
{
    run_t *run = run_new("made");
    assert_added(run, made_head(2));
    assert_added(run, made_variant("a.x/ws/v2", NULL));
    assert_added(run, made_variant("b.y/lp/v1", NULL));
    return run;
}

START_TEST(a_whole_run)
{
    run_t *run = planned();
    ck_assert_str_eq(run_flaw(run), "the run was cut short: its report has no summary");
    ck_assert_int_eq(run_exit(run), 3);
    assert_added(run, json_pack("{s:s s:s}", "event", "started", "variant", "a.x/ws/v2"));
    assert_added(run, made_variant("a.x/ws/v2", "pass"));
    assert_added(run, made_variant("b.y/lp/v1", "pass"));
    assert_added(run, made_summary(2, "pass", 2));
    ck_assert(run_whole(run) && run_flaw(run) == NULL);
    ck_assert_int_eq(run_exit(run), 0);
    ck_assert_str_eq(row_column(&run->rows[1]), "lp/v1");
    ck_assert_str_eq(row_verdict(&run->rows[1]), "pass");
    assert_refused(run, made_variant("a.x/ws/v2", "pass"), "behind the summary");
    run_free(run);
}
END_TEST

START_TEST(what_comes_at_the_wrong_time_is_refused)
{
    run_t *run = run_new("made");
    assert_refused(run, made_variant("a.x/ws/v2", NULL), "before \"run\"");
    assert_added(run, made_head(1));
    assert_refused(run, made_head(1), "inside another");
    assert_refused(run, made_variant("a.x/ws/v2", "pass"), "before all of the plan");
    assert_refused(run, made_summary(0, "pass", 0), "before all of the plan");
    assert_added(run, made_variant("a.x/ws/v2", NULL));
    assert_refused(run, made_variant("a.x/ws/v2", NULL), "planned twice");
    assert_refused(run, made_variant("b.y/ws/v2", NULL), "more variants are planned");
    run_free(run);
}
END_TEST

START_TEST(verdicts_are_planned_and_counted)
{
    run_t *run = planned();
    assert_refused(run, made_variant("c.z/ws/v2", "pass"), "was not planned");
    assert_added(run, made_variant("a.x/ws/v2", "pass"));
    assert_refused(run, made_variant("a.x/ws/v2", "fail"), "two verdicts");
    assert_refused(run, made_summary(2, "pass", 2), "counted 2 times");
    assert_refused(run, made_summary(2, "pass", 1), "this run proves nothing");
    assert_added(run, made_variant("b.y/lp/v1", "fail"));
    assert_refused(run, made_summary(2, "pass", 1), "this run proves nothing");
    ck_assert(!run_whole(run));
    run_free(run);
}
END_TEST

START_TEST(a_run_ended_early_is_never_green)
{
    run_t *run = planned();
    assert_added(run, made_variant("a.x/ws/v2", "pass"));
    assert_added(run, made_variant("b.y/lp/v1", "pass"));
    json_t *summary = made_summary(2, "pass", 2);
    json_object_set_new(summary, "complete", json_false());
    assert_added(run, summary);
    ck_assert_str_eq(run_flaw(run), "the run was ended early");
    ck_assert_int_eq(run_exit(run), 3);
    run_free(run);
}
END_TEST

START_TEST(an_exit_code_of_0_follows_from_the_verdicts)
{
    static const char *const wrong[] = {"fail", "unexpected pass", "not run", "harness error", "flaky"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        run_t *run = planned();
        assert_added(run, made_variant("a.x/ws/v2", wrong[i]));
        assert_added(run, made_variant("b.y/lp/v1", "pass"));
        json_t *summary = made_summary(2, "pass", 1);
        json_object_set_new(json_object_get(summary, "counts"), wrong[i], json_integer(1));
        assert_refused(run, json_deep_copy(summary), "exit code 0, and the verdict of a.x/ws/v2 is");
        json_object_set_new(summary, "exit", json_integer(1));
        assert_added(run, summary);
        run_free(run);
    }
}
END_TEST

START_TEST(an_event_has_its_members_and_no_others)
{
    run_t *run = run_new("made");
    json_t *head = made_head(1);
    json_object_del(head, "target");
    assert_refused(run, head, "\"target\" is missing");
    head = made_head(1);
    json_object_set_new(head, "surprise", json_true());
    assert_refused(run, head, "no such member: \"surprise\"");
    head = made_head(1);
    json_object_set_new(head, "started_at", json_string("2026-01-02 03:04:05"));
    assert_refused(run, head, "\"started_at\" is not what it should be");
    head = made_head(-1);
    assert_refused(run, head, "\"planned\" is not what it should be");
    head = made_head(1);
    json_object_set_new(head, "report", json_integer(REPORT_FORMAT + 1));
    assert_refused(run, head, "format 2");
    assert_refused(run, json_pack("{s:s}", "event", "party"), "not an event");
    assert_refused(run, json_pack("[]"), "not an event");
    assert_added(run, made_head(1));
    assert_refused(run, made_variant("\"><b>.x/ws/v2", NULL), "\"variant\" is not what it should be");
    run_free(run);
}
END_TEST

START_TEST(a_verdict_that_is_not_known_is_bad)
{
    ck_assert_int_eq(look_of("pass")->tone, TONE_GOOD);
    ck_assert_int_eq(look_of("flaky")->tone, TONE_BAD);
    json_t *verdict = made_variant("a.x/ws/v2", "fail");
    ck_assert_int_eq(event_tone(verdict), TONE_BAD);
    json_object_set_new(verdict, "tolerated", json_true());
    ck_assert_int_eq(event_tone(verdict), TONE_KNOWN);
    json_decref(verdict);
}
END_TEST

TEST_MAIN("report run", a_whole_run, what_comes_at_the_wrong_time_is_refused,
          verdicts_are_planned_and_counted, a_run_ended_early_is_never_green,
          an_exit_code_of_0_follows_from_the_verdicts, an_event_has_its_members_and_no_others,
          a_verdict_that_is_not_known_is_bad)
