/* SPDX-License-Identifier: MIT */
/*
 * The reader of WebSocket frames: where the input is cut makes no difference.
 * Input: a byte for the size of the pieces; then what a client sends after its handshake.
 */
#include <string.h>

#include "fuzz.h"
#include "phx/json.h"
#include "ws_frame.h"

enum { MAX_FRAME_BYTES = 200 };

static void check_event(const ws_event_t *event)
{
    MUST(event->payload.len <= MAX_FRAME_BYTES);
    MUST(event->opcode != WS_TEXT || phx_utf8_valid(event->payload));
    MUST(event->opcode < WS_CLOSE || event->payload.len <= 125);
    MUST(event->opcode != WS_CLOSE || event->close_code == 0 || event->close_code >= 1000);
}

static void read_all(phx_slice_t input, size_t step, phx_buf_t *log)
{
    ws_reader_t *reader = ws_reader_new(WS_FROM_CLIENT, MAX_FRAME_BYTES);
    ws_progress_t progress = WS_MORE;
    MUST(reader != NULL);
    for (size_t at = 0; progress != WS_BROKEN && at < input.len;) {
        /* A piece is a copy of its own size: it is unmasked in place, and an overrun shows. */
        const size_t len = input.len - at < step ? input.len - at : step;
        uint8_t *piece = malloc(len);
        size_t done = 0;
        MUST(piece != NULL);
        memcpy(piece, input.data + at, len);
        do {
            size_t used = 0;
            ws_event_t event = {0};
            progress = ws_reader_feed(reader, piece + done, len - done, &used, &event);
            done += used;
            phx_buf_append_byte(log, (uint8_t)(progress == WS_MORE ? 0 : progress));
            if (progress == WS_MORE) {
                log->len--;
            } else if (progress == WS_MESSAGE) {
                check_event(&event);
                phx_buf_append_byte(log, (uint8_t)event.opcode);
                phx_buf_append_slice(log, event.payload);
            } else {
                phx_buf_append_byte(log, (uint8_t)ws_reader_close_code(reader));
            }
        } while (progress == WS_MESSAGE);
        MUST(progress == WS_BROKEN || done == len);
        at += len;
        free(piece);
    }
    ws_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    phx_slice_t input = {(const char *)data, size};
    const size_t step = 1 + fuzz_byte(&input) % 50;
    phx_buf_t whole = {0};
    phx_buf_t pieces = {0};
    read_all(input, SIZE_MAX, &whole);
    read_all(input, step, &pieces);
    MUST(phx_slice_equal(phx_buf_slice(&whole), phx_buf_slice(&pieces)));
    phx_buf_free(&whole);
    phx_buf_free(&pieces);
    return 0;
}
