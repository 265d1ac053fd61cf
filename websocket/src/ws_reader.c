/* SPDX-License-Identifier: MIT */
#include "ws_frame.h"

#include "phx/json.h"

#include <stdlib.h>
#include <string.h>

enum {
    PROTOCOL_ERROR = 1002,
    NOT_UTF8 = 1007,
    TOO_LARGE = 1009,
    OUT_OF_MEMORY = 1011,
};

/*
 * A frame is first its head, byte by byte, then its payload. A payload that lies whole in the bytes given is
 * unmasked there and never copied; any other is gathered: control frames in `control`, the rest in `message`,
 * which stays while fragments of a message come, whatever control frames lie between them.
 */
struct ws_reader {
    size_t max_bytes;
    uint64_t payload_len;  /* of the frame being read, and how much of it is still to come */
    uint64_t payload_left; /* valid once the head is whole */
    phx_buf_t message;
    phx_buf_t control;
    int close_code; /* not 0: broken */
    uint8_t head[14];
    uint8_t head_len;  /* bytes of the head so far */
    uint8_t head_size; /* bytes it will have: 2 until the length is known */
    bool in_payload;
    bool from_server;  /* nothing is masked */
    bool message_told; /* `message` was given out and may go */
    bool control_told;
    uint8_t message_opcode; /* of the fragmented message being read; 0: none */
#ifdef PHXS_FAULTS
    ws_laxity_t laxity;
#endif
};

ws_reader_t *ws_reader_new(ws_side_t side, size_t max_frame_bytes)
{
    ws_reader_t *reader = calloc(1, sizeof *reader);
    if (reader != NULL) {
        reader->from_server = side == WS_FROM_SERVER;
        reader->max_bytes = max_frame_bytes;
        reader->head_size = 2;
    }
    return reader;
}

void ws_reader_free(ws_reader_t *reader)
{
    if (reader != NULL) {
        phx_buf_free(&reader->message);
        phx_buf_free(&reader->control);
        free(reader);
    }
}

#ifdef PHXS_FAULTS
void ws_reader_relax(ws_reader_t *reader, ws_laxity_t laxity)
{
    reader->laxity = laxity;
}
#endif

size_t ws_reader_held(const ws_reader_t *reader)
{
    return reader->message.cap + reader->control.cap;
}

int ws_reader_close_code(const ws_reader_t *reader)
{
    return reader->close_code;
}

static uint8_t opcode_of(const ws_reader_t *reader)
{
    return reader->head[0] & 0x0F;
}

static bool is_final(const ws_reader_t *reader)
{
    return (reader->head[0] & 0x80) != 0;
}

static bool is_control(const ws_reader_t *reader)
{
    return opcode_of(reader) >= WS_CLOSE;
}

static int check_first_byte(const ws_reader_t *reader)
{
    const bool rsv = (reader->head[0] & 0x70) != 0;
    const bool in_message = reader->message_opcode != 0;
    switch (opcode_of(reader)) {
    case WS_CONTINUATION:
        return !rsv && (in_message || WS_RELAXED(reader, LONE_CONTINUATION)) ? 0 : PROTOCOL_ERROR;
    case WS_TEXT:
    case WS_BINARY:
        return !rsv && (!in_message || WS_RELAXED(reader, INTERLEAVED)) ? 0 : PROTOCOL_ERROR;
    case WS_CLOSE:
    case WS_PING:
    case WS_PONG:
        return !rsv && (is_final(reader) || WS_RELAXED(reader, CONTROL_FRAGMENTS)) ? 0 : PROTOCOL_ERROR;
    default:
        return PROTOCOL_ERROR;
    }
}

static size_t mask_size(const ws_reader_t *reader)
{
    return reader->from_server ? 0 : 4;
}

static int check_length(const ws_reader_t *reader)
{
    const uint8_t form = reader->head[1] & 0x7F;
    if ((form == 126 && reader->payload_len < 126) || (form == 127 && reader->payload_len <= UINT16_MAX) ||
        reader->payload_len > INT64_MAX) {
        return PROTOCOL_ERROR;
    }
    if (is_control(reader)) {
        return 0;
    }
    const size_t room = reader->max_bytes - (opcode_of(reader) == WS_CONTINUATION ? reader->message.len : 0);
    return reader->payload_len <= room ? 0 : TOO_LARGE; /* WS-FRAME-06 */
}

/* The second byte tells the mask and how the length is written. */
static int check_second_byte(ws_reader_t *reader)
{
    const uint8_t form = reader->head[1] & 0x7F;
    const bool masked = (reader->head[1] & 0x80) != 0;
    if (masked == reader->from_server ||
        (is_control(reader) && form > 125 && !WS_RELAXED(reader, LONG_CONTROLS))) {
        return PROTOCOL_ERROR; /* WS-FRAME-05 */
    }
    const uint8_t length_bytes = form == 126 ? 2 : form == 127 ? 8 : 0;
    reader->head_size = (uint8_t)(2 + length_bytes + mask_size(reader));
    reader->payload_len = length_bytes == 0 ? form : 0;
    return length_bytes == 0 ? check_length(reader) : 0;
}

/* Takes one byte of the head. Returns 0 or the close code. */
static int take_head_byte(ws_reader_t *reader, uint8_t byte)
{
    const size_t at = reader->head_len;
    reader->head[at] = byte;
    reader->head_len++;
    if (at == 0) {
        return check_first_byte(reader);
    }
    int close_code = 0;
    if (at == 1) {
        close_code = check_second_byte(reader);
    } else if (at < reader->head_size - mask_size(reader)) {
        reader->payload_len = reader->payload_len << 8 | byte;
        if (at == reader->head_size - mask_size(reader) - 1) {
            close_code = check_length(reader);
        }
    }
    if (close_code == 0 && reader->head_len == reader->head_size) {
        reader->payload_left = reader->payload_len;
        reader->in_payload = true;
    }
    return close_code;
}

