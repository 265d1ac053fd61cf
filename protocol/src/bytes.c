/* SPDX-License-Identifier: MIT */
#include "phx/bytes.h"

#include <stdlib.h>
#include <string.h>

phx_slice_t phx_slice_of(const char *text)
{
    return (phx_slice_t){text, text != NULL ? strlen(text) : 0};
}

bool phx_slice_equal(phx_slice_t a, phx_slice_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool phx_slice_equals(phx_slice_t a, const char *text)
{
    return phx_slice_equal(a, phx_slice_of(text));
}

bool phx_slice_starts_with(phx_slice_t slice, const char *prefix)
{
    const size_t len = strlen(prefix);
    return slice.len >= len && (len == 0 || memcmp(slice.data, prefix, len) == 0);
}

void phx_buf_free(phx_buf_t *buf)
{
    free(buf->data);
    *buf = (phx_buf_t){0};
}

void phx_buf_clear(phx_buf_t *buf)
{
    buf->len = 0;
    buf->failed = false;
}

bool phx_buf_reserve(phx_buf_t *buf, size_t extra)
{
    if (buf->failed || extra > SIZE_MAX / 2 - buf->len) {
        return false;
    }
    const size_t needed = buf->len + extra;
    if (needed <= buf->cap) {
        return true;
    }
    /* Doubling keeps a row of appends linear; a first reserve gets what it asks for. */
    const size_t cap = needed > 2 * buf->cap ? needed : 2 * buf->cap;
    char *data = realloc(buf->data, cap);
    if (data == NULL) {
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void phx_buf_append(phx_buf_t *buf, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    if (!phx_buf_reserve(buf, len)) {
        phx_buf_free(buf);
        buf->failed = true;
        return;
    }
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}

void phx_buf_append_slice(phx_buf_t *buf, phx_slice_t slice)
{
    phx_buf_append(buf, slice.data, slice.len);
}

void phx_buf_append_text(phx_buf_t *buf, const char *text)
{
    phx_buf_append_slice(buf, phx_slice_of(text));
}

void phx_buf_append_byte(phx_buf_t *buf, uint8_t byte)
{
    phx_buf_append(buf, &byte, 1);
}

phx_slice_t phx_buf_slice(const phx_buf_t *buf)
{
    return (phx_slice_t){buf->data, buf->len};
}
