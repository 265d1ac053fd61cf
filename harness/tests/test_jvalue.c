/* SPDX-License-Identifier: MIT */
#include "base/jvalue.h"
#include "test_util.h"

#include <string.h>

static json_t *parsed(const char *text)
{
    text_t error = {0};
    json_t *value = jvalue_parse(span_of(text), &error);
    ck_assert_msg(value != NULL, "%.100s: %s", text, text_str(&error));
    return value;
}

static void assert_equal(const char *a, const char *b, bool expected)
{
    json_t *x = parsed(a), *y = parsed(b);
    ck_assert_msg(jvalue_equal(x, y) == expected, "%s and %s", a, b);
    ck_assert_msg(jvalue_equal(y, x) == expected, "%s and %s", b, a);
    json_decref(x);
    json_decref(y);
}

START_TEST(numbers_are_compared_as_values)
{
    static const char *const equal[][2] = {
        {"1", "1.0"},
        {"1e3", "1.0e3"},
        {"1000", "1e3"},
        {"-0", "0"},
        {"-0.0", "0"},
        {"0.1", "1e-1"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"-123456789012345678901234567890", "-123456789012345678901234567890.0"},
        {"1e400", "10e399"},
        {"1e400", "1.000e+400"},
        {"1e30", "1000000000000000000000000000000"},
        {"0.1", "0.1000000000000000055511151231257827"},
        {"0.1", "0.10000000000000000000"},
        {"9223372036854775807", "9223372036854775807"},
    };
    static const char *const unequal[][2] = {
        {"1", "2"},
        {"1", "\"1\""},
        {"123456789012345678901234567890", "123456789012345678901234567891"},
        {"123456789012345678901234567890", "\"123456789012345678901234567890\""},
        {"123456789012345678901234567890", "1.2345678901234568e+29"}, /* MSG-06 */
        {"123456789012345678901234567890", "123456789012345680000000000000.0"},
        {"1e400", "1e401"},
        {"1e400", "-1e400"},
        {"9223372036854775807", "9223372036854775808"},
        {"9007199254740993", "9007199254740992.0"},
        {"1", "true"},
        {"0", "null"},
    };
    for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
        assert_equal(equal[i][0], equal[i][1], true);
    }
    for (size_t i = 0; i < sizeof unequal / sizeof *unequal; i++) {
        assert_equal(unequal[i][0], unequal[i][1], false);
    }
}
END_TEST

START_TEST(objects_and_arrays)
{
    assert_equal("{\"a\":1,\"b\":[2,3]}", " { \"b\" : [2.0, 3] , \"a\" : 1 } ", true);
    assert_equal("{\"a\":1}", "{\"a\":1,\"b\":null}", false);
    assert_equal("[1,2]", "[2,1]", false);
    assert_equal("[]", "{}", false);
    assert_equal("\"\\u00e9\"", "\"é\"", true);
    ck_assert(jvalue_equal(NULL, NULL));
}
END_TEST

START_TEST(strings_that_begin_with_nul_are_no_numbers)
{
    assert_equal("\"\\u00001e400\"", "1e400", false);
    assert_equal("\"\\u0000a\"", "\"\\u0000a\"", true);
    json_t *value = parsed("\"\\u0000\\u00007\"");
    assert_span(jvalue_bytes(value), SPAN("\0\0"
                                          "7"));
    text_t out = {0};
    jvalue_write(&out, value);
    assert_text(&out, "\"\\u0000\\u00007\"");
    json_decref(value);
    value = jvalue_string(SPAN("\0"));
    assert_span(jvalue_bytes(value), SPAN("\0"));
    json_decref(value);
}
END_TEST

static char *nested(int depth, const char *inner)
{
    text_t out = {0};
    text_fill(&out, '[', (size_t)depth);
    text_puts(&out, inner);
    text_fill(&out, ']', (size_t)depth);
    return text_take(&out);
}

START_TEST(deep_values_are_compared)
{
    char *a = nested(3000, "1, \"x y\""), *b = nested(3000, "1,\"x y\""), *c = nested(3000, "1,\"xy\"");
    char *d = nested(2999, "1,\"x y\"");
    assert_equal(a, b, true);
    assert_equal(a, c, false);
    assert_equal(b, d, false);
    json_t *value = parsed(b);
    text_t out = {0};
    jvalue_write(&out, value);
    assert_text(&out, b);
    json_decref(value);
    free(a);
    free(b);
    free(c);
    free(d);
}
END_TEST

START_TEST(writing_has_one_spelling)
{
    json_t *value = parsed("{\"b\":[1.0,2,1e400,\"\\n\\u0001\\\"\\\\/\"],\"a\":{},\"c\":0.1}");
    text_t out = {0};
    jvalue_write(&out, value);
    assert_text(&out, "{\"a\":{},\"b\":[1.0,2,1e400,\"\\n\\u0001\\\"\\\\/\"],\"c\":0.1}");
    json_decref(value);
    value = parsed("{\"a\":[1,{\"x\":1}],\"b\":[1,2]}");
    jvalue_pretty(&out, value, 20);
    assert_text(&out, "{\n  \"a\": [\n    1,\n    {\"x\":1}\n  ],\n  \"b\": [1,2]\n}");
    json_decref(value);
    jvalue_write(&out, NULL);
    assert_text(&out, "absent");
}
END_TEST

START_TEST(what_is_no_json)
{
    static const char *const wrong[] = {
        "",       "[1,]",     "{\"a\":}",       "01",       "[1e]", "nul", "[",  "\"\\ud800\"", "'a'",
        "[1] []", "\"\x01\"", "\xef\xbb\xbf[]", "\"\xff\"", "[\"a", "-",   "1.", "\"\\"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        text_t error = {0};
        json_t *value = jvalue_parse(span_of(wrong[i]), &error);
        ck_assert_msg(value == NULL, "%s", wrong[i]);
        assert_says(&error, "line 1");
    }
    ck_assert(jvalue_parse(SPAN("1\0"), NULL) == NULL);
    ck_assert(jvalue_parse(SPAN("[1\0]"), NULL) == NULL);
    char *deep = nested(100000, ""); /* not closed: cut in the middle */
    deep[150000] = '\0';
    ck_assert(jvalue_parse(span_of(deep), NULL) == NULL);
    free(deep);
}
END_TEST

START_TEST(types_in_words)
{
    static const char *const pairs[][2] = {{"1e999", "number"}, {"1", "number"},  {"\"\"", "string"},
                                           {"[]", "array"},     {"{}", "object"}, {"null", "null"},
                                           {"true", "boolean"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        json_t *value = parsed(pairs[i][0]);
        ck_assert_str_eq(jvalue_type(value), pairs[i][1]);
        json_decref(value);
    }
    ck_assert_str_eq(jvalue_type(NULL), "absent");
}
END_TEST

TEST_MAIN("jvalue", numbers_are_compared_as_values, objects_and_arrays,
          strings_that_begin_with_nul_are_no_numbers, deep_values_are_compared, writing_has_one_spelling,
          what_is_no_json, types_in_words)
