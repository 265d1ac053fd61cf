/* SPDX-License-Identifier: MIT */
#ifndef ROUTES_H
#define ROUTES_H

#include "phxspec/server.h"

/* The first route whose pattern matches a topic (JOIN-17, JOIN-18); NULL if there is none. */
const phxs_route_t *route_for(const phxs_socket_handler_t *handler, phx_slice_t topic);

#endif
