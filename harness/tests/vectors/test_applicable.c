/* SPDX-License-Identifier: MIT */
#include "vectors/applicable.h"

#include "test_util.h"

#include <string.h>

static profile_t profile;

static void setup(void)
{
    profile_default(&profile);
}

static void teardown(void)
{
    profile_free(&profile);
}

static void assert_lacks(const vector_case_t *c, const demands_t *demands, const char *expected)
{
    char *lacks = case_lacks(c, demands, WEBSOCKET, VSN_2, &profile);
    ck_assert_pstr_eq(lacks, expected);
    free(lacks);
}

static void assert_lacks_without(const char *capability, const vector_case_t *c, const demands_t *demands,
                                 const char *expected)
{
    text_t error = {0};
    setup();
    ck_assert(profile_without(&profile, capability, &error));
    assert_lacks(c, demands, expected);
    teardown();
}

START_TEST(what_is_lacking)
{
    vector_case_t c = {.needs = json_pack("[s]", "reply")};
    demands_t application = {.application = true, .topic = true, .own_topics = true};
    assert_lacks_without("websocket", &c, &application, "capability websocket");
    assert_lacks_without("conformance", &c, &application, "capability conformance");
    assert_lacks_without("reply", &c, &application, "capability reply");
    assert_lacks_without("push", &c, &application, NULL);
    setup();
    profile.vsns[VSN_2] = false;
    assert_lacks(&c, &application, "vsn 2.0.0");
    profile.vsns[VSN_2] = true;
    assert_lacks(&c, &(demands_t){.node = "second"}, "node second");
    profile.mounts[MOUNT_MAIN].present = false;
    assert_lacks(&c, &application, "mount main");
    teardown();
    json_decref((json_t *)c.needs);
}
END_TEST

START_TEST(the_bare_tier)
{
    vector_case_t c = {0};
    demands_t one = {.topic = true}, several = {.topic = true, .own_topics = true}, none = {0};
    setup();
    free(profile.topic);
    profile.topic = strdup("room:lobby");
    assert_lacks(&c, &one, NULL);
    assert_lacks(&c, &several, "a topic with {unique} in it: the case joins several");
    free(profile.topic);
    profile.topic = NULL;
    assert_lacks(&c, &one, "a topic that can be joined");
    assert_lacks(&c, &none, NULL);
    teardown();
}
END_TEST

START_TEST(timers_and_limits_that_are_not_known)
{
    vector_case_t c = {.when = json_pack("{s:i}", "limits.max_channels", 100)};
    demands_t timer = {.timers = {[TIMER_LP_WINDOW] = true}}, limit = {.limits = {[LIMIT_FRAME] = true}};
    setup();
    assert_lacks(&c, &timer, NULL);
    profile.mounts[MOUNT_MAIN].timer_ms[TIMER_LP_WINDOW] = 0;
    profile.mounts[MOUNT_MAIN].limit[LIMIT_FRAME] = 0;
    assert_lacks(&c, &timer, "a known longpoll.window_ms");
    assert_lacks(&c, &limit, "a known limits.max_frame_bytes");
    profile.mounts[MOUNT_MAIN].limit[LIMIT_CHANNELS] = 0;
    assert_lacks(&c, &(demands_t){0}, "limits.max_channels 100 on mount main");
    teardown();
    json_decref((json_t *)c.when);
}
END_TEST

START_TEST(releases)
{
    vector_case_t c = {0};
    text_t error = {0};
    json_t *since = json_pack("{s:s}", "since", "1.8.12"),
           *range = json_pack("{s:s s:s}", "since", "1.8.3", "until", "1.8.11");
    known_defect_t defect = {.does = "loses it", .link = "a/b#1"};
    ck_assert(releases_read(since, &c.phoenix, &error) && releases_read(range, &defect.releases, &error));
    c.defects = &defect;
    c.defect_count = 1;
    setup();
    assert_lacks(&c, &(demands_t){0}, NULL);
    ck_assert_ptr_null(case_known_defect(&c, &profile.release));
    ck_assert(profile_set_phoenix(&profile, "1.8.11", &error));
    assert_lacks(&c, &(demands_t){0}, "Phoenix 1.8.11: it holds since 1.8.12");
    ck_assert_ptr_eq(case_known_defect(&c, &profile.release), &defect);
    teardown();
    releases_free(&c.phoenix);
    releases_free(&defect.releases);
    json_decref(since);
    json_decref(range);
}
END_TEST

START_TEST(before_batches)
{
    vector_case_t c = {0};
    demands_t pipeline = {.pipeline = true};
    text_t error = {0};
    setup();
    ck_assert(profile_set_phoenix(&profile, "1.6.16", &error));
    assert_lacks(&c, &pipeline, NULL);
    ck_assert_pstr_eq(case_lacks(&c, &pipeline, LONGPOLL, VSN_1, &profile), NULL);
    char *lacks = case_lacks(&c, &pipeline, LONGPOLL, VSN_2, &profile);
    ck_assert_pstr_eq(lacks, "Phoenix 1.6.16: batches over long-poll came with 1.7.0");
    free(lacks);
    ck_assert(profile_set_phoenix(&profile, "1.7.0", &error));
    ck_assert_pstr_eq(case_lacks(&c, &pipeline, LONGPOLL, VSN_2, &profile), NULL);
    teardown();
}
END_TEST

START_TEST(divergences)
{
    text_t error = {0};
    json_t *json = json_pack("{s:i s:s s:{s:{s:s}} s:[] s:[{s:s s:s s:s} {s:s s:s}]}", "profile", 1, "name",
                             "n", "mounts", "main", "path", "/s", "capabilities", "divergences", "case",
                             "idle.*", "reason", "a", "link", "http://x", "case", "*/lp/v1", "reason", "b");
    ck_assert_msg(profile_read("p", json, &profile, &error), "%s", text_str(&error));
    json_decref(json);
    ck_assert_str_eq(profile_divergence(&profile, "idle.x", "idle.x/lp/v1")->reason, "a");
    ck_assert_str_eq(profile_divergence(&profile, "idle.x", "idle.x/lp/v1")->link, "http://x");
    ck_assert_str_eq(profile_divergence(&profile, "join.x", "join.x/lp/v1")->reason, "b");
    ck_assert_ptr_null(profile_divergence(&profile, "join.x", "join.x/ws/v1"));
    teardown();
}
END_TEST

TEST_MAIN("applicable", what_is_lacking, the_bare_tier, timers_and_limits_that_are_not_known, releases,
          before_batches, divergences)
