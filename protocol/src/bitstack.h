/* SPDX-License-Identifier: MIT */
/* A stack of bits: which of the open containers are objects. Some hundred levels need no memory of their own.
 */
#ifndef PHX_BITSTACK_H
#define PHX_BITSTACK_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct bitstack {
    size_t depth;
    size_t capacity; /* bits */
    uint64_t *words; /* `own`, or allocated; the stack must not be copied */
    uint64_t own[4];
} bitstack_t;

static inline void bitstack__init(bitstack_t *stack)
{
    stack->depth = 0;
    stack->capacity = 64 * (sizeof stack->own / sizeof stack->own[0]);
    stack->words = stack->own;
}

static inline void bitstack__free(bitstack_t *stack)
{
    if (stack->words != stack->own) {
        free(stack->words);
    }
}

static inline bool bitstack__top(const bitstack_t *stack)
{
    const size_t at = stack->depth - 1;
    return (stack->words[at / 64] >> (at % 64) & 1) != 0;
}

/* Returns false when memory ran out. */
static inline bool bitstack__push(bitstack_t *stack, bool bit)
{
    if (stack->depth == stack->capacity) {
        const size_t bytes = stack->capacity / 8;
        assert(bytes > 0);
        uint64_t *words = malloc(2 * bytes);
        if (words == NULL) {
            return false;
        }
        memcpy(words, stack->words, bytes);
        bitstack__free(stack);
        stack->words = words;
        stack->capacity *= 2;
    }
    uint64_t *word = &stack->words[stack->depth / 64];
    const uint64_t mask = (uint64_t)1 << (stack->depth % 64);
    /* A word's first push is what initialises it. */
    const uint64_t old = stack->depth % 64 != 0 ? *word : 0;
    *word = bit ? old | mask : old & ~mask;
    stack->depth++;
    return true;
}

static inline void bitstack__pop(bitstack_t *stack)
{
    stack->depth--;
}

#endif
