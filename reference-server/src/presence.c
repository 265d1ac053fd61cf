/* SPDX-License-Identifier: MIT */
#include "presence.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#include "channel.h"
#include "phx/json.h"
#include "socket.h"

enum {
    REF_CHARS = 26,
    /* What one channel may track. */
    MAX_KEYS = 1000,
    MAX_BYTES = 256 << 10,
};

struct presence {
    core_t *core;
    presence_store_t *store;
    presence_sync_t sync;
    uint64_t instance; /* makes refs unique among nodes and lives of a node */
    uint64_t last_ref;
    bool muted;
    presence_owner_t ghosts; /* PRESENCE_GHOSTS */
    phx_buf_t meta;
};

presence_t *presence_new(core_t *core, uint64_t seed)
{
    presence_t *presence = calloc(1, sizeof(*presence));
    if (presence == NULL) {
        return NULL;
    }
    presence->core = core;
    presence->store = presence_store_new(seed);
#ifdef PHXS_FAULTS
    presence_store_break(presence->store, core);
#endif
    if (presence->store == NULL ||
        RAND_bytes((unsigned char *)&presence->instance, sizeof(presence->instance)) != 1) {
        presence_free(presence);
        return NULL;
    }
    presence_sync_init(&presence->sync, core, presence->store);
    return presence;
}

void presence_free(presence_t *presence)
{
    if (presence == NULL) {
        return;
    }
    presence_sync_fini(&presence->sync);
    presence_store_free(presence->store);
    phx_buf_free(&presence->meta);
    free(presence);
}

void presence_mute(presence_t *presence)
{
    presence->muted = true;
}

static presence_t *presence_of(const phxs_channel_t *channel)
{
    return channel->socket->mount->core->presence;
}

static int tell(presence_t *presence)
{
    return presence_store_tell(presence->store, presence->muted ? NULL : presence->core->pubsub);
}

/* Under a fault only: nobody is told. */
static int forget(presence_t *presence)
{
    return presence_store_tell(presence->store, NULL);
}

/* The application's meta with its refs set (PRES-03, PRES-04). */
static void stamp(phx_buf_t *out, phx_slice_t meta, const char *ref, phx_slice_t previous)
{
    size_t cursor = 0;
    phx_slice_t name;
    phx_slice_t value;
    phx_buf_clear(out);
    phx_buf_append_text(out, "{\"phx_ref\":");
    phx_json_quote(out, phx_slice_of(ref));
    if (previous.len > 0) {
        phx_buf_append_text(out, ",\"phx_ref_prev\":");
        phx_json_quote(out, previous);
    }
    while (phx_json_next(meta, &cursor, &name, &value)) {
        if (phx_json_is(name, "phx_ref") || phx_json_is(name, "phx_ref_prev")) {
            continue;
        }
        phx_buf_append_byte(out, ',');
        phx_buf_append_slice(out, name);
        phx_buf_append_byte(out, ':');
        phx_buf_append_slice(out, value);
    }
    phx_buf_append_byte(out, '}');
}

static void take_away(presence_t *presence, presence_entry_t *entry)
{
    presence_sync_removed(&presence->sync, entry);
    presence_store_remove(presence->store, entry);
}

static bool too_much(const presence_owner_t *owner, phx_slice_t key, phx_slice_t meta,
                     const presence_entry_t *old)
{
    size_t freed = old != NULL ? key.len + old->meta.len : 0;
    return (old == NULL && owner->count >= MAX_KEYS) || owner->bytes - freed + key.len + meta.len > MAX_BYTES;
}

