/* SPDX-License-Identifier: MIT */
#include "phx/ndjson.h"

#include "phx/error.h"
#include "test_util.h"

static const struct {
    phx_slice_t body;
    const char *lines[4]; /* up to a NULL */
} bodies[] = {
    {{"", 0}, {""}},
    {{NULL, 0}, {""}},
    {{"a", 1}, {"a"}},
    {{"\n", 1}, {"", ""}},
    {{"\r\n", 2}, {"", ""}},
    {{"a\n", 2}, {"a", ""}}, /* LP-POST-07: the empty line counts */
    {{"a\r\n", 3}, {"a", ""}},
    {{"a\nb", 3}, {"a", "b"}},
    {{"a\r\nb", 4}, {"a", "b"}},
    {{"a\n\nb", 4}, {"a", "", "b"}},
    {{"a\r\r\nb", 5}, {"a\r", "b"}},
    {{"a\rb", 3}, {"a\rb"}},
    {{"a\r", 2}, {"a\r"}},
    {{"\n\r\n", 3}, {"", "", ""}},
};

START_TEST(test_lines)
{
    guard_t guard = guard_new(100);
    const phx_slice_t body =
        bodies[_i].body.data != NULL ? guard_put(&guard, bodies[_i].body) : bodies[_i].body;
    size_t cursor = 0;
    phx_slice_t line;
    for (size_t i = 0; i < COUNT(bodies[_i].lines) && bodies[_i].lines[i] != NULL; i++) {
        ck_assert(phx_ndjson_next(body, &cursor, &line));
        assert_slice(line, phx_slice_of(bodies[_i].lines[i]));
    }
    ck_assert(!phx_ndjson_next(body, &cursor, &line));
    ck_assert(!phx_ndjson_next(body, &cursor, &line));
    guard_free(&guard);
}
END_TEST

START_TEST(test_messages_of_lines)
{
    phx_buf_t scratch = {0};
    phx_form_t form;
    phx_slice_t bytes;
    assert_ok(phx_ndjson_message(PHX_SLICE("[null,\"1\"]"), &scratch, &form, &bytes));
    ck_assert_int_eq(form, PHX_TEXT);
    assert_slice(bytes, PHX_SLICE("[null,\"1\"]"));
    assert_ok(phx_ndjson_message(PHX_SLICE("AAEBDAQx"), &scratch, &form, &bytes));
    ck_assert_int_eq(form, PHX_BINARY);
    assert_slice(bytes, PHX_SLICE("\x00\x01\x01\x0c\x04\x31"));
    /* An empty line is a binary message of no bytes, which then is not decodable (LP-POST-10). */
    assert_ok(phx_ndjson_message(PHX_SLICE(""), &scratch, &form, &bytes));
    ck_assert_int_eq(form, PHX_BINARY);
    assert_slice(bytes, PHX_SLICE(""));
    assert_error(phx_ndjson_message(PHX_SLICE(" [1]"), &scratch, &form, &bytes), PHX_EBASE64);
    assert_error(phx_ndjson_message(PHX_SLICE("{\"topic\":1}"), &scratch, &form, &bytes), PHX_EBASE64);
    assert_error(phx_ndjson_message(PHX_SLICE("AAEBDAQ"), &scratch, &form, &bytes), PHX_EBASE64);
    phx_buf_free(&scratch);
}
END_TEST

START_TEST(test_appending)
{
    phx_buf_t body = {0};
    phx_ndjson_append(&body, PHX_TEXT, PHX_SLICE("[1,\n{\r\n}\t]"));
    phx_ndjson_append(&body, PHX_BINARY, PHX_SLICE("\x00\x01\x01\x0c"));
    phx_ndjson_append(&body, PHX_TEXT, PHX_SLICE("[\"\\n\"]"));
    assert_buf(&body, "[1, {  }\t]\nAAEBDA==\n[\"\\n\"]");
    phx_buf_free(&body);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ndjson");
    TCase *tcase = tcase_create("ndjson");
    tcase_add_loop_test(tcase, test_lines, 0, COUNT(bodies));
    tcase_add_test(tcase, test_messages_of_lines);
    tcase_add_test(tcase, test_appending);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
