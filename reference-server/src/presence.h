/* SPDX-License-Identifier: MIT */
/*
 * Presence: what the channels of this node track, and what is known of other nodes (section 9). The public
 * calls are in phxspec/server.h.
 *
 * Subscribers hear of this node's changes at once, of another node's as it tells them (CLU-09).
 */
#ifndef PRESENCE_H
#define PRESENCE_H

#include "cluster.h"

/* NULL when memory or randomness ran out. */
presence_t *presence_new(core_t *core, uint64_t seed);
/* All channels must have gone. NULL is allowed. */
void presence_free(presence_t *presence);

/* This node's subscribers hear nothing any more: the server shuts down. Other nodes still do. */
void presence_mute(presence_t *presence);

/* The count of this node's changes, all of which the others have been told. */
uint64_t presence_clock(presence_t *presence);
/* What another node says (NODE_HEARTBEAT, NODE_PRESENCE_*). */
void presence_heard(presence_t *presence, peer_t *peer, message_kind_t kind, wire_t *wire);
/* Another node is down: its entries leave (CLU-10). */
void presence_peer_gone(presence_t *presence, peer_t *peer);

/* A channel has ended, in whatever way, and does not listen any more: all it tracked leaves (PRES-06). */
void presence_channel_ended(presence_t *presence, phxs_channel_t *channel, phxs_end_t why);

#endif
