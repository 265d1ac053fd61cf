/* SPDX-License-Identifier: MIT */
#include "client_suite/target_query.h"

#include "test_util.h"

static void check(const char *target, const http_headers_t *headers, const char *expected)
{
    json_t *json = offer_json(target, headers);
    text_t out = {0};
    jvalue_write(&out, json);
    assert_text(&out, expected);
    json_decref(json);
}

START_TEST(queries)
{
    http_headers_t none = {0};
    check("/s/websocket", &none, "{\"headers\":{},\"path\":\"/s/websocket\",\"protocols\":[],\"query\":{}}");
    check("/s?a=1&b%5Bc%5D=%C3%A9+%25&a=2&&d&=x", &none,
          "{\"headers\":{},\"path\":\"/s\",\"protocols\":[],\"query\":{\"a\":\"2\",\"b[c]\":\"\303\251 "
          "%\",\"d\":\"\"}}");
    check("/s?a=%zz%4&vsn=2.0.0&", &none,
          "{\"headers\":{},\"path\":\"/s\",\"protocols\":[],\"query\":{\"a\":\"%zz%4\",\"vsn\":\"2.0.0\"}}");
}
END_TEST

/* LP-HTTP-07 */
START_TEST(an_empty_token_is_none)
{
    http_headers_t none = {0};
    check("/s?token=", &none, "{\"headers\":{},\"path\":\"/s\",\"protocols\":[],\"query\":{}}");
    check("/s?token=x", &none,
          "{\"headers\":{},\"path\":\"/s\",\"protocols\":[],\"query\":{\"token\":\"x\"}}");
}
END_TEST

START_TEST(headers_and_protocols)
{
    http_headers_t headers = {0};
    http_headers_add(&headers, "X-One", "1");
    http_headers_add(&headers, "Sec-WebSocket-Protocol", "phoenix,  b.c ");
    check("/", &headers,
          "{\"headers\":{\"sec-websocket-protocol\":\"phoenix,  b.c \",\"x-one\":\"1\"},\"path\":\"/\","
          "\"protocols\":[\"phoenix\",\"b.c\"],\"query\":{}}");
    http_headers_free(&headers);
}
END_TEST

TEST_MAIN("target_query", queries, an_empty_token_is_none, headers_and_protocols)
