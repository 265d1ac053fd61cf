/* SPDX-License-Identifier: MIT */
#include "client_suite/play_check.h"

#include "client_suite/play_words.h"

#include "test_util.h"

#include <string.h>
#include <unistd.h>

#define CASE(members, steps)                                                                                 \
    "{\"vectors\":1,\"group\":\"g\",\"about\":\"a\",\"cases\":[{\"id\":\"g.c\",\"title\":\"t\",\"level\":"   \
    "\"must\","                                                                                              \
    "\"requirements\":[\"HB-01\"]," members "\"steps\":[" steps "]}]}"
#define OPEN "{\"do\":\"connect\"},{\"accept\":\"a\"},"

/* Loads a file of this text, beginnings with it; whether it is good. */
static bool load(const char *text, vectors_t *vectors, text_t *error)
{
    static json_t *beginnings;
    char path[] = "/tmp/phxspec-play-XXXXXX";
    int fd = mkstemp(path);
    ck_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    if (!beginnings) {
        beginnings = json_pack("{s:[{s:s},{s:s,s:s}]}", "open", "do", "connect", "accept", "a", "mark", "m");
    }
    vectors->dialect = &client_dialect;
    vectors->beginnings = beginnings;
    bool good = vectors_add(vectors, path, error);
    unlink(path);
    return good;
}

static void refused(const char *text, const char *why)
{
    vectors_t vectors = {0};
    text_t error = {0};
    ck_assert_msg(!load(text, &vectors, &error), "it was taken: %s", text);
    assert_says(&error, why);
    vectors_free(&vectors);
}

START_TEST(a_good_case)
{
    vectors_t vectors = {0};
    text_t error = {0};
    ck_assert_msg(
        load(CASE("\"begin\":\"open\",\"options\":{\"heartbeat_ms\":1},\"needs\":[\"heartbeat_ms\"],",
                  "{\"expect\":[null,{\"$capture\":\"h\"},\"phoenix\",\"heartbeat\",{}],\"after\":{\"ms\":1},"
                  "\"since\":\"m\"},"
                  "{\"send\":[null,\"${h}\",\"phoenix\",\"phx_reply\",{}]},{\"refuse\":0,\"expect\":{}}"),
             &vectors, &error),
        "%s", text_str(&error));
    const vector_case_t *c = &vectors.cases[0];
    ck_assert_uint_eq(c->len, 5);
    ck_assert_int_eq(deed_of(c->steps[1].json), DEED_ACCEPT);
    ck_assert_int_eq(deed_of(c->steps[4].json), DEED_REFUSE);
    ck_assert_ptr_eq(c->dialect, &client_dialect);
    ck_assert_int_eq((int)json_integer_value(json_object_get(c->options, "heartbeat_ms")), 1);
    vectors_free(&vectors);
}
END_TEST

START_TEST(bad_cases)
{
    refused(CASE("", ""), "at least one step");
    refused(CASE("", "{\"fly\":1}"), "step 1: a step has one verb, of: do event");
    refused(CASE("", "{\"do\":\"x\",\"wait\":{\"ms\":1}}"), "a step has one verb");
    refused(CASE("", "{\"expect\":[1,2,3,4,5]}"), "step 1, expect: on: no connection");
    refused(CASE("", OPEN "{\"send\":[1,2,3,4,5],\"on\":\"b\"}"), "step 3, send: on: no connection");
    refused(CASE("", OPEN "{\"expect\":[1,2,3,4]}"), "a message is a list");
    refused(CASE("", OPEN "{\"expect\":[1,2,3,4,{\"$fly\":1}]}"), "$fly");
    refused(CASE("", OPEN "{\"send\":[1,2,3,4,\"${x}\"]}"), "${x}");
    refused(CASE("", OPEN "{\"hold\":\"pools\"}"), "poll, post");
    refused(CASE("", OPEN "{\"answer\":\"close\"}"), "poll, post");
    refused(CASE("", OPEN "{\"wait\":{\"ms\":0}}"), "{\"ms\": N}");
    refused(CASE("", OPEN "{\"silence\":{\"ms\":5},\"since\":\"m\"}"), "since: this step has no such member");
    refused(CASE("", OPEN "{\"event\":\"open\",\"after\":{\"ms\":5},\"since\":\"m\"}"),
            "no earlier step has this");
    refused(CASE("\"begin\":\"never\",", OPEN "{\"drop\":\"a\"}"), "begin: no beginning");
    refused(CASE("\"needs\":[\"fly\"],", OPEN "{\"drop\":\"a\"}"), "\"fly\" is not known here");
}
END_TEST

static void says(const char *step, const char *expected)
{
    json_t *json = jvalue_parse(span_of(step), NULL);
    text_t out = {0};
    play_words(&out, json);
    assert_text(&out, expected);
    json_decref(json);
}

START_TEST(words)
{
    says("{\"do\":\"join\",\"with\":{\"channel\":\"c\"}}", "the driver is told to join {\"channel\":\"c\"}");
    says("{\"accept\":\"b\",\"after\":{\"ms\":5},\"since\":\"m\"}",
         "the client must connect, and is accepted as b, after 5 ms (since m)");
    says("{\"silence\":{\"ms\":5},\"note\":\"why\"}", "nothing may come from the client for 5 ms (why)");
    says("{\"hold\":\"post\"}", "from here on each post of a is kept waiting");
}
END_TEST

TEST_MAIN("play_check", a_good_case, bad_cases, words)
