/* SPDX-License-Identifier: MIT */
/*
 * The carrier takes TCP connections and moves their bytes; what the bytes mean is not its business.
 * It is the one place of the server that calls libwebsockets (carrier_lws.c).
 *
 * Everything happens on the caller's libuv loop, in one thread. Bytes to send are queued per connection and
 * leave once per turn of the loop in one coalesced write.
 */
#ifndef CARRIER_H
#define CARRIER_H

#include <uv.h>

#include "shared_bytes.h"

typedef struct carrier carrier_t;
typedef struct carrier_conn carrier_conn_t;

typedef struct carrier_config {
    const char *address;     /* numeric address to listen on; NULL: 127.0.0.1 */
    uint16_t port;           /* 0: any free port */
    bool reuse_port;         /* share the port with other processes that say the same */
    size_t max_connections;  /* 0: as many as the limit of descriptors allows, less a reserve */
    size_t max_queued_bytes; /* a connection whose peer leaves more than this unread is ended; 0: no limit */
    budget_t *queued;        /* counts what is queued by all; NULL: nobody does */
    const char *tls_cert;    /* PEM files, a chain and its key: all connections speak TLS; NULL: none does */
    const char *tls_key;
    uint64_t tls_timeout_ms; /* for a handshake, and the first bytes behind it; rounded up to seconds */
} carrier_config_t;

/* How a connection tells its owner; `context` is what `accepted` returned. None may free the carrier. With
 * TLS a connection is accepted before its handshake, for which its owner sets the time. */
typedef struct carrier_callbacks {
    /* A new connection. Returns its context; NULL refuses it. */
    void *(*accepted)(void *user, carrier_conn_t *conn);
    /* Bytes came, all that one read gave. They are borrowed for the call, and may be altered. */
    void (*received)(void *context, uint8_t *bytes, size_t len);
    /* The peer ended the connection, by a FIN or otherwise, before its owner did. `closed` follows at once,
     * and what is still queued is lost: half-closed connections do not live on (libwebsockets closes when it
     * reads a FIN). May be NULL. */
    void (*finished)(void *context);
    /* The connection is gone and `conn` no longer valid. Called exactly once for each accepted connection,
     * never from within a function of the carrier except carrier_free. */
    void (*closed)(void *context);
} carrier_callbacks_t;

/*
 * Starts to listen. `callbacks` and `user` are borrowed until carrier_free. Returns NULL when that fails,
 * with the reason for people in `error` (of `error_size` bytes); the loop must then run on as after
 * carrier_free.
 *
 * The process' soft limit of descriptors is raised as far as needed and allowed. libwebsockets' errors go to
 * stderr.
 */
carrier_t *carrier_new(uv_loop_t *loop, const carrier_config_t *config, const carrier_callbacks_t *callbacks,
                       void *user, char *error, size_t error_size);

/* The port listened on. */
uint16_t carrier_port(const carrier_t *carrier);

/* Takes no new connections from now on; the others live on. */
void carrier_stop_listening(carrier_t *carrier);

/* The number of connections that are accepted and not closed. */
size_t carrier_connections(const carrier_t *carrier);

/*
 * Ends all connections at once (`closed` is called for each) and frees the carrier; not from its callbacks.
 * The loop must run on until it is idle for its last handles to go. Until then no descriptor should be
 * opened: libwebsockets 4.1 closes its event descriptor twice, the second time in the loop, and would hit one
 * that got the number meanwhile.
 */
void carrier_free(carrier_t *carrier);

/* Queues bytes; they are held, not copied. Returns false when the connection is ending or the queue over its
 * limit. */
bool carrier_send(carrier_conn_t *conn, shared_bytes_t *bytes);

/* The bytes queued and not yet handed to the kernel. */
size_t carrier_queued(const carrier_conn_t *conn);

/* When too much is queued by all: the largest queue, and an end to all connections that have `least` queued
 * or more. */
size_t carrier_largest_queue(const carrier_t *carrier);
void carrier_abort_slow(carrier_t *carrier, size_t least);

/*
 * Stops and resumes reading: what the peer sends meanwhile waits in the kernel. The end of a peer is still
 * noticed, half a second late at most, unless bytes that it sent before wait to be read; with TLS, whose end
 * is told in bytes, on resuming.
 */
void carrier_pause(carrier_conn_t *conn);
void carrier_resume(carrier_conn_t *conn);

/*
 * Ends the connection: our FIN follows the last queued byte, what the peer still sends is dropped, and the
 * connection is closed at the peer's end or after `linger_ms` at the latest. (Closed at once, the kernel
 * would answer bytes still on their way with a reset, and the peer could lose what it was sent.)
 */
void carrier_end(carrier_conn_t *conn, uint64_t linger_ms);

/* The same, but goes on receiving until the peer ends it or `linger_ms` is over: for a WebSocket close
 * handshake. */
void carrier_end_after_peer(carrier_conn_t *conn, uint64_t linger_ms);

/* Drops the connection at once, queued bytes and all; `closed` follows in a later turn. */
void carrier_abort(carrier_conn_t *conn);

#endif
