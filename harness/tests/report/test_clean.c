/* SPDX-License-Identifier: MIT */
#include "report/clean.h"

#include "test_util.h"

#include <string.h>

static const struct {
    span_t dirty;
    const char *clean;
} texts[] = {
    {SPAN(""), ""},
    {SPAN("größe → ✓ 日本"), "größe → ✓ 日本"},
    {SPAN("a\nb"), "a\\nb"},
    {SPAN("\r\t\0\x1b[31m\x7f"), "\\r\\t\\x00\\x1b[31m\\x7f"},
    {SPAN("\xc2\x9b"), "\\u009b"},                              /* C1 */
    {SPAN("\xff\xfe"), "\\xff\\xfe"},                           /* no UTF-8 */
    {SPAN("\xed\xa0\x80"), "\\xed\\xa0\\x80"},                  /* a lone surrogate */
    {SPAN("\xc3"), "\\xc3"},                                    /* cut short */
    {SPAN("\xe2\x80\xae\xe2\x81\xa6"), "\\u202e\\u2066"},       /* direction */
    {SPAN("\xe2\x80\xa8\xe2\x80\x8b"), "\\u2028\\u200b"},       /* ends a line; invisible */
    {SPAN("\xef\xbb\xbf\xef\xbf\xbe"), "\\ufeff\\ufffe"},       /* byte order mark; what XML forbids */
    {SPAN("\xf3\xa0\x81\x81\xf0\x9f\x98\x80"), "\\u{e0041}😀"}, /* a tag; a smile */
    {SPAN("\xf0\x9f\xbf\xbe"), "\\u{1fffe}"},                   /* no character */
    {SPAN("\\x1b"), "\\x1b"},                                   /* what was cleaned stays */
};

START_TEST(what_is_not_what_it_looks_like_is_escaped)
{
    text_t out = {0}, twice = {0};
    clean_add(&out, texts[_i].dirty, false, 0);
    clean_add(&twice, text_span(&out), false, 0);
    assert_span(text_span(&twice), text_span(&out));
    text_free(&twice);
    assert_text(&out, texts[_i].clean);
}
END_TEST

START_TEST(lines_stay_where_they_may)
{
    text_t out = {0};
    clean_add(&out, SPAN("a\n\tb\n"), true, 0);
    assert_text(&out, "a\n\\tb\n");
}
END_TEST

START_TEST(a_long_text_is_cut_behind_a_character)
{
    text_t out = {0};
    clean_add(&out, SPAN("aößb"), false, 2);
    assert_text(&out, "aö… (6 bytes)");
}
END_TEST

START_TEST(ten_megabytes_are_cut)
{
    text_t all = {0}, out = {0};
    text_fill(&all, 'x', 10 << 20);
    clean_add(&out, text_span(&all), false, 100);
    ck_assert_uint_eq(out.len, 100 + strlen("… (10485760 bytes)"));
    text_free(&all);
    text_free(&out);
}
END_TEST

START_TEST(every_string_of_an_event_is_cleaned)
{
    json_t *event =
        json_loads("{\"title\":\"a\\u001b\\n\",\"reason\":\"a\\u0000\\n\",\"list\":[{\"x\":\"\\u202e\"}]}",
                   JSON_ALLOW_NUL, NULL);
    ck_assert_ptr_nonnull(event);
    clean_json(event);
    char *text = json_dumps(event, JSON_COMPACT);
    ck_assert_str_eq(
        text, "{\"title\":\"a\\\\x1b\\\\n\",\"reason\":\"a\\\\x00\\n\",\"list\":[{\"x\":\"\\\\u202e\"}]}");
    free(text);
    json_decref(event);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report clean");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, what_is_not_what_it_looks_like_is_escaped, 0, sizeof texts / sizeof *texts);
    tcase_add_test(all, lines_stay_where_they_may);
    tcase_add_test(all, a_long_text_is_cut_behind_a_character);
    tcase_add_test(all, ten_megabytes_are_cut);
    tcase_add_test(all, every_string_of_an_event_is_cleaned);
    return test_run(suite, all);
}
