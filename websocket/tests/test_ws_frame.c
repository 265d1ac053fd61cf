/* SPDX-License-Identifier: MIT */
#include "ws_frame.h"

#include <stdio.h>
#include <string.h>

#include "test_util.h"

enum { MAX_BYTES = 1000 };

/* ---- what clients send ---- */

typedef struct client_frame {
    uint8_t first; /* FIN, RSV, opcode */
    uint8_t form;  /* 0: the shortest that fits; 7, 16 or 64 bits of length */
    bool unmasked;
    uint64_t len; /* declared; 0: that of the payload */
    phx_slice_t payload;
} client_frame_t;

static void append_length(phx_buf_t *out, uint8_t mask_bit, uint8_t form, uint64_t len)
{
    if (form == 7) {
        phx_buf_append_byte(out, (uint8_t)(mask_bit | len));
        return;
    }
    phx_buf_append_byte(out, mask_bit | (form == 16 ? 126 : 127));
    for (int shift = form - 8; shift >= 0; shift -= 8) {
        phx_buf_append_byte(out, (uint8_t)(len >> shift));
    }
}

static void append_frame(phx_buf_t *out, client_frame_t frame)
{
    static const uint8_t mask[4] = {0x37, 0xFA, 0x21, 0x3D};
    const uint64_t len = frame.len > 0 ? frame.len : frame.payload.len;
    const uint8_t shortest = len < 126 ? 7 : len <= UINT16_MAX ? 16 : 64;
    phx_buf_append_byte(out, frame.first);
    append_length(out, frame.unmasked ? 0 : 0x80, frame.form > 0 ? frame.form : shortest, len);
    if (!frame.unmasked) {
        phx_buf_append(out, mask, sizeof mask);
    }
    for (size_t i = 0; i < frame.payload.len; i++) {
        phx_buf_append_byte(out, (uint8_t)(frame.payload.data[i] ^ (frame.unmasked ? 0 : mask[i & 3])));
    }
}

/* ---- what the reader makes of it, as text ---- */

static void tell(phx_buf_t *told, ws_progress_t progress, const ws_reader_t *reader, const ws_event_t *event)
{
    static const char *const names[] = {[WS_TEXT] = "text",
                                        [WS_BINARY] = "binary",
                                        [WS_CLOSE] = "close",
                                        [WS_PING] = "ping",
                                        [WS_PONG] = "pong"};
    char line[40];
    if (progress == WS_BROKEN) {
        (void)snprintf(line, sizeof line, "broken %d;", ws_reader_close_code(reader));
        phx_buf_append_text(told, line);
        return;
    }
    phx_buf_append_text(told, names[event->opcode]);
    phx_buf_append_text(told, " ");
    if (event->opcode == WS_CLOSE) {
        (void)snprintf(line, sizeof line, "%d ", event->close_code);
        phx_buf_append_text(told, line);
    }
    phx_buf_append_slice(told, event->payload);
    phx_buf_append_text(told, ";");
}

/* Feeds one piece from memory that ends where it ends. Returns false when the reader is broken. */
static bool feed(ws_reader_t *reader, const guard_t *guard, phx_slice_t piece, phx_buf_t *told)
{
    const phx_slice_t put = guard_put(guard, piece);
    uint8_t *bytes = (uint8_t *)(uintptr_t)put.data;
    size_t left = put.len;
    for (;;) {
        size_t used = 0;
        ws_event_t event = {0};
        const ws_progress_t progress = ws_reader_feed(reader, bytes, left, &used, &event);
        ck_assert_uint_le(used, left);
        bytes += used;
        left -= used;
        if (progress == WS_MORE) {
            ck_assert_uint_eq(left, 0);
            return true;
        }
        tell(told, progress, reader, &event);
        if (progress == WS_BROKEN) {
            ck_assert_int_eq(ws_reader_feed(reader, bytes, left, &used, &event), WS_BROKEN);
            return false;
        }
    }
}

