/* SPDX-License-Identifier: MIT */
/* A channel and its pushes, as channel.c (joins, leaves, messages), push.c and presence.c know them. */
#ifndef PHXC_CHANNEL_H
#define PHXC_CHANNEL_H

#include "socket.h"

typedef struct phxc_push phxc_push_t;

struct phxc_push {
    phxc_push_t *prev;
    phxc_push_t *next;
    phxc_channel_t *channel;
    phx_buf_t event;
    phx_buf_t payload;
    phx_form_t form;
    phxc_ref_t ref; /* empty: not sent yet */
    phxc_timer_t timer;
    uint64_t timeout_ms;
    phxc_reply_cb replied;
    void *user;
};

typedef struct phxc_handler {
    int number;
    phx_buf_t event;
    void (*call)(void *user, phxc_channel_t *channel, phx_payload_t payload); /* NULL: taken away */
    void *user;
} phxc_handler_t;

/* What is freed while callbacks run stays until the socket's next turn (phxc__socket_reap_soon). */
struct phxc_channel {
    phxc_socket_t *socket;
    const phxc_channel_callbacks_t *callbacks;
    void *user;
    phx_buf_t topic;
    phx_buf_t params;
    phx_form_t params_form;
    void (*params_at)(void *user, phx_buf_t *json);
    phxc_channel_state_t state;
    bool freed;
    bool join_sent; /* on this connection, and not answered */
    phxc_ref_t join_ref;
    phxc_timer_t join_timer;
    uint64_t join_timeout_ms;
    phxc_timer_t rejoin;
    unsigned rejoins;        /* tried since the last success */
    phxc_push_t *first_push; /* not ended, in the order they were issued */
    phxc_push_t *last_push;
    phxc_push_t *first_waiting; /* it and all behind it wait for the join */
    phxc_handler_t *handlers;
    size_t handler_count;
    int last_handler;
    phxc_presence_t *presences; /* linked by their `next` (presence.c) */
};

/* ---- push.c ---- */

/* Whether the serializer can write it at all: a push fails where it is issued (BIN-09, V1-08). Returns as
 * phxc_channel_push. */
int phxc__channel_check_message(const phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload);
/* The channel is joined: sends what waits for that (CL-CHAN-04). */
void phxc__pushes_send_waiting(phxc_channel_t *channel);
/* A reply came, to one of them or to none. */
void phxc__pushes_replied(phxc_channel_t *channel, phx_slice_t ref, phx_slice_t status,
                          phx_payload_t response);
void phxc__pushes_cancel(phxc_channel_t *channel);

#endif
