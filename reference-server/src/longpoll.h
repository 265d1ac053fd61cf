/* SPDX-License-Identifier: MIT */
/* The long-poll transport of a mount: what its requests mean. The sessions themselves are session.h's. */
#ifndef LONGPOLL_H
#define LONGPOLL_H

#include "connection.h"
#include "session.h"

/* Answers a request to `<mount>/longpoll`. */
void longpoll_request(connection_t *connection, mount_t *mount, sessions_t *sessions);

#endif
