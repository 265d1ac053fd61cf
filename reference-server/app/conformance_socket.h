/* SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_SOCKET_H
#define CONFORMANCE_SOCKET_H

#include "phxspec/server.h"

/* What the client's request told, as the response of `connect_info`: a JSON object. */
phx_slice_t conformance_connect_info(const phxs_socket_t *socket);

#endif
