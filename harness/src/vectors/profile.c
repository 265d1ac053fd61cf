/* SPDX-License-Identifier: MIT */
#include "vectors/profile.h"

#include "base/memory.h"
#include "vectors/built_in.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const mount_names[MOUNTS] = {"main", "tight", "sub"};
static const char *const timer_names[TIMERS] = {"websocket.timeout_ms", "longpoll.window_ms",
                                                "longpoll.pubsub_timeout_ms"};
static const char *const limit_names[LIMITS] = {"limits.max_channels", "limits.max_frame_bytes"};

static const char *const capabilities[] = {"websocket",
                                           "longpoll",
                                           "origin",
                                           "auth_token",
                                           "deflate",
                                           "connect_reject",
                                           "connect_raise",
                                           "socket_id",
                                           "connect_info",
                                           "topic_order",
                                           "exact_topic",
                                           "join_reply",
                                           "join_reject",
                                           "join_crash",
                                           "join_delay",
                                           "after_join",
                                           "presence",
                                           "intercept",
                                           "terminate_push",
                                           "reply",
                                           "reply_later",
                                           "reply_many",
                                           "noreply",
                                           "sleep",
                                           "push",
                                           "broadcast",
                                           "broadcast_to",
                                           "stop",
                                           "raise",
                                           "exit",
                                           "disconnect",
                                           "sequence",
                                           "later",
                                           "binary",
                                           "spawn",
                                           "cluster",
                                           NULL};

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
    for (const char *const *known = capabilities; *known; known++) {
        if (strcmp(*known, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The value under a dotted name, or NULL. */
static json_t *value_at(const json_t *object, const char *dotted)
{
    const char *dot = strchr(dotted, '.');
    if (!dot) {
        return json_object_get(object, dotted);
    }
    char *first = mem_string_n(dotted, (size_t)(dot - dotted));
    json_t *inner = json_object_get(object, first);
    free(first);
    return value_at(inner, dot + 1);
}

typedef struct reader {
    const char *path; /* of the file */
    text_t *error;
    bool good;
} reader_t;

static void complain(reader_t *reader, const char *where, const char *member, const char *what)
{
    text_printf(reader->error, "%s: %s%s%s: %s\n", reader->path, where, *where ? "." : "", member, what);
    reader->good = false;
}

static char *read_string(reader_t *reader, const char *where, const json_t *object, const char *member)
{
    const json_t *value = value_at(object, member);
    if (!json_is_string(value) || json_string_length(value) == 0) {
        complain(reader, where, member, "a string is needed here");
        return mem_string("");
    }
    return mem_string(json_string_value(value));
}

static json_int_t read_number(reader_t *reader, const char *where, const json_t *object, const char *member)
{
    const json_t *value = value_at(object, member);
    if (!json_is_integer(value) || json_integer_value(value) < 1) {
        complain(reader, where, member, "a whole number above 0 is needed here");
        return 1;
    }
    return json_integer_value(value);
}

static void read_mount(reader_t *reader, const char *name, const json_t *json, profile_mount_t *mount)
{
    text_t where = {0};
    text_printf(&where, "mounts.%s", name);
    mount->present = true;
    mount->path = read_string(reader, text_str(&where), json, "path");
    if (*mount->path && *mount->path != '/') {
        complain(reader, text_str(&where), "path", "a path begins with \"/\"");
    }
    for (int i = 0; i < TIMERS; i++) {
        mount->timer_ms[i] = (double)read_number(reader, text_str(&where), json, timer_names[i]);
    }
    for (int i = 0; i < LIMITS; i++) {
        mount->limit[i] = read_number(reader, text_str(&where), json, limit_names[i]);
    }
    text_free(&where);
}

static void read_mounts(reader_t *reader, const json_t *mounts, profile_t *profile)
{
    if (!json_is_object(mounts) || json_object_size(mounts) == 0) {
        complain(reader, "", "mounts", "an object with at least one of main, tight and sub is needed here");
        return;
    }
    const char *name;
    json_t *json;
    json_object_foreach((json_t *)mounts, name, json)
    {
        mount_t mount;
        if (mount_parse(name, &mount)) {
            read_mount(reader, name, json, &profile->mounts[mount]);
        } else {
            complain(reader, "mounts", name, "no such mount; known are main, tight and sub");
        }
    }
}

static void read_capabilities(reader_t *reader, const json_t *list, profile_t *profile)
{
    if (!json_is_array(list)) {
        complain(reader, "", "capabilities", "a list of names is needed here");
        return;
    }
    size_t i;
    json_t *name;
    json_array_foreach(list, i, name)
    {
        if (!json_is_string(name) || !capability_known(json_string_value(name))) {
            text_t what = {0};
            text_puts(&what, "no such capability: ");
            jvalue_write(&what, name);
            complain(reader, "", "capabilities", text_str(&what));
            text_free(&what);
        } else {
            names_add(&profile->capabilities, json_string_value(name));
        }
    }
}

static bool read_profile(const char *path, const json_t *json, profile_t *profile, text_t *error)
{
    static const char *const members[] = {"$schema", "profile", "name",   "about",
                                          "topic",   "mounts",  "origin", "capabilities"};
    reader_t reader = {path, error, true};
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)json, member, value)
    {
        if (index_in(members, (int)(sizeof members / sizeof *members), member) < 0) {
            complain(&reader, "", member, "a profile has no such member");
        }
    }
    if (json_integer_value(json_object_get(json, "profile")) != 1) {
        complain(&reader, "", "profile", "this phxspec reads version 1 of the format: \"profile\": 1");
    }
    profile->name = read_string(&reader, "", json, "name");
    profile->topic = json_object_get(json, "topic") ? read_string(&reader, "", json, "topic")
                                                    : mem_string("phxspec:{unique}");
    if (!strstr(profile->topic, "{unique}")) {
        complain(&reader, "", "topic", "\"{unique}\" must be in it: every case needs a topic of its own");
    }
    read_mounts(&reader, json_object_get(json, "mounts"), profile);
    profile->origin_allowed = read_string(&reader, "", json, "origin.allowed");
    profile->origin_forbidden = read_string(&reader, "", json, "origin.forbidden");
    read_capabilities(&reader, json_object_get(json, "capabilities"), profile);
    return reader.good;
}

bool profile_load(const char *path, profile_t *profile, text_t *error)
{
    *profile = (profile_t){0};
    json_t *json = jvalue_parse_file(path, error);
    if (!json) {
        text_putc(error, '\n');
        return false;
    }
    bool good = read_profile(path, json, profile, error);
    json_decref(json);
    if (!good) {
        profile_free(profile);
    }
    return good;
}

void profile_default(profile_t *profile)
{
    *profile = (profile_t){0};
    text_t error = {0};
    json_t *json = jvalue_parse(SPAN(BUILT_IN_PROFILE), &error);
    bool good = json && read_profile("the built-in profile", json, profile, &error);
    assert(good && "vectors/profiles/reference-server.json was checked when it was built in");
    (void)good;
    json_decref(json);
    text_free(&error);
}

bool profile_without(profile_t *profile, const char *list, text_t *error)
{
    names_t without = {0};
    names_add_list(&without, list);
    bool good = true;
    for (size_t i = 0; i < without.len; i++) {
        if (!capability_known(without.at[i])) {
            text_printf(error, "no capability is called \"%s\"; known are", without.at[i]);
            for (const char *const *known = capabilities; *known; known++) {
                text_printf(error, " %s", *known);
            }
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
    for (int i = 0; i < MOUNTS; i++) {
        free(profile->mounts[i].path);
    }
    free(profile->origin_allowed);
    free(profile->origin_forbidden);
    names_free(&profile->capabilities);
    *profile = (profile_t){0};
}
