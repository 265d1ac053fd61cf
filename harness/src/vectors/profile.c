/* SPDX-License-Identifier: MIT */
#include "vectors/profile.h"

#include "base/memory.h"
#include "vectors/built_in.h"

#include <assert.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char PROFILE_HOLE[] = "{unique}"; /* what differs between the topics of two cases */
static const char *const mount_names[MOUNTS] = {"main", "tight", "sub"};
static const char *const timer_names[TIMERS] = {"websocket.timeout_ms", "longpoll.window_ms",
                                                "longpoll.pubsub_timeout_ms"};
static const char *const limit_names[LIMITS] = {"limits.max_channels", "limits.max_frame_bytes"};

static const char *const capabilities[] = {"websocket",      "longpoll",
                                           "origin",         "auth_token",
                                           "deflate",        "conformance",
                                           "connect_reject", "connect_raise",
                                           "socket_id",      "connect_info",
                                           "topic_order",    "exact_topic",
                                           "join_reply",     "join_reject",
                                           "join_crash",     "join_delay",
                                           "after_join",     "presence",
                                           "intercept",      "terminate_push",
                                           "reply",          "reply_later",
                                           "reply_many",     "noreply",
                                           "sleep",          "push",
                                           "broadcast",      "broadcast_to",
                                           "stop",           "raise",
                                           "exit",           "disconnect",
                                           "sequence",       "later",
                                           "binary",         "spawn",
                                           "cluster",        NULL};

