/* SPDX-License-Identifier: MIT */
#include "client_suite/server_message.h"

#include "test_util.h"

/* What a server writes, read again as a client would. */
static void check(const char *five, vsn_t vsn, bool expect_binary, const char *bytes, size_t len)
{
    json_t *json = jvalue_parse(span_of(five), NULL);
    text_t out = {0}, error = {0};
    bool binary;
    ck_assert_msg(server_message_encode(json, vsn, &out, &binary, &error), "%s", text_str(&error));
    ck_assert_int_eq(binary, expect_binary);
    assert_span(text_span(&out), ((span_t){bytes, len}));
    message_t message;
    ck_assert(message_decode(&message, vsn, FROM_SERVER, binary, text_span(&out), &error));
    message_free(&message);
    json_decref(json);
    text_free(&out);
    text_free(&error);
}
#define CHECK(five, vsn, binary, literal) check(five, vsn, binary, literal, sizeof(literal) - 1)

static void refused(const char *five, vsn_t vsn, const char *why)
{
    json_t *json = jvalue_parse(span_of(five), NULL);
    text_t out = {0}, error = {0};
    bool binary;
    ck_assert(!server_message_encode(json, vsn, &out, &binary, &error));
    assert_says(&error, why);
    json_decref(json);
    text_free(&out);
}

START_TEST(text)
{
    CHECK("[\"1\",null,\"t\",\"e\",{\"a\":1}]", VSN_2, false, "[\"1\",null,\"t\",\"e\",{\"a\":1}]");
    CHECK("[\"1\",\"2\",\"t\",\"e\",{}]", VSN_1, false,
          "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"2\"}");
}
END_TEST

/* V1-06 */
START_TEST(ends_of_version_1)
{
    CHECK("[\"1\",\"2\",\"t\",\"phx_close\",{}]", VSN_1, false,
          "{\"topic\":\"t\",\"event\":\"phx_close\",\"payload\":{},\"ref\":\"1\"}");
    CHECK("[null,\"2\",\"t\",\"phx_error\",{}]", VSN_1, false,
          "{\"topic\":\"t\",\"event\":\"phx_error\",\"payload\":{},\"ref\":null}");
}
END_TEST

START_TEST(binary_layouts)
{
    CHECK("[\"1\",null,\"top\",\"e\",{\"$base64\":\"AP8=\"}]", VSN_2, true,
          "\0\1\3\1"
          "1tope\0\xff");
    CHECK("[\"1\",\"23\",\"t\",\"phx_reply\",{\"status\":\"ok\",\"response\":{\"$base64\":\"AQ==\"}}]", VSN_2,
          true,
          "\1\1\2\1\2"
          "123tok\1");
    CHECK("[null,null,\"t\",\"e\",{\"$base64\":\"\"}]", VSN_2, true, "\2\1\1te");
}
END_TEST

START_TEST(what_cannot_be_written)
{
    text_t five = {0};
    text_puts(&five, "[\"1\",null,\"");
    text_fill(&five, 't', 256);
    text_puts(&five, "\",\"e\",{\"$base64\":\"\"}]");
    refused(text_str(&five), VSN_2, "BIN-09");
    refused("[\"1\",null,\"t\",\"e\",{\"$base64\":\"\"}]", VSN_1, "version 1.0.0");
    refused("[\"1\",null,\"t\",\"e\",{\"$base64\":\"?\"}]", VSN_2, "no base64");
    text_free(&five);
}
END_TEST

TEST_MAIN("server_message", text, ends_of_version_1, binary_layouts, what_cannot_be_written)
