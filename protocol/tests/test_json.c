/* SPDX-License-Identifier: MIT */
#include "phx/json.h"

#include <stdio.h>
#include <string.h>

#include "test_util.h"

static phx_slice_t checked(phx_slice_t text)
{
    phx_slice_t value = {0};
    bool repeated;
    assert_ok(phx_json_check(text, &value, &repeated));
    return value;
}

static const char *const valid[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-0.0",
    "10",
    "1.5e300",
    "1E+3",
    "1e-7",
    "123456789012345678901234567890",
    "\"\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFFFF\\u00fC\"",
    "\"\\ud83c\\udf89\\uDBFF\\uDFFF\"",
    "\"a long string that is longer than a word\"",
    "\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"",
    "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
    "[]",
    "{}",
    "[[],{},[{}]]",
    "{\"a\":{\"b\":[1,{\"c\":null}]},\"\":\"\"}",
    " \r\n\t[ 1 , 2 ] \r\n\t",
    "{ \"a\" : 1 , \"b\" : [ ] , \"c\" : { } }",
};

START_TEST(test_valid)
{
    guard_t guard = guard_new(4096);
    const phx_slice_t text = guard_put(&guard, phx_slice_of(valid[_i]));
    const phx_slice_t value = checked(text);
    ck_assert_ptr_nonnull(memchr("ntf-0123456789\"[{", value.data[0], 17));
    ck_assert_ptr_null(memchr(" \r\n\t", value.data[value.len - 1], 4));
    guard_free(&guard);
}
END_TEST

/* A slice as a constant. */
#define S(literal)                                                                                           \
    {                                                                                                        \
        (literal), sizeof(literal) - 1                                                                       \
    }

static const phx_slice_t invalid[] = {
    S(""),
    {NULL, 0},
    S(" "),
    S("nul"),
    S("nulll"),
    S("True"),
    S("NaN"),
    S("Infinity"),
    S("-"),
    S("01"),
    S("-01"),
    S("+1"),
    S(".5"),
    S("1."),
    S("1.e3"),
    S("1e"),
    S("1e+"),
    S("0x10"),
    S("1 2"),
    S("'a'"),
    S("\""),
    S("\"a"),
    S("\"\\\""),
    S("\"\\x\""),
    S("\"\\\0\""),
    S("\"\\u12\""),
    S("\"\\u12g4\""),
    S("\"\\ud800\""),
    S("\"\\udc00\""),
    S("\"\\ud800\\u0041\""),
    S("\"\\ud800\\ud800\""),
    S("\"\\ud800\\udbff\""),
    S("\"\\ud800\\ue000\""),
    S("\"\\ud800\\udc0"),
    S("\"\\ud800\\"),
    S("\"\\ud800\\u"),
    S("\"\\ud800x\\udc00\""),
    S("\"\\ud800\\udc0\""),
    S("\"\x01\""),
    S("\"\n\""),
    S("\"\0\""),
    S("\"seven..\x1f and more\""),
    S("\"\x80\""),
    S("\"\xff\""),
    S("\"\xc0\x80\""),
    S("\"\xc1\xbf\""),
    S("\"\xc3\""),
    S("\"\xc3(\""),
    S("\"\xe0\x9f\xbf\""),
    S("\"\xed\xa0\x80\""),
    S("\"\xe6\x97\""),
    S("\"\xf0\x8f\xbf\xbf\""),
    S("\"\xf4\x90\x80\x80\""),
    S("\"\xf5\x80\x80\x80\""),
    S("\"\xf0\x9f\x8e\""),
    S("\xef\xbb\xbf[]"),
    S("[]\0"),
    S("["),
    S("]"),
    S("[,]"),
    S("[1,]"),
    S("[,1]"),
    S("[1 2]"),
    S("[1}"),
    S("[}"),
    S("[]]"),
    S("[\"a\":1]"),
    S("[1/**/]"),
    S("[1\v]"),
    S("{"),
    S("{]"),
    S("{,}"),
    S("{\"a\"}"),
    S("{\"a\":}"),
    S("{\"a\" 1}"),
    S("{\"a\":1,}"),
    S("{\"a\":1]"),
    S("{\"a\":1 \"b\":2}"),
    S("{a:1}"),
    S("{1:1}"),
    S("{'a':1}"),
    S("{\"a\":1,,\"b\":2}"),
    S("[{\"a\":[}]]"),
    S("{}x"),
    S("{},"),
    S("{}{}"),
};

