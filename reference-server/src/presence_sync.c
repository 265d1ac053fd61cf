/* SPDX-License-Identifier: MIT */
#include "presence_sync.h"

#include "cluster.h"
#include "container.h"
#include "phx/json.h"

enum {
    /* Changes gather this long, so that a node that loses a thousand clients does not send a thousand
     * messages.
     */
    FLUSH_MS = 20,
    ASK_AGAIN_MS = 2000,
};

enum op { OP_ADD = 1, OP_REMOVE };

void presence_sync_init(presence_sync_t *sync, core_t *core, presence_store_t *store)
{
    *sync = (presence_sync_t){.core = core, .store = store};
}

void presence_sync_fini(presence_sync_t *sync)
{
    if (timer_running(&sync->flush)) {
        timers_stop(sync->core->timers, &sync->flush);
    }
    phx_buf_free(&sync->delta);
}

/* ---- this node's changes ---- */

static void put_entry(phx_buf_t *out, const presence_entry_t *entry)
{
    wire_put(out, presence_entry_topic(entry));
    wire_put(out, presence_entry_key(entry));
    wire_put(out, presence_entry_ref(entry));
    wire_put(out, entry->meta);
}

static void flush_due(loop_timer_t *timer)
{
    presence_sync_flush(CONTAINER_OF(timer, presence_sync_t, flush));
}

static void count_change(presence_sync_t *sync)
{
    sync->clock++;
    if (!timer_running(&sync->flush)) {
        timers_start(sync->core->timers, &sync->flush, FLUSH_MS,
                     flush_due); /* else: with the next heartbeat */
    }
}

void presence_sync_added(presence_sync_t *sync, const presence_entry_t *entry)
{
    if (sync->core->cluster == NULL || has_fault(sync->core, FAULT_CLUSTER_PRESENCE_MUTE)) {
        return;
    }
    phx_buf_append_byte(&sync->delta, OP_ADD);
    put_entry(&sync->delta, entry);
    count_change(sync);
}

void presence_sync_removed(presence_sync_t *sync, const presence_entry_t *entry)
{
    if (sync->core->cluster == NULL || has_fault(sync->core, FAULT_CLUSTER_PRESENCE_MUTE) ||
        has_fault(sync->core, FAULT_CLUSTER_PRESENCE_GHOSTS)) {
        return;
    }
    phx_buf_append_byte(&sync->delta, OP_REMOVE);
    wire_put(&sync->delta, presence_entry_ref(entry));
    count_change(sync);
}

void presence_sync_flush(presence_sync_t *sync)
{
    if (sync->core->cluster == NULL || sync->told == sync->clock) {
        return;
    }
    /* A delta that got lost, to whatever it was, is missed by its count: whoever does so asks. */
    if (!sync->delta.failed) {
        phx_buf_t *out = cluster_begin(sync->core->cluster, NODE_PRESENCE_DELTA);
        wire_put_u64(out, sync->told);
        wire_put_u64(out, sync->clock);
        phx_buf_append_slice(out, phx_buf_slice(&sync->delta));
        cluster_send(sync->core->cluster, 0);
    }
    sync->told = sync->clock;
    phx_buf_free(&sync->delta);
    sync->delta = (phx_buf_t){0};
}

void presence_sync_asked(presence_sync_t *sync, const peer_t *peer)
{
    presence_sync_flush(sync);
    phx_buf_t *out = cluster_begin(sync->core->cluster, NODE_PRESENCE_STATE);
    wire_put_u64(out, sync->clock);
    for (const presence_entry_t *entry = NULL; (entry = presence_store_next(sync->store, entry)) != NULL;) {
        if (entry->here) {
            put_entry(out, entry);
        }
    }
    cluster_send(sync->core->cluster, peer->id);
}

/* ---- another node's ---- */

static void ask(presence_sync_t *sync, peer_t *peer)
{
    uint64_t now = timers_now(sync->core->timers);
    if (peer->presence.asked_ms != 0 && now - peer->presence.asked_ms < ASK_AGAIN_MS) {
        return;
    }
    cluster_begin(sync->core->cluster, NODE_PRESENCE_ASK);
    if (cluster_send(sync->core->cluster, peer->id)) {
        peer->presence.asked_ms = now > 0 ? now : 1;
    }
}

void presence_sync_heartbeat(presence_sync_t *sync, peer_t *peer, uint64_t clock)
{
    if (clock != peer->presence.clock) {
        ask(sync, peer);
    }
}

/* Returns the entry; NULL when memory ran out, or it is none. */
static presence_entry_t *add_entry(presence_sync_t *sync, peer_t *peer, wire_t *wire)
{
    phx_slice_t topic = wire_get(wire);
    phx_slice_t key = wire_get(wire);
    phx_slice_t ref = wire_get(wire);
    phx_slice_t meta = wire_get(wire);
    phx_slice_t object;
    if (wire->bad || ref.len == 0 || !phx_utf8_valid(key) || phx_json_check(meta, &object, NULL) != 0 ||
        phx_json_kind(object) != PHX_JSON_OBJECT) {
        return NULL;
    }
    presence_entry_t *entry = presence_store_by_ref(sync->store, ref);
    return entry != NULL ? entry
                         : presence_store_add(sync->store, &peer->presence.entries, topic, key, ref, meta);
}

static bool apply(presence_sync_t *sync, peer_t *peer, wire_t *wire)
{
    if (wire_u8(wire) == OP_ADD) {
        return add_entry(sync, peer, wire) != NULL;
    }
    presence_entry_t *entry = presence_store_by_ref(sync->store, wire_get(wire));
    if (entry != NULL && !entry->here) {
        presence_store_remove(sync->store, entry);
    }
    return !wire->bad;
}

void presence_sync_delta(presence_sync_t *sync, peer_t *peer, wire_t *wire)
{
    uint64_t from = wire_u64(wire);
    uint64_t to = wire_u64(wire);
    if (wire->bad || to <= peer->presence.clock) {
        return; /* told already, by a state that overtook it */
    }
    bool whole = from == peer->presence.clock;
    while (whole && wire_more(wire)) {
        whole = apply(sync, peer, wire);
    }
    if (whole && !wire->bad) {
        peer->presence.clock = to;
    } else {
        ask(sync, peer);
    }
}

void presence_sync_state(presence_sync_t *sync, peer_t *peer, wire_t *wire)
{
    presence_owner_t *entries = &peer->presence.entries;
    uint64_t clock = wire_u64(wire);
    bool whole = true;
    for (presence_entry_t *entry = entries->first; entry != NULL; entry = entry->owner_next) {
        entry->seen = false;
    }
    while (whole && wire_more(wire)) {
        presence_entry_t *entry = add_entry(sync, peer, wire);
        whole = entry != NULL;
        if (whole) {
            entry->seen = true;
        }
    }
    if (!whole || wire->bad) {
        return; /* the next heartbeat asks again */
    }
    for (presence_entry_t *entry = entries->first, *next; entry != NULL; entry = next) {
        next = entry->owner_next;
        if (!entry->seen) {
            presence_store_remove(sync->store, entry);
        }
    }
    peer->presence.clock = clock;
    peer->presence.asked_ms = 0;
}

void presence_sync_peer_gone(presence_sync_t *sync, peer_t *peer)
{
    while (peer->presence.entries.first != NULL) {
        presence_store_remove(sync->store, peer->presence.entries.first);
    }
}
