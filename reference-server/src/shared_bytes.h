/* SPDX-License-Identifier: MIT */
/* Immutable bytes of several owners: a broadcast is encoded once and queued to every subscriber (BC-19). */
#ifndef SHARED_BYTES_H
#define SHARED_BYTES_H

#include "phx/bytes.h"

typedef struct shared_bytes {
    size_t holders;
    size_t len;
    uint8_t data[];
} shared_bytes_t;

/* A copy of `head` followed by `tail` (either may be empty), held once. NULL when memory ran out. */
shared_bytes_t *shared_bytes_new(phx_slice_t head, phx_slice_t tail);
shared_bytes_t *shared_bytes_hold(shared_bytes_t *bytes);
/* NULL is allowed. */
void shared_bytes_release(shared_bytes_t *bytes);

#endif