START_TEST(test_invalid)
{
    guard_t guard = guard_new(4096);
    const phx_slice_t text = invalid[_i].data != NULL ? guard_put(&guard, invalid[_i]) : invalid[_i];
    phx_slice_t value;
    bool repeated;
    if (phx_json_check(text, &value, &repeated) != PHX_EJSON) {
        ck_abort_msg("taken for JSON: %s", printable(text));
    }
    assert_error(phx_json_check(text, &value, NULL), PHX_EJSON);
    guard_free(&guard);
}
END_TEST

START_TEST(test_ten_megabytes_of_brackets)
{
    const size_t deep = 5000000;
    phx_buf_t text = {0};
    ck_assert(phx_buf_reserve(&text, 2 * deep));
    memset(text.data, '[', deep);
    memset(text.data + deep, ']', deep);
    text.len = 2 * deep;
    assert_slice(checked(phx_buf_slice(&text)), phx_buf_slice(&text));

    size_t cursor = 0;
    phx_slice_t value;
    ck_assert(phx_json_next(phx_buf_slice(&text), &cursor, NULL, &value));
    ck_assert_uint_eq(value.len, text.len - 2);
    ck_assert(!phx_json_next(phx_buf_slice(&text), &cursor, NULL, &value));

    phx_buf_t unique = {0};
    assert_ok(phx_json_unique_keys(phx_buf_slice(&text), &unique));
    ck_assert_uint_eq(unique.len, text.len);
    phx_buf_free(&unique);

    memset(text.data, '[', text.len);
    assert_error(phx_json_check(phx_buf_slice(&text), &value, NULL), PHX_EJSON);
    phx_buf_free(&text);
}
END_TEST

START_TEST(test_deep_objects)
{
    enum { DEEP = 300000 };
    phx_buf_t text = {0};
    for (int i = 0; i < DEEP; i++) {
        phx_buf_append_text(&text, "{\"a\":");
    }
    phx_buf_append_text(&text, "{\"b\":1,\"b\":2}");
    for (int i = 0; i < DEEP; i++) {
        phx_buf_append_text(&text, "}");
    }
    phx_slice_t value;
    bool repeated = false;
    assert_ok(phx_json_check(phx_buf_slice(&text), &value, &repeated));
    ck_assert(repeated);
    phx_buf_t unique = {0};
    assert_ok(phx_json_unique_keys(value, &unique));
    ck_assert_uint_eq(unique.len, value.len - strlen(",\"b\":2"));
    assert_ok(phx_json_check(phx_buf_slice(&unique), &value, &repeated));
    ck_assert(!repeated);
    phx_buf_free(&text);
    phx_buf_free(&unique);
}
END_TEST

static const struct {
    const char *text;
    const char *unique; /* NULL: has no equal keys */
} objects[] = {
    {"{}", NULL},
    {"{\"a\":1,\"b\":2}", NULL},
    {"{\"a\":{\"a\":1},\"b\":{\"a\":1}}", NULL},
    {"[{\"a\":1},{\"a\":1}]", NULL},
    {"{\"a\":1,\"aa\":1,\"aaa\":1,\"\":1,\"a\\u0000\":1,\"A\":1}", NULL},
    {"{\"6abcc123\":1,\"9abc123\":1}", NULL},
    {"{\"abcdefgh\":1,\"abcdefgi\":1,\"abcdefghi\":2,\"abcdefghh\":2}", NULL},
    {"{\"a\":1,\"a\":2}", "{\"a\":1}"},
    {"{\"\":1,\"\":2}", "{\"\":1}"},
    {"{\"k\":1,\"k\":2,\"o\":{\"a\":1},\"o\":{\"b\":2}}", "{\"k\":1,\"o\":{\"a\":1}}"},
    {"{\"a\":1,\"\\u0061\":2,\"b\":3,\"a\":4}", "{\"a\":1,\"b\":3}"},
    {"{\"\\u0061\":1,\"a\":2}", "{\"\\u0061\":1}"},
    {"{\"\\ud83c\\udf89\":1,\"🎉\":2}", "{\"\\ud83c\\udf89\":1}"},
    {"{\"\\/\":1,\"/\":2,\"\\u002f\":3}", "{\"\\/\":1}"},
    {"{\"\\n\":1,\"\\u000A\":2}", "{\"\\n\":1}"},
    {"{ \"a\" : 1 , \"a\" : 2 , \"b\" : \"x\" }", "{ \"a\" : 1 , \"b\" : \"x\" }"},
    {"[{\"a\":{\"x\":1,\"x\":2},\"a\":{\"y\":1,\"y\":2},\"b\":[]},{\"c\":0,\"c\":[1]}]",
     "[{\"a\":{\"x\":1},\"b\":[]},{\"c\":0}]"},
    {"{\"a\":[],\"b\":{},\"a\":{},\"b\":[{\"c\":1,\"c\":1}],\"d\":\"}\"}", "{\"a\":[],\"b\":{},\"d\":\"}\"}"},
    {"{\"a\":\"\\\"a\\\":\",\"a\":\",\"}", "{\"a\":\"\\\"a\\\":\"}"},
    {"{\"room:lobby:1\":1,\"room:lobby:2\":2,\"room:lobby:1\":3}", "{\"room:lobby:1\":1,\"room:lobby:2\":2}"},
};

