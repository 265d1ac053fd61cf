/* SPDX-License-Identifier: MIT */
/* URLs: what a person gives, and what requests are made of. */
#ifndef PHXC_ENDPOINT_H
#define PHXC_ENDPOINT_H

#include "phxspec/client.h"

/* ws://, wss://, http:// or https://, host, port, and the rest. */
typedef struct phxc_url {
    bool tls;
    char *host;   /* owned; without the brackets of an IPv6 address */
    char *target; /* owned; the path and what follows it, `/` at least */
    uint16_t port;
} phxc_url_t;

/* Returns false for what is no such URL, with the reason for people in `error`. */
bool phxc_url_parse(phxc_url_t *url, const char *text, char *error, size_t error_size);
void phxc_url_free(phxc_url_t *url);
/* Appends HOST or HOST:PORT, as Host and URLs have it. */
void phxc_url_append_authority(phx_buf_t *out, const phxc_url_t *url);

/* Where a socket is mounted: as phxc_url_parse, and a `/websocket` or `/longpoll` at the end is taken off. */
bool phxc_endpoint_parse(phxc_url_t *endpoint, const char *text, char *error, size_t error_size);

/*
 * Appends the URL of a connection, NUL-terminated: the transport's suffix, the connect params, `vsn` last
 * (WS-CONN-11, LP-HTTP-09). `params` is a JSON object, or empty. Returns 0, PHX_EJSON (`params` is no
 * object), PHX_ENOMEM.
 */
int phxc_endpoint_url(const phxc_url_t *endpoint, phxc_carriage_t carriage, phx_vsn_t vsn, phx_slice_t params,
                      phx_buf_t *out);

/* Appends `text` percent-encoded as a part of a query. */
void phxc_percent_encode(phx_buf_t *out, phx_slice_t text);

#endif
