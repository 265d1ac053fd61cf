/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 exchanges on one connection at a time, nothing retried and nothing followed. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "net/http_message.h"
#include "net/url.h"

#include <uv.h>

typedef struct http_exchange http_exchange_t;
typedef struct http_client http_client_t;

/*
 * The exchange is over: `response` (borrowed) and error NULL, or response NULL and an error in words
 * ("connection refused", "the connection ended before the answer was whole", "not HTTP: …"). The exchange is
 * dead afterwards.
 */
typedef void http_done_cb(void *ctx, const http_response_t *response, const char *error);

/* A connection that may be used for one exchange after the other; connects when first used, and again when
 * the peer has ended it in between. `address` and `authority` are copied. */
http_client_t *http_client_new(uv_loop_t *loop, const address_t *address, const char *authority);

/* Starts an exchange; NULL when one is under way on this client (use another client). `done` is never called
 * from inside. Requests without keep_alive end the connection. */
http_exchange_t *http_client_start(http_client_t *client, const http_request_t *request, http_done_cb *done,
                                   void *ctx);

/* When the newest request left (clock_ms); 0: it has not. */
double http_client_sent_at(const http_client_t *client);

/* Answers with a longer body are broken off; without this call 64 MiB. */
void http_client_limit(http_client_t *client, size_t body_max);

/* The client gives the exchange up by ending the connection (`reset`: with RST); `done` does not come. */
void http_exchange_abort(http_exchange_t *exchange, bool reset);

/* Ends the connection; an exchange under way is given up. */
void http_client_free(http_client_t *client);

#endif
