/* SPDX-License-Identifier: MIT */
/* What all unit tests of the protocol library share. */
#ifndef PHX_TEST_UTIL_H
#define PHX_TEST_UTIL_H

#include <check.h>
#include <stdlib.h>

#include "phx/bytes.h"
#include "phx/message.h"

/* `slice` in C's spelling, cut where it gets long; the caller frees it, or dies. */
char *printable(phx_slice_t slice);

/* Fails with both values unless the bytes are the same. */
#define assert_slice(actual, expected)                                                                       \
    do {                                                                                                     \
        const phx_slice_t actual_ = (actual);                                                                \
        const phx_slice_t expected_ = (expected);                                                            \
        if (!phx_slice_equal(actual_, expected_)) {                                                          \
            ck_abort_msg("%s: got %s, expected %s", #actual, printable(actual_), printable(expected_));      \
        }                                                                                                    \
    } while (0)

/* The same for what `buf` holds, which is cleared; a literal may hold NULs. */
#define assert_buf(buf, literal)                                                                             \
    do {                                                                                                     \
        assert_slice(phx_buf_slice(buf), PHX_SLICE(literal));                                                \
        phx_buf_clear(buf);                                                                                  \
    } while (0)

#define assert_error(actual, expected)                                                                       \
    do {                                                                                                     \
        const int actual_ = (actual);                                                                        \
        const int expected_ = (expected);                                                                    \
        if (actual_ != expected_) {                                                                          \
            ck_abort_msg("%s: got \"%s\", expected \"%s\"", #actual, phx_strerror(actual_),                  \
                         phx_strerror(expected_));                                                           \
        }                                                                                                    \
    } while (0)

#define assert_ok(actual) assert_error(actual, PHX_OK)

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Memory that ends where none may be read: a slice put there is caught when it is read beyond its end. */
typedef struct guard {
    char *pages;
    size_t size; /* readable bytes */
} guard_t;

guard_t guard_new(size_t size);
void guard_free(guard_t *guard);
phx_slice_t guard_put(const guard_t *guard, phx_slice_t slice);

/* A small deterministic generator of numbers (splitmix64). */
typedef struct rng {
    uint64_t state;
} rng_t;

/* Seeded from PHX_SEED, else from the clock; says which on stderr, so that a failure can be repeated. */
rng_t rng_new(void);
uint64_t rng_next(rng_t *rng);
/* A number in [0, limit). */
size_t rng_below(rng_t *rng, size_t limit);

/* Replaces `out` by up to `max` random characters of all UTF-8 lengths, controls and quotes among them. */
void random_utf8(rng_t *rng, phx_buf_t *out, size_t max);
/* Appends random JSON nested up to `depth`. With `twin`, objects in `out` get repeated keys, which `twin` has
 * not. */
void random_json(rng_t *rng, phx_buf_t *out, phx_buf_t *twin, int depth);

/* Runs `suite`, writes TAP to stdout and returns the exit code. */
int run_suite(Suite *suite);

#endif
