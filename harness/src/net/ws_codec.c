/* SPDX-License-Identifier: MIT */
#include "net/ws_codec.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

ws_frame_t ws_frame(uint8_t opcode, span_t payload)
{
    return (ws_frame_t){.fin = true, .opcode = opcode, .masked = true, .payload = payload};
}

static void put_number(text_t *out, uint64_t number, unsigned bytes)
{
    while (bytes-- > 0) {
        text_putc(out, (char)(number >> (8 * bytes) & 0xff));
    }
}

void ws_encode(text_t *out, const ws_frame_t *frame)
{
    uint64_t len = frame->declare ? frame->declared : frame->payload.len;
    ws_length_t form = frame->length_form;
    if (form == WS_LENGTH_SHORTEST) {
        form = len < 126 ? WS_LENGTH_7 : len < 65536 ? WS_LENGTH_16 : WS_LENGTH_64;
    }
    unsigned mask_bit = frame->masked ? 0x80 : 0;
    text_putc(out, (char)((frame->fin ? 0x80U : 0U) | (frame->rsv & 7U) << 4 | (frame->opcode & 15U)));
    switch (form) {
    case WS_LENGTH_64:
        text_putc(out, (char)(mask_bit | 127));
        put_number(out, len, 8);
        break;
    case WS_LENGTH_16:
        text_putc(out, (char)(mask_bit | 126));
        put_number(out, len, 2);
        break;
    default:
        text_putc(out, (char)(mask_bit | (unsigned)(len & 127)));
    }
    if (!frame->masked) {
        text_span_add(out, frame->payload);
        return;
    }
    text_add(out, frame->mask, 4);
    size_t start = out->len;
    text_span_add(out, frame->payload);
    for (size_t i = 0; i < frame->payload.len; i++) {
        out->at[start + i] = (char)(out->at[start + i] ^ (char)frame->mask[i % 4]);
    }
}

void ws_close_payload(text_t *out, unsigned code, span_t reason)
{
    if (code != 0) {
        put_number(out, code, 2);
        text_span_add(out, reason);
    }
}

void ws_faults_write(text_t *out, unsigned faults)
{
    static const char *const words[] = {
        "masked",
        "reserved bits set",
        "reserved opcode",
        "length not in the shortest form",
        "control frame fragmented or over 125 bytes",
        "continuation out of place",
        "not UTF-8",
        "close payload that may not be sent",
    };
    const char *separator = "";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (faults & 1U << i) {
            text_printf(out, "%s%s", separator, words[i]);
            separator = ", ";
        }
    }
}

struct ws_decoder {
    size_t max_payload;
    bool deflate;
    text_t bytes;  /* taken in and not yet decoded, behind `used` */
    size_t used;   /* bytes of the frame given out last */
    text_t joined; /* payloads of the fragments so far, while `open` */
    bool open;
    uint8_t opcode; /* of the message whose fragments are coming */
    uint8_t rsv;
    char *error;
};

ws_decoder_t *ws_decoder_new(size_t max_payload)
{
    ws_decoder_t *decoder = mem_new(1, sizeof *decoder);
    decoder->max_payload = max_payload;
    return decoder;
}

void ws_decoder_free(ws_decoder_t *decoder)
{
    if (decoder != NULL) {
        text_free(&decoder->bytes);
        text_free(&decoder->joined);
        free(decoder->error);
        free(decoder);
    }
}

void ws_decoder_allow_deflate(ws_decoder_t *decoder)
{
    decoder->deflate = true;
}

void ws_decoder_feed(ws_decoder_t *decoder, span_t bytes)
{
    text_drop(&decoder->bytes, decoder->used);
    decoder->used = 0;
    text_span_add(&decoder->bytes, bytes);
}

size_t ws_decoder_pending(const ws_decoder_t *decoder)
{
    return decoder->bytes.len - decoder->used;
}

const char *ws_decoder_error(const ws_decoder_t *decoder)
{
    return decoder->error ? decoder->error : "";
}

static int break_off(ws_decoder_t *decoder, const char *what, uint64_t len)
{
    text_t error = {0};
    text_printf(&error, "%s of %llu bytes", what, (unsigned long long)len);
    decoder->error = text_take(&error);
    return -1;
}

