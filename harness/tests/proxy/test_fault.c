/* SPDX-License-Identifier: MIT */
#include "proxy/fault.h"

#include "test_faults.h"

#include <string.h>

/* What is done to a message, as text; "" for nothing. Owned by the caller. */
static char *done(faults_t *faults, direction_t from, vsn_t vsn, const char *conversation, const char *bytes)
{
    message_t message;
    bool readable = message_decode(&message, vsn, from, false, span_of(bytes), NULL);
    unit_t unit = {.from = from,
                   .websocket = true,
                   .vsn = vsn,
                   .conversation = conversation,
                   .message = readable ? &message : NULL,
                   .frame = "text"};
    json_t *actions = faults_match(faults, &unit);
    text_t text = {0};
    if (actions) {
        jvalue_write(&text, actions);
    }
    json_decref(actions);
    message_free(&message);
    return text_take(&text);
}

#define assert_done(expected, ...)                                                                           \
    do {                                                                                                     \
        char *done_ = done(__VA_ARGS__);                                                                     \
        ck_assert_str_eq(done_, expected);                                                                   \
        free(done_);                                                                                         \
    } while (0)

#define ANY "{\"$any\":true}"
#define DROP "[{\"drop\":true}]"

START_TEST(a_message_is_matched_by_its_fields)
{
    faults_t *faults = faults_of("[{\"match\":{\"from\":\"server\",\"vsn\":\"2.0.0\",\"message\":[" ANY
                                 "," ANY ",\"t\",\"e\"," ANY "]},\"do\":" DROP "}]");
    assert_done(DROP, faults, FROM_SERVER, VSN_2, "c", "[null,null,\"t\",\"e\",{}]");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "[null,null,\"t\",\"f\",{}]");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "[null,null,\"u\",\"e\",{}]");
    assert_done("", faults, FROM_CLIENT, VSN_2, "c", "[null,null,\"t\",\"e\",{}]");
    assert_done("", faults, FROM_SERVER, VSN_1, "c",
                "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":null}");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "nothing");
    ck_assert_uint_eq(faults_hits(faults), 1);
    faults_free(faults);
}
END_TEST

START_TEST(messages_are_counted_by_topic)
{
    faults_t *faults = faults_of("[{\"match\":{\"from\":\"server\",\"message\":[" ANY "," ANY "," ANY "," ANY
                                 "," ANY "]},\"nth\":2,\"do\":" DROP "}]");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "[null,null,\"t\",\"e\",{}]");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "[null,null,\"u\",\"e\",{}]");
    assert_done(DROP, faults, FROM_SERVER, VSN_2, "d", "[null,null,\"t\",\"e\",{}]");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "[null,null,\"t\",\"e\",{}]");
    faults_free(faults);
}
END_TEST

START_TEST(or_by_conversation_or_all_together)
{
    faults_t *faults = faults_of(
        "[{\"match\":{\"from\":\"server\",\"frame\":\"*\"},\"nth\":2,\"per\":\"conversation\","
        "\"do\":[{\"cut\":true}]},"
        "{\"match\":{\"from\":\"server\",\"frame\":\"*\"},\"every\":3,\"per\":\"all\",\"do\":" DROP "}]");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "x");
    assert_done("", faults, FROM_SERVER, VSN_2, "d", "x");
    assert_done("[{\"cut\":true},{\"drop\":true}]", faults, FROM_SERVER, VSN_2, "c", "x");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "x");
    faults_free(faults);
}
END_TEST

START_TEST(after_arms_and_gives_names_and_until_ends)
{
    faults_t *faults =
        faults_of("[{\"after\":{\"from\":\"client\",\"message\":[" ANY ",{\"$capture\":\"asked\"}," ANY
                  ",\"phx_leave\"," ANY "]},\"until\":{\"from\":\"client\",\"message\":[" ANY "," ANY "," ANY
                  ",\"phx_join\"," ANY "]},"
                  "\"match\":{\"from\":\"server\",\"message\":[" ANY ",{\"$equals\":\"asked\"}," ANY "," ANY
                  "," ANY "]},"
                  "\"do\":[{\"set\":{\"topic\":\"${topic}-${asked}\"}}]}]");
    const char *reply = "[\"1\",\"2\",\"t\",\"phx_reply\",{}]";
    assert_done("", faults, FROM_SERVER, VSN_2, "c", reply);
    assert_done("", faults, FROM_CLIENT, VSN_2, "c", "[\"1\",\"2\",\"t\",\"phx_leave\",{}]");
    assert_done("[{\"set\":{\"topic\":\"t-2\"}}]", faults, FROM_SERVER, VSN_2, "c", reply);
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "[\"1\",\"3\",\"t\",\"phx_reply\",{}]");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "[\"1\",\"2\",\"u\",\"phx_reply\",{}]");
    assert_done("", faults, FROM_CLIENT, VSN_2, "c", "[\"1\",\"4\",\"t\",\"phx_join\",{}]");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", reply);
    faults_free(faults);
}
END_TEST

START_TEST(an_absent_join_ref_of_version_1_matches_anything)
{
    faults_t *faults = faults_of("[{\"match\":{\"from\":\"server\",\"message\":[\"7\"," ANY "," ANY "," ANY
                                 "," ANY "]},\"do\":" DROP "}]");
    assert_done(DROP, faults, FROM_SERVER, VSN_1, "c",
                "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":null}");
    assert_done("", faults, FROM_SERVER, VSN_2, "c", "[\"8\",null,\"t\",\"e\",{}]");
    faults_free(faults);
}
END_TEST

START_TEST(what_is_no_message_can_be_matched)
{
    faults_t *faults = faults_of("[{\"match\":{\"from\":\"client\",\"unreadable\":true},\"do\":" DROP "}]");
    assert_done(DROP, faults, FROM_CLIENT, VSN_2, "c", "{");
    assert_done("", faults, FROM_CLIENT, VSN_2, "c", "[1,2,\"t\",\"e\",{}]");
    faults_free(faults);
}
END_TEST

TEST_MAIN("proxy fault", a_message_is_matched_by_its_fields, messages_are_counted_by_topic,
          or_by_conversation_or_all_together, after_arms_and_gives_names_and_until_ends,
          an_absent_join_ref_of_version_1_matches_anything, what_is_no_message_can_be_matched)
