/* SPDX-License-Identifier: MIT */
/*
 * WebSocket frames (RFC 6455, 5.2), no I/O. The encoder validates nothing: a test client must be able to say
 * anything. The decoder hides nothing: what a server may not send is delivered with its faults named.
 */
#ifndef NET_WS_CODEC_H
#define NET_WS_CODEC_H

#include "base/text.h"

#include <stdint.h>

enum { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* How the length is written; WS_LENGTH_SHORTEST is what RFC 6455 asks for. */
typedef enum ws_length { WS_LENGTH_SHORTEST, WS_LENGTH_7, WS_LENGTH_16, WS_LENGTH_64 } ws_length_t;

typedef struct ws_frame {
    bool fin;
    uint8_t rsv;    /* three bits: 4 is RSV1, 2 RSV2, 1 RSV3 */
    uint8_t opcode; /* 0 to 15 */
    bool masked;
    uint8_t mask[4];
    ws_length_t length_form;
    bool declare; /* write `declared` as the length instead of the payload's: frames cut short, huge ones */
    uint64_t declared; /* from the decoder: the length as written */
    span_t payload;    /* unmasked; borrowed */
} ws_frame_t;

/* A whole message of a client, masked with `mask` 0 (legal, and readable in a packet trace). */
ws_frame_t ws_frame(uint8_t opcode, span_t payload);

/* Appends the bytes of the frame. A form too small for the length writes its low bits. */
void ws_encode(text_t *out, const ws_frame_t *frame);

/* Appends the payload of a close frame; `code` 0: an empty payload (reason not used). */
void ws_close_payload(text_t *out, unsigned code, span_t reason);

/* What a server's frame does that RFC 6455 forbids. */
enum {
    WS_FAULT_MASKED = 1 << 0,  /* 5.1 */
    WS_FAULT_RSV = 1 << 1,     /* 5.2, no extension was agreed on */
    WS_FAULT_OPCODE = 1 << 2,  /* 5.2, reserved */
    WS_FAULT_LENGTH = 1 << 3,  /* 5.2, not the shortest form */
    WS_FAULT_CONTROL = 1 << 4, /* 5.5, a control frame that is fragmented or longer than 125 bytes */
    WS_FAULT_CONTINUATION =
        1 << 5,              /* 5.4, a continuation of nothing, or a new message inside a fragmented one */
    WS_FAULT_UTF8 = 1 << 6,  /* 5.6, 8.1: a text message or close reason */
    WS_FAULT_CLOSE = 1 << 7, /* 5.5.1, 7.4: a close payload of one byte, a code that must not be sent */
};

/* Appends the faults in words, separated by ", ". */
void ws_faults_write(text_t *out, unsigned faults);

/* A frame as it arrived, and the message it completes. */
typedef struct ws_incoming {
    ws_frame_t frame;
    unsigned faults; /* WS_FAULT_* bits, 0: none */
    bool completes;  /* the data message (text or binary) below is whole with this frame */
    uint8_t opcode;  /* of that message */
    span_t message;  /* its payload, fragments joined; borrowed until the next call */
    bool has_code;   /* close frames: a code was sent */
    unsigned code;   /* close frames */
    span_t reason;   /* close frames */
} ws_incoming_t;

typedef struct ws_decoder ws_decoder_t;

/* `max_payload`: a longer frame or message breaks the stream (a peer that floods must not take all memory).
 */
ws_decoder_t *ws_decoder_new(size_t max_payload);
void ws_decoder_free(ws_decoder_t *decoder);

/* RSV1 is no fault from here on: permessage-deflate was agreed on. (Payloads stay as they are on the wire,
 * and text messages with RSV1 are not checked for UTF-8.) */
void ws_decoder_allow_deflate(ws_decoder_t *decoder);

/* Takes bytes in, in pieces of any size. */
void ws_decoder_feed(ws_decoder_t *decoder, span_t bytes);

/* 1: a frame is in `incoming`, borrowed until the next call; 0: more bytes are needed; -1: the stream is
 * broken and stays so (a length over max_payload or above 2^63), `ws_decoder_error` says why. */
int ws_decoder_next(ws_decoder_t *decoder, ws_incoming_t *incoming);
const char *ws_decoder_error(const ws_decoder_t *decoder);

/* Bytes of a frame that has begun but is not whole. */
size_t ws_decoder_pending(const ws_decoder_t *decoder);

#endif
