/* SPDX-License-Identifier: MIT */
/* A listening TCP socket on the loop. It is ours and not libwebsockets', which cannot stop listening while
 * its connections live on, and spins when the descriptors run out. */
#ifndef LISTENER_H
#define LISTENER_H

#include <uv.h>

#include "timers.h"

typedef struct listener listener_t;

/* Takes over the descriptor of a new connection: not blocking, closed on exec, without Nagle's delay,
 * and without megabytes in the kernel for a peer that does not read. */
typedef void (*listener_accepted_t)(void *data, int fd);

typedef struct listener_place {
    const char *address; /* numeric, IPv4 or IPv6 */
    uint16_t port;       /* 0: any free one */
    bool
        shared; /* other processes of this user listen there, too; the kernel deals connections out to them */
} listener_place_t;

/*
 * Listens. `timers` are borrowed until listener_free. Returns NULL when that fails, with the reason for
 * people in `error`.
 */
listener_t *listener_new(uv_loop_t *loop, timers_t *timers, const listener_place_t *place,
                         listener_accepted_t accepted, void *data, char *error, size_t error_size);

uint16_t listener_port(const listener_t *listener);

/* Closes the socket. The loop must run once more for the handle to go. NULL is allowed. */
void listener_free(listener_t *listener);

#endif
