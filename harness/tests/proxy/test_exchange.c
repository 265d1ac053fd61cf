/* SPDX-License-Identifier: MIT */
#include "proxy/exchange.h"

#include "test_faults.h"

#include <string.h>

static relayed_t request(const char *faults_text, const char *bytes, passage_t *passage)
{
    faults_t *faults = faults_of(faults_text);
    raw_request_t parsed = {0};
    ck_assert_int_eq(split_request(span_of(bytes), &parsed), SPLIT_WHOLE);
    relayed_t relayed = relay_request(faults, &parsed, span_of(bytes), passage);
    raw_request_free(&parsed);
    faults_free(faults);
    return relayed;
}

static relayed_t response(const char *faults_text, const char *bytes)
{
    faults_t *faults = faults_of(faults_text);
    passage_t passage = {
        .method = (char[]){"GET"}, .path = (char[]){"/l"}, .conversation = (char[]){""}, .vsn = VSN_2};
    http_parser_t *parser = http_parser_new(false, 100000);
    size_t used;
    ck_assert_int_eq(http_parser_feed(parser, span_of(bytes), &used), HTTP_DONE);
    relayed_t relayed = relay_response(faults, http_parser_response(parser), span_of(bytes), &passage);
    http_parser_free(parser);
    faults_free(faults);
    return relayed;
}

#define POST                                                                                                 \
    "POST /l?vsn=2.0.0&token=abc HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"              \
    "content-length: 60\r\n\r\n[\"1\",\"1\",\"t\",\"phx_join\",{}]\n[\"1\",\"2\",\"t\",\"a rather "          \
    "long\",{}]"

START_TEST(what_no_fault_is_about_passes_as_it_came)
{
    passage_t passage = {0};
    relayed_t relayed = request("[]", POST, &passage);
    assert_text(&relayed.bytes, POST);
    ck_assert_str_eq(passage.conversation, "abc");
    ck_assert_str_eq(passage.path, "/l");
    ck_assert(!passage.upgrade && passage.vsn == VSN_2);
    passage_free(&passage);
}
END_TEST

START_TEST(a_line_of_a_batch_is_dropped)
{
    passage_t passage = {0};
    relayed_t relayed = request("[{\"match\":{\"from\":\"client\",\"message\":[\"1\",\"2\",\"t\",{\"$any\":"
                                "true},{}]},\"do\":[{\"drop\":true}]}]",
                                POST, &passage);
    assert_text(&relayed.bytes,
                "POST /l?vsn=2.0.0&token=abc HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"
                "content-length: 27\r\n\r\n[\"1\",\"1\",\"t\",\"phx_join\",{}]");
    passage_free(&passage);
}
END_TEST

START_TEST(headers_and_query_of_a_request_are_altered)
{
    passage_t passage = {0};
    relayed_t relayed =
        request("[{\"match\":{\"from\":\"client\",\"http\":{\"method\":\"GET\",\"query\":{\"vsn\":\"9\"},"
                "\"headers\":{\"origin\":{\"$any\":true}}}},"
                "\"do\":[{\"http\":{\"headers\":{\"origin\":null},\"query\":{\"vsn\":\"2.0.0\"}}}]}]",
                "GET /s/websocket?vsn=9 HTTP/1.1\r\nUpgrade: WebSocket\r\nOrigin: y\r\n\r\n", &passage);
    assert_text(&relayed.bytes, "GET /s/websocket?vsn=2.0.0 HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n");
    ck_assert(passage.upgrade);
    passage_free(&passage);
}
END_TEST

#define ANSWER(length, body) "HTTP/1.1 200 OK\r\ncontent-length: " length "\r\n\r\n" body

START_TEST(a_poll_that_loses_its_only_message_is_empty)
{
    relayed_t relayed = response(
        "[{\"match\":{\"from\":\"server\",\"transport\":\"longpoll\",\"message\":[null,null,\"t\",\"e\",{}]},"
        "\"do\":[{\"drop\":true}]}]",
        ANSWER("68",
               "{\"status\":200,\"token\":\"a\",\"messages\":[\"[null,null,\\\"t\\\",\\\"e\\\",{}]\"]}"));
    assert_text(&relayed.bytes, ANSWER("40", "{\"messages\":[],\"status\":204,\"token\":\"a\"}"));
}
END_TEST

START_TEST(two_messages_of_a_poll_change_places)
{
    relayed_t relayed = response(
        "[{\"match\":{\"from\":\"server\",\"message\":[null,null,\"t\",\"a\",{}]},\"do\":[{\"swap\":true}]}]",
        ANSWER("85", "{\"status\":200,\"messages\":[\"[null,null,\\\"t\\\",\\\"a\\\",{}]\",\"[null,null,"
                     "\\\"t\\\",\\\"b\\\",{}]\"]}"));
    assert_says(&relayed.bytes,
                "[\"[null,null,\\\"t\\\",\\\"b\\\",{}]\",\"[null,null,\\\"t\\\",\\\"a\\\",{}]\"]");
}
END_TEST

START_TEST(status_headers_and_body_of_an_answer_are_altered)
{
    relayed_t relayed =
        response("[{\"match\":{\"from\":\"server\",\"http\":{\"status\":200,\"body\":{\"$partial\":"
                 "{\"status\":410}}}},\"do\":[{\"http\":{\"status\":410,\"headers\":{\"x\":\"y\"}}},"
                 "{\"remove\":[\"token\"]}]}]",
                 ANSWER("26", "{\"status\":410,\"token\":\"a\"}"));
    assert_text(&relayed.bytes, "HTTP/1.1 410 OK\r\nx: y\r\ncontent-length: 14\r\n\r\n{\"status\":410}");
}
END_TEST

TEST_MAIN("proxy exchange", what_no_fault_is_about_passes_as_it_came, a_line_of_a_batch_is_dropped,
          headers_and_query_of_a_request_are_altered, a_poll_that_loses_its_only_message_is_empty,
          two_messages_of_a_poll_change_places, status_headers_and_body_of_an_answer_are_altered)
