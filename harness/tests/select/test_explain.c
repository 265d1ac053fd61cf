/* SPDX-License-Identifier: MIT */
#include "select/explain.h"

#include "select_util.h"
#include "vectors/words.h"

static void assert_words(verb_t verb, const char *step, const char *expected)
{
    text_t out = {0};
    json_t *json = jvalue_parse(span_of(step), NULL);
    ck_assert_ptr_nonnull(json);
    words_step(&out, verb, json, 2000);
    assert_text(&out, expected);
    json_decref(json);
}

START_TEST(messages_have_words)
{
    assert_words(VERB_SEND, "{\"send\":[\"1\",\"1\",\"${topic}\",\"phx_join\",{}],\"on\":\"b\"}",
                 "b sends \"phx_join\" on the topic (join_ref \"1\", ref \"1\")");
    assert_words(VERB_SEND, "{\"send\":[null,\"9\",\"phoenix\",\"heartbeat\",{}]}",
                 "a sends a heartbeat (join_ref null, ref \"9\")");
    assert_words(
        VERB_EXPECT,
        "{\"expect\":[\"1\",\"2\",\"${topic}\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}],\"note\":"
        "\"n\"}",
        "a must get the reply \"ok\" on the topic with {} (join_ref \"1\", ref \"2\"), within 2 s (n)");
    assert_words(VERB_EXPECT,
                 "{\"expect\":[{\"$one_of\":[null,\"7\"]},null,\"t\",\"e\",{\"n\":{\"$type\":\"object\"}}],"
                 "\"within\":{\"ms\":450},\"not_before\":{\"timer\":\"longpoll.window_ms\",\"times\":0.8}}",
                 "a must get \"e\" on \"t\" with {\"n\": an object} (join_ref null or \"7\", ref null), "
                 "within 2 s + 450 ms, but not before 0.8 × longpoll.window_ms");
}
END_TEST

START_TEST(words_tell_the_patience_of_the_profile)
{
    text_t out = {0};
    json_t *json = jvalue_parse(span_of("{\"response\":\"poll\",\"expect\":{\"status\":200}}"), NULL);
    words_step(&out, VERB_RESPONSE, json, 300);
    ck_assert_msg(strstr(text_str(&out), ", within 0.3 s") != NULL, "%s", text_str(&out));
    text_free(&out);
    json_decref(json);
}
END_TEST

START_TEST(connections_have_words)
{
    assert_words(VERB_CONNECT,
                 "{\"connect\":\"b\",\"transport\":\"longpoll\",\"vsn\":null,\"params\":{\"x\":\"1\"}}",
                 "b connects over longpoll without a vsn, params {\"x\":\"1\"}");
    assert_words(VERB_CONNECT, "{\"connect\":\"b\",\"refused\":[403,404],\"body\":\"\"}",
                 "b connects; it must be refused with HTTP status 403 or 404 and the body \"\"");
    assert_words(VERB_EXPECT_CLOSE,
                 "{\"expect_close\":{\"codes\":[1000,null],\"not_codes\":[1002],\"tcp\":true}}",
                 "the server must close the connection of a with 1000 or no code, not with 1002, or just end "
                 "TCP, within 2 s");
    assert_words(
        VERB_HTTP,
        "{\"http\":{\"method\":\"GET\",\"path\":\"/"
        "x\"},\"expect\":{\"status\":200,\"body\":{\"token\":{\"$type\":"
        "\"string\",\"$capture\":\"token\"}}}}",
        "GET /x; it must be answered with the status 200 and the body {\"token\": a string (the token)}, "
        "within 2 s");
    assert_words(
        VERB_CONNECT,
        "{\"connect\":\"a\",\"mount\":\"main\",\"node\":\"second\",\"subprotocols\":[\"phoenix\"]}",
        "a connects to the mount main of the node second, asking for the subprotocols [\"phoenix\"]");
    assert_words(VERB_WAIT, "{\"wait\":{\"timer\":\"websocket.timeout_ms\"}}",
                 "wait for websocket.timeout_ms");
}
END_TEST

START_TEST(what_has_no_words_is_not_left_out)
{
    assert_words(VERB_DROP, "{\"drop\":\"a\",\"gently\":true}", "a is cut off without a word; gently: true");
    assert_words(VERB_SEND_TEXT, "{\"send_text\":{\"$new\":5}}", "a sends the text $new 5");
}
END_TEST

static const recorded_t none;

static suite_files_t files(void)
{
    setup();
    json_t *requirements = json_pack("{s:{s:s,s:s,s:s,s:s}}", "JREF-02", "id", "JREF-02", "level", "must",
                                     "role", "server", "text", "The rule.");
    return (suite_files_t){"vectors", vectors, requirements, NULL};
}

static void assert_explained(const suite_files_t *from, const char *id, const char *part)
{
    text_t out = {0}, error = {0};
    ck_assert_msg(explain(&out, from, 1, &none, id, &error), "%s", text_str(&error));
    assert_says(&out, part);
}

START_TEST(cases_and_requirements_are_explained)
{
    suite_files_t from = files();
    json_object_set(from.requirements, "JREF-01", json_object_get(from.requirements, "JREF-02"));
    assert_explained(&from, "join.all", "join.all  (must)\n    t\n");
    assert_explained(&from, "join.all", "JREF-02 (must, server): The rule.\n");
    assert_explained(&from, "join.all", "    formerly: join.every\n    tags: slow, auth\n");
    assert_explained(&from, "join.every", "join.all  (must)");
    assert_explained(&from, "join.all/lp/v1", "    join.all/ws/v1\n    join.all/ws/v2\n");
    assert_explained(&from, "JREF-02", "Checked by\n    join.all ");
    json_decref(from.requirements);
    teardown();
}
END_TEST

START_TEST(what_is_not_there_is_said_with_what_is_near)
{
    suite_files_t from = files();
    text_t out = {0}, error = {0};
    ck_assert(!explain(&out, &from, 1, &none, "JREF-20", &error));
    assert_says(&error, "JREF-20: there is no case and no requirement of this id; did you mean JREF-02?");
    ck_assert_uint_eq(out.len, 0);
    json_decref(from.requirements);
    teardown();
}
END_TEST

TEST_MAIN("explain", messages_have_words, words_tell_the_patience_of_the_profile, connections_have_words,
          what_has_no_words_is_not_left_out, cases_and_requirements_are_explained,
          what_is_not_there_is_said_with_what_is_near)