START_TEST(test_unique_keys)
{
    const phx_slice_t text = phx_slice_of(objects[_i].text);
    phx_slice_t value;
    bool repeated = false;
    assert_ok(phx_json_check(text, &value, &repeated));
    ck_assert_int_eq(repeated, objects[_i].unique != NULL);
    phx_buf_t unique = {0};
    phx_buf_append_text(&unique, "-");
    assert_ok(phx_json_unique_keys(value, &unique));
    const phx_slice_t appended = {unique.data + 1, unique.len - 1};
    assert_slice(appended, objects[_i].unique != NULL ? phx_slice_of(objects[_i].unique) : text);
    phx_buf_free(&unique);
}
END_TEST

/* Around the number of keys at which equal ones are looked for in another way. */
START_TEST(test_repeated_among_many_keys)
{
    const size_t counts[] = {2, 63, 64, 65, 66, 127, 128, 129, 1000, 20000};
    const size_t count = counts[_i];
    /* What the last key is: a new one, the first again, the one before again. */
    const size_t last[] = {count - 1, 0, count - 2};
    for (size_t variant = 0; variant < COUNT(last); variant++) {
        phx_buf_t text = {0};
        phx_buf_append_text(&text, "{\"outer\":[{");
        for (size_t i = 0; i < count; i++) {
            char member[40];
            (void)snprintf(member, sizeof member, "%s\"key %zu\":{}", i > 0 ? "," : "",
                           i < count - 1 ? i : last[variant]);
            phx_buf_append_text(&text, member);
        }
        phx_buf_append_text(&text, "}],\"other\":{\"outer\":1}}");
        phx_slice_t value;
        bool repeated = variant == 0;
        assert_ok(phx_json_check(phx_buf_slice(&text), &value, &repeated));
        ck_assert_int_eq(repeated, variant > 0);
        phx_buf_free(&text);
    }
}
END_TEST

START_TEST(test_kinds)
{
    ck_assert_int_eq(phx_json_kind(PHX_SLICE("null")), PHX_JSON_NULL);
    ck_assert_int_eq(phx_json_kind(PHX_SLICE("true")), PHX_JSON_BOOL);
    ck_assert_int_eq(phx_json_kind(PHX_SLICE("false")), PHX_JSON_BOOL);
    ck_assert_int_eq(phx_json_kind(PHX_SLICE("-1")), PHX_JSON_NUMBER);
    ck_assert_int_eq(phx_json_kind(PHX_SLICE("0")), PHX_JSON_NUMBER);
    ck_assert_int_eq(phx_json_kind(PHX_SLICE("\"\"")), PHX_JSON_STRING);
    ck_assert_int_eq(phx_json_kind(PHX_SLICE("[]")), PHX_JSON_ARRAY);
    ck_assert_int_eq(phx_json_kind(PHX_SLICE("{}")), PHX_JSON_OBJECT);
}
END_TEST

