/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <stdlib.h>

#include "lp_answer.h"

typedef struct local_exchange {
    exchange_t exchange; /* first */
    connection_t *connection;
} local_exchange_t;

static connection_t *release(exchange_t *exchange)
{
    connection_t *connection = ((local_exchange_t *)exchange)->connection;
    free(exchange);
    return connection;
}

static void local_answer(exchange_t *exchange, phx_slice_t body)
{
    lp_answer_body(release(exchange), body);
}

static void local_error(exchange_t *exchange, int status)
{
    connection_answer_error(release(exchange), status);
}

static void local_gone(void *data)
{
    exchange_t *exchange = data;
    exchange_gone(exchange);
    free(exchange);
}

exchange_t *exchange_of(connection_t *connection)
{
    static const exchange_ops_t OPS = {local_answer, local_error};
    local_exchange_t *local = calloc(1, sizeof(*local));
    if (local == NULL) {
        connection_answer_error(connection, 500);
        return NULL;
    }
    local->exchange.ops = &OPS;
    local->exchange.body = connection_request(connection)->body;
    local->connection = connection;
    connection_watch(connection, local_gone, local);
    return &local->exchange;
}

void exchange_answer(exchange_t *exchange, int status, phx_slice_t token, phx_slice_t messages)
{
    phx_buf_t body = {0};
    lp_body(&body, status, token, messages);
    if (body.failed) {
        exchange->ops->error(exchange, 500);
    } else {
        exchange->ops->answer(exchange, phx_buf_slice(&body));
    }
    phx_buf_free(&body);
}

void exchange_error(exchange_t *exchange, int status)
{
    exchange->ops->error(exchange, status);
}

void exchange_watch(exchange_t *exchange, void (*gone)(void *data), void *data)
{
    exchange->gone = gone;
    exchange->gone_data = data;
}

void exchange_gone(const exchange_t *exchange)
{
    if (exchange->gone != NULL) {
        exchange->gone(exchange->gone_data);
    }
}