/* `bytes` begin `offset` bytes into the payload. */
static void unmask(uint8_t *bytes, size_t len, const uint8_t mask[4], uint64_t offset)
{
    uint8_t turned[8];
    for (size_t i = 0; i < sizeof turned; i++) {
        turned[i] = mask[(offset + i) & 3];
    }
    uint64_t mask_word;
    memcpy(&mask_word, turned, sizeof mask_word);
    size_t i = 0;
    for (; len - i >= sizeof mask_word; i += sizeof mask_word) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        word ^= mask_word;
        memcpy(bytes + i, &word, sizeof word);
    }
    for (; i < len; i++) {
        bytes[i] ^= turned[i & 7];
    }
}

/* What a Close frame may carry (RFC 6455, section 7.4): reserved and unassigned codes are refused
 * (WS-CLOSE-05); 1012 to 1014 were assigned later, for servers to say (DRAIN-01). */
static bool close_code_allowed(const ws_reader_t *reader, int code)
{
    return (reader->from_server && code >= 1012 && code <= 1014) || (code >= 1000 && code <= 1003) ||
           (code >= 1007 && code <= 1011) || (code >= 3000 && code <= 4999);
}

static int tell_close(const ws_reader_t *reader, phx_slice_t payload, ws_event_t *event)
{
    if (payload.len == 0) {
        return 0;
    }
    if (payload.len == 1) {
        return PROTOCOL_ERROR;
    }
    event->close_code = (uint8_t)payload.data[0] << 8 | (uint8_t)payload.data[1];
    event->payload = (phx_slice_t){payload.data + 2, payload.len - 2};
    if (!close_code_allowed(reader, event->close_code) && !WS_RELAXED(reader, ANY_CLOSE_CODE)) {
        return PROTOCOL_ERROR;
    }
    return phx_utf8_valid(event->payload) ? 0 : NOT_UTF8;
}

static int tell(const ws_reader_t *reader, uint8_t opcode, phx_slice_t payload, ws_event_t *event)
{
    *event = (ws_event_t){.opcode = (ws_opcode_t)opcode, .payload = payload};
    if (opcode == WS_CLOSE) {
        return tell_close(reader, payload, event);
    }
    return opcode != WS_TEXT || WS_RELAXED(reader, ANY_TEXT) || phx_utf8_valid(payload) ? 0 : NOT_UTF8;
}

static void next_frame(ws_reader_t *reader)
{
    reader->in_payload = false;
    reader->head_len = 0;
    reader->head_size = 2;
}

/* Gives back what the last event borrowed. */
static void release_told(ws_reader_t *reader)
{
    if (reader->message_told) {
        phx_buf_free(&reader->message);
        reader->message_told = false;
    }
    if (reader->control_told) {
        phx_buf_free(&reader->control);
        reader->control_told = false;
    }
}

/*
 * Takes what `bytes` have of the payload, `len` of them. Returns WS_MESSAGE with `event` set, WS_MORE when
 * nothing is to be told yet, or WS_BROKEN.
 */
static ws_progress_t take_payload(ws_reader_t *reader, uint8_t *bytes, size_t len, ws_event_t *event)
{
    const bool fragment = !is_control(reader) && (!is_final(reader) || reader->message_opcode != 0);
    const bool whole = len == reader->payload_len;
    phx_slice_t payload = {(const char *)bytes, len};

    if (len > 0 && !reader->from_server) {
        unmask(bytes, len, reader->head + reader->head_size - 4, reader->payload_len - reader->payload_left);
    }
    reader->payload_left -= len;
    if (!whole || fragment) {
        phx_buf_t *gathered = is_control(reader) ? &reader->control : &reader->message;
        phx_buf_append(gathered, bytes, len);
        if (gathered->failed) {
            reader->close_code = OUT_OF_MEMORY;
            return WS_BROKEN;
        }
        payload = phx_buf_slice(gathered);
    }
    if (reader->payload_left > 0) {
        return WS_MORE;
    }

    uint8_t opcode = opcode_of(reader);
    if (opcode == WS_CONTINUATION) {
        opcode = reader->message_opcode;
    }
    const bool final = is_final(reader) || WS_RELAXED(reader, LONE_FRAGMENTS);
    if (!is_control(reader)) {
        reader->message_opcode = final ? 0 : opcode;
        reader->message_told = final;
    } else {
        reader->control_told = true;
        reader->message_told = WS_RELAXED(reader, CONTROL_RESETS);
    }
    next_frame(reader);
    if (!final) {
        return WS_MORE;
    }
    reader->close_code = tell(reader, opcode, payload, event);
    return reader->close_code == 0 ? WS_MESSAGE : WS_BROKEN;
}

ws_progress_t ws_reader_feed(ws_reader_t *reader, uint8_t *bytes, size_t len, size_t *used, ws_event_t *event)
{
    *used = 0;
    release_told(reader);
    while (reader->close_code == 0) {
        if (!reader->in_payload) {
            if (*used == len) {
                return WS_MORE;
            }
            reader->close_code = take_head_byte(reader, bytes[(*used)++]);
            continue;
        }
        const size_t there = len - *used;
        const size_t taken = reader->payload_left < there ? (size_t)reader->payload_left : there;
        if (taken == 0 && reader->payload_left > 0) {
            return WS_MORE;
        }
        uint8_t *payload = taken > 0 ? bytes + *used : NULL;
        *used += taken;
        const ws_progress_t progress = take_payload(reader, payload, taken, event);
        if (progress != WS_MORE) {
            return progress;
        }
    }
    return WS_BROKEN;
}
