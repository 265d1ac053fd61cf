/* SPDX-License-Identifier: MIT */
/* A listener whose connections all go to one server, with faults on the way. */
#ifndef PROXY_PROXY_H
#define PROXY_PROXY_H

#include "net/url.h"
#include "proxy/fault.h"

#include <uv.h>

typedef struct proxy proxy_t;

/*
 * Listens on 127.0.0.1; `port` 0: a free one. `upstream` is copied, `faults` borrowed until proxy_free. Owned
 * by the caller; NULL and a message when the port is not to be had.
 */
proxy_t *proxy_start(uv_loop_t *loop, int port, const address_t *upstream, faults_t *faults, text_t *error);

int proxy_port(const proxy_t *proxy);

/* Ends all connections; the loop must run on to its end. */
void proxy_free(proxy_t *proxy);

#endif
