/* SPDX-License-Identifier: MIT */
/* What a fault makes out of one message: none, one or several, altered or not. */
#ifndef PROXY_ACT_H
#define PROXY_ACT_H

#include "judge/message.h"
#include "net/ws_codec.h"

/* A message on its way on. Over long-poll only the payload and the delay count. */
typedef struct piece {
    text_t payload;
    text_t raw; /* the bytes it came in; used while nothing is altered */
    bool altered, masked;
    uint8_t opcode, rsv;
    size_t fragments;
    double delay_ms;
} piece_t;

void piece_free(piece_t *piece);

/* Appends the frames of a piece to a stream. */
void piece_write(text_t *out, const piece_t *piece);

typedef struct acts {
    piece_t *at; /* what goes on, in order; owned */
    size_t len, cap;
    bool swap;  /* goes behind the next message */
    bool merge; /* goes into one frame with the next message */
    bool cut;   /* the TCP connections end with RST */
    bool close; /* the receiver gets this close frame, and nothing more */
    unsigned code;
    const char *reason; /* borrowed from the actions */
} acts_t;

/* Applies the actions (NULL: none) to the piece, which is taken over. The result is released with acts_free.
 */
acts_t act(const json_t *actions, vsn_t vsn, piece_t piece);
void acts_free(acts_t *acts);

#endif
