/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(text_t *out, span_t bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.at;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t bits = (uint32_t)in[i] << 16;
        bits |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint32_t)in[i + 2] : 0;
        text_putc(out, alphabet[bits >> 18]);
        text_putc(out, alphabet[bits >> 12 & 63]);
        text_putc(out, (char)(left > 1 ? alphabet[bits >> 6 & 63] : '='));
        text_putc(out, (char)(left > 2 ? alphabet[bits & 63] : '='));
    }
}

bool base64_decode(text_t *out, span_t base64)
{
    size_t len = base64.len;
    if (len % 4 == 0) {
        for (int i = 0; i < 2 && len > 0 && base64.at[len - 1] == '='; i++) {
            len--;
        }
    }
    size_t before = out->len;
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < len; i++) {
        const char *found = base64.at[i] ? strchr(alphabet, base64.at[i]) : NULL;
        if (found == NULL) {
            goto refuse;
        }
        bits = bits << 6 | (uint32_t)(found - alphabet);
        count += 6;
        if (count >= 8) {
            count -= 8;
            text_putc(out, (char)(bits >> count & 0xff));
        }
    }
    if (count < 6 && (bits & ((1U << count) - 1)) == 0) {
        return true;
    }
refuse:
    out->len = before;
    return false;
}
