/* SPDX-License-Identifier: MIT */
#include "vectors/view.h"

#include "test_util.h"

#include <string.h>

static json_t *parse(const char *text)
{
    json_t *value = jvalue_parse(span_of(text), NULL);
    ck_assert_msg(value != NULL, "%s", text);
    return value;
}

static void assert_sent(const char *five, vsn_t vsn, bool v1_join_ref, const char *expected)
{
    json_t *json = parse(five);
    message_t message = view_to_send(json, vsn, v1_join_ref);
    text_t out = {0}, error = {0};
    bool binary;
    ck_assert_msg(message_encode(&message, vsn, &out, &binary, &error), "%s", text_str(&error));
    ck_assert(!binary);
    assert_text(&out, expected);
    message_free(&message);
    json_decref(json);
}

START_TEST(sent)
{
    const char *five = "[\"1\",\"2\",\"t\",\"e\",{}]";
    assert_sent(five, VSN_2, false, "[\"1\",\"2\",\"t\",\"e\",{}]");
    assert_sent(five, VSN_1, false, "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"2\"}");
    assert_sent(five, VSN_1, true,
                "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"2\",\"join_ref\":\"1\"}");
    assert_sent("[null,\"2\",\"t\",\"e\",{}]", VSN_1, true,
                "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"2\"}");
}
END_TEST

START_TEST(binary_payloads_take_the_binary_form)
{
    json_t *json = parse("[\"1\",\"2\",\"t\",\"echo\",{\"$base64\":\"/w==\"}]");
    message_t message = view_to_send(json, VSN_2, false);
    text_t out = {0};
    bool binary;
    ck_assert(message_encode(&message, VSN_2, &out, &binary, NULL) && binary);
    assert_span(text_span(&out), SPAN("\x00\x01\x01\x01\x04"
                                      "12techo\xff"));
    text_free(&out);
    message_free(&message);
    json_decref(json);
}
END_TEST

static const struct {
    const char *five;
    vsn_t vsn;
    bool v1_join_ref;
    const char *came;
    bool match;
} seen[] = {
    {"[\"1\",\"2\",\"t\",\"e\",{}]", VSN_2, false, "[\"1\",\"2\",\"t\",\"e\",{}]", true},
    {"[\"1\",\"2\",\"t\",\"e\",{}]", VSN_2, false, "[null,\"2\",\"t\",\"e\",{}]", false},
    /* V1-03: no join_ref comes, so none is asked for */
    {"[\"1\",\"2\",\"t\",\"e\",{}]", VSN_1, false,
     "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"2\"}", true},
    {"[\"1\",\"2\",\"t\",\"e\",{}]", VSN_1, false,
     "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"3\"}", false},
    {"[\"1\",\"2\",\"t\",\"e\",{}]", VSN_1, false,
     "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"2\",\"join_ref\":\"1\"}", false},
    /* V1-06: the end of a channel carries the join_ref of the join, if there was one */
    {"[\"1\",\"1\",\"t\",\"phx_close\",{}]", VSN_2, false, "[\"1\",\"1\",\"t\",\"phx_close\",{}]", true},
    {"[\"1\",\"1\",\"t\",\"phx_close\",{}]", VSN_1, false,
     "{\"topic\":\"t\",\"event\":\"phx_close\",\"payload\":{},\"ref\":null}", true},
    {"[\"1\",\"1\",\"t\",\"phx_close\",{}]", VSN_1, false,
     "{\"topic\":\"t\",\"event\":\"phx_close\",\"payload\":{},\"ref\":\"1\"}", false},
    {"[\"1\",\"1\",\"t\",\"phx_error\",{\"$any\":true}]", VSN_1, true,
     "{\"topic\":\"t\",\"event\":\"phx_error\",\"payload\":{},\"ref\":\"1\"}", true},
    {"[\"1\",\"1\",\"t\",\"phx_error\",{\"$any\":true}]", VSN_1, true,
     "{\"topic\":\"t\",\"event\":\"phx_error\",\"payload\":{},\"ref\":null}", false},
};

START_TEST(what_came_is_seen_as_its_version_shows_it)
{
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        json_t *five = parse(seen[i].five);
        match_context_t context = {
            .names = json_object(), .vsn = seen[i].vsn, .v1_join_ref = seen[i].v1_join_ref};
        message_t message;
        text_t why = {0}, expected = {0}, got = {0};
        ck_assert(message_decode(&message, seen[i].vsn, FROM_SERVER, false, span_of(seen[i].came), NULL));
        ck_assert_msg(view_match(five, &message, &context, &why) == seen[i].match, "%s: %s", seen[i].came,
                      text_str(&why));
        view_diff(five, &message, &context, &expected, &got);
        ck_assert_msg(span_equal(text_span(&expected), text_span(&got)) == seen[i].match, "%s\n%s",
                      text_str(&expected), text_str(&got));
        text_free(&why);
        text_free(&expected);
        text_free(&got);
        message_free(&message);
        json_decref(five);
        json_decref(context.names);
    }
}
END_TEST

TEST_MAIN("view", sent, binary_payloads_take_the_binary_form, what_came_is_seen_as_its_version_shows_it)
