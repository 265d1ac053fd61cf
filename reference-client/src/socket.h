/* SPDX-License-Identifier: MIT */
/* What the parts of a socket know of each other: connection and attempts (connection.c), what waits and what
 * comes (socket.c), heartbeats (heartbeat.c), channels (channel.c) and pushes (push.c). */
#ifndef PHXC_SOCKET_H
#define PHXC_SOCKET_H

#include "endpoint.h"
#include "timers.h"
#include "transport.h"

/* A ref as JSON text, `"123"`; empty: none. */
typedef struct phxc_ref {
    char text[24];
    size_t len;
} phxc_ref_t;

phx_slice_t phxc_ref_slice(const phxc_ref_t *ref);

/* What a table says of the try number `attempt`, from 1. */
uint64_t phxc_delay(const phxc_delays_t *delays, unsigned attempt);

/* What waits for a connection, in order (CL-CONN-10): the join of a channel, or a message already written. */
typedef struct phxc_waiting {
    phxc_channel_t *join; /* NULL: the message */
    phx_form_t form;
    phx_buf_t bytes;
} phxc_waiting_t;

typedef struct phxc_ping {
    phxc_ref_t ref;
    uint64_t sent_ms;
    void (*answered)(void *user, uint64_t elapsed_ms);
    void *user;
} phxc_ping_t;

struct phxc_socket {
    phxc_timers_t *timers;
    phxc_network_t network;
    void (*release)(void *context); /* of the network, with phxc_socket_free; may be NULL */
    const phxc_socket_callbacks_t *callbacks;
    void *user;

    phxc_url_t endpoint;
    phx_vsn_t vsn;
    char *params;
    char *auth_token; /* NULL: none */
    void (*params_at)(void *user, phx_buf_t *json);
    void (*auth_token_at)(void *user, phx_buf_t *token);
    uint64_t timeout_ms;
    uint64_t heartbeat_ms;
    uint64_t fallback_ms;
    phxc_delays_t reconnect_after; /* owned */
    phxc_delays_t rejoin_after;    /* owned */

    phxc_socket_state_t state;
    phxc_carriage_t carriage;
    phxc_transport_t *transport; /* NULL: disconnected */
    phxc_timer_t reconnect;
    unsigned reconnects; /* tried since the last success */
    phxc_timer_t fallback;
    phxc_timer_t closing;
    phx_buf_t closing_reason;
    int closing_code;
    uint64_t last_ref;

    phxc_timer_t beat;   /* until the next heartbeat, or until its answer is late */
    phxc_ref_t beat_ref; /* empty: none is unanswered */
    uint64_t beat_sent_ms;
    phxc_ping_t *pings;
    size_t ping_count;

    phxc_waiting_t *waiting;
    size_t waiting_count;
    phxc_channel_t **channels; /* in the order they were made; freed ones stay until `reap` */
    size_t channel_count;
    phxc_timer_t reap;

#ifdef PHXC_FAULTS
    phxc_fault_t fault;
#endif
    unsigned faulted; /* how often; for faults that do not always show */
};

/* Calls a callback of the socket's owner, if there is one. */
#define PHXC_TELL(socket, callback, ...)                                                                     \
    do {                                                                                                     \
        if ((socket)->callbacks->callback != NULL) {                                                         \
            (socket)->callbacks->callback((socket)->user, __VA_ARGS__);                                      \
        }                                                                                                    \
    } while (0)

/* ---- socket.c ---- */

/* As phxc_socket_new, on any clock and network. `timers` is borrowed; `release` is called with the network's
 * context in the end, also on failure. */
phxc_socket_t *phxc__socket_new(phxc_timers_t *timers, phxc_network_t network, void (*release)(void *context),
                                const phxc_config_t *config, const phxc_socket_callbacks_t *callbacks,
                                void *user, char *error, size_t error_size);

/* Appends a message as the serializer has it. Returns as phxc_socket_send. */
int phxc__socket_write(const phxc_socket_t *socket, phx_buf_t *out, phx_form_t *form, phx_slice_t join_ref,
                       phx_slice_t ref, phx_slice_t topic, phx_slice_t event, phx_payload_t payload);
bool phxc__socket_is_open(const phxc_socket_t *socket);
/* A ref never used on this socket before (CL-CONN-02). */
phxc_ref_t phxc__socket_make_ref(phxc_socket_t *socket);
/* Writes and sends a message on the open connection. Returns as phxc_socket_send. */
int phxc__socket_push(phxc_socket_t *socket, phx_slice_t join_ref, phx_slice_t ref, phx_slice_t topic,
                      phx_slice_t event, phx_payload_t payload);
/* Lets the channel's join be sent when the socket opens, in its turn. Returns 0, PHX_ENOMEM. */
int phxc__socket_queue_join(phxc_socket_t *socket, phxc_channel_t *channel);
/* Returns false if none was queued. */
bool phxc__socket_unqueue_join(phxc_socket_t *socket, const phxc_channel_t *channel);
/* Another channel of the topic is about to join: the others are left (CL-CHAN-03). */
void phxc__socket_leave_topic(phxc_socket_t *socket, phx_slice_t topic, const phxc_channel_t *except);
/* Channels or handlers have gone: their memory is released in the next turn. */
void phxc__socket_reap_soon(phxc_socket_t *socket);
/* The socket is open: sends what waits (CL-CONN-10). */
void phxc__socket_flush(phxc_socket_t *socket);
/* A message has come. */
void phxc__socket_received(phxc_socket_t *socket, phx_form_t form, phx_slice_t bytes);

/* ---- connection.c ---- */

/* The server has stopped answering: the connection is closed, and another attempt scheduled (HB-09). */
void phxc__connection_give_up(phxc_socket_t *socket);
/* Ends the connection, if there is one, without a word to anybody. */
void phxc__connection_drop(phxc_socket_t *socket);
/* No attempt is due any more, and the next failure is the first again. */
void phxc__connection_forget_attempts(phxc_socket_t *socket);

/* ---- heartbeat.c ---- */

/* The socket is open. */
void phxc__heartbeats_start(phxc_socket_t *socket);
void phxc__heartbeats_stop(phxc_socket_t *socket);
/* The next one comes an interval from now. */
void phxc__heartbeats_put_off(phxc_socket_t *socket);
/* A message came: it may answer a heartbeat or a ping. */
void phxc__heartbeats_answered(phxc_socket_t *socket, phx_slice_t ref);

/* ---- channel.c ---- */

/* The socket is open: what was joined before joins again (CL-CHAN-06). */
void phxc__channel_opened(phxc_channel_t *channel);
/* The connection is gone, or about to go (CL-CONN-07). */
void phxc__channel_transport_gone(phxc_channel_t *channel, phx_slice_t reason);
/* Sends its join on the open connection. */
void phxc__channel_send_join(phxc_channel_t *channel);
/* `topic` and `event` are characters. */
void phxc__channel_message(phxc_channel_t *channel, const phx_message_t *message, phx_slice_t topic,
                           phx_slice_t event);
void phxc__channel_leave_duplicate(phxc_channel_t *channel, phx_slice_t topic);
/* Releases what was taken away meanwhile; the channel itself if it was freed. True: it is gone. */
bool phxc__channel_reap(phxc_channel_t *channel);
/* Ends it without a word. */
void phxc__channel_destroy(phxc_channel_t *channel);

#endif
