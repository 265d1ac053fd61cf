/* SPDX-License-Identifier: MIT */
/*
 * A request for a long-poll session, wherever it came in: on a connection of this node, or on another node's
 * (LP-END-05). The session that takes it answers it once; nobody else frees it.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "connection.h"

typedef struct exchange exchange_t;

typedef struct exchange_ops {
    /* Answers with a body of the long-poll protocol, or an HTTP error; frees the exchange. */
    void (*answer)(exchange_t *exchange, phx_slice_t body);
    void (*error)(exchange_t *exchange, int status);
} exchange_ops_t;

/* Begins the owner's own structure. */
struct exchange {
    const exchange_ops_t *ops;
    phx_slice_t body;         /* of the request; borrowed until it is answered */
    void (*gone)(void *data); /* the client has gone: the exchange is about to be freed */
    void *gone_data;
};

/* The request that a connection waits to be answered. NULL when memory ran out: it has been answered with
 * 500.
 */
exchange_t *exchange_of(connection_t *connection);

/* Answers it as lp_answer does. */
void exchange_answer(exchange_t *exchange, int status, phx_slice_t token, phx_slice_t messages);
void exchange_error(exchange_t *exchange, int status);

/* `gone` is called with `data` if the client goes before it is answered. */
void exchange_watch(exchange_t *exchange, void (*gone)(void *data), void *data);
/* For its owner: tells whoever watches. */
void exchange_gone(const exchange_t *exchange);

#endif
