/* SPDX-License-Identifier: MIT */
#include "net/http_client.h"

#include "base/memory.h"
#include "net/stream.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BODY_MAX = 1 << 26 };

struct http_exchange {
    http_client_t *client;
    http_parser_t *parser;
    text_t request;
    bool reused; /* the connection had carried an exchange before: its end may be the peer's old decision */
    http_done_cb *done;
    void *ctx;
};

struct http_client {
    uv_loop_t *loop;
    address_t address;
    char *authority;
    stream_t *stream;          /* NULL: not connected */
    http_exchange_t *exchange; /* under way, or NULL */
    size_t body_max;
    double sent_at;
};

static void disconnect(http_client_t *client)
{
    stream_free(client->stream);
    client->stream = NULL;
}

static void exchange_free(http_exchange_t *exchange)
{
    exchange->client->exchange = NULL;
    http_parser_free(exchange->parser);
    text_free(&exchange->request);
    free(exchange);
}

/* The client is in order before `done` runs: it may start the next exchange, or free the client. */
static void finish(http_exchange_t *exchange, const char *error)
{
    http_done_cb *done = exchange->done;
    void *ctx = exchange->ctx;
    http_parser_t *parser = exchange->parser;
    exchange->parser = NULL;
    exchange->client->sent_at = http_client_sent_at(exchange->client);
    if (error != NULL || !http_parser_keeps_alive(parser)) {
        disconnect(exchange->client);
    }
    exchange_free(exchange);
    done(ctx, error ? NULL : http_parser_response(parser), error);
    http_parser_free(parser);
}

static void on_received(void *ctx, span_t bytes)
{
    http_client_t *client = ctx;
    http_exchange_t *exchange = client->exchange;
    size_t used;
    if (exchange == NULL) {
        disconnect(client); /* bytes nobody asked for: the connection is of no more use */
        return;
    }
    switch (http_parser_feed(exchange->parser, bytes, &used)) {
    case HTTP_DONE:
        finish(exchange, used < bytes.len ? "there are bytes behind the end of the answer" : NULL);
        break;
    case HTTP_BROKEN:
        finish(exchange, http_parser_error(exchange->parser));
        break;
    case HTTP_MORE:
        break;
    }
}

static void connect_and_send(http_client_t *client);

static void on_ended(void *ctx, stream_end_t how, const char *detail)
{
    http_client_t *client = ctx;
    http_exchange_t *exchange = client->exchange;
    if (exchange == NULL) {
        disconnect(client);
        return;
    }
    if (exchange->reused && http_parser_response(exchange->parser)->status == 0) {
        /* RFC 9112, 9.3.1: the peer ended an idle connection while the request was on its way */
        exchange->reused = false;
        disconnect(client);
        connect_and_send(client);
    } else if (how == STREAM_UNREACHABLE) {
        finish(exchange, detail);
    } else if (http_parser_end(exchange->parser) == HTTP_DONE) {
        finish(exchange, NULL);
    } else {
        finish(exchange, how == STREAM_FIN ? http_parser_error(exchange->parser) : detail);
    }
}

static const stream_events_t stream_callbacks = {
    .connected = NULL, .received = on_received, .ended = on_ended};

static void connect_and_send(http_client_t *client)
{
    if (client->stream == NULL) {
        client->stream = stream_open(client->loop, &client->address, &stream_callbacks, client);
    }
    stream_write(client->stream, text_span(&client->exchange->request));
}

http_client_t *http_client_new(uv_loop_t *loop, const address_t *address, const char *authority)
{
    http_client_t *client = mem_new(1, sizeof *client);
    client->loop = loop;
    client->address = *address;
    client->authority = mem_string(authority);
    client->body_max = BODY_MAX;
    return client;
}

double http_client_sent_at(const http_client_t *client)
{
    return client->exchange && client->stream ? stream_written_at(client->stream) : client->sent_at;
}

void http_client_limit(http_client_t *client, size_t body_max)
{
    client->body_max = body_max;
}

http_exchange_t *http_client_start(http_client_t *client, const http_request_t *request, http_done_cb *done,
                                   void *ctx)
{
    if (client->exchange != NULL) {
        return NULL;
    }
    http_exchange_t *exchange = mem_new(1, sizeof *exchange);
    exchange->client = client;
    exchange->done = done;
    exchange->ctx = ctx;
    exchange->reused = client->stream != NULL;
    exchange->parser = http_parser_new(request->raw.len > 0 ? span_starts(request->raw, "HEAD ")
                                                            : strcmp(request->method, "HEAD") == 0,
                                       client->body_max);
    http_request_write(&exchange->request, request, client->authority);
    client->exchange = exchange;
    connect_and_send(client);
    return exchange;
}

void http_exchange_abort(http_exchange_t *exchange, bool reset)
{
    http_client_t *client = exchange->client;
    if (reset) {
        stream_reset(client->stream);
    }
    disconnect(client);
    exchange_free(exchange);
}

void http_client_free(http_client_t *client)
{
    if (client == NULL) {
        return;
    }
    if (client->exchange != NULL) {
        exchange_free(client->exchange);
    }
    disconnect(client);
    free(client->authority);
    free(client);
}
