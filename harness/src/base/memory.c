/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (memory == NULL) {
        fputs("phxspec: out of memory\n", stderr);
        exit(3);
    }
    return memory;
}

void *mem_new(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size));
}

void *mem_grow(void *memory, size_t size)
{
    return checked(realloc(memory, size ? size : 1));
}

char *mem_string_n(const char *bytes, size_t len)
{
    char *copy = checked(malloc(len + 1));
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    copy[len] = '\0';
    return copy;
}

char *mem_string(const char *string)
{
    return mem_string_n(string, strlen(string));
}
