/* SPDX-License-Identifier: MIT */
/* The file of a profile: every member is checked, every flaw is named. */
#include "vectors/profile.h"

#include "base/memory.h"
#include "judge/message.h"
#include "net/url.h"
#include "vectors/matcher.h"

#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const char *path; /* of the file */
    text_t *error;
    bool good;
} reader_t;

static void complain(reader_t *reader, const char *where, const char *member, const char *what)
{
    text_printf(reader->error, "%s: %s%s%s: %s\n", reader->path, where, *where && *member ? "." : "", member,
                what);
    reader->good = false;
}

static void only_members(reader_t *reader, const char *where, const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (!word_listed(known, key)) {
            text_t what = {0};
            text_puts(&what,
                      *where ? "no such member; known are" : "a profile has no such member; known are");
            for (const char *const *name = known; *name; name++) {
                text_printf(&what, " %s", *name);
            }
            complain(reader, where, key, text_str(&what));
            text_free(&what);
        }
    }
}

/* A member that is an object, or NULL. */
static json_t *read_object(reader_t *reader, const char *where, const json_t *object, const char *member)
{
    json_t *value = json_object_get(object, member);
    if (value && !json_is_object(value)) {
        complain(reader, where, member, "an object is needed here");
        return NULL;
    }
    return value;
}

/* A string that is not empty; "" and a complaint otherwise. */
static char *read_string(reader_t *reader, const char *where, const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    if (!json_is_string(value) || json_string_length(value) == 0) {
        complain(reader, where, member, "a string is needed here");
        return mem_string("");
    }
    return mem_string(json_string_value(value));
}

/* A whole number; 0 where it is not there. */
static json_int_t read_number(reader_t *reader, const char *where, const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    if (!value) {
        return 0;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 1) {
        complain(reader, where, member,
                 "a whole number above 0 is needed here; leave it out where it is not known");
        return 0;
    }
    return json_integer_value(value);
}

/* An object of strings, as parameters and headers are; a new reference, or NULL. */
static json_t *read_strings(reader_t *reader, const char *where, const json_t *object, const char *member)
{
    json_t *strings = read_object(reader, where, object, member);
    const char *key;
    json_t *value;
    json_object_foreach(strings, key, value)
    {
        if (!json_is_string(value)) {
            text_t what = {0};
            text_printf(&what, "%s.%s", member, key);
            complain(reader, where, text_str(&what), "a string is needed here");
            text_free(&what);
        }
    }
    return json_incref(strings);
}

/* "http://host:port/path" into its two halves. */
static void split_url(reader_t *reader, const char *where, const char *string, profile_mount_t *mount)
{
    url_t url;
    text_t error = {0};
    if (url_parse(string, &url, &error)) {
        text_t base = {0};
        text_printf(&base, "http://%s", url.authority);
        mount->url = text_take(&base);
        mount->path = mem_string(url.path);
    } else {
        complain(reader, where, "url", text_str(&error));
        mount->path = mem_string("");
    }
    text_free(&error);
}

static void read_mount(reader_t *reader, const char *name, const json_t *json, profile_mount_t *mount)
{
    static const char *const members[] = {"path", "url", "websocket", "longpoll", "limits", NULL};
    text_t where = {0};
    text_printf(&where, "mounts.%s", name);
    only_members(reader, text_str(&where), json, members);
    const json_t *url = json_object_get(json, "url");
    mount->present = true;
    if (url && json_object_get(json, "path")) {
        complain(reader, text_str(&where), "path", "a mount with a url has its path in there");
    }
    if (json_is_string(url)) {
        split_url(reader, text_str(&where), json_string_value(url), mount);
    } else {
        mount->path = read_string(reader, text_str(&where), json, url ? "url" : "path");
        if (*mount->path && *mount->path != '/') {
            complain(reader, text_str(&where), "path", "a path begins with \"/\"");
        }
    }
    static const char *const groups[] = {"websocket", "longpoll", "limits"};
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        const json_t *group = read_object(reader, text_str(&where), json, groups[g]);
        text_t inner = {0};
        text_printf(&inner, "%s.%s", text_str(&where), groups[g]);
        size_t prefix = strlen(groups[g]) + 1;
        const char *known[TIMERS + LIMITS + 1] = {NULL};
        size_t count = 0;
        for (int i = 0; i < TIMERS; i++) {
            const char *timer = timer_name((timer_kind_t)i);
            if (strncmp(timer, groups[g], prefix - 1) == 0) {
                known[count++] = timer + prefix;
                mount->timer_ms[i] = (double)read_number(reader, text_str(&inner), group, timer + prefix);
            }
        }
        for (int i = 0; i < LIMITS; i++) {
            const char *limit = limit_name((limit_t)i);
            if (strncmp(limit, groups[g], prefix - 1) == 0) {
                known[count++] = limit + prefix;
                mount->limit[i] = read_number(reader, text_str(&inner), group, limit + prefix);
            }
        }
        only_members(reader, text_str(&inner), group, known);
        text_free(&inner);
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
        if (!mount_parse(name, &mount)) {
            complain(reader, "mounts", name, "no such mount; known are main, tight and sub");
        } else if (!json_is_object(json)) {
            complain(reader, "mounts", name, "an object is needed here");
        } else {
            read_mount(reader, name, json, &profile->mounts[mount]);
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
            text_puts(&what, "; known are");
            capabilities_write(&what);
            complain(reader, "", "capabilities", text_str(&what));
            text_free(&what);
        } else {
            names_add(&profile->capabilities, json_string_value(name));
        }
    }
}

