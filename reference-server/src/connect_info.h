/* SPDX-License-Identifier: MIT */
/* What a request tells of a client that connects. */
#ifndef CONNECT_INFO_H
#define CONNECT_INFO_H

#include <jansson.h>

#include "http.h"
#include "phxspec/server.h"
#include "rules.h"

/* Zero-initialise; release with connect_info_free. */
typedef struct connect_info {
    phxs_connect_info_t info; /* borrowed from the request and from here */
    json_t *params;           /* owned */
    char *params_text;
    char *x_headers_text;
} connect_info_t;

/*
 * Fills in all but the auth token. Returns 0, PHX_EUTF8 (a query that is not UTF-8, WS-CONN-14), PHX_ENOMEM.
 * The request must outlive the result.
 */
int connect_info_init(connect_info_t *result, const http_request_t *request);
void connect_info_free(connect_info_t *result);

/* The serializer its `vsn` asks for; 1.0.0 where it has none (WS-VSN-01). Returns 0; 403: none fits; what the
 * rules say of one that is no string (WS-VSN-05): 403 or 500. */
int connect_info_serializer(const connect_info_t *connect, const rules_t *rules, phx_vsn_t *vsn);

#endif
