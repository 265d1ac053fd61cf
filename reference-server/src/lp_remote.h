/* SPDX-License-Identifier: MIT */
/*
 * Requests for long-poll sessions of other nodes (LP-END-05, CLU-11). The id of a session names its node;
 * this one hands the request over, and the answer back.
 */
#ifndef LP_REMOTE_H
#define LP_REMOTE_H

#include "cluster.h"
#include "session.h"

/* Answers a request whose session turned out not to be there. */
typedef void (*lp_lost_t)(connection_t *connection, mount_t *mount, sessions_t *sessions);

/* NULL when memory ran out. */
lp_remote_t *lp_remote_new(core_t *core, sessions_t *sessions, uint64_t seed);
/* All connections must have gone. NULL is allowed. */
void lp_remote_free(lp_remote_t *remote);

typedef struct lp_forward {
    message_kind_t kind; /* NODE_POLL, NODE_POST */
    mount_t *mount;
    const uint8_t *id; /* of the session, LP_ID_BYTES */
    phx_slice_t token;
    bool batch; /* NODE_POST */
    lp_lost_t lost;
} lp_forward_t;

/* Hands the request of a connection over to the session's node. False if that cannot be: no such node is
 * known here. */
bool lp_remote_forward(lp_remote_t *remote, connection_t *connection, const lp_forward_t *forward);

/* What another node says about requests. */
void lp_remote_heard(lp_remote_t *remote, node_id_t from, message_kind_t kind, wire_t *wire);
/* A node has gone, or all of them cannot be reached: what waits for them, or they for, is over. */
void lp_remote_peer_gone(lp_remote_t *remote, node_id_t node);
void lp_remote_unlinked(lp_remote_t *remote);

#endif
