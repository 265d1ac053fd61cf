/* SPDX-License-Identifier: MIT */
/*
 * One WebSocket connection as a test client sees it: it sends what it is told, reports everything that comes,
 * and does nothing on its own (no pong, no answer to a close, no end of the connection).
 */
#ifndef NET_WS_CLIENT_H
#define NET_WS_CLIENT_H

#include "net/http_message.h"
#include "net/url.h"
#include "net/ws_codec.h"

#include <uv.h>

typedef struct ws_client ws_client_t;

/* How the connection ended, as seen from here. */
typedef enum ws_end {
    WS_END_UNREACHABLE, /* no TCP connection */
    WS_END_PEER,        /* the peer ended TCP in order (FIN) */
    WS_END_RESET,       /* RST, or another error of the connection */
    WS_END_BROKEN,      /* what came is not HTTP, or not WebSocket; `detail` says why */
} ws_end_t;

/* Callbacks; any of them may be NULL and any may call ws_client_free. */
typedef struct ws_events {
    /* The answer to the handshake, whole: 101, or any other with its body; after such another one only
     * `ended` may come. Borrowed. */
    void (*answered)(void *ctx, const http_response_t *response);
    /* A frame, after `answered` with 101. Borrowed. */
    void (*frame)(void *ctx, const ws_incoming_t *incoming);
    /* Once, and the last: nothing more will come. */
    void (*ended)(void *ctx, ws_end_t how, const char *detail);
} ws_events_t;

/* The handshake. Everything is borrowed until ws_client_open returns. */
typedef struct ws_request {
    const address_t *address;
    const char *authority; /* Host header */
    const char *target;    /* path and query */
    const char *key;       /* Sec-WebSocket-Key; NULL: a fresh one */
    http_headers_t
        headers;         /* added as they are; Host, Connection, Upgrade, Sec-WebSocket-Key and -Version here
                            take the place of the client's own. Subprotocols: Sec-WebSocket-Protocol. */
    span_t raw;          /* not empty: these bytes instead of the whole request */
    const char *raw_key; /* the key in `raw`, for ws_client_accept_expected; NULL: none */
    size_t payload_max;  /* a longer frame or message breaks the connection off; 0: 64 MiB */
} ws_request_t;

/* Starts to connect and sends the request; `events` and `ctx` are called from the loop, never from inside
 * here. Returns a client owned by the caller, to be released with ws_client_free. */
ws_client_t *ws_client_open(uv_loop_t *loop, const ws_request_t *request, const ws_events_t *events,
                            void *ctx);

/* The Sec-WebSocket-Accept that belongs to the key; "" without a key. Borrowed. */
const char *ws_client_accept_expected(const ws_client_t *client);

/* Sends `count` frames in one write. Nothing is reported when the connection is gone: `ended` was. */
void ws_client_send(ws_client_t *client, const ws_frame_t *frames, size_t count);

/* Sends bytes that need not be frames. Bytes are copied. */
void ws_client_send_raw(ws_client_t *client, span_t bytes);

/* Ends our direction (FIN) behind what is still to be sent; frames are still received. */
void ws_client_half_close(ws_client_t *client);

/* Ends the connection with RST; `ended` does not come. */
void ws_client_reset(ws_client_t *client);

/* Closes what is open and releases the client; no callback comes any more. Bytes handed over before are
 * written. */
void ws_client_free(ws_client_t *client);

#endif
