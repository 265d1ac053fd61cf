/* SPDX-License-Identifier: MIT */
/*
 * Presence on several nodes (CLU-09, CLU-10). Each node owns the entries of its channels and counts their
 * changes. It tells the others what changed, from which count to which; one who missed something sees that by
 * the counts, and asks for all.
 */
#ifndef PRESENCE_SYNC_H
#define PRESENCE_SYNC_H

#include "core.h"
#include "presence_store.h"
#include "wire.h"

struct peer;

/* What is known of another node's entries. Zero-initialise: a node begins with none, and count 0. */
typedef struct presence_peer {
    presence_owner_t entries;
    uint64_t clock;
    uint64_t asked_ms; /* when it was last asked for all; 0: not since it was told */
} presence_peer_t;

typedef struct presence_sync {
    core_t *core;
    presence_store_t *store; /* borrowed */
    phx_buf_t delta;         /* not told yet */
    uint64_t clock;          /* changes so far */
    uint64_t told;           /* of them */
    loop_timer_t flush;
} presence_sync_t;

void presence_sync_init(presence_sync_t *sync, core_t *core, presence_store_t *store);
void presence_sync_fini(presence_sync_t *sync);

/* An entry of this node has come, or is about to go. */
void presence_sync_added(presence_sync_t *sync, const presence_entry_t *entry);
void presence_sync_removed(presence_sync_t *sync, const presence_entry_t *entry);
/* Tells what has not been told. */
void presence_sync_flush(presence_sync_t *sync);

/* What the other node said; its entries change, which is still to be told here. */
void presence_sync_heartbeat(presence_sync_t *sync, struct peer *peer, uint64_t clock);
void presence_sync_delta(presence_sync_t *sync, struct peer *peer, wire_t *wire);
void presence_sync_state(presence_sync_t *sync, struct peer *peer, wire_t *wire);
void presence_sync_asked(presence_sync_t *sync, const struct peer *peer);
void presence_sync_peer_gone(presence_sync_t *sync, struct peer *peer);

#endif