START_TEST(test_walking)
{
    const phx_slice_t array = checked(PHX_SLICE("[ 1 ,\"],\\\"\" , [2,[3]] ,{\"a\":\"}\"} , null ]"));
    const char *const elements[] = {"1", "\"],\\\"\"", "[2,[3]]", "{\"a\":\"}\"}", "null"};
    size_t cursor = 0;
    phx_slice_t key;
    phx_slice_t value;
    for (size_t i = 0; i < COUNT(elements); i++) {
        ck_assert(phx_json_next(array, &cursor, NULL, &value));
        assert_slice(value, phx_slice_of(elements[i]));
    }
    ck_assert(!phx_json_next(array, &cursor, NULL, &value));
    ck_assert(!phx_json_next(array, &cursor, NULL, &value));

    const phx_slice_t object = checked(PHX_SLICE("{ \"a\" : 1 , \"\\u0062:\" :[ ],\"c\":true}"));
    cursor = 0;
    ck_assert(phx_json_next(object, &cursor, &key, &value));
    assert_slice(key, PHX_SLICE("\"a\""));
    assert_slice(value, PHX_SLICE("1"));
    ck_assert(phx_json_next(object, &cursor, &key, &value));
    assert_slice(key, PHX_SLICE("\"\\u0062:\""));
    assert_slice(value, PHX_SLICE("[ ]"));
    ck_assert(phx_json_next(object, &cursor, NULL, &value));
    assert_slice(value, PHX_SLICE("true"));
    ck_assert(!phx_json_next(object, &cursor, &key, &value));

    const char *const empty[] = {"[]", "{}", "[ ]", "{ }", "1", "\"[1]\"", "null", ""};
    for (size_t i = 0; i < COUNT(empty); i++) {
        cursor = 0;
        ck_assert(!phx_json_next(phx_slice_of(empty[i]), &cursor, &key, &value));
    }
}
END_TEST

START_TEST(test_members)
{
    const phx_slice_t object = checked(PHX_SLICE("{\"a\":1,\"\\u00fc\\n\":2,\"a\":3,\"\":4}"));
    phx_slice_t value;
    ck_assert(phx_json_member(object, "a", &value));
    assert_slice(value, PHX_SLICE("1"));
    ck_assert(phx_json_member(object, "ü\n", &value));
    assert_slice(value, PHX_SLICE("2"));
    ck_assert(phx_json_member(object, "", &value));
    assert_slice(value, PHX_SLICE("4"));
    ck_assert(!phx_json_member(object, "b", &value));
    ck_assert(!phx_json_member(PHX_SLICE("[\"a\"]"), "a", &value));
    ck_assert(!phx_json_member(PHX_SLICE("null"), "a", &value));
}
END_TEST

START_TEST(test_strings)
{
    phx_buf_t scratch = {0};
    phx_slice_t characters;
    assert_ok(phx_json_string(PHX_SLICE("\"plain ü\""), &scratch, &characters));
    assert_slice(characters, PHX_SLICE("plain ü"));
    ck_assert_ptr_null(scratch.data);
    assert_ok(phx_json_string(PHX_SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00Fc\\u65e5\\ud83c\\udf89!\""),
                              &scratch, &characters));
    assert_slice(characters, PHX_SLICE("\"\\/\b\f\n\r\t\0ü日🎉!"));
    assert_ok(phx_json_string(PHX_SLICE("\"\\uDBFF\\uDFFF\""), &scratch, &characters));
    assert_slice(characters, PHX_SLICE("\xf4\x8f\xbf\xbf"));
    assert_ok(phx_json_string(PHX_SLICE("\"\""), &scratch, &characters));
    assert_slice(characters, PHX_SLICE(""));
    assert_error(phx_json_string(PHX_SLICE("1"), &scratch, &characters), PHX_EJSON);
    assert_error(phx_json_string(PHX_SLICE("[\"\"]"), &scratch, &characters), PHX_EJSON);
    phx_buf_free(&scratch);
}
END_TEST

START_TEST(test_is)
{
    ck_assert(phx_json_is(PHX_SLICE("\"phx_join\""), "phx_join"));
    ck_assert(phx_json_is(PHX_SLICE("\"\\u0070hx_\\u006aoin\""), "phx_join"));
    ck_assert(phx_json_is(PHX_SLICE("\"\\ud83c\\udf89\""), "🎉"));
    ck_assert(phx_json_is(PHX_SLICE("\"\""), ""));
    ck_assert(!phx_json_is(PHX_SLICE("\"phx_join\""), "phx_joi"));
    ck_assert(!phx_json_is(PHX_SLICE("\"phx_joi\""), "phx_join"));
    ck_assert(!phx_json_is(PHX_SLICE("\"a\\u0000\""), "a"));
    ck_assert(!phx_json_is(PHX_SLICE("\"\\u65e5\""), "\xe6\x97"));
    ck_assert(!phx_json_is(PHX_SLICE("1"), "1"));
    ck_assert(!phx_json_is(PHX_SLICE("null"), "null"));
}
END_TEST

