/* SPDX-License-Identifier: MIT */
/* A message on its way out: encoded once, held by every queue it waits in. */
#ifndef FRAME_H
#define FRAME_H

#include "phx/message.h"
#include "shared_bytes.h"

/*
 * The bytes of one WebSocket frame; a long-poll session takes the message behind the frame's head.
 * `bytes` NULL: no frame.
 */
typedef struct frame {
    shared_bytes_t *bytes; /* owned: one hold */
    uint8_t head_len;
    uint8_t form; /* phx_form_t */
} frame_t;

/* A frame of a message; `bytes` is NULL when memory ran out. */
frame_t frame_new(phx_form_t form, phx_slice_t message);
frame_t frame_hold(frame_t frame);
void frame_release(frame_t frame);
phx_slice_t frame_message(frame_t frame);

#endif
