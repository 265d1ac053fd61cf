/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <string.h>

#include "handshake.h"
#include "test_util.h"

enum { MAX_HEADERS = 8 };

/* A GET with the headers named in pairs, NULL at the end. */
static http_request_t request_with(http_header_t headers[MAX_HEADERS], const char *const *pairs)
{
    http_request_t request = {.method = PHX_SLICE("GET"), .minor_version = 1, .headers = headers};
    for (; pairs[request.header_count * 2] != NULL; request.header_count++) {
        headers[request.header_count].name = phx_slice_of(pairs[request.header_count * 2]);
        headers[request.header_count].value = phx_slice_of(pairs[request.header_count * 2 + 1]);
    }
    return request;
}

static bool allowed_by(const phxs_mount_config_t *config, const char *origin, const char *host, bool secure)
{
    http_header_t headers[MAX_HEADERS];
    const char *pairs[] = {"host", host, origin != NULL ? "origin" : NULL, origin, NULL};
    http_request_t request = request_with(headers, pairs);
    return handshake_origin_allowed(config, &request, secure);
}

static bool allowed(const char *const *origins, const char *origin, const char *host)
{
    phxs_mount_config_t config;
    phxs_mount_defaults(&config);
    config.origins = origins;
    return allowed_by(&config, origin, host, false);
}

static const struct {
    const char *entry;
    const char *origin;
    bool allowed;
} ORIGINS[] = {
    {"//phxspec.test", NULL, true}, /* ORIG-01 */
    {"//phxspec.test", "http://phxspec.test", true},
    {"//phxspec.test", "https://phxspec.test:8443", true}, /* ORIG-04 */
    {"//phxspec.test", "http://PHXSPEC.test", false},      /* ORIG-10 */
    {"//phxspec.test", "http://evil.test", false},
    {"//phxspec.test", "http://phxspec.test.evil.test", false},
    {"//phxspec.test", "http://sub.phxspec.test", false},
    {"//phxspec.test", "null", false}, /* ORIG-06 */
    {"//phxspec.test", "file://", false},
    {"//phxspec.test", "", false},
    {"//phxspec.test:81", "http://phxspec.test:81", true},
    {"//phxspec.test:81", "http://phxspec.test", false},
    {"//phxspec.test:80", "http://phxspec.test", true},
    {"https://phxspec.test", "https://phxspec.test:443", true},
    {"https://phxspec.test", "https://phxspec.test:444", false},
    {"https://phxspec.test", "http://phxspec.test", false},
    {"//*.example.com", "http://example.com", true}, /* ORIG-05 */
    {"//*.example.com", "http://a.b.example.com", true},
    {"//*.example.com", "http://prefix-example.com", false},
    {"//*.example.com", "http://x.prefix-example.com", false},
    {"//[::1]", "http://[::1]:4000", true},
};

START_TEST(origins_of_a_list)
{
    const char *list[] = {ORIGINS[_i].entry, NULL};
    ck_assert_msg(allowed(list, ORIGINS[_i].origin, "localhost:4000") == ORIGINS[_i].allowed, "%s for %s",
                  ORIGINS[_i].origin, ORIGINS[_i].entry);
}
END_TEST

START_TEST(origin_of_the_own_host)
{
    ck_assert(allowed(NULL, "http://localhost", "localhost:4000"));
    ck_assert(allowed(NULL, "https://localhost:9", "localhost")); /* ORIG-03 */
    ck_assert(!allowed(NULL, "http://phxspec.test", "localhost:4000"));
}
END_TEST

/* ORIG-07 */
START_TEST(origin_of_the_same_connection)
{
    phxs_mount_config_t config;
    phxs_mount_defaults(&config);
    config.same_connection = true;
    ck_assert(allowed_by(&config, NULL, "localhost:4000", false));
    ck_assert(allowed_by(&config, "http://localhost:4000", "localhost:4000", false));
    ck_assert(allowed_by(&config, "http://localhost", "localhost:80", false));
    ck_assert(allowed_by(&config, "https://localhost", "localhost", true));
    ck_assert(allowed_by(&config, "https://[::1]:443", "[::1]", true));
    ck_assert(!allowed_by(&config, "https://localhost:4000", "localhost:4000", false));
    ck_assert(!allowed_by(&config, "http://localhost:4000", "localhost:4000", true));
    ck_assert(!allowed_by(&config, "http://localhost", "localhost:4000", false));
    ck_assert(!allowed_by(&config, "http://localhost:4001", "localhost:4000", false));
    ck_assert(!allowed_by(&config, "http://phxspec.test:4000", "localhost:4000", false));
    ck_assert(!allowed_by(&config, "//localhost:4000", "localhost:4000", false));
    ck_assert(!allowed_by(&config, "null", "localhost:4000", false));
}
END_TEST

