/* SPDX-License-Identifier: MIT */
/* The WebSocket transport of a mount: from the handshake to the close. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include "connection.h"

/* Answers a request to `<mount>/websocket` (WS-CONN-06 to WS-CONN-08). */
void websocket_request(connection_t *connection, mount_t *mount);

#endif
