/* SPDX-License-Identifier: MIT */
/* The URL of a Redis. */
#include <check.h>
#include <string.h>

#include "redis_url.h"
#include "test_util.h"

static void assert_url(const char *text, const char *host, const char *port, const char *user,
                       const char *password)
{
    redis_url_t url;
    char error[256] = "";
    ck_assert_msg(redis_url_parse(text, &url, error, sizeof(error)), "%s: %s", text, error);
    ck_assert_str_eq(url.host, host);
    ck_assert_str_eq(url.port, port);
    ck_assert_str_eq(url.user, user);
    ck_assert_str_eq(url.password, password);
}

START_TEST(what_a_url_says)
{
    assert_url("redis://localhost", "localhost", "6379", "", "");
    assert_url("redis://127.0.0.1:1/", "127.0.0.1", "1", "", "");
    assert_url("redis://[::1]", "::1", "6379", "", "");
    assert_url("redis://[::1]:65535", "::1", "65535", "", "");
    assert_url("redis://:p@host", "host", "6379", "", "p");
    assert_url("redis://ann:p%40%2Fq:r@host:12", "host", "12", "ann", "p@/q:r");
    assert_url("redis://ann:a@b@host", "host", "6379", "ann", "a@b");
}
END_TEST

START_TEST(what_is_no_url)
{
    static const char *const WRONG[] = {
        "",
        "redis:",
        "redis://",
        "rediss://host",
        "host:6379",
        "redis://:6379",
        "redis://host:",
        "redis://host:0",
        "redis://host:65536",
        "redis://host:123456",
        "redis://host:6379x",
        "redis://host/0",
        "redis://host?x",
        "redis://user@host",
        "redis://:p%4@host",
        "redis://:p%zz@host",
        "redis://:p%00@host",
        "redis://[::1",
        "redis://[::1]6379",
        "redis://[]",
        "redis://:p@",
    };
    for (size_t i = 0; i < COUNT(WRONG); i++) {
        redis_url_t url;
        char error[256] = "";
        ck_assert_msg(!redis_url_parse(WRONG[i], &url, error, sizeof(error)), "%s is taken", WRONG[i]);
        ck_assert_ptr_nonnull(strstr(error, "redis://HOST:PORT"));
    }
    char long_host[400] = "redis://";
    memset(long_host + 8, 'h', 300);
    redis_url_t url;
    char error[256];
    ck_assert(!redis_url_parse(long_host, &url, error, sizeof(error)));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("redis url");
    tcase_add_test(tcase, what_a_url_says);
    tcase_add_test(tcase, what_is_no_url);
    Suite *suite = suite_create("redis url");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
