/* SPDX-License-Identifier: MIT */
#include "wire.h"

static void put_number(phx_buf_t *out, uint64_t number, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        phx_buf_append_byte(out, (uint8_t)(number >> shift));
    }
}

void wire_put_u64(phx_buf_t *out, uint64_t number)
{
    put_number(out, number, 8);
}

void wire_put(phx_buf_t *out, phx_slice_t bytes)
{
    if (bytes.len > UINT32_MAX) {
        out->failed = true;
        return;
    }
    put_number(out, bytes.len, 4);
    phx_buf_append_slice(out, bytes);
}

static phx_slice_t take(wire_t *wire, size_t len)
{
    if (wire->bad || wire->left.len < len) {
        wire->bad = true;
        wire->left = (phx_slice_t){0};
        return (phx_slice_t){0};
    }
    phx_slice_t taken = {wire->left.data, len};
    wire->left.data += len;
    wire->left.len -= len;
    return taken;
}

static uint64_t take_number(wire_t *wire, size_t bytes)
{
    phx_slice_t taken = take(wire, bytes);
    uint64_t number = 0;
    for (size_t i = 0; i < taken.len; i++) {
        number = number << 8 | (uint8_t)taken.data[i];
    }
    return number;
}

uint8_t wire_u8(wire_t *wire)
{
    return (uint8_t)take_number(wire, 1);
}

uint64_t wire_u64(wire_t *wire)
{
    return take_number(wire, 8);
}

phx_slice_t wire_get(wire_t *wire)
{
    return take(wire, (size_t)take_number(wire, 4));
}

bool wire_more(const wire_t *wire)
{
    return !wire->bad && wire->left.len > 0;
}
