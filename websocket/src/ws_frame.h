/* SPDX-License-Identifier: MIT */
/*
 * WebSocket frames (RFC 6455), for both sides: strict about what the other one sends, no I/O.
 *
 * Why not libwebsockets' own: it takes unmasked frames, one-byte close payloads and lengths that are not
 * minimal, and rewrites close codes before its user sees them, where WS-FRAME-05 and WS-CLOSE-05 ask for
 * 1002. Its client turns the 1012 of a draining server into 1002 (DRAIN-01), and so does wslay.
 */
#ifndef WS_FRAME_H
#define WS_FRAME_H

#include "phx/bytes.h"

typedef enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
} ws_opcode_t;

typedef enum ws_progress {
    WS_MORE,    /* needs more bytes */
    WS_MESSAGE, /* a whole message (fragments put together), or a ping, pong or close */
    WS_BROKEN,  /* the connection must be closed with ws_reader_close_code */
} ws_progress_t;

typedef struct ws_event {
    ws_opcode_t opcode;  /* WS_TEXT, WS_BINARY, WS_PING, WS_PONG, WS_CLOSE */
    phx_slice_t payload; /* unmasked; borrowed until the next read. A close: the reason */
    int close_code;      /* WS_CLOSE: the peer's code, 0 if it gave none */
} ws_event_t;

typedef struct ws_reader ws_reader_t;

/* Who sends what is read: a client masks its frames, a server must not. */
typedef enum ws_side {
    WS_FROM_CLIENT,
    WS_FROM_SERVER,
} ws_side_t;

/*
 * `max_frame_bytes` limits the payload of a frame and of a message put together from fragments (WS-FRAME-06).
 * An idle reader holds no buffers. NULL when memory ran out.
 */
ws_reader_t *ws_reader_new(ws_side_t side, size_t max_frame_bytes);
void ws_reader_free(ws_reader_t *reader);

#ifdef PHXS_FAULTS
/* One rule not to insist on: for servers that break it on purpose (reference-server/src/faults.h). */
typedef enum ws_laxity {
    WS_STRICT,
    WS_ANY_TEXT,
    WS_LONE_FRAGMENTS,
    WS_CONTROL_RESETS,
    WS_ANY_CLOSE_CODE,
    WS_LONG_CONTROLS,
    WS_CONTROL_FRAGMENTS,
    WS_INTERLEAVED,
    WS_LONE_CONTINUATION,
} ws_laxity_t;
void ws_reader_relax(ws_reader_t *reader, ws_laxity_t laxity);
#define WS_RELAXED(reader, what) ((reader)->laxity == WS_##what)
#else
#define WS_RELAXED(reader, what) false
#endif

/*
 * Reads from `bytes` up to the next event. `*used` says how many bytes that took, the rest must be given
 * again. `bytes` is unmasked in place where that saves a copy. Called until it says WS_MORE, with no bytes
 * left, too, it gives back the memory of the last message.
 */
ws_progress_t ws_reader_feed(ws_reader_t *reader, uint8_t *bytes, size_t len, size_t *used,
                             ws_event_t *event);

/* The memory that the message being read takes so far. */
size_t ws_reader_held(const ws_reader_t *reader);

/* After WS_BROKEN: 1002 (protocol, WS-FRAME-05), 1007 (text or a close reason that is not UTF-8), 1009 (too
 * large), 1011 (memory ran out). */
int ws_reader_close_code(const ws_reader_t *reader);

/* Appends one unmasked, final frame. */
void ws_frame_append(phx_buf_t *out, ws_opcode_t opcode, phx_slice_t payload);

/* Writes the header of such a frame for a payload of `len` bytes to `head` and returns its length (2, 4 or
 * 10). */
size_t ws_frame_head(uint8_t head[10], ws_opcode_t opcode, size_t len);

/* Appends a Close frame; `code` 0: without code. */
void ws_close_append(phx_buf_t *out, int code, phx_slice_t reason);

/* What clients send: the same, masked with four bytes that nobody else can guess. */
void ws_masked_frame_append(phx_buf_t *out, ws_opcode_t opcode, phx_slice_t payload, const uint8_t mask[4]);
void ws_masked_close_append(phx_buf_t *out, int code, phx_slice_t reason, const uint8_t mask[4]);

/* Appends the Sec-WebSocket-Accept value for a key (WS-CONN-04). */
void ws_accept_append(phx_buf_t *out, phx_slice_t key);

#endif
