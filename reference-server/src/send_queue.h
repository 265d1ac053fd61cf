/* SPDX-License-Identifier: MIT */
/* The bytes a connection has yet to send: pieces held, not copied, and put together only to be written. */
#ifndef SEND_QUEUE_H
#define SEND_QUEUE_H

#include "shared_bytes.h"

enum { SEND_QUEUE_INLINE = 4 };

/* Zero-initialise; release with send_queue_clear. An empty queue holds no memory of its own. */
typedef struct send_queue {
    size_t len;              /* bytes in it */
    size_t sent;             /* of the first piece */
    shared_bytes_t **pieces; /* a row of `cap`; NULL: `few` is used */
    shared_bytes_t *few[SEND_QUEUE_INLINE];
    uint32_t first;
    uint32_t count;
    uint32_t cap;
} send_queue_t;

/* Holds `bytes` at the end. Returns false when memory ran out. `budget` (may be NULL), here and below, is
 * always the same and counts what the queue holds. */
bool send_queue_push(send_queue_t *queue, shared_bytes_t *bytes, budget_t *budget);

/*
 * The next bytes to write, at most `max`; empty if there are none. A large piece, or one that is alone, is
 * given from where it is, small ones are copied together into `scratch` (of `max` bytes). Borrowed until the
 * queue is changed.
 */
phx_slice_t send_queue_next(const send_queue_t *queue, uint8_t *scratch, size_t max);

/* Drops the first `len` bytes. */
void send_queue_consume(send_queue_t *queue, size_t len, budget_t *budget);

/* Drops everything. */
void send_queue_clear(send_queue_t *queue, budget_t *budget);

#endif
