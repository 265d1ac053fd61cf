/* SPDX-License-Identifier: MIT */
#include "vectors/release.h"

#include "base/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const release_t OLDEST = {0, 0, 0, 0}, NEWEST = {UINT_MAX, UINT_MAX, UINT_MAX, UINT_MAX};

/* A number of at most six digits, and `end` behind it. */
static bool read_number(const char *text, unsigned *number, const char **end)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 6) {
        return false;
    }
    *number = (unsigned)strtoul(text, NULL, 10);
    *end = text + digits;
    return true;
}

bool release_parse(const char *name, release_t *release)
{
    const char *at = name;
    *release = (release_t){.candidate = UINT_MAX};
    if (!read_number(at, &release->major, &at) || *at != '.' || !read_number(at + 1, &release->minor, &at) ||
        *at != '.' || !read_number(at + 1, &release->patch, &at)) {
        return false;
    }
    if (*at == 0) {
        return true;
    }
    static const char candidate[] = "-rc.";
    return strncmp(at, candidate, strlen(candidate)) == 0 &&
           read_number(at + strlen(candidate), &release->candidate, &at) && *at == 0;
}

static int compare(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

int release_compare(const release_t *a, const release_t *b)
{
    int order = compare(a->major, b->major);
    order = order ? order : compare(a->minor, b->minor);
    order = order ? order : compare(a->patch, b->patch);
    return order ? order : compare(a->candidate, b->candidate);
}

static bool read_end(const json_t *json, const char *member, release_t *release, text_t *error)
{
    const json_t *value = json_object_get(json, member);
    if (!value || (json_is_string(value) && release_parse(json_string_value(value), release))) {
        return true;
    }
    text_printf(error, "%s: a release such as \"1.8.12\" or \"1.8.0-rc.3\" is needed here", member);
    return false;
}

static bool read_range(const json_t *json, release_range_t *range, text_t *error)
{
    *range = (release_range_t){OLDEST, NEWEST};
    size_t ends = (json_object_get(json, "since") ? 1u : 0) + (json_object_get(json, "until") ? 1u : 0);
    if (ends == 0 || ends != json_object_size(json)) {
        text_puts(error, "{\"since\": RELEASE, \"until\": RELEASE}, one of them or both, or a list of such");
        return false;
    }
    if (!read_end(json, "since", &range->since, error) || !read_end(json, "until", &range->until, error)) {
        return false;
    }
    if (release_compare(&range->since, &range->until) > 0) {
        text_puts(error, "since is newer than until; two ranges are written as a list");
        return false;
    }
    return true;
}

bool releases_read(const json_t *json, releases_t *releases, text_t *error)
{
    *releases = (releases_t){0};
    if (!json) {
        return true;
    }
    size_t len = json_is_array(json) ? json_array_size(json) : 1;
    if (len == 0) {
        text_puts(error, "an empty list of ranges; leave it out where every release is meant");
        return false;
    }
    releases->at = mem_new(len, sizeof *releases->at);
    for (size_t i = 0; i < len; i++) {
        const json_t *range = json_is_array(json) ? json_array_get(json, i) : json;
        if (!read_range(range, &releases->at[releases->len++], error)) {
            releases_free(releases);
            return false;
        }
    }
    return true;
}

bool releases_contain(const releases_t *releases, const release_t *release)
{
    for (size_t i = 0; i < releases->len; i++) {
        const release_range_t *range = &releases->at[i];
        if (release_compare(&range->since, release) <= 0 && release_compare(release, &range->until) <= 0) {
            return true;
        }
    }
    return releases->len == 0;
}

static void write_release(text_t *out, const release_t *release)
{
    text_printf(out, "%u.%u.%u", release->major, release->minor, release->patch);
    if (release->candidate != UINT_MAX) {
        text_printf(out, "-rc.%u", release->candidate);
    }
}

void releases_write(text_t *out, const releases_t *releases)
{
    if (releases->len == 0) {
        text_puts(out, "every release");
    }
    for (size_t i = 0; i < releases->len; i++) {
        const release_range_t *range = &releases->at[i];
        bool from = release_compare(&range->since, &OLDEST) != 0;
        bool to = release_compare(&range->until, &NEWEST) != 0;
        text_puts(out, i > 0 ? ", " : "");
        if (from) {
            text_puts(out, to ? "" : "since ");
            write_release(out, &range->since);
        }
        if (to) {
            text_puts(out, from ? " to " : "up to ");
            write_release(out, &range->until);
        }
    }
}

void releases_free(releases_t *releases)
{
    free(releases->at);
    *releases = (releases_t){0};
}