static uint64_t get_number(const unsigned char *at, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

/* The header at the start of `bytes`: its length, 0 when it is not all there. */
static size_t read_header(span_t bytes, ws_frame_t *frame)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    if (bytes.len < 2) {
        return 0;
    }
    unsigned len = at[1] & 0x7f;
    size_t extended = len == 127 ? 8 : len == 126 ? 2 : 0;
    *frame = (ws_frame_t){.fin = at[0] >> 7,
                          .rsv = at[0] >> 4 & 7,
                          .opcode = at[0] & 15,
                          .masked = at[1] >> 7,
                          .length_form = len == 127   ? WS_LENGTH_64
                                         : len == 126 ? WS_LENGTH_16
                                                      : WS_LENGTH_7};
    size_t header = 2 + extended + (frame->masked ? 4 : 0);
    if (bytes.len < header) {
        return 0;
    }
    frame->declared = extended > 0 ? get_number(at + 2, extended) : len;
    if (frame->masked) {
        memcpy(frame->mask, at + 2 + extended, 4);
    }
    return header;
}

static bool close_code_allowed(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static unsigned header_faults(const ws_decoder_t *decoder, const ws_frame_t *frame)
{
    unsigned faults = frame->masked ? WS_FAULT_MASKED : 0;
    bool control = frame->opcode >= 8;
    if (frame->rsv & 3 ||
        (frame->rsv & 4 && (!decoder->deflate || control || frame->opcode == WS_CONTINUATION))) {
        faults |= WS_FAULT_RSV;
    }
    if ((frame->opcode >= 3 && frame->opcode <= 7) || frame->opcode > WS_PONG) {
        faults |= WS_FAULT_OPCODE;
    }
    if ((frame->length_form == WS_LENGTH_16 && frame->declared < 126) ||
        (frame->length_form == WS_LENGTH_64 && frame->declared < 65536)) {
        faults |= WS_FAULT_LENGTH;
    }
    if (control && (!frame->fin || frame->declared > 125)) {
        faults |= WS_FAULT_CONTROL;
    }
    return faults;
}

static void read_close(ws_incoming_t *incoming)
{
    span_t payload = incoming->frame.payload;
    if (payload.len == 1) {
        incoming->faults |= WS_FAULT_CLOSE;
    }
    if (payload.len < 2) {
        return;
    }
    incoming->has_code = true;
    incoming->code = (unsigned)get_number((const unsigned char *)payload.at, 2);
    incoming->reason = span_from(payload, 2);
    if (!close_code_allowed(incoming->code)) {
        incoming->faults |= WS_FAULT_CLOSE;
    }
    if (!utf8_valid(incoming->reason)) {
        incoming->faults |= WS_FAULT_UTF8;
    }
}

/* Fragments are joined in `joined`; a message in one frame is borrowed from it. */
static int read_data(ws_decoder_t *decoder, ws_incoming_t *incoming)
{
    const ws_frame_t *frame = &incoming->frame;
    bool continues = frame->opcode == WS_CONTINUATION;
    if (continues != decoder->open) {
        incoming->faults |= WS_FAULT_CONTINUATION;
    }
    if (!continues || !decoder->open) {
        text_clear(&decoder->joined);
        decoder->opcode = frame->opcode;
        decoder->rsv = frame->rsv;
    }
    if (decoder->joined.len + frame->payload.len > decoder->max_payload) {
        return break_off(decoder, "a message", decoder->joined.len + frame->payload.len);
    }
    decoder->open = !frame->fin;
    incoming->completes = frame->fin && decoder->opcode != WS_CONTINUATION;
    incoming->opcode = decoder->opcode;
    incoming->message = frame->payload;
    if (continues || !frame->fin) {
        text_span_add(&decoder->joined, frame->payload);
        incoming->message = text_span(&decoder->joined);
    }
    if (incoming->completes && decoder->opcode == WS_TEXT && !(decoder->rsv & 4) &&
        !utf8_valid(incoming->message)) {
        incoming->faults |= WS_FAULT_UTF8;
    }
    return 1;
}

int ws_decoder_next(ws_decoder_t *decoder, ws_incoming_t *incoming)
{
    *incoming = (ws_incoming_t){0};
    if (decoder->error != NULL) {
        return -1;
    }
    span_t bytes = span_from(text_span(&decoder->bytes), decoder->used);
    size_t header = read_header(bytes, &incoming->frame);
    if (header == 0) {
        return 0;
    }
    if (incoming->frame.declared > decoder->max_payload) {
        return break_off(decoder, "a frame", incoming->frame.declared);
    }
    size_t len = (size_t)incoming->frame.declared;
    if (bytes.len - header < len) {
        return 0;
    }
    char *payload = decoder->bytes.at + decoder->used + header;
    for (size_t i = 0; incoming->frame.masked && i < len; i++) {
        payload[i] = (char)(payload[i] ^ (char)incoming->frame.mask[i % 4]);
    }
    incoming->frame.payload = (span_t){payload, len};
    incoming->faults = header_faults(decoder, &incoming->frame);
    decoder->used += header + len;
    if (incoming->frame.opcode == WS_CLOSE) {
        read_close(incoming);
    }
    return incoming->frame.opcode <= WS_BINARY ? read_data(decoder, incoming) : 1;
}
