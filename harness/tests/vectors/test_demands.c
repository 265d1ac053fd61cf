/* SPDX-License-Identifier: MIT */
#include "vectors/demands.h"

#include "test_util.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a case of these steps demands: a(pplication) t(opic) o(wn topics) T(imer) n(ode) L(imit). */
static void assert_demands(const char *steps, const char *expected)
{
    char path[] = "/tmp/phxspec-demands-XXXXXX";
    text_t text = {0}, error = {0}, letters = {0};
    text_printf(
        &text,
        "{\"vectors\":1,\"group\":\"g\",\"about\":\"a\",\"cases\":[{\"id\":\"g.x\",\"title\":\"t\","
        "\"requirements\":[\"A-01\"],\"level\":\"must\",\"transports\":[\"websocket\"],\"vsn\":[\"2.0.0\"],"
        "\"steps\":[{\"connect\":\"a\"},%s]}]}",
        steps);
    int file = mkstemp(path);
    ck_assert_int_eq(write(file, text.at, text.len), (ssize_t)text.len);
    close(file);
    vectors_t vectors = {0};
    ck_assert_msg(vectors_add(&vectors, path, &error), "%s", text_str(&error));
    unlink(path);
    demands_t demands = case_demands(&vectors.cases[0]);
    text_puts(&letters, demands.application ? "a" : "");
    text_puts(&letters, demands.topic ? "t" : "");
    text_puts(&letters, demands.own_topics ? "o" : "");
    text_puts(&letters, demands.timers[TIMER_WS_TIMEOUT] ? "T" : "");
    text_puts(&letters, demands.node && strcmp(demands.node, "second") == 0 ? "n" : "");
    text_puts(&letters, demands.limits[LIMIT_FRAME] ? "L" : "");
    ck_assert_msg(strcmp(text_str(&letters), expected) == 0, "%s demands \"%s\", not \"%s\"", steps,
                  text_str(&letters), expected);
    text_free(&letters);
    text_free(&text);
    vectors_free(&vectors);
}

#define JOIN "{\"send\":[\"1\",\"1\",\"${topic}\",\"phx_join\",{}]}"

START_TEST(the_bare_tier)
{
    assert_demands("{\"send\":[null,\"1\",\"phoenix\",\"heartbeat\",{}]}", "");
    assert_demands("{\"barrier\":\"heartbeat\"}", "");
    assert_demands("{\"send\":[null,\"1\",\"${unmatched}\",\"echo\",{}]}", "");
    assert_demands("{\"send\":[null,\"1\",\"${topic}\",\"echo\",{}]}", "");
    assert_demands("{\"send\":[null,\"1\",\"${unmatched}\",\"phx_join\",{\"a\":1}]}", "");
    assert_demands("{\"send_text\":\"nonsense\"}", "");
    assert_demands(JOIN ",{\"send_text\":\"[\\\"1\\\",\\\"2\\\",\\\"${topic}\\\",\\\"echo\\\"]\"}", "t");
    assert_demands(JOIN ",{\"send\":[\"1\",\"2\",\"${topic}\",\"phx_leave\",{}]}", "t");
    assert_demands("{\"send\":[\"1\",\"1\",\"${topic}/1\",\"phx_join\",{}]}", "to");
}
END_TEST

START_TEST(what_takes_the_application)
{
    assert_demands(JOIN ",{\"send\":[\"1\",\"2\",\"${topic}\",\"echo\",{}]}", "at");
    assert_demands("{\"send\":[\"1\",\"2\",\"${topic}\",\"echo\",{}]}," JOIN, "at");
    assert_demands(JOIN ",{\"pipeline\":[[\"1\",\"2\",\"${topic}\",\"push\",{}]]}", "at");
    assert_demands(JOIN ",{\"barrier\":[\"1\",\"${topic}\"]}", "at");
    assert_demands(JOIN ",{\"send_text\":\"[\\\"1\\\",\\\"2\\\",\\\"${topic}\\\",\\\"echo\\\",{}]\"}", "at");
    assert_demands(JOIN
                   ",{\"send_text\":\"{\\\"topic\\\":\\\"${topic}\\\",\\\"event\\\":\\\"e\\\",\\\"ref\\\":1,"
                   "\\\"payload\\\":1}\"}",
                   "at");
    assert_demands(JOIN ",{\"send_frames\":[{\"opcode\":\"text\",\"bytes\":[\"x${topic}\"]}]}", "at");
    assert_demands(JOIN ",{\"send_binary\":[0,\"${topic}\"]}", "at");
    assert_demands("{\"send\":[\"1\",\"1\",\"${topic}\",\"phx_join\",{\"a\":1}]}", "at");
    assert_demands("{\"send\":[\"1\",\"1\",\"phxspec:x\",\"phx_join\",{}]}", "a");
}
END_TEST

START_TEST(timers_limits_and_nodes)
{
    assert_demands("{\"connect\":\"b\",\"node\":\"second\"}", "n");
    assert_demands("{\"wait\":{\"timer\":\"websocket.timeout_ms\",\"times\":2}}", "T");
    assert_demands(
        "{\"send_text\":{\"$repeat\":{\"text\":\"x\",\"times\":{\"limit\":\"limits.max_frame_bytes\","
        "\"times\":2}}}}",
        "L");
}
END_TEST

TEST_MAIN("demands", the_bare_tier, what_takes_the_application, timers_limits_and_nodes)