static void read_vsns(reader_t *reader, const json_t *list, profile_t *profile)
{
    profile->vsns[VSN_1] = profile->vsns[VSN_2] = !list;
    for (size_t i = 0; i < json_array_size(list); i++) {
        vsn_t vsn;
        const char *name = json_string_value(json_array_get(list, i));
        if (name && vsn_parse(name, &vsn)) {
            profile->vsns[vsn] = true;
        } else {
            complain(reader, "", "vsn", "a list of 1.0.0, 2.0.0 is needed here");
        }
    }
    if (list && json_array_size(list) == 0) {
        complain(reader, "", "vsn", "a list of 1.0.0, 2.0.0 is needed here");
    }
}

static void read_topics(reader_t *reader, const json_t *json, profile_t *profile)
{
    const json_t *topic = json_object_get(json, "topic");
    if (!json_is_null(topic)) { /* null: a target of which no topic is known */
        profile->topic = topic ? read_string(reader, "", json, "topic") : mem_string("phxspec:{unique}");
    }
    profile->unmatched = json_object_get(json, "unmatched_topic")
                             ? read_string(reader, "", json, "unmatched_topic")
                             : mem_string("nosuch:{unique}");
    if (names_have(&profile->capabilities, "conformance") && !profile_has_own_topics(profile)) {
        complain(
            reader, "", "topic",
            "\"{unique}\" must be in it: with the conformance application every case has a topic of its own");
    }
}

static bool read_bool(reader_t *reader, const json_t *json, const char *member)
{
    const json_t *value = json_object_get(json, member);
    if (value && !json_is_boolean(value)) {
        complain(reader, "", member, "true or false is needed here");
    }
    return json_is_true(value);
}

static void read_join(reader_t *reader, const json_t *json, profile_t *profile)
{
    static const char *const members[] = {"params", "response", "allow", NULL};
    const json_t *join = read_object(reader, "", json, "join");
    only_members(reader, "join", join, members);
    profile->join_params = json_incref(read_object(reader, "join", join, "params"));
    profile->join_response = json_incref(json_object_get(join, "response"));
    profile->join_allow = json_incref(json_object_get(join, "allow"));
    jpath_t at = {NULL, "join", 0}, response = {&at, "response", 0}, allow = {&at, "allow", 0};
    text_t flaws = {0};
    bool good = !profile->join_response || matcher_check(profile->join_response, &response, &flaws);
    for (size_t i = 0; i < json_array_size(profile->join_allow); i++) {
        const json_t *five = json_array_get(profile->join_allow, i);
        jpath_t element = {&allow, NULL, i};
        if (json_array_size(five) != 5) {
            complain(reader, "join", "allow",
                     "a message is a list of join_ref, ref, topic, event and payload");
        }
        good = matcher_check(five, &element, &flaws) && good;
    }
    if (profile->join_allow && !json_is_array(profile->join_allow)) {
        complain(reader, "join", "allow", "a list of messages is needed here");
    }
    if (!good) {
        span_t rest = text_span(&flaws), line;
        while (span_next(&rest, '\n', &line)) {
            if (line.len > 0) {
                text_printf(reader->error, "%s: %.*s\n", reader->path, (int)line.len, line.at);
            }
        }
        reader->good = false;
    }
    text_free(&flaws);
}

/* One that cannot end the line it stands in, or begin another. */
static bool is_header(const char *name, const char *value)
{
    bool good = *name != '\0';
    for (; good && *name; name++) {
        good = *name > ' ' && *name < 127 && *name != ':';
    }
    return good && strpbrk(value, "\r\n") == NULL;
}

static void read_connect(reader_t *reader, const json_t *json, profile_t *profile)
{
    static const char *const members[] = {"params", "headers", NULL};
    const json_t *connect = read_object(reader, "", json, "connect");
    only_members(reader, "connect", connect, members);
    profile->connect_params = read_strings(reader, "connect", connect, "params");
    profile->connect_headers = read_strings(reader, "connect", connect, "headers");
    const char *key;
    json_t *value;
    json_object_foreach(profile->connect_headers, key, value)
    {
        if (json_is_string(value) && !is_header(key, json_string_value(value))) {
            complain(reader, "connect.headers", key,
                     "a header has a name without blanks and a value of one line");
        }
    }
    if (json_object_get(profile->connect_params, "vsn")) {
        complain(reader, "connect", "params.vsn", "the vsn is the case's own");
    }
}

