/* SPDX-License-Identifier: MIT */
/* What nodes say to each other, in bytes: numbers big-endian, texts behind their length. */
#ifndef WIRE_H
#define WIRE_H

#include "phx/bytes.h"

void wire_put_u64(phx_buf_t *out, uint64_t number);
/* At most 4 GiB; more counts as a failure of `out`. */
void wire_put(phx_buf_t *out, phx_slice_t bytes);

/* What is left to be read. Once something was missing, `bad` is set and all that follows is zero or empty. */
typedef struct wire {
    phx_slice_t left;
    bool bad;
} wire_t;

uint8_t wire_u8(wire_t *wire);
uint64_t wire_u64(wire_t *wire);
/* Borrowed from what is read. */
phx_slice_t wire_get(wire_t *wire);
bool wire_more(const wire_t *wire);

#endif
