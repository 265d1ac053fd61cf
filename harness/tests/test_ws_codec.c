/* SPDX-License-Identifier: MIT */
#include "net/ws_codec.h"
#include "test_util.h"

#include <string.h>

enum { MAX = 1 << 20 };

static void assert_encoded(const ws_frame_t *frame, span_t expected)
{
    text_t out = {0};
    ws_encode(&out, frame);
    assert_span(text_span(&out), expected);
    text_free(&out);
}

/* RFC 6455, 5.7 */
START_TEST(samples_are_encoded)
{
    ws_frame_t frame = {.fin = true, .opcode = WS_TEXT, .payload = SPAN("Hello")};
    assert_encoded(&frame, SPAN("\x81\x05Hello"));
    frame = ws_frame(WS_TEXT, SPAN("Hello"));
    memcpy(frame.mask, "\x37\xfa\x21\x3d", 4);
    assert_encoded(&frame, SPAN("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
    frame = (ws_frame_t){.opcode = WS_TEXT, .payload = SPAN("Hel")};
    assert_encoded(&frame, SPAN("\x01\x03Hel"));
    frame = (ws_frame_t){.fin = true, .opcode = WS_CONTINUATION, .payload = SPAN("lo")};
    assert_encoded(&frame, SPAN("\x80\x02lo"));
    char payload[65536];
    memset(payload, 'x', sizeof payload);
    text_t out = {0};
    frame = (ws_frame_t){.fin = true, .opcode = WS_BINARY, .payload = {payload, 256}};
    ws_encode(&out, &frame);
    assert_span(((span_t){out.at, 4}), SPAN("\x82\x7e\x01\x00"));
    text_clear(&out);
    frame.payload.len = sizeof payload;
    ws_encode(&out, &frame);
    assert_span(((span_t){out.at, 10}), SPAN("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"));
    text_free(&out);
}
END_TEST

START_TEST(anything_can_be_encoded)
{
    ws_frame_t frame = {
        .fin = false, .rsv = 7, .opcode = 11, .length_form = WS_LENGTH_64, .payload = SPAN("a")};
    assert_encoded(&frame, SPAN("\x7b\x7f\x00\x00\x00\x00\x00\x00\x00\x01"
                                "a"));
    frame = (ws_frame_t){
        .fin = true, .opcode = WS_TEXT, .declare = true, .declared = 4096, .payload = SPAN("abc")};
    assert_encoded(&frame, SPAN("\x81\x7e\x10\x00"
                                "abc"));
    text_t payload = {0};
    ws_close_payload(&payload, 1000, SPAN("bye"));
    assert_span(text_span(&payload), SPAN("\x03\xe8"
                                          "bye"));
    text_free(&payload);
    ws_close_payload(&payload, 0, SPAN("bye"));
    ck_assert_uint_eq(payload.len, 0);
}
END_TEST

/* What a stream decodes to, in words: one line for each frame. */
static char *decoded(span_t bytes, size_t step)
{
    ws_decoder_t *decoder = ws_decoder_new(MAX);
    ws_incoming_t in;
    text_t out = {0};
    int found = 0;
    for (size_t at = 0; at < bytes.len && found >= 0; at += step) {
        size_t len = bytes.len - at < step ? bytes.len - at : step;
        ws_decoder_feed(decoder, (span_t){bytes.at + at, len});
        while ((found = ws_decoder_next(decoder, &in)) == 1) {
            text_printf(&out, "%d:%u:", in.frame.fin, in.frame.opcode);
            text_show(&out, in.frame.payload, 0);
            if (in.completes) {
                text_printf(&out, " %s:", in.opcode == WS_TEXT ? "text" : "binary");
                text_show(&out, in.message, 0);
            }
            if (in.has_code) {
                text_printf(&out, " code %u", in.code);
            }
            if (in.faults) {
                text_puts(&out, " FAULT ");
                ws_faults_write(&out, in.faults);
            }
            text_putc(&out, '\n');
        }
    }
    text_printf(&out, "%s%zu left\n", ws_decoder_error(decoder), ws_decoder_pending(decoder));
    ws_decoder_free(decoder);
    return text_take(&out);
}

static void assert_decoded(span_t bytes, const char *expected)
{
    for (size_t step = 1; step <= bytes.len; step++) {
        char *got = decoded(bytes, step);
        ck_assert_str_eq(got, expected);
        free(got);
    }
}

START_TEST(samples_are_decoded_at_every_split)
{
    assert_decoded(SPAN("\x81\x05Hello"), "1:1:Hello text:Hello\n0 left\n");
    assert_decoded(SPAN("\x01\x03Hel\x89\x02pi\x80\x02lo\x82\x00"),
                   "0:1:Hel\n1:9:pi\n1:0:lo text:Hello\n1:2: binary:\n0 left\n");
    assert_decoded(SPAN("\x88\x05\x03\xe8"
                        "bye\x8a\x01x"),
                   "1:8:\\x03\\xe8bye code 1000\n1:10:x\n0 left\n");
    assert_decoded(SPAN("\x01\x01\xc3\x80\x01\xa9"), "0:1:\\xc3\n1:0:\\xa9 text:é\n0 left\n");
    assert_decoded(SPAN("\x81\x05Hel"), "5 left\n");
}
END_TEST

START_TEST(what_a_server_may_not_send_is_named)
{
    static const struct {
        span_t bytes;
        const char *fault;
    } cases[] = {
        {{"\x81\x81\x37\xfa\x21\x3d\x56", 7}, "1:1:a text:a FAULT masked\n0 left\n"},
        {{"\xc1\x01"
          "a",
          3},
         "1:1:a text:a FAULT reserved bits set\n0 left\n"},
        {{"\x83\x00", 2}, "1:3: FAULT reserved opcode\n0 left\n"},
        {{"\x8b\x00", 2}, "1:11: FAULT reserved opcode\n0 left\n"},
        {{"\x81\x7e\x00\x01"
          "a",
          5},
         "1:1:a text:a FAULT length not in the shortest form\n0 left\n"},
        {{"\x09\x00", 2}, "0:9: FAULT control frame fragmented or over 125 bytes\n0 left\n"},
        {{"\x80\x00", 2}, "1:0: FAULT continuation out of place\n0 left\n"},
        {{"\x01\x00\x81\x00", 4}, "0:1:\n1:1: text: FAULT continuation out of place\n0 left\n"},
        {{"\x81\x01\xff", 3}, "1:1:\\xff text:\\xff FAULT not UTF-8\n0 left\n"},
        {{"\x88\x01\x03", 3}, "1:8:\\x03 FAULT close payload that may not be sent\n0 left\n"},
        {{"\x88\x02\x03\xed", 4},
         "1:8:\\x03\\xed code 1005 FAULT close payload that may not be sent\n0 left\n"},
        {{"\x88\x03\x03\xe8\xff", 5}, "1:8:\\x03\\xe8\\xff code 1000 FAULT not UTF-8\n0 left\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_decoded(cases[i].bytes, cases[i].fault);
    }
}
END_TEST

START_TEST(deflate_makes_rsv1_legal)
{
    ws_decoder_t *decoder = ws_decoder_new(MAX);
    ws_incoming_t in;
    ws_decoder_allow_deflate(decoder);
    ws_decoder_feed(decoder, SPAN("\xc1\x01\xff\xc9\x00"));
    ck_assert_int_eq(ws_decoder_next(decoder, &in), 1);
    ck_assert_uint_eq(in.faults, 0);
    ck_assert_int_eq(ws_decoder_next(decoder, &in), 1);
    ck_assert_uint_eq(in.faults, WS_FAULT_RSV);
    ws_decoder_free(decoder);
}
END_TEST

START_TEST(what_is_too_large_breaks_the_stream)
{
    char *got = decoded(SPAN("\x81\x7f\x00\x00\x00\x00\x00\x20\x00\x00"), 10);
    ck_assert_str_eq(got, "a frame of 2097152 bytes10 left\n");
    free(got);
    got = decoded(SPAN("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), 3);
    ck_assert(strstr(got, "18446744073709551615") != NULL);
    free(got);
    ws_decoder_t *decoder = ws_decoder_new(4);
    ws_incoming_t in;
    ws_decoder_feed(decoder, SPAN("\x01\x03"
                                  "abc\x80\x02"
                                  "de"));
    ck_assert_int_eq(ws_decoder_next(decoder, &in), 1);
    ck_assert_int_eq(ws_decoder_next(decoder, &in), -1);
    ck_assert_int_eq(ws_decoder_next(decoder, &in), -1);
    ws_decoder_free(decoder);
}
END_TEST

START_TEST(what_is_encoded_is_decoded)
{
    char payload[70000];
    static const size_t lens[] = {0, 1, 125, 126, 65535, 65536, 70000};
    memset(payload, 'y', sizeof payload);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        text_t bytes = {0};
        ws_frame_t frame = ws_frame(WS_BINARY, (span_t){payload, lens[i]});
        memcpy(frame.mask, "\x01\x02\x03\x04", 4);
        ws_encode(&bytes, &frame);
        ws_decoder_t *decoder = ws_decoder_new(MAX);
        ws_incoming_t in;
        ws_decoder_feed(decoder, text_span(&bytes));
        ck_assert_int_eq(ws_decoder_next(decoder, &in), 1);
        assert_span(in.message, frame.payload);
        ck_assert_int_eq(ws_decoder_next(decoder, &in), 0);
        ws_decoder_free(decoder);
        text_free(&bytes);
    }
}
END_TEST

TEST_MAIN("ws_codec", samples_are_encoded, anything_can_be_encoded, samples_are_decoded_at_every_split,
          what_a_server_may_not_send_is_named, deflate_makes_rsv1_legal, what_is_too_large_breaks_the_stream,
          what_is_encoded_is_decoded)
