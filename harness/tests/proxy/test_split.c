/* SPDX-License-Identifier: MIT */
#include "proxy/split.h"

#include "net/ws_codec.h"
#include "test_util.h"

#include <string.h>

/* ---- frames ---- */

static text_t encoded(uint8_t opcode, size_t len, bool masked, ws_length_t form)
{
    text_t payload = {0}, bytes = {0};
    for (size_t i = 0; i < len; i++) {
        text_putc(&payload, (char)('a' + i % 26));
    }
    ws_frame_t frame = ws_frame(opcode, text_span(&payload));
    frame.masked = masked;
    memcpy(frame.mask, "\x01\x02\x03\x04", 4);
    frame.length_form = form;
    ws_encode(&bytes, &frame);
    text_free(&payload);
    return bytes;
}

static const struct {
    size_t len;
    bool masked;
    ws_length_t form;
} frames[] = {{0, false, WS_LENGTH_SHORTEST},   {0, true, WS_LENGTH_SHORTEST},
              {125, true, WS_LENGTH_SHORTEST},  {126, false, WS_LENGTH_SHORTEST},
              {5, true, WS_LENGTH_16},          {5, false, WS_LENGTH_64},
              {70000, true, WS_LENGTH_SHORTEST}};

START_TEST(a_frame_is_whole_at_its_last_byte_and_not_before)
{
    text_t bytes = encoded(WS_TEXT, frames[_i].len, frames[_i].masked, frames[_i].form), payload = {0};
    raw_frame_t frame;
    for (size_t len = 0; len < bytes.len; len += len < 200 ? 1 : 997) {
        ck_assert_int_eq(split_frame((span_t){bytes.at, len}, &frame), SPLIT_MORE);
    }
    text_puts(&bytes, "what follows");
    ck_assert_int_eq(split_frame(text_span(&bytes), &frame), SPLIT_WHOLE);
    ck_assert_uint_eq(frame.total, bytes.len - strlen("what follows"));
    ck_assert_uint_eq(frame.opcode, WS_TEXT);
    ck_assert(frame.fin && frame.masked == frames[_i].masked);
    raw_frame_payload(&frame, &payload);
    ck_assert_uint_eq(payload.len, frames[_i].len);
    for (size_t i = 0; i < payload.len; i++) {
        ck_assert_int_eq(payload.at[i], 'a' + (int)(i % 26));
    }
    text_free(&payload);
    text_free(&bytes);
}
END_TEST

START_TEST(a_length_no_test_has_is_left_alone)
{
    raw_frame_t frame;
    ck_assert_int_eq(split_frame(SPAN("\x82\x7f\x80\0\0\0\0\0\0\0"), &frame), SPLIT_BROKEN);
}
END_TEST

/* ---- requests ---- */

