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

/* The names of all variants, in order, not applicable ones with what is lacking in brackets. */
static void assert_variants(const char *expected)
{
    variants_t variants = {0};
    text_t names = {0};
    variants_expand(&variants, &vectors, &profile);
    for (size_t i = 0; i < variants.len; i++) {
        ck_assert_uint_eq(variants.at[i].number, i);
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
    assert_variants("g.all/ws/v1 g.all/ws/v2 g.all/lp/v1 g.all/lp/v2 g.one/ws/v2 g.may/ws/v1 g.may/lp/v1");
    teardown();
}
END_TEST

START_TEST(what_the_profile_lacks_is_not_applicable)
{
    setup();
    text_t error = {0};
    ck_assert(profile_without(&profile, "binary,longpoll", &error));
    profile.mounts[MOUNT_SUB].present = false;
    assert_variants(
        "g.all/ws/v1 g.all/ws/v2 g.all/lp/v1[capability longpoll] g.all/lp/v2[capability longpoll] "
        "g.one/ws/v2[capability binary] g.may/ws/v1[mount sub] g.may/lp/v1[capability longpoll]");
    names_add(&profile.capabilities, "binary");
    profile.mounts[MOUNT_TIGHT].limit[LIMIT_CHANNELS] = 4;
    assert_variants(
        "g.all/ws/v1 g.all/ws/v2 g.all/lp/v1[capability longpoll] g.all/lp/v2[capability longpoll] "
        "g.one/ws/v2[limits.max_channels 3 on mount tight] g.may/ws/v1[mount sub] "
        "g.may/lp/v1[capability longpoll]");
    teardown();
}
END_TEST

START_TEST(waits_add_up_in_the_timers_of_the_mount)
{
    setup();
    variants_t variants = {0};
    variants_expand(&variants, &vectors, &profile);
    ck_assert_double_eq(variants.at[0].waits_ms, 0);
    ck_assert_double_eq(variants.at[4].waits_ms, 1700);
    variants_free(&variants);
    teardown();
}
END_TEST

TEST_MAIN("variant", a_case_becomes_its_transports_times_its_versions,
          what_the_profile_lacks_is_not_applicable, waits_add_up_in_the_timers_of_the_mount)
