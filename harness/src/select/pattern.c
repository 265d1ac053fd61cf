/* SPDX-License-Identifier: MIT */
#include "select/pattern.h"

#include <fnmatch.h>
#include <string.h>

static const char wildcards[] = "*?[";

typedef enum kind { KIND_NAME, KIND_TAG, KIND_REQUIREMENT, KIND_GROUP, KIND_LEVEL } kind_t;

static kind_t kind_of(const char *pattern, const char **rest)
{
    static const struct {
        const char *prefix;
        kind_t kind;
    } kinds[] = {
        {"tag:", KIND_TAG}, {"req:", KIND_REQUIREMENT}, {"group:", KIND_GROUP}, {"level:", KIND_LEVEL}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t len = strlen(kinds[i].prefix);
        if (strncmp(pattern, kinds[i].prefix, len) == 0) {
            *rest = pattern + len;
            return kinds[i].kind;
        }
    }
    *rest = pattern;
    return KIND_NAME;
}

static bool any_fits(const char *glob, const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (fnmatch(glob, json_string_value(json_array_get(names, i)), 0) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the name stands for `id`, or for all of its variants of one transport, or for this one. */
static bool names_variant(const char *pattern, const char *id, const variant_t *variant)
{
    text_t name = {0};
    text_printf(&name, "%s%s", id, variant->name + strlen(variant->c->id)); /* ID/ws/v2 */
    bool fits = fnmatch(pattern, name.at, 0) == 0;
    for (int i = 0; i < 2 && !fits; i++) {
        *strrchr(name.at, '/') = '\0';
        fits = fnmatch(pattern, name.at, 0) == 0;
    }
    text_free(&name);
    return fits;
}

static bool names_group(const char *pattern, const char *id)
{
    span_t rest = span_of(id), group;
    return span_next(&rest, '.', &group) && span_is(group, pattern);
}

static bool group_fits(const char *glob, const char *id)
{
    text_t group = {0};
    text_add(&group, id, strcspn(id, "."));
    bool fits = fnmatch(glob, text_str(&group), 0) == 0;
    text_free(&group);
    return fits;
}

bool pattern_matches(const char *pattern, const variant_t *variant)
{
    const vector_case_t *c = variant->c;
    const char *glob;
    switch (kind_of(pattern, &glob)) {
    case KIND_TAG:
        return any_fits(glob, c->tags);
    case KIND_REQUIREMENT:
        return any_fits(glob, c->requirements);
    case KIND_GROUP:
        return group_fits(glob, c->id);
    case KIND_LEVEL:
        return fnmatch(glob, level_name(c->level), 0) == 0;
    case KIND_NAME:
        break;
    }
    bool fits = names_variant(pattern, c->id, variant) || names_group(pattern, c->id);
    for (size_t i = 0; i < json_array_size(c->formerly) && !fits; i++) {
        fits = names_variant(pattern, json_string_value(json_array_get(c->formerly, i)), variant);
    }
    return fits;
}

const char *pattern_renamed(const char *pattern, const vector_case_t *c)
{
    size_t len = strcspn(pattern, "/");
    for (size_t i = 0; i < json_array_size(c->formerly); i++) {
        const char *id = json_string_value(json_array_get(c->formerly, i));
        if (strlen(id) == len && strncmp(id, pattern, len) == 0) {
            return c->id;
        }
    }
    return NULL;
}

static void near_list(near_names_t *near, const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        near_add(near, json_string_value(json_array_get(names, i)));
    }
}

void pattern_near_cases(near_names_t *near, const vectors_t *vectors)
{
    for (size_t i = 0; i < vectors->len; i++) {
        near_add(near, vectors->cases[i].id);
        near_list(near, vectors->cases[i].formerly);
    }
}

/* The groups, owned by the caller. */
static void add_groups(names_t *groups, const vectors_t *vectors)
{
    for (size_t i = 0; i < vectors->len; i++) {
        text_t group = {0};
        text_add(&group, vectors->cases[i].id, strcspn(vectors->cases[i].id, "."));
        if (!names_have(groups, text_str(&group))) {
            names_add(groups, text_str(&group));
        }
        text_free(&group);
    }
}

void pattern_near_misses(text_t *out, const char *pattern, const vectors_t *vectors)
{
    const char *name;
    kind_t kind = kind_of(pattern, &name);
    near_names_t near = {.wanted = {name, strcspn(name, kind == KIND_NAME ? "*?[/" : wildcards)}};
    names_t groups = {0};
    /* "jion.*" is a misspelled group */
    while (near.wanted.len > 0 && strchr(".-_", near.wanted.at[near.wanted.len - 1])) {
        near.wanted.len--;
    }
    add_groups(&groups, vectors);
    for (size_t i = 0; (kind == KIND_NAME || kind == KIND_GROUP) && i < groups.len; i++) {
        near_add(&near, groups.at[i]);
    }
    for (size_t i = 0; (kind == KIND_TAG || kind == KIND_REQUIREMENT) && i < vectors->len; i++) {
        const vector_case_t *c = &vectors->cases[i];
        near_list(&near, kind == KIND_TAG ? c->tags : c->requirements);
    }
    if (kind == KIND_NAME) {
        pattern_near_cases(&near, vectors);
    }
    near_write(out, &near);
    names_free(&groups);
}
