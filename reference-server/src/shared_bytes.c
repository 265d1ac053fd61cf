/* SPDX-License-Identifier: MIT */
#include "shared_bytes.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *put(uint8_t *at, phx_slice_t slice)
{
    if (slice.len > 0) {
        memcpy(at, slice.data, slice.len);
    }
    return at + slice.len;
}

shared_bytes_t *shared_bytes_new(phx_slice_t head, phx_slice_t tail)
{
    if (head.len > SIZE_MAX - sizeof(shared_bytes_t) - tail.len) {
        return NULL;
    }
    shared_bytes_t *bytes = malloc(sizeof *bytes + head.len + tail.len);
    if (bytes == NULL) {
        return NULL;
    }
    bytes->holders = 1;
    bytes->queues = 0;
    bytes->len = head.len + tail.len;
    put(put(bytes->data, head), tail);
    return bytes;
}

shared_bytes_t *shared_bytes_hold(shared_bytes_t *bytes)
{
    bytes->holders++;
    return bytes;
}

void shared_bytes_release(shared_bytes_t *bytes)
{
    if (bytes != NULL && --bytes->holders == 0) {
        free(bytes);
    }
}

/* A place in a queue, which grows by doubling. */
enum { PLACE_BYTES = 2 * sizeof(void *) };

shared_bytes_t *shared_bytes_enqueue(shared_bytes_t *bytes, budget_t *budget)
{
    if (budget != NULL) {
        budget->used += PLACE_BYTES + (bytes->queues++ == 0 ? sizeof *bytes + bytes->len : 0);
    }
    return shared_bytes_hold(bytes);
}

void shared_bytes_dequeue(shared_bytes_t *bytes, budget_t *budget)
{
    if (budget != NULL) {
        budget->used -= PLACE_BYTES + (--bytes->queues == 0 ? sizeof *bytes + bytes->len : 0);
    }
    shared_bytes_release(bytes);
}
