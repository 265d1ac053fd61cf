/* SPDX-License-Identifier: MIT */
/* What host.c (offers, peers, HTTP), host_websocket.c and host_longpoll.c share. */
#ifndef CLIENT_SUITE_HOST_IMPL_H
#define CLIENT_SUITE_HOST_IMPL_H

#include "client_suite/host.h"

#include "net/stream.h"
#include "proxy/split.h"

/* A TCP connection of the client: HTTP until an upgrade, then WebSocket. */
typedef struct caller {
    host_t *host;
    stream_t *stream; /* NULL: it has ended */
    double looked; /* nothing of it was there yet at that time (clock_ms), while nothing was read; else 0 */
    text_t in;
    ws_decoder_t *decoder; /* of a WebSocket */
    peer_t *peer;          /* of a WebSocket, or of the long-poll request under way */
    offer_t *offer;        /* of the request under way */
    raw_request_t request; /* under way while `busy` */
    const entry_t *asked;
    request_kind_t kind;
    bool busy;
} caller_t;

struct offer {
    host_t *host;
    caller_t *caller; /* NULL once it is gone or answered */
    transport_t transport;
    const entry_t *entry;
    moment_t came;
    char *target, *key;
    bool phoenix; /* the subprotocol was offered */
};

struct peer {
    host_t *host;
    char *name;
    transport_t transport;
    caller_t *caller; /* WebSocket */
    char *token;      /* long-poll */
    json_t *queue;    /* long-poll: what the next poll gets */
    bool hold[REQUESTS];
    bool lost;    /* long-poll: the session is gone */
    bool closing; /* we began the closing handshake */
    bool closed;  /* the client's close came */
    bool ended;
    unsigned pings, pongs;
    peer_event_t *events;
    size_t len, cap;
};

struct host {
    uv_loop_t *loop;
    const pace_t *pace;
    uv_tcp_t *listener; /* freed by its close callback */
    int port;
    transcript_t *transcript;
    vsn_t vsn;
    void (*changed)(void *ctx);
    void *ctx;
    caller_t **callers;
    size_t caller_count, caller_cap;
    offer_t **offers;
    size_t offer_count, offer_cap;
    peer_t **peers;
    size_t peer_count, peer_cap;
    unsigned tokens;
    const caller_t *written; /* who was last written to */
    bool reading;
    moment_t came;    /* what is being read */
    double late_ms;   /* until what was read was answered, at the most */
    moment_t *newest; /* of what was read last, if that is an event or an offer; else NULL */
};

/* Something new is being read. */
void host_reads_on(host_t *host);

/* `text` is copied, and may be NULL. */
void peer_add_event(peer_t *peer, peer_event_kind_t kind, entry_t *entry, const char *text);

/* Writes an answer and takes the next request of the caller; `body` is JSON unless it looks otherwise. */
void caller_answer(caller_t *caller, int status, span_t body);
void caller_write(caller_t *caller, span_t bytes);
/* Ends TCP of the caller. */
void caller_drop(caller_t *caller);

/* host_websocket.c */
void websocket_upgrade(caller_t *caller, offer_t *offer);
void websocket_received(caller_t *caller);
void websocket_frame_out(peer_t *peer, uint8_t opcode, span_t payload);

/* host_longpoll.c */
void longpoll_request(caller_t *caller);
void longpoll_open(caller_t *caller, peer_t *peer);
/* Gives waiting polls what there is. */
void longpoll_flush(peer_t *peer);

#endif