/* Pieces of `first` bytes, then of `step` bytes each. */
static phx_buf_t read_in_pieces(phx_slice_t input, size_t first, size_t step)
{
    guard_t guard = guard_new(input.len + 1);
    ws_reader_t *reader = ws_reader_new(WS_FROM_CLIENT, MAX_BYTES);
    phx_buf_t told = {0};
    bool going = feed(reader, &guard, (phx_slice_t){input.data, first}, &told);
    for (size_t at = first; going && at < input.len; at += step) {
        const size_t len = step < input.len - at ? step : input.len - at;
        going = feed(reader, &guard, (phx_slice_t){input.data + at, len}, &told);
    }
    ws_reader_free(reader);
    guard_free(&guard);
    return told;
}

static void assert_read_in_pieces(phx_slice_t input, size_t first, size_t step, const char *expected)
{
    phx_buf_t told = read_in_pieces(input, first, step);
    if (!phx_slice_equals(phx_buf_slice(&told), expected)) {
        ck_abort_msg("cut after %zu, then every %zu: got %s, expected %s", first, step,
                     printable(phx_buf_slice(&told)), expected);
    }
    phx_buf_free(&told);
}

/* Whole, byte by byte and cut in two at every place. Clears `input`. */
static void assert_read(phx_buf_t *input, const char *expected)
{
    const phx_slice_t bytes = phx_buf_slice(input);
    assert_read_in_pieces(bytes, 0, 1, expected);
    for (size_t cut = 0; cut <= bytes.len; cut++) {
        assert_read_in_pieces(bytes, cut, bytes.len + 1, expected);
    }
    phx_buf_free(input);
}

static void assert_frame(client_frame_t frame, const char *expected)
{
    phx_buf_t input = {0};
    append_frame(&input, frame);
    assert_read(&input, expected);
}

#define TEXT(literal) ((client_frame_t){.first = 0x81, .payload = PHX_SLICE(literal)})

/* ---- good frames ---- */

