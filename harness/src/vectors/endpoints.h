/* SPDX-License-Identifier: MIT */
/* Where the mounts of a target listen: all at the URL it was given, or some at one of their own. */
#ifndef VECTORS_ENDPOINTS_H
#define VECTORS_ENDPOINTS_H

#include "net/url.h"
#include "vectors/profile.h"

typedef struct endpoint {
    address_t address;
    char authority[272]; /* for the Host header */
} endpoint_t;

typedef struct endpoints {
    endpoint_t mounts[MOUNTS]; /* of those that are present */
    endpoint_t *nodes;         /* as many as the profile has; release with endpoints_free */
} endpoints_t;

/*
 * Looks all of them up, and whether something accepts connections there within `timeout_ms` each; blocks, so
 * it comes before the loop runs. False and a message that names the one that does not.
 */
bool endpoints_find(endpoints_t *endpoints, const url_t *url, const profile_t *profile, int timeout_ms,
                    text_t *error);

/* Where a mount of a node listens; node NULL: the first. NULL: the profile has no such node. */
const endpoint_t *endpoints_at(const endpoints_t *endpoints, const profile_t *profile, mount_t mount,
                               const char *node);

void endpoints_free(endpoints_t *endpoints);

#endif
