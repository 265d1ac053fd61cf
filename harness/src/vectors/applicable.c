/* SPDX-License-Identifier: MIT */
#include "vectors/applicable.h"

/* Appends "WHAT …" where the profile lacks it; whether it does. */
static bool lacks(text_t *text, bool lacking, const char *what, const char *name)
{
    if (lacking && text->len == 0) {
        text_printf(text, "%s%s", what, name);
    }
    return text->len > 0;
}

static bool lacks_time_or_limit(text_t *text, const demands_t *demands, const profile_mount_t *mount)
{
    for (int i = 0; i < TIMERS; i++) {
        lacks(text, demands->timers[i] && mount->timer_ms[i] <= 0, "a known ", timer_name((timer_kind_t)i));
    }
    for (int i = 0; i < LIMITS; i++) {
        lacks(text, demands->limits[i] && mount->limit[i] <= 0, "a known ", limit_name((limit_t)i));
    }
    return text->len > 0;
}

char *case_lacks(const vector_case_t *c, const demands_t *demands, transport_t transport, vsn_t vsn,
                 const profile_t *profile)
{
    const names_t *capabilities = &profile->capabilities;
    mount_t where = c->mount[transport];
    const profile_mount_t *mount = &profile->mounts[where];
    text_t text = {0};
    if (!releases_contain(&c->phoenix, &profile->release)) {
        text_printf(&text, "Phoenix %s: it holds ", profile->phoenix);
        releases_write(&text, &c->phoenix);
    }
    if (text.len == 0 && demands->pipeline && transport == LONGPOLL && vsn == VSN_2 &&
        !profile_has_batches(profile)) {
        text_printf(&text, "Phoenix %s: batches over long-poll came with 1.7.0", profile->phoenix);
    }
    lacks(&text, !names_have(capabilities, transport_name(transport)), "capability ",
          transport_name(transport));
    lacks(&text, !profile->vsns[vsn], "vsn ", vsn_name(vsn));
    lacks(&text, demands->application && !names_have(capabilities, "conformance"), "capability ",
          "conformance");
    for (size_t i = 0; i < json_array_size(c->needs); i++) {
        const char *need = json_string_value(json_array_get(c->needs, i));
        lacks(&text, !names_have(capabilities, need), "capability ", need);
    }
    lacks(&text, demands->topic && !profile->topic, "", "a topic that can be joined");
    lacks(&text, demands->own_topics && !profile_has_own_topics(profile), "",
          "a topic with {unique} in it: the case joins several");
    lacks(&text, demands->node && !names_have(&profile->nodes, demands->node), "node ", demands->node);
    lacks(&text, !mount->present, "mount ", mount_name(where));
    if (lacks_time_or_limit(&text, demands, mount)) {
        return text_take(&text);
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)c->when, key, value)
    {
        limit_t limit;
        if (limit_parse(key, &limit) && mount->limit[limit] != json_integer_value(value)) {
            text_printf(&text, "%s %" JSON_INTEGER_FORMAT " on mount %s", key, json_integer_value(value),
                        mount_name(where));
            return text_take(&text);
        }
    }
    return NULL;
}

const known_defect_t *case_known_defect(const vector_case_t *c, const release_t *release)
{
    for (size_t i = 0; i < c->defect_count; i++) {
        if (releases_contain(&c->defects[i].releases, release)) {
            return &c->defects[i];
        }
    }
    return NULL;
}
