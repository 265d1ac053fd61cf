/* SPDX-License-Identifier: MIT */
/* The checks that a client passes before the application is asked: origin, serializer version, subprotocols.
 * Pure. */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "core.h"
#include "http.h"

/* Whether the request's Origin, if it has one, is allowed here (ORIG-01 to ORIG-07); `secure`: it came over
 * TLS. */
bool handshake_origin_allowed(const phxs_mount_config_t *config, const http_request_t *request, bool secure);

/* The serializer for a `vsn` parameter; false if there is none (WS-VSN-01 to WS-VSN-04). */
bool handshake_serializer(phx_slice_t vsn, phx_vsn_t *serializer);

typedef enum subprotocol_outcome {
    SUBPROTOCOL_OK,
    SUBPROTOCOL_REFUSED,   /* 403 (SUBP-03) */
    SUBPROTOCOL_BAD_TOKEN, /* 500 (TOK-06) */
} subprotocol_outcome_t;

typedef struct subprotocol {
    const char *chosen; /* to answer; NULL: none. Borrowed from the configuration */
    bool has_token;
    phx_buf_t token; /* owned */
} subprotocol_t;

/* Chooses the subprotocol and takes the bearer token out of the offer (SUBP-01 to SUBP-04, TOK-02 to TOK-06).
 * `result` is zero-initialised; release its token. */
subprotocol_outcome_t handshake_subprotocol(const phxs_mount_config_t *config, const http_request_t *request,
                                            subprotocol_t *result);

/* Why a request is no valid WebSocket upgrade, for people; NULL if it is one (WS-CONN-05, WS-CONN-07). */
const char *handshake_upgrade_error(const http_request_t *request);

#endif
