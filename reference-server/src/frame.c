/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include "ws_frame.h"

frame_t frame_new(phx_form_t form, phx_slice_t message)
{
    uint8_t head[10];
    size_t head_len = ws_frame_head(head, form == PHX_TEXT ? WS_TEXT : WS_BINARY, message.len);
    return (frame_t){
        .bytes = shared_bytes_new((phx_slice_t){(const char *)head, head_len}, message),
        .head_len = (uint8_t)head_len,
        .form = (uint8_t)form,
    };
}

frame_t frame_hold(frame_t frame)
{
    shared_bytes_hold(frame.bytes);
    return frame;
}

void frame_release(frame_t frame)
{
    shared_bytes_release(frame.bytes);
}

phx_slice_t frame_message(frame_t frame)
{
    return (phx_slice_t){(const char *)frame.bytes->data + frame.head_len, frame.bytes->len - frame.head_len};
}
