/* SPDX-License-Identifier: MIT */
/*
 * The conformance application: channels that do what their client tells them, so that every rule of the
 * protocol can be seen from outside. It is an application like any other: it knows the server by its public
 * header only.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "phxspec/server.h"

/* The socket handler to mount; it needs no `app`. */
extern const phxs_socket_handler_t CONFORMANCE_HANDLER;

#endif
