/* SPDX-License-Identifier: MIT */
/* Bytes to and from a server, over TCP or TLS. */
#ifndef PHXC_STREAM_H
#define PHXC_STREAM_H

#include "endpoint.h"
#include "net.h"

typedef struct phxc_stream phxc_stream_t;

/* None is called from within a call of the owner's; in each the owner may close the stream. */
typedef struct phxc_stream_callbacks {
    void (*connected)(void *owner);
    /* The bytes may be altered. */
    void (*received)(void *owner, uint8_t *bytes, size_t len);
    /* The last one: the peer has ended the stream (`error` NULL), or it broke. */
    void (*ended)(void *owner, const char *error);
} phxc_stream_callbacks_t;

/* Begins to connect. NULL when memory ran out. */
phxc_stream_t *phxc_stream_open(phxc_net_t *net, const phxc_url_t *url,
                                const phxc_stream_callbacks_t *callbacks, void *owner);
/* Sends bytes, once connected. Trouble shows as `ended`. */
void phxc_stream_send(phxc_stream_t *stream, phx_slice_t bytes);
/* The owner has no more use for it. What was sent still leaves, if the peer takes it within two seconds. */
void phxc_stream_close(phxc_stream_t *stream);

#endif
