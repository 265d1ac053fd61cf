/* SPDX-License-Identifier: MIT */
#include "vectors/matcher.h"

#include "test_util.h"

#include <string.h>

static json_t *parse(const char *text)
{
    text_t error = {0};
    json_t *value = jvalue_parse(span_of(text), &error);
    ck_assert_msg(value != NULL, "%s: %s", text, text_str(&error));
    return value;
}

/* `differs`: what the explanation says; NULL: they match. */
static const struct {
    const char *expected, *actual, *differs;
} pairs[] = {
    {"1", "1", NULL},
    {"1", "1.0", NULL},
    {"1", "\"1\"", "root: expected 1, got \"1\""},
    {"null", "false", "root: expected null, got false"},
    {"12345678901234567890123", "12345678901234567890123", NULL},
    {"12345678901234567890123", "12345678901234567890124", "root"},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", NULL},
    {"{\"a\":1}", "{\"a\":1,\"b\":2}", "root.b: expected no such member, got 2"},
    {"{\"a\":1}", "{}", "root.a: expected 1, got nothing"},
    {"{\"a\":{\"b\":[0,1]}}", "{\"a\":{\"b\":[0,2]}}", "root.a.b[1]: expected 1, got 2"},
    {"[1,2]", "[1]", "root: expected 2 elements"},
    {"[]", "{}", "root: expected the list [], got {}"},
    {"{\"$base64\":\"AA==\"}", "{\"$base64\":\"AA==\"}", NULL},
    {"{\"$base64\":\"AA==\"}", "{\"$base64\":\"AQ==\"}", "root.$base64"},
    {"{\"$any\":true}", "null", NULL},
    {"[{\"$any\":true}]", "[]", "1 elements"},
    {"{\"a\":{\"$any\":true}}", "{}", "root.a: expected something here, got nothing"},
    {"{\"$type\":\"string\"}", "\"x\"", NULL},
    {"{\"$type\":\"string\"}", "1", "the type \"string\", got 1"},
    {"{\"$type\":\"object\"}", "[]", "the type"},
    {"{\"a\":{\"$absent\":true}}", "{}", NULL},
    {"{\"a\":{\"$absent\":true}}", "{\"a\":null}", "root.a: expected nothing here, got null"},
    {"{\"$one_of\":[1,{\"$type\":\"string\"}]}", "\"x\"", NULL},
    {"{\"$one_of\":[1,2]}", "3", "one of [1,2], got 3"},
    {"{\"$not\":1}", "2", NULL},
    {"{\"$not\":{\"$type\":\"number\"}}", "2", "anything but"},
    {"{\"$partial\":{\"a\":1}}", "{\"a\":1,\"b\":2}", NULL},
    {"{\"$partial\":{\"a\":1}}", "{\"b\":2}", "root.a: expected 1, got nothing"},
    {"{\"$partial\":{\"a\":{\"b\":1}}}", "{\"a\":{\"b\":1,\"c\":1}}", "root.a.c: expected no such member"},
    {"{\"$number\":{\"near\":100,\"within\":5}}", "104.5", NULL},
    {"{\"$number\":{\"near\":100,\"within\":5}}", "106", "a number"},
    {"{\"$number\":{\"near\":100,\"within\":5}}", "\"100\"", "a number"},
    {"{\"$list\":{\"length\":2,\"each\":{\"$type\":\"number\"}}}", "[1,2]", NULL},
    {"{\"$list\":{\"length\":2,\"each\":{\"$type\":\"number\"}}}", "[1]", "a list of 2"},
    {"{\"$list\":{\"length\":2,\"each\":{\"$type\":\"number\"}}}", "[1,\"2\"]", "root[1]"},
    {"{\"$equals\":\"known\"}", "[1]", NULL},
    {"{\"$equals\":\"known\"}", "[2]", "root: expected [1], got [2]"},
    {"{\"$capture\":\"new\",\"$type\":\"string\"}", "\"x\"", NULL},
    {"{\"$capture\":\"new\",\"$type\":\"string\"}", "1", "the type"},
    {"[{\"$capture\":\"new\"},{\"$equals\":\"new\"}]", "[5,5]", NULL},
    {"[{\"$capture\":\"new\"},{\"$equals\":\"new\"}]", "[5,6]", "root[1]: expected 5, got 6"},
    {"{\"$message\":[null,\"1\",\"t\",\"e\",{}]}", "\"[null,\\\"1\\\",\\\"t\\\",\\\"e\\\",{}]\"", NULL},
    {"{\"$message\":[null,\"1\",\"t\",\"e\",{}]}", "\"[null,\\\"2\\\",\\\"t\\\",\\\"e\\\",{}]\"",
     "ref: expected \"1\""},
    {"{\"$message\":[null,\"1\",\"t\",\"e\",{}]}", "[null,\"1\",\"t\",\"e\",{}]",
     "a string with the encoded message [null,"},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

START_TEST(pairs_match_or_say_why)
{
    for (size_t i = 0; i < PAIRS; i++) {
        json_t *expected = parse(pairs[i].expected), *actual = parse(pairs[i].actual);
        match_context_t context = {.names = json_pack("{s:[i]}", "known", 1), .vsn = VSN_2};
        text_t why = {0}, flaws = {0};
        ck_assert_msg(matcher_check(expected, NULL, &flaws), "%s", text_str(&flaws));
        bool match = matcher_match(expected, actual, &context, "root", &why);
        ck_assert_msg(match == !pairs[i].differs, "%s against %s: %s", pairs[i].expected, pairs[i].actual,
                      text_str(&why));
        if (pairs[i].differs) {
            assert_says(&why, pairs[i].differs);
        }
        json_t *explained = matcher_explain(expected, actual, &context);
        ck_assert_msg(jvalue_equal(explained, actual) == match,
                      "%s against %s: a diff would show it otherwise", pairs[i].expected, pairs[i].actual);
        json_decref(explained);
        json_decref(expected);
        json_decref(actual);
        json_decref(context.names);
        text_free(&why);
    }
}
END_TEST

/* A match that fails as a whole must not leave names behind for the steps that follow. */
START_TEST(captures_count_only_when_all_matches)
{
    match_context_t context = {.names = json_object(), .vsn = VSN_2};
    json_t *expected = parse("[{\"$capture\":\"a\"},1]"), *no = parse("[5,2]"), *yes = parse("[6,1]");
    ck_assert(!matcher_match(expected, no, &context, "root", NULL));
    ck_assert_uint_eq(json_object_size(context.names), 0);
    ck_assert(matcher_match(expected, yes, &context, "root", NULL));
    ck_assert_int_eq(json_integer_value(json_object_get(context.names, "a")), 6);
    json_decref(expected);
    json_decref(no);
    json_decref(yes);
    json_decref(context.names);
}
END_TEST

/* What is as expected is shown as it came, so that a diff has only what is wrong. */
START_TEST(explanations_keep_what_matches)
{
    match_context_t context = {.names = json_object(), .vsn = VSN_2};
    json_t *expected =
        parse("{\"a\":{\"$any\":true},\"b\":{\"$partial\":{\"c\":1}},\"d\":[{\"$type\":\"string\"},2]}");
    json_t *actual = parse("{\"a\":\"x\",\"b\":{\"c\":0,\"z\":9},\"d\":[\"y\",3]}");
    json_t *explained = matcher_explain(expected, actual, &context);
    text_t out = {0};
    jvalue_write(&out, explained);
    assert_text(&out, "{\"a\":\"x\",\"b\":{\"c\":1,\"z\":9},\"d\":[\"y\",2]}");
    json_decref(expected);
    json_decref(actual);
    json_decref(explained);
    json_decref(context.names);
}
END_TEST

static const struct {
    const char *expected, *flaw;
} malformed[] = {
    {"{\"$nosuch\":1}", "$nosuch: no such matcher"},
    {"{\"$any\":false}", "the only value is true"},
    {"{\"$type\":\"integer\"}", "the types are"},
    {"{\"$one_of\":[]}", "a list of expectations"},
    {"{\"$partial\":[]}", "an object"},
    {"{\"$number\":{\"near\":1}}", "near"},
    {"{\"$list\":{\"each\":1}}", "length"},
    {"{\"$message\":[1]}", "five fields"},
    {"{\"$capture\":1}", "a name"},
    {"{\"$any\":true,\"a\":1}", "without \"$\""},
    {"[0,{\"a\":{\"$nosuch\":1}}]", "[1].a.$nosuch"},
};

START_TEST(malformed_matchers_are_found)
{
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        json_t *expected = parse(malformed[i].expected);
        text_t error = {0};
        ck_assert_msg(!matcher_check(expected, NULL, &error), "%s", malformed[i].expected);
        assert_says(&error, malformed[i].flaw);
        json_decref(expected);
    }
}
END_TEST

START_TEST(equality_needs_an_earlier_capture)
{
    json_t *names = parse("{\"token\":true}");
    json_t *known = parse("[{\"$equals\":\"token\"}]");
    json_t *unknown = parse("[0,{\"a\":{\"$equals\":\"other\"}}]");
    text_t error = {0};
    ck_assert(matcher_equals_known(known, names, NULL, &error));
    ck_assert(!matcher_equals_known(unknown, names, NULL, &error));
    assert_says(&error, "[1].a.$equals: no earlier step captures \"other\"");
    json_decref(names);
    json_decref(known);
    json_decref(unknown);
}
END_TEST

TEST_MAIN("matcher", pairs_match_or_say_why, captures_count_only_when_all_matches,
          explanations_keep_what_matches, malformed_matchers_are_found, equality_needs_an_earlier_capture)