static void read_divergences(reader_t *reader, const json_t *list, profile_t *profile)
{
    static const char *const members[] = {"case", "reason", "link", NULL};
    if (list && !json_is_array(list)) {
        complain(reader, "", "divergences", "a list of {\"case\": PATTERN, \"reason\": TEXT} is needed here");
        return;
    }
    profile->divergences = mem_new(json_array_size(list), sizeof *profile->divergences);
    for (size_t i = 0; i < json_array_size(list); i++) {
        text_t where = {0};
        text_printf(&where, "divergences[%zu]", i);
        const json_t *entry = json_array_get(list, i);
        profile->divergences[profile->divergence_count++] = (divergence_t){
            read_string(reader, text_str(&where), entry, "case"),
            read_string(reader, text_str(&where), entry, "reason"),
            json_object_get(entry, "link") ? read_string(reader, text_str(&where), entry, "link") : NULL};
        only_members(reader, text_str(&where), entry, members);
        text_free(&where);
    }
}

static void read_nodes(reader_t *reader, const json_t *json, profile_t *profile)
{
    json_t *nodes = read_object(reader, "", json, "nodes");
    const char *name;
    json_t *value;
    json_object_foreach(nodes, name, value)
    {
        url_t url;
        text_t error = {0};
        const char *string = json_string_value(value);
        if (!string || !url_parse(string, &url, &error) || *url.path) {
            complain(reader, "nodes", name,
                     error.len > 0 ? text_str(&error)
                                   : "a URL without a path is needed here: http://HOST:PORT");
        } else {
            names_add(&profile->nodes, name);
            names_add(&profile->node_urls, string);
        }
        text_free(&error);
    }
    if (names_have(&profile->capabilities, "cluster") && profile->nodes.len == 0) {
        complain(reader, "", "nodes", "the capability cluster takes the URL of a second node");
    }
}

static void read_origin(reader_t *reader, const json_t *json, profile_t *profile)
{
    static const char *const members[] = {"allowed", "forbidden", NULL};
    const json_t *origin = read_object(reader, "", json, "origin");
    only_members(reader, "origin", origin, members);
    if (origin) {
        profile->origin_allowed = read_string(reader, "origin", origin, "allowed");
        profile->origin_forbidden = read_string(reader, "origin", origin, "forbidden");
    } else {
        profile->origin_allowed = mem_string("");
        profile->origin_forbidden = mem_string("");
        if (names_have(&profile->capabilities, "origin")) {
            complain(reader, "", "origin", "the capability origin takes an allowed and a forbidden one");
        }
    }
}

static void read_release(reader_t *reader, const json_t *json, profile_t *profile)
{
    const json_t *phoenix = json_object_get(json, "phoenix");
    text_t error = {0};
    if (phoenix && !json_is_string(phoenix)) {
        complain(reader, "", "phoenix", "a release such as \"" PHOENIX_NEWEST "\" is needed here");
    } else if (!profile_set_phoenix(profile, phoenix ? json_string_value(phoenix) : PHOENIX_NEWEST, &error)) {
        error.len--; /* its line break */
        error.at[error.len] = 0;
        complain(reader, "", "phoenix", text_str(&error));
    }
    text_free(&error);
}

bool profile_read(const char *where, const json_t *json, profile_t *profile, text_t *error)
{
    static const char *const members[] = {"$schema",      "profile",         "name",   "about",   "phoenix",
                                          "topic",        "unmatched_topic", "join",   "connect", "vsn",
                                          "v1_join_ref",  "patience_ms",     "mounts", "nodes",   "origin",
                                          "capabilities", "divergences",     NULL};
    reader_t reader = {where, error, true};
    *profile = (profile_t){0};
    only_members(&reader, "", json, members);
    if (json_integer_value(json_object_get(json, "profile")) != 1) {
        complain(&reader, "", "profile", "this phxspec reads version 1 of the format: \"profile\": 1");
    }
    profile->name = read_string(&reader, "", json, "name");
    read_capabilities(&reader, json_object_get(json, "capabilities"), profile);
    read_release(&reader, json, profile);
    read_topics(&reader, json, profile);
    json_int_t patience_ms = read_number(&reader, "", json, "patience_ms");
    profile->patience_ms = patience_ms > 0 ? (double)patience_ms : PATIENCE_USUAL_MS;
    read_vsns(&reader, json_object_get(json, "vsn"), profile);
    profile->v1_join_ref = read_bool(&reader, json, "v1_join_ref");
    read_join(&reader, json, profile);
    read_connect(&reader, json, profile);
    read_mounts(&reader, json_object_get(json, "mounts"), profile);
    read_nodes(&reader, json, profile);
    read_origin(&reader, json, profile);
    read_divergences(&reader, json_object_get(json, "divergences"), profile);
    if (!reader.good) {
        profile_free(profile);
    }
    return reader.good;
}
