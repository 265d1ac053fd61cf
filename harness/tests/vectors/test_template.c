/* SPDX-License-Identifier: MIT */
#include "vectors/template.h"

#include "test_util.h"

#include <string.h>

static const profile_mount_t mount = {.timer_ms = {1000, 300, 500}, .limit = {3, 4096}};

static json_t *parse(const char *text)
{
    json_t *value = jvalue_parse(span_of(text), NULL);
    ck_assert_msg(value != NULL, "%s", text);
    return value;
}

static json_t *names(void)
{
    return json_pack("{s:s s:s s:i}", "topic", "phxspec:x", "unique", "x", "count", 7);
}

static const struct {
    const char *value, *filled;
} filled[] = {
    {"\"${topic}\"", "\"phxspec:x\""},
    {"\"a ${topic}/${unique} b\"", "\"a phxspec:x/x b\""},
    {"\"${count}\"", "7"},
    {"\"n ${count}\"", "\"n 7\""},
    {"\"${topic\"", "\"${topic\""},
    {"\"$ {topic} {} $\"", "\"$ {topic} {} $\""},
    {"[1,{\"a\":[\"${unique}\"]},null,true,1.5]", "[1,{\"a\":[\"x\"]},null,true,1.5]"},
    {"{\"$repeat\":{\"text\":\"ab\",\"times\":3}}", "\"ababab\""},
    {"{\"$repeat\":{\"text\":\"${unique}\",\"times\":2}}", "\"xx\""},
    {"{\"$repeat\":{\"text\":\"a\",\"times\":0}}", "\"\""},
    {"{\"$repeat\":{\"text\":\"a\",\"times\":{\"limit\":\"limits.max_channels\",\"times\":2}}}",
     "\"aaaaaa\""},
    {"{\"p\":{\"$ms\":{\"timer\":\"longpoll.window_ms\",\"times\":1.5}}}", "{\"p\":450}"},
    {"{\"p\":{\"$ms\":{\"timer\":\"websocket.timeout_ms\"}}}", "{\"p\":1000}"},
    {"12345678901234567890123", "12345678901234567890123"},
};

START_TEST(values_are_filled)
{
    json_t *known = names();
    for (size_t i = 0; i < sizeof filled / sizeof *filled; i++) {
        json_t *value = parse(filled[i].value), *expected = parse(filled[i].filled);
        text_t error = {0}, out = {0};
        ck_assert_msg(template_check(value, known, NULL, &error), "%s", text_str(&error));
        json_t *got = template_fill(value, known, &mount, &error);
        ck_assert_msg(got != NULL, "%s: %s", filled[i].value, text_str(&error));
        jvalue_write(&out, got);
        ck_assert_msg(jvalue_equal(got, expected), "%s became %s", filled[i].value, text_str(&out));
        text_free(&out);
        json_decref(got);
        json_decref(value);
        json_decref(expected);
    }
    json_decref(known);
}
END_TEST

START_TEST(unknown_names_and_malformed_generators_are_found)
{
    static const struct {
        const char *value, *flaw;
    } flaws[] = {
        {"\"${nosuch}\"", "\"${nosuch}\""},
        {"{\"a\":[\"${topic}${nosuch}\"]}", "a[0]: nothing is known as \"${nosuch}\""},
        {"{\"$repeat\":{\"text\":\"a\"}}", "$repeat: write"},
        {"{\"$repeat\":{\"text\":\"a\",\"times\":-1}}", "$repeat: write"},
        {"{\"$repeat\":{\"text\":\"a\",\"times\":{\"limit\":\"x\",\"times\":1}}}", "$repeat: write"},
        {"{\"$ms\":{\"timer\":\"x\"}}", "$ms: a timer"},
        {"{\"$ms\":{\"ms\":5}}", "$ms: a timer"},
    };
    json_t *known = names();
    for (size_t i = 0; i < sizeof flaws / sizeof *flaws; i++) {
        json_t *value = parse(flaws[i].value);
        text_t error = {0};
        ck_assert_msg(!template_check(value, known, NULL, &error), "%s", flaws[i].value);
        assert_says(&error, flaws[i].flaw);
        json_decref(value);
    }
    json_t *value = parse("[\"${nosuch}\"]");
    text_t error = {0};
    ck_assert(template_fill(value, known, &mount, &error) == NULL);
    assert_says(&error, "${nosuch}");
    json_decref(value);
    json_decref(known);
}
END_TEST

START_TEST(parts_become_bytes)
{
    static const struct {
        const char *parts;
        span_t bytes;
    } good[] = {
        {"[0,255,\"a\",\"\xc3\xbc\"]",
         {"\x00\xff"
          "a\xc3\xbc",
          5}},
        {"[{\"hex\":\"00 ff7f\"},{\"hex\":\"\"}]", {"\x00\xff\x7f", 3}},
        {"[{\"length\":\"\xc3\xbc\"},{\"length\":\"\"}]", {"\x02\x00", 2}},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        json_t *parts = parse(good[i].parts);
        text_t out = {0}, error = {0};
        for (size_t p = 0; p < json_array_size(parts); p++) {
            ck_assert_msg(template_bytes(json_array_get(parts, p), &out, &error), "%s", text_str(&error));
        }
        assert_span(text_span(&out), good[i].bytes);
        text_free(&out);
        json_decref(parts);
    }
    static const char *const bad[] = {
        "256", "-1", "1.5", "null", "{\"hex\":\"0\"}", "{\"hex\":\"0g\"}", "{\"length\":1}", "{}", "[]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *part = parse(bad[i]);
        text_t out = {0}, error = {0};
        ck_assert_msg(!template_bytes(part, &out, &error), "%s", bad[i]);
        assert_says(&error, "not a part");
        text_free(&out);
        json_decref(part);
    }
}
END_TEST

TEST_MAIN("template", values_are_filled, unknown_names_and_malformed_generators_are_found, parts_become_bytes)
