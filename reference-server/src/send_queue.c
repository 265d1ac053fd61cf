/* SPDX-License-Identifier: MIT */
#include "send_queue.h"

#include <stdlib.h>
#include <string.h>

/* From this size on, writing a piece by itself costs less than copying it. */
enum { LARGE_PIECE = 16384 };

static shared_bytes_t **row_of(send_queue_t *queue)
{
    return queue->pieces != NULL ? queue->pieces : queue->few;
}

static bool make_room(send_queue_t *queue)
{
    const uint32_t cap = queue->pieces != NULL ? queue->cap : SEND_QUEUE_INLINE;
    if (queue->first + queue->count < cap) {
        return true;
    }
    shared_bytes_t **row = row_of(queue);
    if (queue->first > cap / 2) {
        memmove(row, row + queue->first, queue->count * sizeof *row);
        queue->first = 0;
        return true;
    }
    if (cap > UINT32_MAX / 2) {
        return false;
    }
    shared_bytes_t **grown = malloc(2 * (size_t)cap * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    memcpy(grown, row + queue->first, queue->count * sizeof *grown);
    free(queue->pieces);
    queue->pieces = grown;
    queue->cap = 2 * cap;
    queue->first = 0;
    return true;
}

bool send_queue_push(send_queue_t *queue, shared_bytes_t *bytes, budget_t *budget)
{
    if (bytes->len == 0) {
        return true;
    }
    if (!make_room(queue)) {
        return false;
    }
    row_of(queue)[queue->first + queue->count++] = shared_bytes_enqueue(bytes, budget);
    queue->len += bytes->len;
    return true;
}

phx_slice_t send_queue_next(const send_queue_t *queue, uint8_t *scratch, size_t max)
{
    if (queue->count == 0) {
        return (phx_slice_t){0};
    }
    shared_bytes_t *const *row = (queue->pieces != NULL ? queue->pieces : queue->few) + queue->first;
    const size_t first_len = row[0]->len - queue->sent;
    if (queue->count == 1 || first_len >= LARGE_PIECE) {
        return (phx_slice_t){(const char *)row[0]->data + queue->sent, first_len < max ? first_len : max};
    }
    size_t len = 0;
    size_t skip = queue->sent;
    for (uint32_t i = 0; i < queue->count && len < max; i++) {
        const size_t left = row[i]->len - skip;
        const size_t taken = left < max - len ? left : max - len;
        memcpy(scratch + len, row[i]->data + skip, taken);
        len += taken;
        skip = 0;
    }
    return (phx_slice_t){(const char *)scratch, len};
}

void send_queue_consume(send_queue_t *queue, size_t len, budget_t *budget)
{
    shared_bytes_t **row = row_of(queue);
    queue->len -= len;
    queue->sent += len;
    while (queue->count > 0 && queue->sent >= row[queue->first]->len) {
        queue->sent -= row[queue->first]->len;
        shared_bytes_dequeue(row[queue->first++], budget);
        queue->count--;
    }
    if (queue->count == 0) {
        send_queue_clear(queue, budget);
    }
}

void send_queue_clear(send_queue_t *queue, budget_t *budget)
{
    shared_bytes_t **row = row_of(queue);
    for (uint32_t i = 0; i < queue->count; i++) {
        shared_bytes_dequeue(row[queue->first + i], budget);
    }
    free(queue->pieces);
    *queue = (send_queue_t){0};
}