static int index_in(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *mount_name(mount_t mount)
{
    return mount_names[mount];
}

bool mount_parse(const char *name, mount_t *mount)
{
    int found = index_in(mount_names, MOUNTS, name);
    *mount = (mount_t)(found < 0 ? 0 : found);
    return found >= 0;
}

const char *timer_name(timer_kind_t timer)
{
    return timer_names[timer];
}

const char *limit_name(limit_t limit)
{
    return limit_names[limit];
}

bool timer_parse(const char *name, timer_kind_t *timer)
{
    int found = index_in(timer_names, TIMERS, name);
    *timer = (timer_kind_t)(found < 0 ? 0 : found);
    return found >= 0;
}

bool limit_parse(const char *name, limit_t *limit)
{
    int found = index_in(limit_names, LIMITS, name);
    *limit = (limit_t)(found < 0 ? 0 : found);
    return found >= 0;
}

bool time_check(const json_t *time)
{
    timer_kind_t timer;
    const char *name = json_string_value(json_object_get(time, "timer"));
    const json_t *times = json_object_get(time, "times");
    return name && timer_parse(name, &timer) && (!times || json_number_value(times) > 0) &&
           json_object_size(time) == (times ? 2u : 1u);
}

double time_ms(const json_t *time, const profile_mount_t *mount)
{
    timer_kind_t timer;
    const char *name = json_string_value(json_object_get(time, "timer"));
    if (name && timer_parse(name, &timer)) {
        const json_t *times = json_object_get(time, "times");
        return mount->timer_ms[timer] * (times ? json_number_value(times) : 1);
    }
    return json_number_value(json_object_get(time, "ms"));
}

bool capability_known(const char *name)
{
    return word_listed(capabilities, name);
}

void capabilities_write(text_t *out)
{
    for (const char *const *known = capabilities; *known; known++) {
        text_printf(out, " %s", *known);
    }
}

bool profile_load(const char *path, profile_t *profile, text_t *error)
{
    *profile = (profile_t){0};
    json_t *json = jvalue_parse_file(path, error);
    if (!json) {
        text_putc(error, '\n');
        return false;
    }
    bool good = profile_read(path, json, profile, error);
    json_decref(json);
    return good;
}

void profile_default(profile_t *profile)
{
    *profile = (profile_t){0};
    text_t error = {0};
    json_t *json = jvalue_parse(SPAN(BUILT_IN_PROFILE), &error);
    bool good = json && profile_read("the built-in profile", json, profile, &error);
    assert(good && "vectors/profiles/reference-server.json was checked when it was built in");
    (void)good;
    json_decref(json);
    text_free(&error);
}

bool profile_has_own_topics(const profile_t *profile)
{
    return profile->topic && strstr(profile->topic, PROFILE_HOLE);
}

bool profile_has_batches(const profile_t *profile)
{
    static const release_t since = {1, 7, 0, UINT_MAX};
    return release_compare(&profile->release, &since) >= 0;
}

void profile_topic(text_t *out, const char *topic, const char *unique)
{
    const char *hole;
    while ((hole = strstr(topic, PROFILE_HOLE))) {
        text_add(out, topic, (size_t)(hole - topic));
        text_puts(out, unique);
        topic = hole + strlen(PROFILE_HOLE);
    }
    text_puts(out, topic);
}

bool divergence_matches(const divergence_t *divergence, const char *id, const char *variant)
{
    return fnmatch(divergence->pattern, variant, 0) == 0 || fnmatch(divergence->pattern, id, 0) == 0;
}

const divergence_t *profile_divergence(const profile_t *profile, const char *id, const char *variant)
{
    for (size_t i = 0; i < profile->divergence_count; i++) {
        if (divergence_matches(&profile->divergences[i], id, variant)) {
            return &profile->divergences[i];
        }
    }
    return NULL;
}

bool profile_is_newer(const profile_t *profile)
{
    release_t newest;
    release_parse(PHOENIX_NEWEST, &newest);
    return release_compare(&profile->release, &newest) > 0;
}

bool profile_set_phoenix(profile_t *profile, const char *release, text_t *error)
{
    release_t oldest, wanted;
    release_parse(PHOENIX_OLDEST, &oldest);
    if (!release_parse(release, &wanted)) {
        text_printf(error, "\"%s\" is no release of Phoenix; one looks like " PHOENIX_NEWEST "\n", release);
        return false;
    }
    if (release_compare(&wanted, &oldest) < 0) {
        text_printf(error, "Phoenix %s: the rules of releases before " PHOENIX_OLDEST " are not known\n",
                    release);
        return false;
    }
    profile->release = wanted;
    free(profile->phoenix);
    profile->phoenix = mem_string(release);
    return true;
}

bool profile_without(profile_t *profile, const char *list, text_t *error)
{
    names_t without = {0};
    names_add_list(&without, list);
    bool good = true;
    for (size_t i = 0; i < without.len; i++) {
        if (!capability_known(without.at[i])) {
            text_printf(error, "no capability is called \"%s\"; known are", without.at[i]);
            capabilities_write(error);
            text_putc(error, '\n');
            good = false;
        }
    }
    names_t left = {0};
    for (size_t i = 0; i < profile->capabilities.len; i++) {
        if (!names_have(&without, profile->capabilities.at[i])) {
            names_add(&left, profile->capabilities.at[i]);
        }
    }
    names_free(&profile->capabilities);
    profile->capabilities = left;
    names_free(&without);
    return good;
}

void profile_free(profile_t *profile)
{
    free(profile->name);
    free(profile->topic);
    free(profile->unmatched);
    free(profile->phoenix);
    for (int i = 0; i < MOUNTS; i++) {
        free(profile->mounts[i].path);
        free(profile->mounts[i].url);
    }
    names_free(&profile->nodes);
    names_free(&profile->node_urls);
    free(profile->origin_allowed);
    free(profile->origin_forbidden);
    json_decref(profile->join_params);
    json_decref(profile->join_response);
    json_decref(profile->join_allow);
    json_decref(profile->connect_params);
    json_decref(profile->connect_headers);
    for (size_t i = 0; i < profile->divergence_count; i++) {
        free(profile->divergences[i].pattern);
        free(profile->divergences[i].reason);
        free(profile->divergences[i].link);
    }
    free(profile->divergences);
    names_free(&profile->capabilities);
    *profile = (profile_t){0};
}