/* Adds an entry, and takes the one before it (may be NULL) away. */
static int put(phxs_channel_t *channel, phx_slice_t key, phx_slice_t meta, presence_entry_t *old)
{
    presence_t *presence = presence_of(channel);
    char ref[REF_CHARS + 1];
    snprintf(ref, sizeof(ref), "%016llx%010llx", (unsigned long long)presence->instance,
             (unsigned long long)++presence->last_ref & 0xffffffffff);
    const core_t *core = presence->core;
    const phx_slice_t previous = old != NULL ? presence_entry_ref(old) : (phx_slice_t){0};
    const char *shown = has_fault(core, FAULT_PRESENCE_REF_CONSTANT)                   ? "0"
                        : has_fault(core, FAULT_PRESENCE_REF_KEPT) && previous.len > 0 ? previous.data
                                                                                       : ref;
    stamp(&presence->meta, meta, shown,
          has_fault(core, FAULT_PRESENCE_NO_PREVIOUS) ? (phx_slice_t){0} : previous);
    presence_entry_t *entry = NULL;
    if (too_much(&channel->presences, key, phx_buf_slice(&presence->meta), old)) {
        return PHXS_ETOOMUCH;
    }
    if (!presence->meta.failed) {
        entry = presence_store_add(presence->store, &channel->presences, channel->topic, key,
                                   phx_slice_of(ref), phx_buf_slice(&presence->meta));
    }
    if (entry == NULL) {
        return PHX_ENOMEM;
    }
    entry->here = true;
    presence_sync_added(&presence->sync, entry);
    if (old != NULL) {
        take_away(presence, old);
    }
    if (!has_fault(core, FAULT_PRESENCE_NOT_TO_SELF)) {
        return tell(presence);
    }
    pubsub_unsubscribe(core->pubsub, &channel->subscription);
    const int error = tell(presence);
    const int again = pubsub_subscribe(core->pubsub, channel->topic, &channel->subscription);
    return error != 0 ? error : again;
}

/* Under a fault only: the key has no other metas. */
static void take_others_away(presence_t *presence, phx_slice_t topic, phx_slice_t key)
{
    for (presence_entry_t *entry = presence_store_next(presence->store, NULL), *next; entry != NULL;
         entry = next) {
        next = presence_store_next(presence->store, entry);
        if (phx_slice_equal(presence_entry_topic(entry), topic) &&
            phx_slice_equal(presence_entry_key(entry), key)) {
            take_away(presence, entry);
        }
    }
}

static int check(phx_slice_t key, phx_slice_t meta)
{
    if (phx_json_kind(meta) != PHX_JSON_OBJECT) {
        return PHX_ENOTOBJECT;
    }
    return phx_utf8_valid(key) ? 0 : PHX_EUTF8;
}

int phxs_presence_track(phxs_channel_t *channel, phx_slice_t key, phx_slice_t meta)
{
    int error = check(key, meta);
    if (error != 0) {
        return error;
    }
    const core_t *core = presence_of(channel)->core;
    if (channel->state != CHANNEL_JOINED ||
        (presence_owner_find(&channel->presences, channel->topic, key) != NULL &&
         !has_fault(core, FAULT_PRESENCE_TWICE))) {
        return PHXS_ETRACKED; /* PRES-07 */
    }
    if (has_fault(core, FAULT_PRESENCE_ONE_META)) {
        take_others_away(presence_of(channel), channel->topic, key);
    }
    return put(channel, key, meta, NULL);
}

int phxs_presence_update(phxs_channel_t *channel, phx_slice_t key, phx_slice_t meta)
{
    int error = check(key, meta);
    if (error != 0) {
        return error;
    }
    presence_entry_t *old = presence_owner_find(&channel->presences, channel->topic, key);
    return old != NULL ? put(channel, key, meta, old) : PHXS_ENOTTRACKED;
}

int phxs_presence_untrack(phxs_channel_t *channel, phx_slice_t key)
{
    presence_t *presence = presence_of(channel);
    presence_entry_t *entry = presence_owner_find(&channel->presences, channel->topic, key);
    if (entry == NULL) {
        return 0;
    }
    take_away(presence, entry);
    return has_fault(presence->core, FAULT_PRESENCE_UNTRACK_SILENT) ? forget(presence) : tell(presence);
}

