/* SPDX-License-Identifier: MIT */
/*
 * One of several nodes: who the others are, what they are told and what they tell. Nodes know each other by
 * their heartbeats; one that is not heard for a while is down (CLU-10).
 */
#ifndef CLUSTER_H
#define CLUSTER_H

#include "core.h"
#include "presence_sync.h"
#include "wire.h"

typedef enum message_kind {
    NODE_HEARTBEAT = 1, /* presence clock */
    NODE_GOODBYE,
    NODE_BROADCAST,      /* topic, event, form, payload */
    NODE_PRESENCE_DELTA, /* what changed */
    NODE_PRESENCE_ASK,   /* a node that missed something wants it all */
    NODE_PRESENCE_STATE, /* all there is */
    NODE_POLL,           /* a request for a long-poll session of the other node; see lp_remote.c */
    NODE_POST,
    NODE_REQUEST_TAKEN,
    NODE_REQUEST_UNKNOWN,
    NODE_REQUEST_ANSWERED,
    NODE_REQUEST_FAILED,
    NODE_REQUEST_LEFT,
} message_kind_t;

/* Another node. */
typedef struct peer {
    struct peer *next;
    node_id_t id;
    uint64_t silent_beats; /* our own heartbeats since it was heard */
    presence_peer_t presence;
} peer_t;

/* Takes `adapter` over, also when it fails. NULL when memory ran out. */
cluster_t *cluster_new(core_t *core, adapter_t *adapter, uint64_t down_ms);
/* The others learn that this node has gone; NULL is allowed. */
void cluster_free(cluster_t *cluster);

/* Whether a node is there and can be reached. */
bool cluster_reaches(const cluster_t *cluster, node_id_t node);

/* A message to be written into the buffer that this returns, and sent by cluster_send: to one node, or with 0
 * to all others. False if it is lost for sure. */
phx_buf_t *cluster_begin(cluster_t *cluster, message_kind_t kind);
bool cluster_send(cluster_t *cluster, node_id_t to);

#endif
