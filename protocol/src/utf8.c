/* SPDX-License-Identifier: MIT */
#include "utf8.h"

#include "phx/json.h"

bool phx_utf8_valid(phx_slice_t bytes)
{
    if (bytes.len == 0) {
        return true;
    }
    const uint8_t *p = (const uint8_t *)bytes.data;
    const uint8_t *end = p + bytes.len;
    while (p < end) {
        if (end - p >= 8 && utf8__not_ascii(utf8__load(p)) == 0) {
            p += 8;
            continue;
        }
        const size_t len = utf8__sequence(p, end);
        if (len == 0) {
            return false;
        }
        p += len;
    }
    return true;
}
