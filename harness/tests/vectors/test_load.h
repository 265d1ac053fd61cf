/* SPDX-License-Identifier: MIT */
/* Vectors out of a string, for unit tests. */
#ifndef VECTORS_TEST_LOAD_H
#define VECTORS_TEST_LOAD_H

#include "test_util.h"
#include "vectors/vector.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_OF(cases) "{\"vectors\":1,\"group\":\"g\",\"about\":\"a\",\"cases\":[" cases "]}"
#define CASE_WITH(members, steps)                                                                            \
    "{\"id\":\"g.c\",\"title\":\"t\",\"requirements\":[\"JREF-02\"],\"level\":\"must\"," members             \
    "\"steps\":[" steps "]}"
#define CONNECT "{\"connect\":\"a\"},"

/* As vectors_add, from a file of these bytes. */
static inline bool load_vectors(const char *text, vectors_t *vectors, text_t *error)
{
    char path[] = "/tmp/phxspec-vector-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    bool good = vectors_add(vectors, path, error);
    unlink(path);
    return good;
}

/* The one case of a good file. */
static inline const vector_case_t *load_case(const char *text, vectors_t *vectors)
{
    text_t error = {0};
    *vectors = (vectors_t){0};
    ck_assert_msg(load_vectors(text, vectors, &error), "%s", text_str(&error));
    ck_assert_uint_eq(vectors->len, 1);
    return &vectors->cases[0];
}

#endif