static const struct {
    const char *vsn;
    int serializer; /* -1: none */
} VERSIONS[] = {
    {"1.0.0", PHX_V1},
    {"1.0.7", PHX_V1},
    {"2.0.0", PHX_V2},
    {"2.0.99", PHX_V2},
    {"2.0.1-rc.1", PHX_V2}, /* WS-VSN-04 */
    {"2.0.0-rc.1", -1},
    {"2.0.0+build.5", PHX_V2},
    {"2.1.0", -1}, /* WS-VSN-02 */
    {"1.1.0", -1},
    {"3.0.0", -1},
    {"0.0.0", -1},
    {"123.1.1", -1},
    {"", -1}, /* WS-VSN-03 */
    {"2", -1},
    {"2.0", -1},
    {"2.0.", -1},
    {"2.0.0.", -1},
    {"2.0.0.0", -1},
    {"02.0.0", -1},
    {"2.0.01", -1},
    {" 2.0.0", -1},
    {"2.0.0 ", -1},
    {"2.0.1-", -1},
    {"2.0.1-a..b", -1},
    {"2.0.0+", -1},
    {"abc", -1},
};

START_TEST(versions)
{
    phx_vsn_t serializer;
    bool found = handshake_serializer(phx_slice_of(VERSIONS[_i].vsn), &serializer);
    ck_assert_msg((found ? (int)serializer : -1) == VERSIONS[_i].serializer, "vsn '%s'", VERSIONS[_i].vsn);
}
END_TEST

#define LONG_TOKEN                                                                                           \
    "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5emFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eH" \
    "l6YWJjZGVm"                                                                                             \
    "Z2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg"

static const struct {
    bool auth_token;
    bool configured; /* conf.a, conf.b */
    const char *offer;
    subprotocol_outcome_t outcome;
    const char *chosen;
    const char *token; /* NULL: none */
} OFFERS[] = {
    {false, false, "foo", SUBPROTOCOL_OK, NULL, NULL}, /* SUBP-01 */
    {false, true, NULL, SUBPROTOCOL_OK, NULL, NULL},   /* SUBP-04 */
    {false, true, "conf.b, conf.a", SUBPROTOCOL_OK, "conf.a", NULL},
    {false, true, "foo, conf.b", SUBPROTOCOL_OK, "conf.b", NULL},
    {false, true, "Conf.A", SUBPROTOCOL_REFUSED, NULL, NULL}, /* SUBP-03 */
    {false, true, "", SUBPROTOCOL_REFUSED, NULL, NULL},
    {false, true, "base64url.bearer.phx.YWJj, conf.b", SUBPROTOCOL_OK, "conf.b", NULL},
    {true, false, "phoenix", SUBPROTOCOL_OK, "phoenix", NULL}, /* TOK-04 */
    {true, false, "phoenix, base64url.bearer.phx.YWJj", SUBPROTOCOL_OK, "phoenix", "abc"},
    {true, false, "base64url.bearer.phx.YWJj, phoenix", SUBPROTOCOL_OK, "phoenix", "abc"},
    {true, false, "base64url.bearer.phx.YWJj", SUBPROTOCOL_OK, NULL, "abc"},
    {true, false, "phoenix, base64url.bearer.phx.YWI=", SUBPROTOCOL_OK, "phoenix", "ab"},
    {true, false, "phoenix, base64url.bearer.phx.", SUBPROTOCOL_OK, "phoenix", ""},
    {true, false, "phoenix, base64url.bearer.phx._-8", SUBPROTOCOL_BAD_TOKEN, NULL, ""}, /* TOK-06 */
    {true, false, "phoenix, base64url.bearer.phx.@@@", SUBPROTOCOL_BAD_TOKEN, NULL, ""},
    {true, false, "phoenix, base64url.bearer.phx.YWJj, base64url.bearer.phx.ZGVm", SUBPROTOCOL_OK, "phoenix",
     NULL}, /* TOK-05 */
    {true, false, "foo, base64url.bearer.phx.YWJj", SUBPROTOCOL_REFUSED, NULL, "abc"},
    {true, false, "foo", SUBPROTOCOL_REFUSED, NULL, NULL},
    {true, false, "phoenix, base64url.bearer.phx." LONG_TOKEN, SUBPROTOCOL_OK, "phoenix",
     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxy"
     "zabcdefghijkl"
     "mnopqrstuvwxyz"},
};