START_TEST(test_uint)
{
    const struct {
        const char *text;
        uint64_t max;
        bool ok;
        uint64_t number;
    } cases[] = {
        {"0", 0, true, 0},
        {"1", 0, false, 0},
        {"10", 10, true, 10},
        {"11", 10, false, 0},
        {"9", 5, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999", UINT64_MAX, false, 0},
        {"-1", 10, false, 0},
        {"1.0", 10, false, 0},
        {"1e0", 10, false, 0},
        {"\"1\"", 10, false, 0},
        {"null", 10, false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t number = 0;
        ck_assert_int_eq(phx_json_uint(phx_slice_of(cases[i].text), cases[i].max, &number), cases[i].ok);
        if (cases[i].ok) {
            ck_assert_uint_eq(number, cases[i].number);
        }
    }
}
END_TEST

START_TEST(test_quoting)
{
    phx_buf_t out = {0};
    phx_json_quote(&out, PHX_SLICE(""));
    assert_buf(&out, "\"\"");
    phx_json_quote(&out, phx_slice_of(NULL));
    assert_buf(&out, "\"\"");
    phx_json_quote(&out, PHX_SLICE("a\"\\/\b\f\n\r\t\0\x1f\x7fü日🎉"));
    assert_buf(&out, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001F\x7fü日🎉\"");
    phx_buf_free(&out);
}
END_TEST

START_TEST(test_utf8)
{
    ck_assert(phx_utf8_valid(phx_slice_of(NULL)));
    ck_assert(phx_utf8_valid(PHX_SLICE("a\0b and some more bytes, ü日🎉")));
    ck_assert(!phx_utf8_valid(PHX_SLICE("0123456789 and then \xff")));
    ck_assert(!phx_utf8_valid(PHX_SLICE("0123456\xe6\x97")));
    ck_assert(!phx_utf8_valid(PHX_SLICE("\xed\xa0\x80")));
}
END_TEST

/* Every sequence of up to three bytes, against the table of RFC 3629 spelled as ranges of code points. */
START_TEST(test_utf8_of_all_short_sequences)
{
    for (uint32_t bytes = 0; bytes <= 0xFFFFFF; bytes++) {
        const unsigned char b[3] = {(unsigned char)(bytes >> 16), (unsigned char)(bytes >> 8),
                                    (unsigned char)bytes};
        const bool tails = (b[1] & 0xC0) == 0x80 && (b[2] & 0xC0) == 0x80;
        bool expected;
        if (b[0] < 0x80) {
            const uint32_t two = (b[1] & 0x1Fu) << 6 | (b[2] & 0x3Fu);
            expected =
                b[1] < 0x80 ? b[2] < 0x80 : (b[1] & 0xE0) == 0xC0 && (b[2] & 0xC0) == 0x80 && two >= 0x80;
        } else if ((b[0] & 0xE0) == 0xC0) {
            expected = (b[1] & 0xC0) == 0x80 && b[0] >= 0xC2 && b[2] < 0x80;
        } else {
            const uint32_t three = (b[0] & 0x0Fu) << 12 | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu);
            expected = (b[0] & 0xF0) == 0xE0 && tails && three >= 0x800 && (three < 0xD800 || three > 0xDFFF);
        }
        if (phx_utf8_valid((phx_slice_t){(const char *)b, 3}) != expected) {
            ck_abort_msg("%s: expected %d", printable((phx_slice_t){(const char *)b, 3}), expected);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, test_valid, 0, COUNT(valid));
    tcase_add_loop_test(tcase, test_invalid, 0, COUNT(invalid));
    tcase_add_test(tcase, test_ten_megabytes_of_brackets);
    tcase_add_test(tcase, test_deep_objects);
    tcase_add_loop_test(tcase, test_unique_keys, 0, COUNT(objects));
    tcase_add_loop_test(tcase, test_repeated_among_many_keys, 0, 10);
    tcase_add_test(tcase, test_kinds);
    tcase_add_test(tcase, test_walking);
    tcase_add_test(tcase, test_members);
    tcase_add_test(tcase, test_strings);
    tcase_add_test(tcase, test_is);
    tcase_add_test(tcase, test_uint);
    tcase_add_test(tcase, test_quoting);
    tcase_add_test(tcase, test_utf8);
    tcase_add_test(tcase, test_utf8_of_all_short_sequences);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
