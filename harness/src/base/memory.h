/* SPDX-License-Identifier: MIT */
/*
 * Memory of the harness. A test program that has no memory left cannot judge: these say so on stderr and end
 * the program with exit code 3, so that no caller has a path for it. Layers point downwards only: base <- net
 * <- judge <- replay, vectors <- select, report <- cmd_*.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Zeroed memory for `count` objects of `size` bytes; owned, to be freed with free(). Never NULL, also for
 * count 0. */
void *mem_new(size_t count, size_t size);

/* As realloc, never NULL. */
void *mem_grow(void *memory, size_t size);

/* Copies, owned by the caller. mem_string_n adds a NUL behind `len` bytes. */
char *mem_string(const char *string);
char *mem_string_n(const char *bytes, size_t len);

/* Makes room for one more element of a growing array: `array` is a pointer, `len` and `cap` are size_t. */
#define MEM_ROOM(array, len, cap)                                                                            \
    do {                                                                                                     \
        if ((len) == (cap)) {                                                                                \
            (cap) = (cap) ? (cap)*2 : 8;                                                                     \
            (array) = mem_grow((array), (cap) * sizeof *(array));                                            \
        }                                                                                                    \
    } while (0)

#endif
