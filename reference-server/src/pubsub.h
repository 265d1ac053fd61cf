/* SPDX-License-Identifier: MIT */
/*
 * Who listens to which topic, and how a broadcast reaches them: in this process and, with a relay, on the
 * other nodes. Topics are equal or they are not; there are no wildcards (BC-05).
 */
#ifndef PUBSUB_H
#define PUBSUB_H

#include "frame.h"
#include "table.h"

typedef struct pubsub pubsub_t;
typedef struct subscriber subscriber_t;

typedef struct broadcast {
    phx_slice_t topic;
    phx_slice_t event;
    phx_payload_t payload;
} broadcast_t;

/* How a subscriber wants a broadcast. */
typedef enum delivery {
    DELIVER_NOT,
    DELIVER_FRAME,   /* encoded for its serializer, once for all who share it (BC-19) */
    DELIVER_MESSAGE, /* as it is: an intercepted event (BC-09), an event on a socket's id (BC-13) */
} delivery_t;

typedef struct subscriber_ops {
    delivery_t (*wants)(const subscriber_t *subscriber, const broadcast_t *broadcast);
    void (*frame)(subscriber_t *subscriber, frame_t frame); /* borrowed */
    void (*message)(subscriber_t *subscriber, const broadcast_t *broadcast);
} subscriber_ops_t;

/* Lives inside its owner; none of its callbacks may subscribe or unsubscribe anyone. */
struct subscriber {
    const subscriber_ops_t *ops;
    struct topic *topic; /* NULL: not subscribed */
    subscriber_t *next;
    subscriber_t *prev;
    uint8_t vsn; /* phx_vsn_t, for DELIVER_FRAME */
};

/* NULL when memory ran out. */
pubsub_t *pubsub_new(uint64_t seed);
/* All subscribers must have gone. */
void pubsub_free(pubsub_t *pubsub);

/* `subscriber` has its ops and vsn set. Returns 0, PHX_ENOMEM. */
int pubsub_subscribe(pubsub_t *pubsub, phx_slice_t topic, subscriber_t *subscriber);
/* One that is not subscribed may be unsubscribed, too. */
void pubsub_unsubscribe(pubsub_t *pubsub, subscriber_t *subscriber);

/* What hands broadcasts to the other nodes, if there are any; NULL: a node alone. */
typedef void (*pubsub_relay_t)(void *user, const broadcast_t *broadcast);
void pubsub_relay(pubsub_t *pubsub, pubsub_relay_t relay, void *user);

/* Delivers here, as below, and then on all other nodes, where nobody is `from` (CLU-01, CLU-02). What could
 * not be delivered here goes nowhere. Returns as pubsub_deliver. */
int pubsub_broadcast(pubsub_t *pubsub, const subscriber_t *from, const broadcast_t *broadcast);

/*
 * Delivers to all subscribers of this node that the topic has, but `from` (may be NULL), in the order they
 * subscribed. The first subscriber whose serializer cannot write the payload ends it: those behind get
 * nothing (BC-10, BC-11). Returns 0, PHX_ENOTOBJECT, PHX_ETOOLONG, PHX_EV1BINARY, PHX_EUTF8, PHX_ENOMEM.
 */
int pubsub_deliver(pubsub_t *pubsub, const subscriber_t *from, const broadcast_t *broadcast);

#endif
