/* SPDX-License-Identifier: MIT */
#include "vectors/profile.h"

#include "test_util.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOUNT_OF(path, timeout)                                                                              \
    "{\"path\":" path ",\"websocket\":{\"timeout_ms\":" timeout "},\"longpoll\":{\"window_ms\":1,"           \
    "\"pubsub_timeout_ms\":1},\"limits\":{\"max_channels\":1,\"max_frame_bytes\":1}}"
#define PROFILE_OF(mounts, more)                                                                             \
    "{\"profile\":1,\"name\":\"n\",\"mounts\":{" mounts                                                      \
    "},\"origin\":{\"allowed\":\"a\",\"forbidden\":\"f\"}" more "}"

static bool load(const char *text, profile_t *profile, text_t *error)
{
    char path[] = "/tmp/phxspec-profile-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    bool good = profile_load(path, profile, error);
    unlink(path);
    return good;
}

START_TEST(the_built_in_profile)
{
    profile_t profile;
    profile_default(&profile);
    ck_assert_str_eq(profile.name, "reference-server");
    ck_assert(profile.mounts[MOUNT_MAIN].present && profile.mounts[MOUNT_TIGHT].present);
    ck_assert_double_eq(profile.mounts[MOUNT_TIGHT].timer_ms[TIMER_LP_WINDOW], 300);
    ck_assert_int_eq(profile.mounts[MOUNT_TIGHT].limit[LIMIT_CHANNELS], 3);
    ck_assert(names_have(&profile.capabilities, "websocket") &&
              !names_have(&profile.capabilities, "cluster"));
    profile_free(&profile);
}
END_TEST

START_TEST(a_small_profile)
{
    profile_t profile;
    text_t error = {0};
    ck_assert_msg(load(PROFILE_OF("\"main\":" MOUNT_OF("\"/x\"", "5"), ",\"capabilities\":[\"reply\"]"),
                       &profile, &error),
                  "%s", text_str(&error));
    ck_assert_str_eq(profile.topic, "phxspec:{unique}");
    ck_assert(profile.mounts[MOUNT_MAIN].present && !profile.mounts[MOUNT_TIGHT].present);
    json_t *time = json_pack("{s:s s:f}", "timer", "websocket.timeout_ms", "times", 2.5);
    ck_assert_double_eq(time_ms(time, &profile.mounts[MOUNT_MAIN]), 12.5);
    ck_assert(time_check(time) && time_ms(NULL, &profile.mounts[MOUNT_MAIN]) == 0);
    json_decref(time);
    profile_free(&profile);
}
END_TEST

START_TEST(broken_profiles_say_where)
{
    static const struct {
        const char *text, *says;
    } broken[] = {
        {"[]", "profile: this phxspec reads version 1"},
        {"{", "/tmp/phxspec-profile-"},
        {PROFILE_OF("", ",\"capabilities\":[]"), "mounts: an object"},
        {PROFILE_OF("\"x\":{}", ",\"capabilities\":[]"), "mounts.x: no such mount"},
        {PROFILE_OF("\"main\":{}", ",\"capabilities\":[]"),
         "mounts.main.websocket.timeout_ms: a whole number"},
        {PROFILE_OF("\"main\":" MOUNT_OF("\"x\"", "5"), ",\"capabilities\":[]"),
         "mounts.main.path: a path begins"},
        {PROFILE_OF("\"main\":" MOUNT_OF("\"/x\"", "0"), ",\"capabilities\":[]"),
         "mounts.main.websocket.timeout_ms"},
        {PROFILE_OF("\"main\":" MOUNT_OF("\"/x\"", "5"), ""), "capabilities: a list"},
        {PROFILE_OF("\"main\":" MOUNT_OF("\"/x\"", "5"), ",\"capabilities\":[\"x\"]"),
         "no such capability: \"x\""},
        {PROFILE_OF("\"main\":" MOUNT_OF("\"/x\"", "5"), ",\"capabilities\":[],\"topic\":\"t\""),
         "topic: \"{unique}\""},
        {PROFILE_OF("\"main\":" MOUNT_OF("\"/x\"", "5"), ",\"capabilities\":[],\"x\":1"),
         "x: a profile has no such"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        profile_t profile;
        text_t error = {0};
        ck_assert_msg(!load(broken[i].text, &profile, &error), "was taken: %s", broken[i].text);
        ck_assert_msg(strncmp(text_str(&error), "/tmp/phxspec-profile-", 21) == 0, "no file: %s",
                      text_str(&error));
        assert_says(&error, broken[i].says);
    }
}
END_TEST

START_TEST(capabilities_are_taken_away)
{
    profile_t profile;
    text_t error = {0};
    profile_default(&profile);
    ck_assert(profile_without(&profile, "reply,cluster", &error));
    ck_assert(!names_have(&profile.capabilities, "reply") && names_have(&profile.capabilities, "push"));
    ck_assert(!profile_without(&profile, "push,nosuch", &error));
    assert_says(&error, "no capability is called \"nosuch\"");
    profile_free(&profile);
}
END_TEST

TEST_MAIN("profile", the_built_in_profile, a_small_profile, broken_profiles_say_where,
          capabilities_are_taken_away)
