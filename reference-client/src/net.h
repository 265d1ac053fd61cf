/* SPDX-License-Identifier: MIT */
/* What the connections of a socket share: the loop, its clock, the certificates, the settings. It lives until
 * the last of them is gone, which may be after its socket. */
#ifndef PHXC_NET_H
#define PHXC_NET_H

#include <openssl/ssl.h>
#include <uv.h>

#include "timers.h"
#include "transport.h"

typedef struct phxc_net {
    uv_loop_t *loop;
    phxc_timers_t timers;
    SSL_CTX *tls; /* NULL: not needed */
    bool insecure;
    char **headers; /* NULL-terminated; each `Name: value` */
    uint64_t connect_timeout_ms;
    uint64_t longpoll_timeout_ms;
    phxc_token_place_t longpoll_token;
    size_t max_message_bytes;
    size_t holders;
    uv_timer_t clock;
} phxc_net_t;

/* Held once. NULL when that fails, with the reason for people in `error`. */
phxc_net_t *phxc_net_new(uv_loop_t *loop, const phxc_config_t *config, char *error, size_t error_size);
phxc_net_t *phxc_net_hold(phxc_net_t *net);
void phxc_net_release(phxc_net_t *net);

#endif
