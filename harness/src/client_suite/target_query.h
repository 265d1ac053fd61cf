/* SPDX-License-Identifier: MIT */
/* What a client asks for when it connects, as JSON. */
#ifndef CLIENT_SUITE_TARGET_QUERY_H
#define CLIENT_SUITE_TARGET_QUERY_H

#include "base/jvalue.h"
#include "net/http_message.h"

/*
 * {"path": "/socket/websocket", "query": {NAME: VALUE, …}, "headers": {name in lower case: VALUE, …},
 * "protocols": [each subprotocol offered]}, names and values of the query percent-decoded; an
 * empty token is left out. A new reference.
 */
json_t *offer_json(const char *target, const http_headers_t *headers);

#endif
