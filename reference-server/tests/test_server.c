/* SPDX-License-Identifier: MIT */
/* Settings that no server can be made of: they are refused with a reason, before a port is taken. */
#include "phxspec/server.h"
#include "test_util.h"

#include <string.h>
#include <uv.h>

static const struct {
    phxs_config_t config;
    const char *said; /* NULL: they are good */
} CASES[] = {
    {{0}, NULL},
    {{.phoenix = "0.1"}, "0.1"},
    {{.tls_cert = "/nowhere.pem"}, "both"},
    {{.tls_cert = "/nowhere.pem", .tls_key = "/nowhere.pem"}, "/nowhere.pem"},
    {{.redis = "redis://127.0.0.1:1"}, "secret"},
    {{.redis = "redis://127.0.0.1:x", .secret = "s"}, "redis://HOST:PORT"},
    {{.redis = "redis://127.0.0.1:1", .secret = "s", .presence_down_ms = 1}, "100 at least"},
    {{.redis = "redis://127.0.0.1:1", .secret = "s", .presence_down_ms = 99}, "100 at least"},
    {{.redis = "redis://127.0.0.1:1", .secret = "s", .presence_down_ms = 100}, NULL},
    {{.presence_down_ms = 1}, NULL}, /* a node alone sends no heartbeats */
};

START_TEST(settings_are_looked_at_first)
{
    char error[256] = "";
    const bool good = phxs_config_check(&CASES[_i].config, error, sizeof(error));
    ck_assert_msg(good == (CASES[_i].said == NULL), "%s", error);
    if (good) {
        return;
    }
    ck_assert_msg(strstr(error, CASES[_i].said) != NULL, "%s", error);
    uv_loop_t loop;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    error[0] = '\0';
    ck_assert_ptr_null(phxs_server_new(&loop, &CASES[_i].config, error, sizeof(error)));
    ck_assert_msg(strstr(error, CASES[_i].said) != NULL, "%s", error);
    ck_assert_int_eq(uv_loop_close(&loop), 0); /* nothing was begun in it */
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("server");
    tcase_add_loop_test(tcase, settings_are_looked_at_first, 0, sizeof CASES / sizeof *CASES);
    Suite *suite = suite_create("server");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