START_TEST(subprotocols)
{
    static const char *const CONFIGURED[] = {"conf.a", "conf.b", NULL};
    phxs_mount_config_t config;
    phxs_mount_defaults(&config);
    config.auth_token = OFFERS[_i].auth_token;
    config.subprotocols = OFFERS[_i].configured ? CONFIGURED : NULL;
    http_header_t headers[MAX_HEADERS];
    const char *pairs[] = {OFFERS[_i].offer != NULL ? "sec-websocket-protocol" : NULL, OFFERS[_i].offer,
                           NULL};
    http_request_t request = request_with(headers, pairs);
    subprotocol_t result = {0};

    ck_assert_int_eq(handshake_subprotocol(&config, &request, &result), OFFERS[_i].outcome);
    ck_assert_pstr_eq(result.chosen, OFFERS[_i].chosen);
    ck_assert_int_eq(result.has_token, OFFERS[_i].token != NULL);
    if (OFFERS[_i].token != NULL) {
        ck_assert_msg(phx_slice_equals(phx_buf_slice(&result.token), OFFERS[_i].token), "token of '%s'",
                      OFFERS[_i].offer);
    }
    phx_buf_free(&result.token);
}
END_TEST

#define GOOD_UPGRADE "upgrade", "websocket", "sec-websocket-version", "13", "sec-websocket-key", "x"

static const struct {
    const char *pairs[10];
    const char *error; /* a word of it; NULL: none */
} UPGRADES[] = {
    {{"connection", "Upgrade", GOOD_UPGRADE}, NULL},
    {{"connection", "keep-alive, UPGRADE", GOOD_UPGRADE}, NULL}, /* WS-CONN-05 */
    {{GOOD_UPGRADE}, "'connection'"},
    {{"connection", "Upgrade", "upgrade", "h2c", "sec-websocket-version", "13", "sec-websocket-key", "x"},
     "'upgrade'"},
    {{"connection", "Upgrade", "upgrade", "WebSocket", "sec-websocket-version", "13"}, "key"},
    {{"connection", "Upgrade", "upgrade", "WebSocket", "sec-websocket-key", "x"}, "version"},
    {{"connection", "Upgrade", "upgrade", "WebSocket", "sec-websocket-version", "8", "sec-websocket-key",
      "x"},
     "version"},
};

START_TEST(upgrades)
{
    http_header_t headers[MAX_HEADERS];
    http_request_t request = request_with(headers, UPGRADES[_i].pairs);
    const char *error = handshake_upgrade_error(&request);
    if (UPGRADES[_i].error == NULL) {
        ck_assert_ptr_null(error);
    } else {
        ck_assert_msg(error != NULL && strstr(error, UPGRADES[_i].error) != NULL, "got %s", error);
    }
}
END_TEST

START_TEST(http_1_0_is_no_upgrade)
{
    http_header_t headers[MAX_HEADERS];
    http_request_t request = request_with(headers, UPGRADES[0].pairs);
    request.minor_version = 0;
    ck_assert_ptr_nonnull(handshake_upgrade_error(&request));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("handshake");
    tcase_add_loop_test(tcase, origins_of_a_list, 0, (int)COUNT(ORIGINS));
    tcase_add_test(tcase, origin_of_the_own_host);
    tcase_add_test(tcase, origin_of_the_same_connection);
    tcase_add_loop_test(tcase, versions, 0, (int)COUNT(VERSIONS));
    tcase_add_loop_test(tcase, subprotocols, 0, (int)COUNT(OFFERS));
    tcase_add_loop_test(tcase, upgrades, 0, (int)COUNT(UPGRADES));
    tcase_add_test(tcase, http_1_0_is_no_upgrade);

    Suite *suite = suite_create("handshake");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
