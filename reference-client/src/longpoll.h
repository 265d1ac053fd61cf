/* SPDX-License-Identifier: MIT */
/* The long-poll transport: a session made of polls and POSTs, on any HTTP and any clock. */
#ifndef PHXC_LONGPOLL_H
#define PHXC_LONGPOLL_H

#include "http.h"
#include "timers.h"
#include "transport.h"

typedef struct phxc_longpoll_settings {
    phxc_timers_t *timers; /* borrowed for the transport's life */
    phxc_http_t http;
    uint64_t timeout_ms;
    phxc_token_place_t token_place;
    /* Called when the transport frees itself; may be NULL. */
    void (*release)(void *context);
    void *context;
} phxc_longpoll_settings_t;

/* `release` is not called on failure. */
phxc_transport_t *phxc_longpoll_open(const phxc_longpoll_settings_t *settings, const phxc_request_t *request,
                                     const phxc_transport_events_t *events, void *owner, char *error,
                                     size_t error_size);

#endif
