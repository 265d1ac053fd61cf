/* SPDX-License-Identifier: MIT */
/* A few cases to choose from. */
#ifndef SELECT_UTIL_H
#define SELECT_UTIL_H

#include "test_util.h"
#include "vectors/variant.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEARTBEAT                                                                                            \
    "[{\"connect\":\"a\"},{\"send\":[null,\"1\",\"phoenix\",\"heartbeat\",{}]},"                             \
    "{\"expect\":[null,\"1\",\"phoenix\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]}]"

static const char few_cases[] =
    "{\"vectors\":1,\"group\":\"join\",\"about\":\"a\",\"cases\":["
    "{\"id\":\"join.all\",\"formerly\":[\"join.every\"],\"tags\":[\"slow\",\"auth\"],\"title\":\"t\","
    "\"requirements\":[\"JREF-01\",\"JREF-02\"],\"level\":\"must\",\"steps\":" HEARTBEAT "},"
    "{\"id\":\"join.one\",\"title\":\"t\",\"requirements\":[\"JREF-03\"],\"level\":\"should\","
    "\"transports\":[\"websocket\"],\"vsn\":[\"2.0.0\"],\"steps\":" HEARTBEAT "},"
    "{\"id\":\"join.may\",\"title\":\"t\",\"requirements\":[\"HB-01\"],\"level\":\"may\",\"vsn\":[\"1.0.0\"],"
    "\"needs\":[\"presence\"],\"steps\":" HEARTBEAT "}]}";

/* A file with this in it, whose name is put into `path`. */
static inline void write_file(char *path, const char *content)
{
    strcpy(path, "/tmp/phxspec-select-XXXXXX");
    int file = mkstemp(path);
    ck_assert_int_eq(write(file, content, strlen(content)), (ssize_t)strlen(content));
    close(file);
}

static vectors_t vectors;
static profile_t profile;
static variants_t expansion;

static inline void setup(void)
{
    char path[40];
    text_t error = {0};
    write_file(path, few_cases);
    vectors = (vectors_t){0};
    ck_assert_msg(vectors_add(&vectors, path, &error), "%s", text_str(&error));
    unlink(path);
    profile_default(&profile);
    expansion = (variants_t){0};
    variants_expand(&expansion, &vectors, &profile);
}

static inline void teardown(void)
{
    variants_free(&expansion);
    vectors_free(&vectors);
    profile_free(&profile);
}

#endif
