/* SPDX-License-Identifier: MIT */
#include "judge/message.h"
#include "test_util.h"

#include <string.h>

static void assert_decodes(vsn_t vsn, direction_t from, bool binary, span_t bytes, const char *expected)
{
    message_t message;
    text_t error = {0}, out = {0};
    ck_assert_msg(message_decode(&message, vsn, from, binary, bytes, &error), "%s", text_str(&error));
    message_write(&out, &message);
    assert_text(&out, expected);
    message_free(&message);
}

static void assert_refuses(vsn_t vsn, direction_t from, bool binary, span_t bytes, const char *why)
{
    message_t message;
    text_t error = {0};
    ck_assert_msg(!message_decode(&message, vsn, from, binary, bytes, &error), "%s", test_shown(bytes));
    assert_says(&error, why);
    ck_assert(!message_decode(&message, vsn, from, binary, bytes, NULL));
}

START_TEST(text_messages)
{
    assert_decodes(VSN_2, FROM_SERVER, false, SPAN("[\"1\", null, \"t\", \"e\", {\"a\": 1}]"),
                   "[\"1\",null,\"t\",\"e\",{\"a\":1}]");
    assert_decodes(VSN_2, FROM_CLIENT, false, SPAN("[1,2,\"t\",\"e\",{},7]"), "[1,2,\"t\",\"e\",{}]");
    assert_decodes(VSN_1, FROM_SERVER, false,
                   SPAN("{\"event\":\"e\",\"payload\":{},\"ref\":null,\"topic\":\"t\"}"),
                   "[absent,null,\"t\",\"e\",{}]");
    assert_decodes(VSN_1, FROM_CLIENT, true,
                   SPAN("{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":1,\"join_ref\":2,\"x\":3}"),
                   "[2,1,\"t\",\"e\",{}]");
    assert_refuses(VSN_2, FROM_SERVER, false, SPAN("[1,2,\"t\",\"e\",{},7]"), "five");
    assert_refuses(VSN_2, FROM_SERVER, false, SPAN("{}"), "no array");
    assert_refuses(VSN_1, FROM_SERVER, false, SPAN("[]"), "no object");
    assert_refuses(VSN_1, FROM_SERVER, false, SPAN("{\"topic\":\"t\",\"event\":\"e\",\"payload\":{}}"),
                   "ref");
    assert_refuses(VSN_1, FROM_SERVER, false,
                   SPAN("{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":1,\"x\":3}"),
                   "no message has");
    assert_refuses(VSN_2, FROM_SERVER, false, SPAN("[1"), "line 1");
}
END_TEST

/* BIN-02 to BIN-05 */
START_TEST(binary_layouts)
{
    assert_decodes(VSN_2, FROM_CLIENT, true,
                   SPAN("\x00\x01\x02\x01\x04"
                        "1"
                        "23"
                        "t"
                        "echo"
                        "\xff"),
                   "binary [\"1\",\"23\",\"t\",\"echo\",{\"$base64\":\"/w==\"}]");
    assert_decodes(VSN_2, FROM_SERVER, true,
                   SPAN("\x00\x00\x01\x01"
                        "te"
                        "x"),
                   "binary [null,null,\"t\",\"e\",{\"$base64\":\"eA==\"}]");
    assert_decodes(
        VSN_2, FROM_SERVER, true,
        SPAN("\x01\x01\x01\x01\x02"
             "1"
             "2"
             "t"
             "ok"
             ""),
        "binary [\"1\",\"2\",\"t\",\"phx_reply\",{\"response\":{\"$base64\":\"\"},\"status\":\"ok\"}]");
    assert_decodes(VSN_2, FROM_SERVER, true,
                   SPAN("\x02\x01\x01"
                        "te"
                        "xy"),
                   "binary [null,null,\"t\",\"e\",{\"$base64\":\"eHk=\"}]");
    assert_decodes(VSN_2, FROM_CLIENT, true,
                   SPAN("\x00\x00\x00\x01\x01"
                        "\xff"
                        "e"),
                   "binary [null,null,{\"$base64\":\"/w==\"},\"e\",{\"$base64\":\"\"}]");
    assert_refuses(VSN_2, FROM_SERVER, true, (span_t){NULL, 0}, "empty");
    assert_refuses(VSN_2, FROM_SERVER, true, SPAN("\x03\x00\x00"), "kind");
    assert_refuses(VSN_2, FROM_CLIENT, true, SPAN("\x01\x00\x00\x00\x00"), "kind");
    span_t push = SPAN("\x00\x01\x02\x01\x04"
                       "1"
                       "23"
                       "t"
                       "echo");
    for (size_t len = 1; len < push.len; len++) {
        assert_refuses(VSN_2, FROM_CLIENT, true, (span_t){push.at, len}, "shorter");
    }
}
END_TEST

static void assert_encodes(vsn_t vsn, span_t bytes, bool binary)
{
    message_t message;
    text_t out = {0}, error = {0};
    bool is_binary;
    ck_assert(message_decode(&message, vsn, FROM_CLIENT, binary, bytes, &error));
    ck_assert_msg(message_encode(&message, vsn, &out, &is_binary, &error), "%s", text_str(&error));
    ck_assert(is_binary == binary);
    assert_span(text_span(&out), bytes);
    text_free(&out);
    message_free(&message);
}

START_TEST(what_is_encoded)
{
    assert_encodes(VSN_2, SPAN("[\"1\",2,\"t\",\"e\",{\"a\":[1,2]}]"), false);
    assert_encodes(VSN_1, SPAN("{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":null}"), false);
    assert_encodes(VSN_1,
                   SPAN("{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"1\",\"join_ref\":\"2\"}"),
                   false);
    assert_encodes(VSN_2,
                   SPAN("\x00\x01\x02\x01\x04"
                        "1"
                        "23"
                        "t"
                        "echo"
                        "\xff"),
                   true);
}
END_TEST

START_TEST(what_cannot_be_encoded)
{
    message_t message;
    text_t out = {0}, error = {0};
    bool binary;
    ck_assert(message_decode(&message, VSN_2, FROM_CLIENT, true,
                             SPAN("\x00\x00\x00\x01\x01"
                                  "te"),
                             NULL));
    ck_assert(!message_encode(&message, VSN_1, &out, &binary, &error));
    assert_says(&error, "no binary");
    json_decref(message.topic);
    text_t topic = {0};
    text_fill(&topic, 'x', 256);
    message.topic = json_string(topic.at);
    ck_assert(!message_encode(&message, VSN_2, &out, &binary, &error));
    assert_says(&error, "255");
    ck_assert_uint_eq(out.len, 0);
    text_free(&topic);
    message_free(&message);
}
END_TEST

TEST_MAIN("message", text_messages, binary_layouts, what_is_encoded, what_cannot_be_encoded)
