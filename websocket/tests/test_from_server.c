/* SPDX-License-Identifier: MIT */
/* The client's side: what servers send, and what a client sends back. What both sides share is in
 * test_ws_frame.c. */
#include "ws_frame.h"

#include <stdio.h>
#include <string.h>

#include "test_util.h"

enum { MAX_BYTES = 70000 };

/* What the reader makes of `input` when it comes in pieces of `size`, as text. */
static void assert_read(phx_slice_t input, size_t size, const char *expected)
{
    static const char *const names[] = {[WS_TEXT] = "text",
                                        [WS_BINARY] = "binary",
                                        [WS_CLOSE] = "close",
                                        [WS_PING] = "ping",
                                        [WS_PONG] = "pong"};
    ws_reader_t *reader = ws_reader_new(WS_FROM_SERVER, MAX_BYTES);
    ck_assert_ptr_nonnull(reader);
    guard_t guard = guard_new(size);
    phx_buf_t told = {0};
    bool broken = false;
    for (size_t at = 0; at < input.len && !broken; at += size) {
        const size_t len = input.len - at < size ? input.len - at : size;
        const phx_slice_t put = guard_put(&guard, (phx_slice_t){input.data + at, len});
        uint8_t *bytes = (uint8_t *)(uintptr_t)put.data;
        size_t taken = 0;
        for (;;) {
            char line[64];
            size_t used = 0;
            ws_event_t event = {0};
            const ws_progress_t progress = ws_reader_feed(reader, bytes + taken, len - taken, &used, &event);
            taken += used;
            if (progress == WS_MORE) {
                break;
            }
            if (progress == WS_BROKEN) {
                (void)snprintf(line, sizeof line, "broken %d;", ws_reader_close_code(reader));
                phx_buf_append_text(&told, line);
                broken = true;
                break;
            }
            (void)snprintf(line, sizeof line, "%s %d ", names[event.opcode], event.close_code);
            phx_buf_append_text(&told, line);
            phx_buf_append_slice(&told, event.payload);
            phx_buf_append_byte(&told, ';');
        }
    }
    assert_slice(phx_buf_slice(&told), phx_slice_of(expected));
    phx_buf_free(&told);
    guard_free(&guard);
    ws_reader_free(reader);
}

#define assert_reads(literal, expected)                                                                      \
    do {                                                                                                     \
        assert_read(PHX_SLICE(literal), 1, expected);                                                        \
        assert_read(PHX_SLICE(literal), 3, expected);                                                        \
        assert_read(PHX_SLICE(literal), sizeof(literal), expected);                                          \
    } while (0)

START_TEST(frames_of_servers)
{
    assert_reads("\x81\x05Hello", "text 0 Hello;");
    assert_reads("\x82\x02\xfe\xff\x81\x00", "binary 0 \xfe\xff;text 0 ;");
    assert_reads("\x01\x03Hel\x89\x00\x80\x02lo", "ping 0 ;text 0 Hello;");
    assert_reads("\x8a\x01x\x88\x00", "pong 0 x;close 0 ;");
}
END_TEST

START_TEST(long_frames_of_servers)
{
    static const size_t sizes[] = {125, 126, 65535, 65536};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        phx_buf_t text = {0};
        phx_buf_t input = {0};
        phx_buf_t expected = {0};
        while (text.len < sizes[i]) {
            phx_buf_append_byte(&text, 'x');
        }
        ws_frame_append(&input, WS_TEXT, phx_buf_slice(&text));
        phx_buf_append_text(&expected, "text 0 ");
        phx_buf_append_slice(&expected, phx_buf_slice(&text));
        phx_buf_append(&expected, ";", 2);
        assert_read(phx_buf_slice(&input), 7, expected.data);
        assert_read(phx_buf_slice(&input), input.len, expected.data);
        phx_buf_free(&text);
        phx_buf_free(&input);
        phx_buf_free(&expected);
    }
}
END_TEST

START_TEST(a_masked_frame_is_refused) /* RFC 6455, section 5.1 */
{
    assert_reads("\x81\x81\x01\x02\x03\x04x", "broken 1002;");
    assert_reads("\x81\x80\x01\x02\x03\x04", "broken 1002;");
}
END_TEST

START_TEST(lengths_and_limits)
{
    assert_reads("\x81\x7e\x00\x05Hello", "broken 1002;");
    assert_reads("\x81\x7f\x00\x00\x00\x00\x00\x00\x01\x00", "broken 1002;");
    assert_reads("\x81\x7f\x00\x00\x00\x00\x00\x02\x00\x00", "broken 1009;");
    assert_reads("\xc1\x01x", "broken 1002;");
    assert_reads("\x81\x01\xff", "broken 1007;");
}
END_TEST

START_TEST(close_codes_of_servers) /* DRAIN-01, WS-CLOSE-07 */
{
    for (int code = 0; code <= UINT16_MAX; code++) {
        const bool allowed = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                             (code >= 3000 && code <= 4999);
        uint8_t bytes[4] = {0x88, 0x02, (uint8_t)(code >> 8), (uint8_t)code};
        ws_reader_t *reader = ws_reader_new(WS_FROM_SERVER, MAX_BYTES);
        size_t used = 0;
        ws_event_t event = {0};
        const ws_progress_t progress = ws_reader_feed(reader, bytes, sizeof bytes, &used, &event);
        if (progress != (allowed ? WS_MESSAGE : WS_BROKEN) ||
            (allowed ? event.close_code != code : ws_reader_close_code(reader) != 1002)) {
            ck_abort_msg("code %d", code);
        }
        ws_reader_free(reader);
    }
}
END_TEST

START_TEST(a_server_reads_what_clients_send)
{
    static const uint8_t mask[4] = {0x37, 0xFA, 0x21, 0x3D};
    phx_buf_t out = {0};
    ws_masked_frame_append(&out, WS_TEXT, PHX_SLICE("Hello"), mask);
    assert_buf(&out, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"); /* RFC 6455, section 5.7 */
    ws_masked_close_append(&out, 0, PHX_SLICE("ignored"), mask);
    assert_buf(&out, "\x88\x80\x37\xfa\x21\x3d");
    ws_masked_close_append(&out, 1000, PHX_SLICE("bye"), mask);
    ws_reader_t *reader = ws_reader_new(WS_FROM_CLIENT, MAX_BYTES);
    size_t used = 0;
    ws_event_t event = {0};
    ck_assert_int_eq(ws_reader_feed(reader, (uint8_t *)out.data, out.len, &used, &event), WS_MESSAGE);
    ck_assert_int_eq(event.close_code, 1000);
    assert_slice(event.payload, PHX_SLICE("bye"));
    ws_reader_free(reader);
    phx_buf_free(&out);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("from_server");
    tcase_add_test(tcase, frames_of_servers);
    tcase_add_test(tcase, long_frames_of_servers);
    tcase_add_test(tcase, a_masked_frame_is_refused);
    tcase_add_test(tcase, lengths_and_limits);
    tcase_add_test(tcase, close_codes_of_servers);
    tcase_add_test(tcase, a_server_reads_what_clients_send);
    Suite *suite = suite_create("from_server");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
