/* SPDX-License-Identifier: MIT */
/* One client's connection through the proxy, and the connection to the server that belongs to it. */
#ifndef PROXY_LINK_H
#define PROXY_LINK_H

#include "net/stream.h"
#include "proxy/fault.h"

typedef struct link link_t;

/* What all links share; borrowed, outlives them. */
typedef struct link_setup {
    uv_loop_t *loop;
    const address_t *upstream;
    faults_t *faults;
    void (*gone)(void *ctx, link_t *link); /* both sides have ended; the link is to be freed with link_free */
    void *ctx;
    unsigned long next_id;
} link_setup_t;

/* Takes the listener's next connection. NULL: there is none after all. Owned by the caller. */
link_t *link_accept(link_setup_t *setup, uv_stream_t *listener);
void link_free(link_t *link);

#endif
