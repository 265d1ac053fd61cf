/* SPDX-License-Identifier: MIT */
#include "phx/base64.h"

#include "phx/error.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void phx_base64_encode(phx_buf_t *out, phx_slice_t bytes)
{
    const uint8_t *in = (const uint8_t *)bytes.data;
    (void)phx_buf_reserve(out, bytes.len / 3 * 4 + 4); /* one growth; a failure shows when appending */
    for (size_t left = bytes.len; left > 0;) {
        const size_t taken = left < 3 ? left : 3;
        const uint8_t second = taken > 1 ? in[1] : 0;
        const uint8_t third = taken > 2 ? in[2] : 0;
        const char group[4] = {
            alphabet[in[0] >> 2],
            alphabet[(in[0] & 0x03) << 4 | second >> 4],
            (char)(taken > 1 ? alphabet[(second & 0x0F) << 2 | third >> 6] : '='),
            (char)(taken > 2 ? alphabet[third & 0x3F] : '='),
        };
        phx_buf_append(out, group, sizeof group);
        in += taken;
        left -= taken;
    }
}

/* The value of a digit, or a number above 63. */
static uint32_t digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (uint32_t)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (uint32_t)(c - 'a' + 26);
    }
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0' + 52);
    }
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

int phx_base64_decode(phx_buf_t *out, phx_slice_t text, phx_base64_padding_t padding)
{
    size_t len = text.len;
    if (len % 4 == 0) {
        for (int i = 0; i < 2 && len > 0 && text.data[len - 1] == '='; i++) {
            len--;
        }
    } else if (padding == PHX_BASE64_PADDED) {
        return PHX_EBASE64;
    }
    if (len % 4 == 1) {
        return PHX_EBASE64;
    }
    if (!phx_buf_reserve(out, len / 4 * 3 + 3)) {
        return PHX_ENOMEM;
    }
    char *to = out->data + out->len;
    uint32_t bits = 0;
    for (size_t i = 0; i < len; i++) {
        const uint32_t value = digit(text.data[i]);
        if (value > 63) {
            return PHX_EBASE64;
        }
        bits = bits << 6 | value;
        if (i % 4 == 3) {
            *to++ = (char)(bits >> 16);
            *to++ = (char)(bits >> 8);
            *to++ = (char)bits;
        }
    }
    /* Bits left over in the last digit are dropped unseen, as Elixir does. */
    if (len % 4 == 2) {
        *to++ = (char)(bits >> 4);
    } else if (len % 4 == 3) {
        *to++ = (char)(bits >> 10);
        *to++ = (char)(bits >> 2);
    }
    out->len = (size_t)(to - out->data);
    return PHX_OK;
}
