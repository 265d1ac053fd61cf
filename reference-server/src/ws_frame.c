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

void ws_close_append(phx_buf_t *out, int code, phx_slice_t reason)
{
    if (code == 0) {
        ws_frame_append(out, WS_CLOSE, (phx_slice_t){0});
        return;
    }
    char payload[125] = {(char)(code >> 8), (char)code};
    size_t len = reason.len <= sizeof payload - 2 ? reason.len : sizeof payload - 2;
    /* Cut before a character, not inside one: the reason must stay UTF-8. */
    while (len < reason.len && len > 0 && ((uint8_t)reason.data[len] & 0xC0) == 0x80) {
        len--;
    }
    if (len > 0) {
        memcpy(payload + 2, reason.data, len);
    }
    ws_frame_append(out, WS_CLOSE, (phx_slice_t){payload, 2 + len});
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
