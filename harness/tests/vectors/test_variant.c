/* SPDX-License-Identifier: MIT */
#include "vectors/variant.h"

#include "test_util.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char cases[] =
    "{\"vectors\":1,\"group\":\"g\",\"about\":\"a\",\"cases\":["
    "{\"id\":\"g.all\",\"title\":\"t\",\"requirements\":[\"A-01\"],\"level\":\"must\",\"steps\":[{"
    "\"connect\":\"a\"}]},"
    "{\"id\":\"g.one\",\"title\":\"t\",\"requirements\":[\"A-01\"],\"level\":\"should\",\"transports\":["
    "\"websocket\"],"
    "\"vsn\":[\"2.0.0\"],\"mount\":\"tight\",\"needs\":[\"binary\"],\"when\":{\"limits.max_channels\":3},"
    "\"steps\":[{\"connect\":\"a\"},{\"wait\":{\"timer\":\"websocket.timeout_ms\",\"times\":1.5}},"
    "{\"expect_close\":{},\"within\":{\"ms\":200}}]},"
    "{\"id\":\"g.may\",\"title\":\"t\",\"requirements\":[\"A-01\"],\"level\":\"may\",\"vsn\":[\"1.0.0\"],"
    "\"mount\":\"sub\",\"steps\":[{\"connect\":\"a\"}]}]}";

static vectors_t vectors;
static profile_t profile;

static void setup(void)
{
    char path[] = "/tmp/phxspec-variant-XXXXXX";
    text_t error = {0};
    int file = mkstemp(path);
    ck_assert_int_eq(write(file, cases, strlen(cases)), (ssize_t)strlen(cases));
    close(file);
    vectors = (vectors_t){0};
    ck_assert_msg(vectors_add(&vectors, path, &error), "%s", text_str(&error));
    unlink(path);
    profile_default(&profile);
}

static void teardown(void)
{
    vectors_free(&vectors);
    profile_free(&profile);
}

/* The names of what is selected, in order, not applicable ones with what is lacking in brackets. */
static void assert_selected(const selection_t *selection, const char *expected)
{
    variants_t variants = {0};
    text_t error = {0}, names = {0};
    ck_assert_msg(variants_select(&variants, &vectors, &profile, selection, &error), "%s", text_str(&error));
    for (size_t i = 0; i < variants.len; i++) {
        text_printf(&names, "%s%s", i ? " " : "", variants.at[i].name);
        if (variants.at[i].lacking) {
            text_printf(&names, "[%s]", variants.at[i].lacking);
        }
    }
    assert_text(&names, expected);
    variants_free(&variants);
}

START_TEST(a_case_becomes_its_transports_times_its_versions)
{
    setup();
    assert_selected(&(selection_t){.weakest = LEVEL_MAY},
                    "g.all/ws/v1 g.all/ws/v2 g.all/lp/v1 g.all/lp/v2 g.one/ws/v2 g.may/ws/v1 g.may/lp/v1");
    assert_selected(&(selection_t){.weakest = LEVEL_MUST}, "g.all/ws/v1 g.all/ws/v2 g.all/lp/v1 g.all/lp/v2");
    assert_selected(&(selection_t){.weakest = LEVEL_SHOULD},
                    "g.all/ws/v1 g.all/ws/v2 g.all/lp/v1 g.all/lp/v2 g.one/ws/v2");
    teardown();
}
END_TEST

START_TEST(patterns_match_ids_and_names)
{
    setup();
    selection_t selection = {.weakest = LEVEL_MAY};
    names_add(&selection.run, "g.all");
    names_add(&selection.run, "*/lp/v1");
    names_add(&selection.skip, "g.all/ws/*");
    assert_selected(&selection, "g.all/lp/v1 g.all/lp/v2 g.may/lp/v1");
    names_add(&selection.skip, "nosuch*");
    variants_t variants = {0};
    text_t error = {0};
    ck_assert(!variants_select(&variants, &vectors, &profile, &selection, &error));
    assert_says(&error, "--skip nosuch* matches no case");
    names_free(&selection.skip);
    names_add(&selection.skip, "*");
    variants_free(&variants);
    ck_assert(!variants_select(&variants, &vectors, &profile, &selection, &error));
    assert_says(&error, "no case is left");
    variants_free(&variants);
    names_free(&selection.run);
    names_free(&selection.skip);
    teardown();
}
END_TEST

START_TEST(what_the_profile_lacks_is_not_applicable)
{
    setup();
    text_t error = {0};
    selection_t selection = {.weakest = LEVEL_MAY};
    ck_assert(profile_without(&profile, "binary,longpoll", &error));
    profile.mounts[MOUNT_SUB].present = false;
    assert_selected(
        &selection,
        "g.all/ws/v1 g.all/ws/v2 g.all/lp/v1[capability longpoll] g.all/lp/v2[capability longpoll] "
        "g.one/ws/v2[capability binary] g.may/ws/v1[mount sub] g.may/lp/v1[capability longpoll]");
    names_add(&profile.capabilities, "binary");
    profile.mounts[MOUNT_TIGHT].limit[LIMIT_CHANNELS] = 4;
    names_add(&selection.run, "g.one");
    assert_selected(&selection, "g.one/ws/v2[limits.max_channels 3 on mount tight]");
    names_free(&selection.run);
    teardown();
}
END_TEST

START_TEST(waits_add_up_in_the_timers_of_the_mount)
{
    setup();
    variants_t variants = {0};
    text_t error = {0};
    ck_assert(variants_select(&variants, &vectors, &profile, &(selection_t){.weakest = LEVEL_MAY}, &error));
    ck_assert_double_eq(variants.at[0].waits_ms, 0);
    ck_assert_double_eq(variants.at[4].waits_ms, 1700);
    variants_free(&variants);
    teardown();
}
END_TEST

TEST_MAIN("variant", a_case_becomes_its_transports_times_its_versions, patterns_match_ids_and_names,
          what_the_profile_lacks_is_not_applicable, waits_add_up_in_the_timers_of_the_mount)
