/* SPDX-License-Identifier: MIT */
/*
 * A transport is one connection: it carries messages and knows nothing of what is in them. There are three:
 * WebSocket (websocket.c), long-poll (longpoll.c) and the scripted one of the tests.
 */
#ifndef PHXC_TRANSPORT_H
#define PHXC_TRANSPORT_H

#include "faults.h"

#include "phxspec/client.h"

typedef struct phxc_transport phxc_transport_t;

/* How a transport tells its owner; never from within a call of the owner's. In any of these the owner may
 * dispose of the transport. */
typedef struct phxc_transport_events {
    void (*opened)(void *owner);
    void (*received)(void *owner, phx_form_t form, phx_slice_t bytes);
    /* Before `closed`, when something went wrong; always, when it was never open. */
    void (*failed)(void *owner, const char *text, int http_status);
    /* The last one. `code` as phxc_end_t has it. */
    void (*closed)(void *owner, int code, phx_slice_t reason, bool clean);
} phxc_transport_events_t;

typedef struct phxc_transport_ops {
    /* Sends one message; a transport that is closing drops it. */
    void (*send)(phxc_transport_t *transport, phx_form_t form, phx_slice_t bytes);
    /* Ends the connection in order, after what was sent; `closed` follows. */
    void (*close)(phxc_transport_t *transport, int code, phx_slice_t reason);
    /* Says nothing any more and frees itself in its own time; an open connection is closed in order. */
    void (*dispose)(phxc_transport_t *transport);
    bool heartbeats; /* the connection needs them (HB-12) */
} phxc_transport_ops_t;

struct phxc_transport {
    const phxc_transport_ops_t *ops;
    const phxc_transport_events_t *events;
    void *owner;
};

/* What a connection is made of; borrowed for the call. */
typedef struct phxc_request {
    phxc_carriage_t carriage;
    phx_vsn_t vsn;
    const char *url;   /* complete */
    phx_slice_t token; /* the bearer token; `data` NULL: none */
#ifdef PHXC_FAULTS
    phxc_fault_t fault;
#endif
} phxc_request_t;

/* Makes connections. NULL when that fails at once, with the reason for people in `error`. */
typedef struct phxc_network {
    phxc_transport_t *(*open)(void *context, const phxc_request_t *request,
                              const phxc_transport_events_t *events, void *owner, char *error,
                              size_t error_size);
    void *context;
} phxc_network_t;

#endif
