/* SPDX-License-Identifier: MIT */
#include "net/http_message.h"
#include "test_util.h"

#include <string.h>

static const size_t MAX_BODY = 1000;

/* What becomes of these bytes, fed `step` at a time and then ended: "200 body (2 left)" or "broken: why". */
static char *outcome(span_t bytes, size_t step, bool no_body)
{
    http_parser_t *parser = http_parser_new(no_body, MAX_BODY);
    http_progress_t progress = HTTP_MORE;
    text_t out = {0};
    size_t at = 0;
    while (at < bytes.len && progress == HTTP_MORE) {
        size_t used, len = bytes.len - at < step ? bytes.len - at : step;
        progress = http_parser_feed(parser, (span_t){bytes.at + at, len}, &used);
        ck_assert(progress == HTTP_DONE || progress == HTTP_BROKEN || used == len);
        at += used;
    }
    if (progress == HTTP_MORE) {
        progress = http_parser_end(parser);
    }
    const http_response_t *response = http_parser_response(parser);
    if (progress == HTTP_DONE) {
        text_printf(&out, "%d ", response->status);
        text_show(&out, text_span(&response->body), 0);
        text_printf(&out, " (%zu left%s)", bytes.len - at,
                    http_parser_keeps_alive(parser) ? ", goes on" : "");
    } else {
        text_printf(&out, "broken: %s", http_parser_error(parser));
    }
    http_parser_free(parser);
    return text_take(&out);
}

static void assert_outcome(const char *bytes, const char *expected)
{
    for (size_t step = 1; step <= strlen(bytes); step++) {
        char *got = outcome(span_of(bytes), step, false);
        ck_assert_str_eq(got, expected);
        free(got);
    }
}

START_TEST(answers_at_every_split)
{
    assert_outcome("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHT", "200 ok (2 left, goes on)");
    assert_outcome("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: close\r\n\r\nok", "200 ok (0 left)");
    assert_outcome("HTTP/1.0 200 OK\nX: y\n\nall of it", "200 all of it (0 left)");
    assert_outcome("HTTP/1.1 204 No Content\r\n\r\n", "204  (0 left, goes on)");
    assert_outcome("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", "404  (0 left, goes on)");
    assert_outcome("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
                   "200 x (0 left, goes on)");
    assert_outcome("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05", "101  (2 left)");
    assert_outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
                   "200 abc0123456789 (0 left, goes on)");
}
END_TEST

START_TEST(broken_answers)
{
    assert_outcome("HTTP/2 200 OK\r\n", "broken: not the first line of an HTTP/1.1 answer: HTTP/2 200 OK");
    assert_outcome("SSH-2.0\r\n", "broken: not the first line of an HTTP/1.1 answer: SSH-2.0");
    assert_outcome("HTTP/1.1 20 OK\r\n", "broken: not the first line of an HTTP/1.1 answer: HTTP/1.1 20 OK");
    assert_outcome("HTTP/1.1 200 OK\r\nno colon\r\n", "broken: not a header: no colon");
    assert_outcome("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                   "broken: a content-length that is none: x");
    assert_outcome("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
                   "broken: the connection ended before the answer was whole");
    assert_outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                   "broken: a transfer encoding other than chunked: gzip");
    assert_outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                   "broken: not the size of a chunk: x");
    assert_outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
                   "broken: a chunk longer than its size: bc");
    assert_outcome("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
                   "broken: the connection ended before the answer was whole");
    assert_outcome("H", "broken: the connection ended before the answer was whole");
    char *got = outcome((span_t){NULL, 0}, 1, false);
    ck_assert_str_eq(got, "broken: the connection ended without an answer");
    free(got);
}
END_TEST

START_TEST(a_flood_is_cut)
{
    text_t bytes = {0};
    text_puts(&bytes, "HTTP/1.1 200 OK\r\n\r\n");
    text_fill(&bytes, 'x', MAX_BODY + 1);
    char *got = outcome(text_span(&bytes), 100000, false);
    ck_assert_str_eq(got, "broken: a body that is too large");
    free(got);
    text_clear(&bytes);
    text_fill(&bytes, 'x', 70000);
    got = outcome(text_span(&bytes), 1000, false);
    ck_assert(strstr(got, "broken: a line too long") != NULL);
    free(got);
    text_clear(&bytes);
    text_puts(&bytes, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 3; i++) { /* each of them is short enough */
        text_puts(&bytes, "x: ");
        text_fill(&bytes, 'y', 60000);
        text_puts(&bytes, "\r\n");
    }
    got = outcome(text_span(&bytes), 1000, false);
    ck_assert_str_eq(got, "broken: headers of more than 128 kB");
    free(got);
    text_free(&bytes);
}
END_TEST

START_TEST(head_has_no_body)
{
    char *got = outcome(SPAN("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), 7, true);
    ck_assert_str_eq(got, "200  (0 left, goes on)");
    free(got);
}
END_TEST

START_TEST(headers_are_found)
{
    http_parser_t *parser = http_parser_new(false, MAX_BODY);
    size_t used;
    http_parser_feed(parser, SPAN("HTTP/1.1 200 All right\r\nX-A:  one \r\nx-a: two\r\n\r\n"), &used);
    const http_response_t *response = http_parser_response(parser);
    ck_assert_str_eq(response->reason, "All right");
    ck_assert_str_eq(http_headers_get(&response->headers, "X-a"), "one");
    ck_assert_str_eq(response->headers.at[1].name, "x-a");
    ck_assert(http_headers_get(&response->headers, "y") == NULL);
    http_parser_free(parser);
}
END_TEST

START_TEST(requests_are_written)
{
    text_t out = {0};
    http_request_t request = {.method = "POST", .target = "/a?b", .body = SPAN("xy")};
    http_headers_add(&request.headers, "content-type", "text/plain");
    http_request_write(&out, &request, "host:1");
    assert_text(&out,
                "POST /a?b HTTP/1.1\r\nHost: host:1\r\nConnection: close\r\ncontent-type: text/plain\r\n"
                "Content-Length: 2\r\n\r\nxy");
    http_headers_add(&request.headers, "Transfer-Encoding", "chunked");
    request.keep_alive = true;
    http_request_write(&out, &request, "h");
    assert_text(&out,
                "POST /a?b HTTP/1.1\r\nHost: h\r\ncontent-type: text/plain\r\nTransfer-Encoding: chunked\r\n"
                "\r\n2\r\nxy\r\n0\r\n\r\n");
    request.raw = SPAN("ANY\r\n\r\n");
    http_request_write(&out, &request, "h");
    assert_text(&out, "ANY\r\n\r\n");
    http_headers_free(&request.headers);
}
END_TEST

TEST_MAIN("http", answers_at_every_split, broken_answers, a_flood_is_cut, head_has_no_body, headers_are_found,
          requests_are_written)
