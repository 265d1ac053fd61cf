/* SPDX-License-Identifier: MIT */
#include "ws_frame.h"

#include "phx/base64.h"

#include <openssl/evp.h>
#include <string.h>

size_t ws_frame_head(uint8_t head[10], ws_opcode_t opcode, size_t len)
{
    head[0] = (uint8_t)(0x80 | (unsigned)opcode);
    if (len <= 125) {
        head[1] = (uint8_t)len;
        return 2;
    }
    const size_t size = len <= UINT16_MAX ? 2 : 8;
    head[1] = size == 2 ? 126 : 127;
    uint64_t rest = len;
    for (size_t i = size; i > 0; i--) {
        head[1 + i] = (uint8_t)rest;
        rest >>= 8;
    }
    return 2 + size;
}

void ws_frame_append(phx_buf_t *out, ws_opcode_t opcode, phx_slice_t payload)
{
    uint8_t head[10];
    phx_buf_append(out, head, ws_frame_head(head, opcode, payload.len));
    phx_buf_append_slice(out, payload);
}

void ws_masked_frame_append(phx_buf_t *out, ws_opcode_t opcode, phx_slice_t payload, const uint8_t mask[4])
{
    uint8_t head[10];
    const size_t head_len = ws_frame_head(head, opcode, payload.len);
    head[1] |= 0x80;
    if (!phx_buf_reserve(out, head_len + 4 + payload.len)) {
        return;
    }
    phx_buf_append(out, head, head_len);
    phx_buf_append(out, mask, 4);
    for (size_t i = 0; i < payload.len; i++) {
        out->data[out->len++] = (char)((uint8_t)payload.data[i] ^ mask[i & 3]);
    }
}

/* What a Close frame says; `room` holds it. */
static phx_slice_t close_payload(char room[125], int code, phx_slice_t reason)
{
    if (code == 0) {
        return (phx_slice_t){0};
    }
    room[0] = (char)(code >> 8);
    room[1] = (char)code;
    size_t len = reason.len <= 123 ? reason.len : 123;
    /* Cut before a character, not inside one: the reason must stay UTF-8. */
    while (len < reason.len && len > 0 && ((uint8_t)reason.data[len] & 0xC0) == 0x80) {
        len--;
    }
    if (len > 0) {
        memcpy(room + 2, reason.data, len);
    }
    return (phx_slice_t){room, 2 + len};
}

void ws_close_append(phx_buf_t *out, int code, phx_slice_t reason)
{
    char room[125];
    ws_frame_append(out, WS_CLOSE, close_payload(room, code, reason));
}

void ws_masked_close_append(phx_buf_t *out, int code, phx_slice_t reason, const uint8_t mask[4])
{
    char room[125];
    ws_masked_frame_append(out, WS_CLOSE, close_payload(room, code, reason), mask);
}

void ws_accept_append(phx_buf_t *out, phx_slice_t key)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    phx_buf_t input = {0};
    phx_buf_append_slice(&input, key);
    phx_buf_append_text(&input, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    if (!input.failed && EVP_Digest(input.data, input.len, digest, &digest_len, EVP_sha1(), NULL) == 1) {
        phx_base64_encode(out, (phx_slice_t){(const char *)digest, digest_len});
    } else {
        phx_buf_free(out);
        out->failed = true;
    }
    phx_buf_free(&input);
}