START_TEST(samples_of_the_rfc) /* RFC 6455, section 5.7, as far as clients may send them */
{
    phx_buf_t input = {0};
    phx_buf_append(&input, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
    assert_read(&input, "text Hello;");
    phx_buf_append(&input, "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
    assert_read(&input, "pong Hello;");
    phx_buf_append(&input, "\x81\x05\x48\x65\x6c\x6c\x6f", 7);
    assert_read(&input, "broken 1002;");
    append_frame(&input, (client_frame_t){.first = 0x01, .payload = PHX_SLICE("Hel")});
    append_frame(&input, (client_frame_t){.first = 0x80, .payload = PHX_SLICE("lo")});
    assert_read(&input, "text Hello;");

    phx_buf_t out = {0};
    ws_frame_append(&out, WS_TEXT, PHX_SLICE("Hello"));
    assert_buf(&out, "\x81\x05Hello");
    ws_frame_append(&out, WS_PING, PHX_SLICE("Hello"));
    assert_buf(&out, "\x89\x05Hello");
    phx_buf_free(&out);
    uint8_t head[10];
    ck_assert_uint_eq(ws_frame_head(head, WS_BINARY, 256), 4);
    ck_assert_mem_eq(head, "\x82\x7E\x01\x00", 4);
    ck_assert_uint_eq(ws_frame_head(head, WS_BINARY, 65536), 10);
    ck_assert_mem_eq(head, "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10);
    ck_assert_uint_eq(ws_frame_head(head, WS_BINARY, 125), 2);
    ck_assert_uint_eq(ws_frame_head(head, WS_BINARY, 126), 4);
    ck_assert_uint_eq(ws_frame_head(head, WS_BINARY, 65535), 4);
}
END_TEST

START_TEST(several_frames_in_a_row)
{
    phx_buf_t input = {0};
    append_frame(&input, TEXT(""));
    append_frame(&input, TEXT("one"));
    append_frame(&input, (client_frame_t){.first = 0x89, .payload = PHX_SLICE("p")});
    append_frame(&input, (client_frame_t){.first = 0x89});
    append_frame(&input, (client_frame_t){.first = 0x82, .payload = PHX_SLICE("\xff\xfe")});
    append_frame(&input, (client_frame_t){.first = 0x88, .payload = PHX_SLICE("\x03\xe8")});
    assert_read(&input, "text ;text one;ping p;ping ;binary \xff\xfe;close 1000 ;");
}
END_TEST

START_TEST(fragments_with_control_frames_between) /* WS-FRAME-02 */
{
    phx_buf_t input = {0};
    append_frame(&input, (client_frame_t){.first = 0x01, .payload = PHX_SLICE("\xe2\x82")}); /* a split € */
    append_frame(&input, (client_frame_t){.first = 0x89, .payload = PHX_SLICE("ping\xff")});
    append_frame(&input, (client_frame_t){.first = 0x00});
    append_frame(&input, (client_frame_t){.first = 0x8a, .payload = PHX_SLICE("pong")});
    append_frame(&input, (client_frame_t){.first = 0x80, .payload = PHX_SLICE("\xac!")});
    append_frame(&input, TEXT("next"));
    append_frame(&input, (client_frame_t){.first = 0x02});
    append_frame(&input, (client_frame_t){.first = 0x80});
    assert_read(&input, "ping ping\xff;pong pong;text \xe2\x82\xac!;text next;binary ;");
}
END_TEST

START_TEST(unmasking_at_every_offset_and_length)
{
    char plain[70];
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (char)('!' + i);
    }
    for (size_t len = 0; len < sizeof plain; len++) {
        phx_buf_t input = {0};
        append_frame(&input, (client_frame_t){.first = 0x82, .payload = {plain, len}});
        char expected[100];
        (void)snprintf(expected, sizeof expected, "binary %.*s;", (int)len, plain);
        assert_read(&input,
                    expected); /* every cut is another offset into the mask, every length another address */
    }
}
END_TEST

/* ---- what clients must not send: 1002 ---- WS-FRAME-05 */

START_TEST(first_byte)
{
    const uint8_t first = (uint8_t)_i;
    const uint8_t opcode = first & 0x0F;
    const bool final = (first & 0x80) != 0;
    const bool known = opcode == WS_TEXT || opcode == WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
    const bool good = (first & 0x70) == 0 && known && (final || opcode < WS_CLOSE);
    phx_buf_t input = {0};
    append_frame(&input, (client_frame_t){.first = first, .payload = PHX_SLICE("\x03\xe8")});
    phx_buf_t told = read_in_pieces(phx_buf_slice(&input), 0, 1);
    ck_assert_int_eq(phx_slice_equals(phx_buf_slice(&told), "broken 1002;"), !good);
    phx_buf_free(&told);
    phx_buf_free(&input);
}
END_TEST

START_TEST(lengths)
{
    static char text[MAX_BYTES + 1];
    memset(text, 'x', sizeof text);
    const struct {
        client_frame_t frame;
        const char *expected;
    } cases[] = {
        {{.first = 0x81, .unmasked = true, .payload = PHX_SLICE("x")}, "broken 1002;"},
        {{.first = 0x81, .unmasked = true}, "broken 1002;"},
        {{.first = 0x81, .form = 16, .payload = {text, 125}}, "broken 1002;"},
        {{.first = 0x81, .form = 64, .payload = {text, 5}}, "broken 1002;"},
        {{.first = 0x81, .form = 64, .len = UINT16_MAX}, "broken 1002;"},
        {{.first = 0x81, .form = 64, .len = UINT64_C(1) << 63}, "broken 1002;"},
        {{.first = 0x81, .form = 64, .len = UINT64_MAX}, "broken 1002;"},
        {{.first = 0x89, .form = 16, .payload = {text, 126}}, "broken 1002;"},
        {{.first = 0x88, .form = 64, .len = 70000}, "broken 1002;"},
        {{.first = 0x81, .len = MAX_BYTES + 1}, "broken 1009;"}, /* WS-FRAME-06: from the head alone */
        {{.first = 0x01, .len = MAX_BYTES + 1}, "broken 1009;"},
        {{.first = 0x82, .len = INT64_MAX}, "broken 1009;"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_frame(cases[i].frame, cases[i].expected);
    }

    phx_buf_t input = {0};
    append_frame(&input, (client_frame_t){.first = 0x89, .payload = {text, 125}});
    append_frame(&input, (client_frame_t){.first = 0x81, .payload = {text, MAX_BYTES}});
    phx_buf_t told = read_in_pieces(phx_buf_slice(&input), 7, 100);
    ck_assert_uint_eq(told.len, strlen("ping ;text ;") + 125 + MAX_BYTES);
    phx_buf_free(&told);
    phx_buf_free(&input);
}
END_TEST

START_TEST(fragments_count_together)
{
    static char text[MAX_BYTES];
    memset(text, 'x', sizeof text);
    phx_buf_t input = {0};
    append_frame(&input, (client_frame_t){.first = 0x02, .payload = {text, MAX_BYTES - 1}});
    append_frame(&input, (client_frame_t){.first = 0x00, .payload = {text, 1}});
    append_frame(&input, (client_frame_t){.first = 0x89, .payload = PHX_SLICE("p")});
    append_frame(&input, (client_frame_t){.first = 0x80, .len = 1});
    assert_read_in_pieces(phx_buf_slice(&input), 0, 1, "ping p;broken 1009;");
    assert_read_in_pieces(phx_buf_slice(&input), input.len, 1, "ping p;broken 1009;");
    phx_buf_free(&input);
}
END_TEST

START_TEST(order_of_fragments)
{
    assert_frame((client_frame_t){.first = 0x80, .payload = PHX_SLICE("x")}, "broken 1002;");
    assert_frame((client_frame_t){.first = 0x00, .payload = PHX_SLICE("x")}, "broken 1002;");
    phx_buf_t input = {0};
    append_frame(&input, (client_frame_t){.first = 0x01, .payload = PHX_SLICE("x")});
    append_frame(&input, TEXT("y"));
    assert_read(&input, "broken 1002;");
    append_frame(&input, (client_frame_t){.first = 0x01, .payload = PHX_SLICE("x")});
    append_frame(&input, (client_frame_t){.first = 0x80, .payload = PHX_SLICE("y")});
    append_frame(&input, (client_frame_t){.first = 0x80, .payload = PHX_SLICE("z")});
    assert_read(&input, "text xy;broken 1002;");
}
END_TEST

START_TEST(text_must_be_utf8)
{
    assert_frame(TEXT("\xff"), "broken 1007;");
    assert_frame(TEXT("caf\xc3"), "broken 1007;");
    assert_frame(TEXT("\xed\xa0\x80"), "broken 1007;");
    phx_buf_t input = {0};
    append_frame(&input, (client_frame_t){.first = 0x01, .payload = PHX_SLICE("\xe2\x82")});
    append_frame(&input, (client_frame_t){.first = 0x80, .payload = PHX_SLICE("x")});
    assert_read(&input, "broken 1007;");
}
END_TEST

/* ---- close ---- WS-CLOSE-05 */

static bool allowed_from_clients(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1011) || (code >= 3000 && code <= 4999);
}

START_TEST(close_codes)
{
    for (int code = 0; code <= UINT16_MAX; code++) {
        const char payload[2] = {(char)(code >> 8), (char)code};
        uint8_t bytes[8] = {0x88, 0x82, 0, 0, 0, 0, (uint8_t)payload[0], (uint8_t)payload[1]};
        ws_reader_t *reader = ws_reader_new(WS_FROM_CLIENT, MAX_BYTES);
        size_t used;
        ws_event_t event;
        const ws_progress_t progress = ws_reader_feed(reader, bytes, sizeof bytes, &used, &event);
        if (progress != (allowed_from_clients(code) ? WS_MESSAGE : WS_BROKEN)) {
            ck_abort_msg("code %d", code);
        }
        if (progress == WS_BROKEN ? ws_reader_close_code(reader) != 1002 : event.close_code != code) {
            ck_abort_msg("code %d", code);
        }
        ws_reader_free(reader);
    }
}
END_TEST

START_TEST(close_payloads)
{
    assert_frame((client_frame_t){.first = 0x88}, "close 0 ;");
    assert_frame((client_frame_t){.first = 0x88, .payload = PHX_SLICE("\x03")}, "broken 1002;");
    assert_frame((client_frame_t){.first = 0x88,
                                  .payload = PHX_SLICE("\x0f\xa1"
                                                       "bye")},
                 "close 4001 bye;");
    assert_frame((client_frame_t){.first = 0x88, .payload = PHX_SLICE("\x03\xe8\xff")}, "broken 1007;");
    assert_frame((client_frame_t){.first = 0x88, .payload = PHX_SLICE("\x03\xe7\xff")}, "broken 1002;");
}
END_TEST

START_TEST(close_frames_of_ours)
{
    phx_buf_t out = {0};
    ws_close_append(&out, 0, PHX_SLICE("ignored"));
    assert_buf(&out, "\x88\x00");
    ws_close_append(&out, 1012, PHX_SLICE(""));
    assert_buf(&out, "\x88\x02\x03\xf4");
    ws_close_append(&out, 1000, PHX_SLICE("bye"));
    assert_buf(&out, "\x88\x05\x03\xe8"
                     "bye");
    char reason[200];
    memset(reason, 'r', sizeof reason);
    memcpy(reason + 122, "\xe2\x82\xac", 3); /* a € in bytes 122 to 124 does not fit into 123 */
    ws_close_append(&out, 1000, (phx_slice_t){reason, sizeof reason});
    ck_assert_uint_eq(out.len, 2 + 2 + 122);
    ck_assert_uint_eq((uint8_t)out.data[1], 124);
    phx_buf_free(&out);
}
END_TEST

START_TEST(accept_value) /* RFC 6455, section 1.3; WS-CONN-04 */
{
    phx_buf_t out = {0};
    ws_accept_append(&out, PHX_SLICE("dGhlIHNhbXBsZSBub25jZQ=="));
    assert_buf(&out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    phx_buf_free(&out);
}
END_TEST

/* ---- anything at all ---- */

/* Sound frames with some bytes changed: never a crash, and never another reading when cut elsewhere. */
START_TEST(mutations)
{
    rng_t rng = rng_new();
    for (int round = 0; round < 3000; round++) {
        phx_buf_t input = {0};
        for (size_t frames = 1 + rng_below(&rng, 4); frames > 0; frames--) {
            static const uint8_t firsts[] = {0x81, 0x82, 0x88, 0x89, 0x8a, 0x01, 0x02, 0x00, 0x80};
            const phx_slice_t payload = {"\x03\xe8 some text which is long enough", rng_below(&rng, 32)};
            append_frame(&input, (client_frame_t){.first = firsts[rng_below(&rng, COUNT(firsts))],
                                                  .payload = payload});
        }
        for (size_t changes = rng_below(&rng, 4); changes > 0; changes--) {
            input.data[rng_below(&rng, input.len)] = (char)rng_next(&rng);
        }
        const phx_slice_t bytes = phx_buf_slice(&input);
        phx_buf_t whole = read_in_pieces(bytes, bytes.len, 1);
        phx_buf_t cut = read_in_pieces(bytes, rng_below(&rng, bytes.len), 1 + rng_below(&rng, 20));
        assert_slice(phx_buf_slice(&cut), phx_buf_slice(&whole));
        phx_buf_free(&whole);
        phx_buf_free(&cut);
        phx_buf_free(&input);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ws_frame");
    tcase_add_test(tcase, samples_of_the_rfc);
    tcase_add_test(tcase, several_frames_in_a_row);
    tcase_add_test(tcase, fragments_with_control_frames_between);
    tcase_add_test(tcase, unmasking_at_every_offset_and_length);
    tcase_add_loop_test(tcase, first_byte, 0, 256);
    tcase_add_test(tcase, lengths);
    tcase_add_test(tcase, fragments_count_together);
    tcase_add_test(tcase, order_of_fragments);
    tcase_add_test(tcase, text_must_be_utf8);
    tcase_add_test(tcase, close_codes);
    tcase_add_test(tcase, close_payloads);
    tcase_add_test(tcase, close_frames_of_ours);
    tcase_add_test(tcase, accept_value);
    tcase_add_test(tcase, mutations);
    tcase_set_timeout(tcase, 20);
    Suite *suite = suite_create("ws_frame");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
