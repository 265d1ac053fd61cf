/* SPDX-License-Identifier: MIT */
/* Releases of Phoenix, and the ranges of them that a case or a known defect is about. */
#ifndef VECTORS_RELEASE_H
#define VECTORS_RELEASE_H

#include "base/jvalue.h"

/* "1.8.12" or "1.8.0-rc.3"; a candidate comes before its release. */
typedef struct release {
    unsigned major, minor, patch;
    unsigned candidate; /* UINT_MAX: the release itself */
} release_t;

/* False for anything but three numbers and, maybe, "-rc.N". */
bool release_parse(const char *name, release_t *release);

/* Below 0, 0, above 0: `a` is older than, the same as, newer than `b`. */
int release_compare(const release_t *a, const release_t *b);

/* Both ends belong to it. */
typedef struct release_range {
    release_t since, until;
} release_range_t;

/* A list of ranges; zero-initialise, release with releases_free. An empty one is every release. */
typedef struct releases {
    release_range_t *at;
    size_t len;
} releases_t;

/*
 * Reads {"since": "1.8.3", "until": "1.8.11"}, of which either may be absent, or a list of such. NULL is the
 * empty list. False, and one line of what is wrong appended to `error`; `releases` is empty then.
 */
bool releases_read(const json_t *json, releases_t *releases, text_t *error);

bool releases_contain(const releases_t *releases, const release_t *release);

/* Appends "1.8.3 to 1.8.11", "up to 1.8.2, since 1.8.12", or "every release". */
void releases_write(text_t *out, const releases_t *releases);

void releases_free(releases_t *releases);

#endif
