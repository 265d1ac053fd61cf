/* SPDX-License-Identifier: MIT */
/* What all fuzz targets share. */
#ifndef PHX_FUZZ_H
#define PHX_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "phx/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold; NDEBUG or not. */
#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);             \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* Takes the first byte of the input; 0 when there is none. */
static inline uint8_t fuzz_byte(phx_slice_t *input)
{
    if (input->len == 0) {
        return 0;
    }
    input->len--;
    return (uint8_t)*input->data++;
}

#endif