int phxs_presence_list(const phxs_channel_t *channel, phx_buf_t *out)
{
    presence_store_list(presence_of(channel)->store, channel->topic, out);
    return out->failed ? PHX_ENOMEM : 0;
}

/* Under a fault only: whether it is not told that what such a channel tracked has left. */
static bool silent(const core_t *core, phxs_end_t why)
{
    const fault_t faults[] = {[PHXS_END_LEFT] = FAULT_PRESENCE_LEAVE_SILENT,
                              [PHXS_END_STOPPED] = FAULT_PRESENCE_STOP_SILENT,
                              [PHXS_END_FAILED] = FAULT_PRESENCE_CRASH_SILENT,
                              [PHXS_END_DUPLICATE] = FAULT_PRESENCE_REJOIN_SILENT,
                              [PHXS_END_TRANSPORT] = FAULT_PRESENCE_LOST_SILENT};
    return has_fault(core, faults[why]);
}

/* Under a fault only: what a channel tracked stays, nobody's. */
static void leave_ghosts(presence_t *presence, const phxs_channel_t *channel)
{
    for (const presence_entry_t *entry = channel->presences.first; entry != NULL; entry = entry->owner_next) {
        char ref[REF_CHARS + 1];
        snprintf(ref, sizeof(ref), "%llx", (unsigned long long)++presence->last_ref);
        (void)presence_store_add(presence->store, &presence->ghosts, presence_entry_topic(entry),
                                 presence_entry_key(entry), phx_slice_of(ref), entry->meta);
    }
    forget(presence);
}

/* What faults do before what a channel tracked leaves. */
static void break_before_end(presence_t *presence, phxs_channel_t *channel, phxs_end_t why)
{
    const bool one = has_fault(presence->core, FAULT_PRESENCE_FIRST_KEY);
    if (has_fault(presence->core, FAULT_PRESENCE_GHOSTS)) {
        leave_ghosts(presence, channel);
    }
    if (one) {
        take_away(presence, channel->presences.first);
        tell(presence);
    }
    while ((one || silent(presence->core, why)) && channel->presences.first != NULL) {
        take_away(presence, channel->presences.first);
    }
    if (channel->presences.first == NULL) {
        forget(presence);
    }
}

void presence_channel_ended(presence_t *presence, phxs_channel_t *channel, phxs_end_t why)
{
    if (channel->presences.first == NULL) {
        return;
    }
    break_before_end(presence, channel, why);
    while (channel->presences.first != NULL) {
        take_away(presence, channel->presences.first);
    }
    tell(presence); /* a diff that cannot be written has nobody to be told of */
}

/* ---- other nodes ---- */

uint64_t presence_clock(presence_t *presence)
{
    presence_sync_flush(&presence->sync);
    return presence->sync.clock;
}

void presence_heard(presence_t *presence, peer_t *peer, message_kind_t kind, wire_t *wire)
{
    presence_sync_t *sync = &presence->sync;
    if (kind != NODE_PRESENCE_ASK && has_fault(presence->core, FAULT_CLUSTER_PRESENCE_DEAF)) {
        return;
    }
    if (kind == NODE_HEARTBEAT) {
        presence_sync_heartbeat(sync, peer, wire_u64(wire));
    } else if (kind == NODE_PRESENCE_ASK) {
        presence_sync_asked(sync, peer);
    } else if (kind == NODE_PRESENCE_DELTA) {
        presence_sync_delta(sync, peer, wire);
    } else if (kind == NODE_PRESENCE_STATE) {
        presence_sync_state(sync, peer, wire);
    }
    if (has_fault(presence->core, FAULT_CLUSTER_PRESENCE_SILENT)) {
        forget(presence);
    }
    tell(presence);
}

void presence_peer_gone(presence_t *presence, peer_t *peer)
{
    presence_sync_peer_gone(&presence->sync, peer);
    tell(presence);
}
