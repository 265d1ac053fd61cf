/* SPDX-License-Identifier: MIT */
#include "vectors/endpoints.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static bool find(endpoint_t *endpoint, const url_t *url, int timeout_ms, text_t *error)
{
    memcpy(endpoint->authority, url->authority, sizeof endpoint->authority);
    return url_resolve(url, &endpoint->address, error) &&
           address_probe(&endpoint->address, url->authority, timeout_ms, error);
}

/* One at an address of its own; `what` is how the profile calls it. */
static bool find_other(endpoint_t *endpoint, const char *string, const char *what, int timeout_ms,
                       text_t *error)
{
    url_t url;
    text_t why = {0};
    bool good = url_parse(string, &url, &why) && find(endpoint, &url, timeout_ms, &why);
    if (!good) {
        text_printf(error, "%s of the profile: %s", what, text_str(&why));
    }
    text_free(&why);
    return good;
}

bool endpoints_find(endpoints_t *endpoints, const url_t *url, const profile_t *profile, int timeout_ms,
                    text_t *error)
{
    endpoint_t given;
    *endpoints = (endpoints_t){0};
    if (!find(&given, url, timeout_ms, error)) {
        return false;
    }
    bool good = true;
    for (int i = 0; i < MOUNTS && good; i++) {
        text_t what = {0};
        text_printf(&what, "mount %s", mount_name((mount_t)i));
        endpoints->mounts[i] = given;
        if (profile->mounts[i].url) {
            good =
                find_other(&endpoints->mounts[i], profile->mounts[i].url, text_str(&what), timeout_ms, error);
        }
        text_free(&what);
    }
    endpoints->nodes = mem_new(profile->nodes.len, sizeof *endpoints->nodes);
    for (size_t i = 0; i < profile->nodes.len && good; i++) {
        text_t what = {0};
        text_printf(&what, "node %s", profile->nodes.at[i]);
        good = find_other(&endpoints->nodes[i], profile->node_urls.at[i], text_str(&what), timeout_ms, error);
        text_free(&what);
    }
    if (!good) {
        endpoints_free(endpoints);
    }
    return good;
}

const endpoint_t *endpoints_at(const endpoints_t *endpoints, const profile_t *profile, mount_t mount,
                               const char *node)
{
    for (size_t i = 0; node && i < profile->nodes.len; i++) {
        if (strcmp(profile->nodes.at[i], node) == 0) {
            return &endpoints->nodes[i];
        }
    }
    return node ? NULL : &endpoints->mounts[mount];
}

void endpoints_free(endpoints_t *endpoints)
{
    free(endpoints->nodes);
    *endpoints = (endpoints_t){0};
}
