/* SPDX-License-Identifier: MIT */
/* Where a target listens: http://host[:port][/path] or ws://…, without TLS. */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/text.h"

#include <sys/socket.h>

typedef struct url {
    char host[256];      /* as a socket address wants it: without the brackets of IPv6 */
    int port;            /* 80 when absent */
    char path[1024];     /* "" or begins with "/"; a "/" alone or at the end is taken away */
    char authority[272]; /* for the Host header: as it was written, e.g. "127.0.0.1:4000" */
} url_t;

/* False and a message for people appended to `error` (other schemes, user info, a port that is none, a
 * query). */
bool url_parse(const char *string, url_t *url, text_t *error);

/* An address to connect to. */
typedef struct address {
    struct sockaddr_storage storage;
} address_t;

/*
 * Looks the host up. This is the one call that may block (a name other than an IP address or localhost asks
 * the resolver): make it once, before the loop runs. False and a message when there is no address.
 */
bool url_resolve(const url_t *url, address_t *address, text_t *error);

/*
 * Whether something accepts TCP connections there, within `timeout_ms`; also before the loop runs.
 * False and a message that names host and port.
 */
bool address_probe(const address_t *address, const char *authority, int timeout_ms, text_t *error);

#endif
