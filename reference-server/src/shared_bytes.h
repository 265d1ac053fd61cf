/* SPDX-License-Identifier: MIT */
/* Immutable bytes of several owners: a broadcast is encoded once and queued to every subscriber (BC-19). */
#ifndef SHARED_BYTES_H
#define SHARED_BYTES_H

#include "budget.h"
#include "phx/bytes.h"

typedef struct shared_bytes {
    size_t holders;
    size_t queues; /* of the holders, those that count it in a budget */
    size_t len;
    uint8_t data[];
} shared_bytes_t;

/* A copy of `head` followed by `tail` (either may be empty), held once. NULL when memory ran out. */
shared_bytes_t *shared_bytes_new(phx_slice_t head, phx_slice_t tail);
shared_bytes_t *shared_bytes_hold(shared_bytes_t *bytes);
/* NULL is allowed. */
void shared_bytes_release(shared_bytes_t *bytes);

/* Hold and release for a queue: `budget` (may be NULL) counts the place in each queue, and the bytes once. */
shared_bytes_t *shared_bytes_enqueue(shared_bytes_t *bytes, budget_t *budget);
void shared_bytes_dequeue(shared_bytes_t *bytes, budget_t *budget);

#endif
