/* SPDX-License-Identifier: MIT */
/* The WebSocket transport (RFC 6455 on HTTP/1.1). */
#ifndef PHXC_WEBSOCKET_H
#define PHXC_WEBSOCKET_H

#include "net.h"

/* As phxc_network_t's `open`. */
phxc_transport_t *phxc_websocket_open(phxc_net_t *net, const phxc_request_t *request,
                                      const phxc_transport_events_t *events, void *owner, char *error,
                                      size_t error_size);

#endif
