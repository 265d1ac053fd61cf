/* SPDX-License-Identifier: MIT */
#include "vectors/adapt.h"

#include "test_util.h"

#include <string.h>

static json_t *json(const char *text)
{
    text_t error = {0};
    json_t *value = jvalue_parse(span_of(text), &error);
    ck_assert_msg(value != NULL, "%s: %s", text, text_str(&error));
    return value;
}

/* A step of a case whose only other step joins with ref "1", adapted. */
static void assert_adapted(const profile_t *profile, const char *step, const char *expected)
{
    json_t *join = json("{\"send\":[\"1\",\"1\",\"t\",\"phx_join\",{}]}"), *filled = json(step);
    vector_step_t steps[] = {{VERB_SEND, join}};
    vector_case_t c = {.steps = steps, .len = 1};
    text_t out = {0};
    adapt_step(profile, &c, filled);
    jvalue_write(&out, filled);
    assert_text(&out, expected);
    json_decref(join);
    json_decref(filled);
}

START_TEST(joins_get_parameters)
{
    profile_t profile = {.join_params = json("{\"token\":\"x\"}")};
    assert_adapted(&profile, "{\"send\":[1,2,\"t\",\"phx_join\",{\"a\":1}]}",
                   "{\"send\":[1,2,\"t\",\"phx_join\",{\"a\":1,\"token\":\"x\"}]}");
    assert_adapted(&profile,
                   "{\"pipeline\":[[1,2,\"t\",\"phx_join\",{\"token\":\"own\"}],[1,2,\"t\",\"e\",{}]]}",
                   "{\"pipeline\":[[1,2,\"t\",\"phx_join\",{\"token\":\"own\"}],[1,2,\"t\",\"e\",{}]]}");
    assert_adapted(&profile, "{\"http\":{\"body\":{\"$lines\":[[1,2,\"t\",\"phx_join\",{}]]}}}",
                   "{\"http\":{\"body\":{\"$lines\":[[1,2,\"t\",\"phx_join\",{\"token\":\"x\"}]]}}}");
    assert_adapted(&profile, "{\"send\":[1,2,\"t\",\"phx_join\",null]}",
                   "{\"send\":[1,2,\"t\",\"phx_join\",null]}");
    assert_adapted(&profile, "{\"expect\":[1,2,\"t\",\"phx_join\",{}]}",
                   "{\"expect\":[1,2,\"t\",\"phx_join\",{}]}");
    json_decref(profile.join_params);
}
END_TEST

START_TEST(responses_to_joins_are_the_targets_own)
{
    profile_t profile = {.join_response = json("{\"$type\":\"object\"}")};
    assert_adapted(
        &profile, "{\"expect\":[1,\"1\",\"t\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]}",
        "{\"expect\":[1,\"1\",\"t\",\"phx_reply\",{\"response\":{\"$type\":\"object\"},\"status\":\"ok\"}]}");
    assert_adapted(&profile,
                   "{\"unordered\":[[[1,\"1\",\"t\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]]]}",
                   "{\"unordered\":[[[1,\"1\",\"t\",\"phx_reply\",{\"response\":{\"$type\":\"object\"},"
                   "\"status\":\"ok\"}]]]}");
    static const char *const same[] = {
        "{\"expect\":[1,\"2\",\"t\",\"phx_reply\",{\"response\":{},\"status\":\"ok\"}]}",
        "{\"expect\":[1,\"1\",\"t\",\"phx_reply\",{\"response\":{},\"status\":\"error\"}]}",
        "{\"expect\":[1,\"1\",\"t\",\"phx_reply\",{\"response\":{\"a\":1},\"status\":\"ok\"}]}",
        "{\"expect\":[1,\"1\",\"t\",\"phx_close\",{}]}",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_adapted(&profile, same[i], same[i]);
    }
    json_decref(profile.join_response);
}
END_TEST

static void assert_target(const profile_t *profile, const char *target, const char *expected)
{
    text_t text = {0};
    text_puts(&text, target);
    adapt_target(profile, &text);
    assert_text(&text, expected);
}

START_TEST(connections_get_parameters_and_headers)
{
    profile_t profile = {.connect_params = json("{\"api key\":\"a&b\"}"),
                         .connect_headers = json("{\"X-One\":\"1\",\"x-two\":\"2\"}")};
    assert_target(&profile, "/s", "/s?api%20key=a%26b");
    assert_target(&profile, "/s?vsn=2.0.0", "/s?vsn=2.0.0&api%20key=a%26b");
    assert_target(&profile, "/s?api%20key=own", "/s?api%20key=own");
    assert_target(&profile, "/s?api%20keys=x", "/s?api%20keys=x&api%20key=a%26b");
    http_headers_t headers = {0};
    http_headers_add(&headers, "x-one", "own");
    adapt_headers(&profile, &headers);
    ck_assert_uint_eq(headers.len, 2);
    ck_assert_str_eq(http_headers_get(&headers, "x-one"), "own");
    ck_assert_str_eq(http_headers_get(&headers, "x-two"), "2");
    http_headers_free(&headers);
    json_decref(profile.connect_params);
    json_decref(profile.connect_headers);
    profile_t none = {0};
    assert_target(&none, "/s?x", "/s?x");
}
END_TEST

TEST_MAIN("adapt", joins_get_parameters, responses_to_joins_are_the_targets_own,
          connections_get_parameters_and_headers)