static const struct {
    const char *bytes, *method, *target, *body;
} requests[] = {
    {"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/a?b=c", ""},
    {"POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "POST", "/p", "abc"},
    {"POST /p HTTP/1.1\ncontent-length:  3 \n\nabc", "POST", "/p", "abc"},
    {"POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n", "POST", "/p",
     "abc"},
};

START_TEST(a_request_is_whole_at_its_last_byte_and_not_before)
{
    span_t bytes = span_of(requests[_i].bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        raw_request_t request = {0};
        ck_assert_int_eq(split_request((span_t){bytes.at, len}, &request), SPLIT_MORE);
        raw_request_free(&request);
    }
    text_t more = {0};
    raw_request_t request = {0};
    text_span_add(&more, bytes);
    text_puts(&more, "GET /next");
    ck_assert_int_eq(split_request(text_span(&more), &request), SPLIT_WHOLE);
    ck_assert_uint_eq(request.total, bytes.len);
    ck_assert_str_eq(request.method, requests[_i].method);
    ck_assert_str_eq(request.target, requests[_i].target);
    assert_span(text_span(&request.body), span_of(requests[_i].body));
    raw_request_free(&request);
    text_free(&more);
}
END_TEST

START_TEST(what_is_no_request_is_left_alone)
{
    static const char *const broken[] = {"hello\r\n", "GET\r\n", "GET / HTTP/2\r\n",
                                         "POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
                                         "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        raw_request_t request = {0};
        ck_assert_msg(split_request(span_of(broken[i]), &request) == SPLIT_BROKEN, "%s", broken[i]);
        raw_request_free(&request);
    }
}
END_TEST

static split_t split_of(span_t bytes)
{
    raw_request_t request = {0};
    split_t split = split_request(bytes, &request);
    raw_request_free(&request);
    return split;
}

static void add_filler(text_t *text, size_t len)
{
    while (len-- > 0) {
        text_putc(text, 'x');
    }
}

START_TEST(a_request_has_an_end)
{
    static const char *const heads[] = {"", "GET /", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\na: "};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        text_t text = {0};
        text_puts(&text, heads[i]);
        add_filler(&text, REQUEST_HEAD_MAX - text.len);
        ck_assert_int_eq(split_of(text_span(&text)), SPLIT_MORE);
        add_filler(&text, 1);
        ck_assert_int_eq(split_of(text_span(&text)), SPLIT_TOO_LONG);
        text_free(&text);
    }
    text_t text = {0};
    text_puts(&text, "GET / HTTP/1.1\r\na: ");
    add_filler(&text, REQUEST_HEAD_MAX);
    text_puts(&text, "\r\n\r\n");
    ck_assert_int_eq(split_of(text_span(&text)), SPLIT_TOO_LONG);
    text_free(&text);
}
END_TEST

START_TEST(a_body_has_an_end)
{
#define POST "POST / HTTP/1.1\r\n"
    ck_assert_int_eq(split_of(SPAN(POST "Content-Length: 33554432\r\n\r\n")), SPLIT_MORE);
    ck_assert_int_eq(split_of(SPAN(POST "Content-Length: 33554433\r\n\r\n")), SPLIT_TOO_LONG);
    ck_assert_int_eq(split_of(SPAN(POST "Transfer-Encoding: chunked\r\n\r\n2000000\r\n")), SPLIT_MORE);
    ck_assert_int_eq(split_of(SPAN(POST "Transfer-Encoding: chunked\r\n\r\n2000001\r\n")), SPLIT_TOO_LONG);
    static const char *const starts[] = {"", "1;", "0\r\nTrailer: "};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        text_t text = {0};
        text_puts(&text, POST "Transfer-Encoding: chunked\r\n\r\n");
        size_t head = text.len;
        text_puts(&text, starts[i]);
        add_filler(&text, REQUEST_BODY_MAX - (text.len - head));
        ck_assert_int_eq(split_of(text_span(&text)), SPLIT_MORE);
        add_filler(&text, 1);
        ck_assert_int_eq(split_of(text_span(&text)), SPLIT_TOO_LONG);
        text_puts(&text, "\r\n\r\n");
        ck_assert(split_of(text_span(&text)) != SPLIT_WHOLE);
        text_free(&text);
    }
}
END_TEST

/* ---- queries ---- */

static const struct {
    const char *target, *name, *value;
} parameters[] = {
    {"/a?vsn=2.0.0", "vsn", "2.0.0"},       {"/a?xvsn=1&vsn=2", "vsn", "2"},  {"/a?vsn", "vsn", ""},
    {"/a?token=a%2Bb%3d", "token", "a+b="}, {"/a?token=%zz", "token", "%zz"},
};

START_TEST(parameters_are_found_and_decoded)
{
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        char *value = target_parameter(parameters[i].target, parameters[i].name);
        ck_assert_str_eq(value, parameters[i].value);
        free(value);
    }
    ck_assert_ptr_null(target_parameter("/a", "vsn"));
    ck_assert_ptr_null(target_parameter("/a?b=vsn", "vsn"));
}
END_TEST

START_TEST(parameters_are_replaced_and_taken_out)
{
    static const char *const cases[][3] = {{"/a?b=1&vsn=2", "3", "/a?b=1&vsn=3"},
                                           {"/a", "3", "/a?vsn=3"},
                                           {"/a?vsn=2&b=1", NULL, "/a?b=1"},
                                           {"/a?vsn=2", NULL, "/a"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *target = target_with(cases[i][0], "vsn", cases[i][1]);
        ck_assert_str_eq(target, cases[i][2]);
        free(target);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy split");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, a_frame_is_whole_at_its_last_byte_and_not_before, 0,
                        (int)(sizeof frames / sizeof *frames));
    tcase_add_loop_test(all, a_request_is_whole_at_its_last_byte_and_not_before, 0,
                        (int)(sizeof requests / sizeof *requests));
    tcase_add_test(all, a_length_no_test_has_is_left_alone);
    tcase_add_test(all, what_is_no_request_is_left_alone);
    tcase_add_test(all, a_request_has_an_end);
    tcase_add_test(all, a_body_has_an_end);
    tcase_add_test(all, parameters_are_found_and_decoded);
    tcase_add_test(all, parameters_are_replaced_and_taken_out);
    return test_run(suite, all);
}
