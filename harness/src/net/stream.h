/* SPDX-License-Identifier: MIT */
/* A TCP connection: what ws_client and http_client have in common, and the proxy for both its sides. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "net/url.h"

#include <uv.h>

typedef struct stream stream_t;

typedef enum stream_end { STREAM_UNREACHABLE, STREAM_FIN, STREAM_ERROR } stream_end_t;

typedef struct stream_events {
    void (*connected)(void *ctx); /* may be NULL */
    void (*received)(void *ctx, span_t bytes);
    /* The peer has ended its direction (FIN); ours is still open. NULL: this is `ended`, then. */
    void (*finished)(void *ctx);
    /* The system has taken all there was to send. May be NULL. */
    void (*drained)(void *ctx);
    /* Once, and the last; `detail` is the system's word for it. */
    void (*ended)(void *ctx, stream_end_t how, const char *detail);
} stream_events_t;

/* Starts to connect; callbacks come from the loop only. Owned by the caller. */
stream_t *stream_open(uv_loop_t *loop, const address_t *address, const stream_events_t *events, void *ctx);

/* Takes the next connection of a listener that has one (its connection callback). NULL: there is none after
 * all. Owned by the caller. */
stream_t *stream_accept(uv_stream_t *listener, const stream_events_t *events, void *ctx);

/* Sends bytes (copied) in one write, when connected; nothing when the connection has ended. */
void stream_write(stream_t *stream, span_t bytes);

/* How many bytes the system has not taken yet. */
size_t stream_backlog(const stream_t *stream);

/* Reads nothing more, or goes on: what the peer sends meanwhile waits with the system, then with the peer.
 * Its end is not noticed meanwhile, either. */
void stream_pause(stream_t *stream, bool pause);

/* When bytes were last handed to the system (clock_ms), which needs the connection to stand; 0: never. */
double stream_written_at(const stream_t *stream);

/* FIN behind what is still to be written. */
void stream_half_close(stream_t *stream);

/* RST now; nothing comes any more. The stream is still to be freed. */
void stream_reset(stream_t *stream);

/* Closes and releases; nothing comes any more. What the system has not taken by now is not sent. */
void stream_free(stream_t *stream);

/* When bytes last arrived (clock_ms) by the kernel's own account, a few milliseconds more or less, however
 * late they are read; 0: it tells none. */
double stream_arrived_at(const stream_t *stream);
/* The same of what was sent. */
double stream_sent_at(const stream_t *stream);

#endif
