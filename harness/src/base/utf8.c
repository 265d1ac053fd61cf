/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

size_t utf8_character(span_t bytes)
{
    if (bytes.len == 0) {
        return 0;
    }
    const unsigned char *at = (const unsigned char *)bytes.at;
    unsigned first = at[0], low = 0x80, high = 0xbf;
    size_t len;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        len = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        len = 3;
        low = first == 0xe0 ? 0xa0 : low;   /* overlong */
        high = first == 0xed ? 0x9f : high; /* surrogates */
    } else if (first >= 0xf0 && first <= 0xf4) {
        len = 4;
        low = first == 0xf0 ? 0x90 : low;   /* overlong */
        high = first == 0xf4 ? 0x8f : high; /* above U+10FFFF */
    } else {
        return 0;
    }
    if (bytes.len < len || at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

bool utf8_valid(span_t bytes)
{
    for (size_t i = 0; i < bytes.len;) {
        size_t len = utf8_character(span_from(bytes, i));
        if (len == 0) {
            return false;
        }
        i += len;
    }
    return true;
}
