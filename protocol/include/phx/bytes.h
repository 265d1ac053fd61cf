/* SPDX-License-Identifier: MIT */
/*
 * Bytes: borrowed slices and a growable buffer.
 *
 * Ownership words used in every header of this project:
 *   borrowed  the callee looks at it during the call (or as long as the owner lives); nobody frees it here
 *   owned     whoever holds it must release it
 */
#ifndef PHX_BYTES_H
#define PHX_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)

/* Borrowed bytes; not terminated. An empty slice may have a NULL `data`. */
typedef struct phx_slice {
    const char *data;
    size_t len;
} phx_slice_t;

#define PHX_SLICE(literal) ((phx_slice_t){(literal), sizeof(literal) - 1})

/* The bytes of a C string, without its NUL; NULL gives the empty slice. */
phx_slice_t phx_slice_of(const char *text);
bool phx_slice_equal(phx_slice_t a, phx_slice_t b);
bool phx_slice_equals(phx_slice_t a, const char *text);
bool phx_slice_starts_with(phx_slice_t slice, const char *prefix);

/*
 * A growable buffer. Zero-initialise to start; release with phx_buf_free.
 * Appending never fails part-way: when memory runs out, `failed` is set, the contents are dropped and
 * every later append is ignored, so that a caller may append freely and check once at the end.
 */
typedef struct phx_buf {
    char *data;
    size_t len;
    size_t cap;
    bool failed;
} phx_buf_t;

void phx_buf_free(phx_buf_t *buf);
/* Forgets the contents (and a failure), keeps the memory. */
void phx_buf_clear(phx_buf_t *buf);
/* Makes room for `extra` more bytes. Returns false when memory ran out. */
bool phx_buf_reserve(phx_buf_t *buf, size_t extra);
void phx_buf_append(phx_buf_t *buf, const void *data, size_t len);
void phx_buf_append_slice(phx_buf_t *buf, phx_slice_t slice);
void phx_buf_append_text(phx_buf_t *buf, const char *text);
void phx_buf_append_byte(phx_buf_t *buf, uint8_t byte);
/* What the buffer holds now; borrowed until the next append, clear or free. */
phx_slice_t phx_buf_slice(const phx_buf_t *buf);

#pragma GCC visibility pop

#endif
