/* SPDX-License-Identifier: MIT */
/*
 * One TCP connection: HTTP requests one after the other, until one of them becomes a WebSocket.
 *
 * A request may be answered later; until then the connection takes up no other (pipelined ones wait), and its
 * end is noticed.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "carrier.h"
#include "core.h"
#include "http.h"

typedef struct connection connection_t;
typedef struct connection_owner connection_owner_t;

/* Whom complete requests go to. */
struct connection_owner {
    core_t *core;
    http_limits_t limits;
    uint64_t head_timeout_ms;    /* from connecting, or a request's first byte, to the end of its head */
    uint64_t request_timeout_ms; /* from there to the end of its body; and between requests */
    /* Answers the request, now or later, or upgrades the connection. */
    void (*request)(connection_t *connection, const http_request_t *request);
    /* A connection has gone. */
    void (*gone)(connection_owner_t *owner);
    connection_t *first; /* all connections */
    bool draining;       /* no connection is kept alive any more */
};

/* The carrier's callbacks for an owner as `user`. */
extern const carrier_callbacks_t CONNECTION_CALLBACKS;

/* What a connection becomes by an upgrade. */
typedef struct upgraded_ops {
    void (*received)(void *upgraded, uint8_t *bytes, size_t len);
    void (*closed)(void *upgraded);       /* frees it */
    void (*drain)(void *upgraded);        /* the server shuts down */
    size_t (*held)(const void *upgraded); /* memory for what it has received in part */
    void (*overloaded)(void *upgraded);   /* that is too much: let go of it and end */
} upgraded_ops_t;

connection_owner_t *connection_owner(const connection_t *connection);

/* The request that awaits its answer; valid until it is answered. */
const http_request_t *connection_request(const connection_t *connection);
/* True when its body was over the limit and has been dropped. */
bool connection_body_too_large(const connection_t *connection);

/* `gone` is called with `data` if the connection ends before the request is answered. */
void connection_watch(connection_t *connection, void (*gone)(void *data), void *data);

/* The cache-control of all answers but those of the long-poll protocol. */
#define CACHE_REVALIDATE PHX_SLICE("max-age=0, private, must-revalidate")

typedef struct answer_header {
    const char *name;
    phx_slice_t value;
} answer_header_t;

/* Answers the request that is being handled. `headers` ends with a NULL name; NULL: none. */
void connection_answer(connection_t *connection, int status, const answer_header_t *headers,
                       phx_slice_t body);
/* With a text, or an empty one, as Phoenix' own refusals (WS-AUTH-01, WS-CONN-07). */
void connection_answer_text(connection_t *connection, int status, const char *text);
/* The application's error page. */
void connection_answer_error(connection_t *connection, int status);

/*
 * Sends the head of a 101 (its last blank line included) and hands the connection over: from now on its bytes
 * go to `ops`. Returns the carrier's connection, for sending.
 */
carrier_conn_t *connection_upgrade(connection_t *connection, phx_slice_t head, const upgraded_ops_t *ops,
                                   void *upgraded);

/* Queues a copy of `bytes` on a connection, upgraded or not; one that cannot take them is dropped. */
void connection_send(carrier_conn_t *conn, phx_slice_t bytes);

/* The server shuts down: ends all connections but those whose request waits for its answer; they end behind
 * it. */
void connections_drain(connection_owner_t *owner);

#endif
