/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdlib.h>

#include "query.h"
#include "test_util.h"

static const struct {
    const char *query;
    const char *params; /* NULL: refused */
} QUERIES[] = {
    {"", "{}"},
    {"vsn=2.0.0", "{\"vsn\":\"2.0.0\"}"},
    {"a=1&a=2", "{\"a\":\"2\"}"}, /* WS-CONN-13 */
    {"flag", "{\"flag\":\"\"}"},
    {"&&a=1&", "{\"a\":\"1\"}"}, /* LP-HTTP-07 */
    {"a=b=c", "{\"a\":\"b=c\"}"},
    {"name=J%C3%BCrgen+%26+co", "{\"name\":\"J\\u00FCrgen & co\"}"},
    {"l[]=1&l[]=2", "{\"l\":[\"1\",\"2\"]}"},
    {"m[k]=v&m[l]=w", "{\"m\":{\"k\":\"v\",\"l\":\"w\"}}"},
    {"m[a][b]=v", "{\"m\":{\"a\":{\"b\":\"v\"}}}"},
    {"m%5Bk%5D=v", "{\"m\":{\"k\":\"v\"}}"},
    {"x[a]=1&x[]=2", "{\"x\":[\"2\"]}"},
    {"x=%zz", "{\"x\":\"%zz\"}"}, /* WS-CONN-14 */
    {"x=%4", "{\"x\":\"%4\"}"},
    {"x=%", "{\"x\":\"%\"}"},
    {"x=%ff%fe", NULL},
    {"%ff=1", NULL},
    {"x=%00", "{\"x\":\"\\u0000\"}"},
    {"x[=1", "{\"x[\":\"1\"}"},
    {"[]=1", "{\"[]\":\"1\"}"},
};

START_TEST(queries)
{
    json_t *params = query_decode(phx_slice_of(QUERIES[_i].query));
    if (QUERIES[_i].params == NULL) {
        ck_assert_ptr_null(params);
        return;
    }
    ck_assert_ptr_nonnull(params);
    char *text = json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text, QUERIES[_i].params);
    free(text);
    json_decref(params);
}
END_TEST

START_TEST(strings_only)
{
    json_t *params = query_decode(PHX_SLICE("token[]=a&vsn=2"));
    phx_slice_t value;
    ck_assert(!query_string(params, "token", &value));
    ck_assert(!query_string(params, "absent", &value));
    ck_assert(query_string(params, "vsn", &value) && phx_slice_equals(value, "2"));
    json_decref(params);
}
END_TEST

START_TEST(deep_nesting_is_bounded)
{
    phx_buf_t query = {0};
    phx_buf_append_text(&query, "a");
    for (int i = 0; i < 10000; i++) {
        phx_buf_append_text(&query, "[b]");
    }
    phx_buf_append_text(&query, "=v");
    json_t *params = query_decode(phx_buf_slice(&query));
    ck_assert_ptr_nonnull(params);
    json_decref(params);
    phx_buf_free(&query);
}
END_TEST

START_TEST(a_thousand_parameters_are_enough)
{
    phx_buf_t query = {0};
    for (int i = 0; i < 1000; i++) {
        phx_buf_append_text(&query, "&a[]=v");
    }
    json_t *params = query_decode(phx_buf_slice(&query));
    ck_assert_uint_eq(json_array_size(json_object_get(params, "a")), 1000);
    json_decref(params);
    phx_buf_append_text(&query, "&b=");
    ck_assert_ptr_null(query_decode(phx_buf_slice(&query)));
    phx_buf_free(&query);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("query");
    tcase_add_loop_test(tcase, queries, 0, (int)(sizeof(QUERIES) / sizeof(QUERIES[0])));
    tcase_add_test(tcase, strings_only);
    tcase_add_test(tcase, deep_nesting_is_bounded);
    tcase_add_test(tcase, a_thousand_parameters_are_enough);
    Suite *suite = suite_create("query");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
