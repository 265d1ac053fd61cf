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

#define MAIN "\"main\":{\"path\":\"/x\"}"

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

START_TEST(what_is_left_out)
{
    profile_t profile;
    text_t error = {0}, topic = {0};
    ck_assert(
        load("{\"profile\":1,\"name\":\"n\",\"mounts\":{" MAIN "},\"capabilities\":[]}", &profile, &error));
    ck_assert_double_eq(profile.mounts[MOUNT_MAIN].timer_ms[TIMER_WS_TIMEOUT], 0);
    ck_assert_int_eq(profile.mounts[MOUNT_MAIN].limit[LIMIT_FRAME], 0);
    ck_assert(profile.vsns[0] && profile.vsns[1] && profile_has_own_topics(&profile));
    ck_assert_str_eq(profile.phoenix, PHOENIX_NEWEST);
    profile_topic(&topic, profile.unmatched, "7");
    assert_text(&topic, "nosuch:7");
    ck_assert(profile_set_phoenix(&profile, "1.7.24", &error) && profile.release.minor == 7);
    ck_assert(!profile_set_phoenix(&profile, "1.7", &error));
    ck_assert_str_eq(profile.phoenix, "1.7.24");
    ck_assert(!profile_set_phoenix(&profile, "1.5.14", &error));
    ck_assert_ptr_nonnull(strstr(text_str(&error), "before 1.6.0 are not known"));
    assert_says(&error, "\"1.7\" is no release of Phoenix; one looks like 1.");
    profile_free(&profile);
}
END_TEST

START_TEST(mounts_at_their_own_address_and_other_nodes)
{
    profile_t profile;
    text_t error = {0};
    ck_assert_msg(
        load(PROFILE_OF("\"sub\":{\"url\":\"ws://127.0.0.1:4001/live/socket/\"}",
                        ",\"capabilities\":[\"cluster\"],\"nodes\":{\"second\":\"http://127.0.0.1:4002\"},"
                        "\"topic\":null,\"vsn\":[\"2.0.0\"]"),
             &profile, &error),
        "%s", text_str(&error));
    ck_assert_str_eq(profile.mounts[MOUNT_SUB].url, "http://127.0.0.1:4001");
    ck_assert_str_eq(profile.mounts[MOUNT_SUB].path, "/live/socket");
    ck_assert_str_eq(profile.nodes.at[0], "second");
    ck_assert_str_eq(profile.node_urls.at[0], "http://127.0.0.1:4002");
    ck_assert(!profile.topic && !profile_has_own_topics(&profile));
    ck_assert(!profile.vsns[0] && profile.vsns[1]);
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
        {PROFILE_OF("\"main\":{}", ",\"capabilities\":[]"), "mounts.main.path: a string"},
        {PROFILE_OF("\"main\":5", ",\"capabilities\":[]"), "mounts.main: an object"},
        {PROFILE_OF("\"main\":{\"path\":\"/x\",\"url\":\"http://h/x\"}", ",\"capabilities\":[]"),
         "mounts.main.path: a mount with a url has its path in there"},
        {PROFILE_OF("\"main\":{\"url\":\"https://h/x\"}", ",\"capabilities\":[]"), "TLS is not supported"},
        {PROFILE_OF("\"main\":{\"path\":\"/x\",\"limits\":{\"max\":1}}", ",\"capabilities\":[]"),
         "mounts.main.limits.max: no such member; known are max_channels max_frame_bytes"},
        {PROFILE_OF("\"main\":" MOUNT_OF("\"x\"", "5"), ",\"capabilities\":[]"),
         "mounts.main.path: a path begins"},
        {PROFILE_OF("\"main\":" MOUNT_OF("\"/x\"", "0"), ",\"capabilities\":[]"),
         "mounts.main.websocket.timeout_ms"},
        {PROFILE_OF("\"main\":" MOUNT_OF("\"/x\"", "5"), ""), "capabilities: a list"},
        {PROFILE_OF("\"main\":" MOUNT_OF("\"/x\"", "5"), ",\"capabilities\":[\"x\"]"),
         "no such capability: \"x\""},
        {PROFILE_OF(MAIN, ",\"capabilities\":[\"conformance\"],\"topic\":\"t\""), "topic: \"{unique}\""},
        {PROFILE_OF(MAIN, ",\"capabilities\":[\"cluster\"]"), "nodes: the capability cluster"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"nodes\":{\"b\":\"http://h/p\"}"),
         "nodes.b: a URL without a path"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"nodes\":{\"b\":\"ftp://h\"}"),
         "nodes.b: \"ftp://h\" is no base URL"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"phoenix\":\"1.8\""), "phoenix: \"1.8\" is no release"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"phoenix\":1"), "phoenix: a release such as"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"vsn\":[\"3.0.0\"]"), "vsn: a list of 1.0.0, 2.0.0"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"join\":{\"x\":1}"), "join.x: no such member"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"join\":{\"params\":[]}"), "join.params: an object"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"join\":{\"response\":{\"$nosuch\":1}}"), "join.response"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"join\":{\"allow\":[[1]]}"),
         "join.allow: a message is a list"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"connect\":{\"params\":{\"a\":1}}"),
         "connect.params.a: a string"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"connect\":{\"params\":{\"vsn\":\"1.0.0\"}}"),
         "connect.params.vsn: the vsn is the case's own"},
        {PROFILE_OF(MAIN, ",\"capabilities\":[],\"divergences\":[{\"case\":\"x\"}]"),
         "divergences[0].reason: a string"},
        {"{\"profile\":1,\"name\":\"n\",\"mounts\":{" MAIN "},\"capabilities\":[\"origin\"]}",
         "origin: the capability origin takes"},
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

TEST_MAIN("profile", the_built_in_profile, a_small_profile, what_is_left_out,
          mounts_at_their_own_address_and_other_nodes, broken_profiles_say_where, capabilities_are_taken_away)
