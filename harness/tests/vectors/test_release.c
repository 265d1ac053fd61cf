/* SPDX-License-Identifier: MIT */
#include "vectors/release.h"

#include "test_util.h"

#include <string.h>

static release_t release(const char *name)
{
    release_t result;
    ck_assert_msg(release_parse(name, &result), "%s", name);
    return result;
}

START_TEST(releases_are_ordered)
{
    static const char *const order[] = {"1.5.14", "1.7.0-rc.0", "1.7.0-rc.10", "1.7.0", "1.7.9",
                                        "1.7.24", "1.8.0",      "1.8.2",       "1.8.12"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        for (size_t j = 0; j < sizeof order / sizeof *order; j++) {
            release_t a = release(order[i]), b = release(order[j]);
            int got = release_compare(&a, &b);
            ck_assert_msg((got > 0) - (got < 0) == (i > j) - (i < j), "%s %s", order[i], order[j]);
        }
    }
}
END_TEST

START_TEST(what_is_no_release)
{
    static const char *const names[] = {"",        "1",      "1.8",        "1.8.",      "1.8.x",
                                        "v1.8.1",  "1.8.1 ", "1.8.1-2",    "1.8.1-rc.", "1.8.1-rc.1x",
                                        "1.8.1.2", "-1.8.1", "1.8.1234567"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        release_t result;
        ck_assert_msg(!release_parse(names[i], &result), "%s", names[i]);
    }
}
END_TEST

/* A range in JSON, how it reads, and releases in and out of it. */
static const struct {
    const char *json, *words, *in[4], *out[4];
} ranges[] = {
    {"{\"since\": \"1.8.3\", \"until\": \"1.8.11\"}",
     "1.8.3 to 1.8.11",
     {"1.8.3", "1.8.9", "1.8.11"},
     {"1.8.2", "1.8.12"}},
    {"[{\"until\": \"1.8.2\"}, {\"since\": \"1.8.12\"}]",
     "up to 1.8.2, since 1.8.12",
     {"1.5.0", "1.8.2", "1.8.12", "2.0.0"},
     {"1.8.3", "1.8.11"}},
    {"{\"since\": \"1.7.0-rc.1\"}", "since 1.7.0-rc.1", {"1.7.0-rc.1", "1.7.0"}, {"1.7.0-rc.0", "1.6.16"}},
};

START_TEST(ranges_contain)
{
    for (size_t n = 0; n < sizeof ranges / sizeof *ranges; n++) {
        json_t *json = jvalue_parse(span_of(ranges[n].json), NULL);
        releases_t releases;
        text_t text = {0};
        ck_assert(releases_read(json, &releases, &text));
        releases_write(&text, &releases);
        ck_assert_str_eq(text_str(&text), ranges[n].words);
        for (size_t i = 0; i < 4 && ranges[n].in[i]; i++) {
            release_t one = release(ranges[n].in[i]);
            ck_assert_msg(releases_contain(&releases, &one), "%s", ranges[n].in[i]);
        }
        for (size_t i = 0; i < 4 && ranges[n].out[i]; i++) {
            release_t one = release(ranges[n].out[i]);
            ck_assert_msg(!releases_contain(&releases, &one), "%s", ranges[n].out[i]);
        }
        releases_free(&releases);
        text_free(&text);
        json_decref(json);
    }
}
END_TEST

START_TEST(no_range_is_every_release)
{
    releases_t releases;
    text_t text = {0};
    ck_assert(releases_read(NULL, &releases, &text));
    release_t one = release("1.2.0");
    ck_assert(releases_contain(&releases, &one));
    releases_write(&text, &releases);
    ck_assert_str_eq(text_str(&text), "every release");
    text_free(&text);
}
END_TEST

static const struct {
    const char *json, *says;
} broken[] = {
    {"[]", "an empty list"},
    {"{}", "one of them or both"},
    {"\"1.8.12\"", "one of them or both"},
    {"{\"since\": \"1.8.1\", \"to\": \"1.8.2\"}", "one of them or both"},
    {"{\"since\": \"1.8\"}", "since: a release such as"},
    {"{\"until\": 1}", "until: a release such as"},
    {"[{\"since\": \"1.8.1\"}, {\"until\": null}]", "until: a release such as"},
    {"{\"since\": \"1.8.12\", \"until\": \"1.8.3\"}", "since is newer than until"},
};

START_TEST(broken_ranges)
{
    for (size_t n = 0; n < sizeof broken / sizeof *broken; n++) {
        json_t *json = jvalue_parse(span_of(broken[n].json), NULL);
        releases_t releases;
        text_t error = {0};
        ck_assert(!releases_read(json, &releases, &error));
        assert_says(&error, broken[n].says);
        ck_assert_uint_eq(releases.len, 0);
        json_decref(json);
    }
}
END_TEST

TEST_MAIN("release", releases_are_ordered, what_is_no_release, ranges_contain, no_range_is_every_release,
          broken_ranges)
