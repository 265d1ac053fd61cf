/* SPDX-License-Identifier: MIT */
#ifndef PHXC_HTTP_CALL_H
#define PHXC_HTTP_CALL_H

#include "http.h"
#include "net.h"

/*
 * HTTP with a connection per request. `net` is borrowed. A connection that is kept alive saves a round trip,
 * but a server may end it just when the next request is under way; and a POST must not be sent twice.
 */
phxc_http_t phxc_http_over(phxc_net_t *net);

#endif
