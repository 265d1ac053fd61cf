/* SPDX-License-Identifier: MIT */
#include "cluster.h"

#include <stdlib.h>

#include "container.h"
#include "lp_remote.h"
#include "phx/json.h"
#include "presence.h"

enum {
    LONGEST_HEARTBEAT_MS = 1500,
    LEAST_BEATS_TO_BE_DOWN = 5,
    MAX_PEERS = 1000,
};

struct cluster {
    core_t *core;
    adapter_t *adapter; /* owned */
    peer_t *peers;
    size_t peer_count;
    bool linked;
    uint64_t heartbeat_ms;
    uint64_t beats_to_be_down;
    loop_timer_t heartbeat;
    phx_buf_t out;
#ifdef PHXS_FAULTS
    phx_buf_t waits; /* CLUSTER_LAST_WAITS */
#endif
};

/* ---- sending ---- */

phx_buf_t *cluster_begin(cluster_t *cluster, message_kind_t kind)
{
    phx_buf_clear(&cluster->out);
    wire_put_u64(&cluster->out, cluster->core->node);
    phx_buf_append_byte(&cluster->out, (uint8_t)kind);
    return &cluster->out;
}

bool cluster_send(cluster_t *cluster, node_id_t to)
{
    enum { KEEP_BYTES = 1 << 16 };
    bool sent = !cluster->out.failed &&
                cluster->adapter->ops->send(cluster->adapter, to, phx_buf_slice(&cluster->out));
    if (cluster->out.cap > KEEP_BYTES) {
        phx_buf_free(&cluster->out);
        cluster->out = (phx_buf_t){0};
    }
    return sent;
}

static void put_broadcast(cluster_t *cluster, const broadcast_t *broadcast)
{
    phx_buf_t *out = cluster_begin(cluster, NODE_BROADCAST);
    wire_put(out, broadcast->topic);
    wire_put(out, broadcast->event);
    phx_buf_append_byte(out, (uint8_t)broadcast->payload.form);
    wire_put(out, broadcast->payload.data);
}

#ifdef PHXS_FAULTS
static bool stays(const core_t *core, const broadcast_t *broadcast)
{
    switch (core->fault) {
    case FAULT_CLUSTER_MUTE:
        return true;
    case FAULT_CLUSTER_TEXT_ONLY:
        return broadcast->payload.form == PHX_BINARY;
    case FAULT_CLUSTER_FROM_STAYS:
        return core->fault_sender != NULL;
    case FAULT_CLUSTER_DISCONNECT_STAYS:
        return phx_slice_equals(broadcast->event, "disconnect");
    default:
        return false;
    }
}

/* Whether it is the first of two, which goes behind the second. */
static bool waits(cluster_t *cluster)
{
    const bool first = has_fault(cluster->core, FAULT_CLUSTER_LAST_WAITS) && cluster->waits.len == 0;
    if (first) {
        phx_buf_append_slice(&cluster->waits, phx_buf_slice(&cluster->out));
    }
    return first;
}

static void relay_badly(cluster_t *cluster, const broadcast_t *broadcast)
{
    core_t *core = cluster->core;
    put_broadcast(cluster, broadcast);
    if (stays(core, broadcast) || waits(cluster)) {
        return;
    }
    cluster_send(cluster, 0);
    if (has_fault(core, FAULT_CLUSTER_TWICE)) {
        put_broadcast(cluster, broadcast);
        cluster_send(cluster, 0);
    } else if (has_fault(core, FAULT_CLUSTER_ECHO)) {
        pubsub_deliver(core->pubsub, NULL, broadcast);
    } else if (has_fault(core, FAULT_CLUSTER_LAST_WAITS)) {
        phx_buf_clear(&cluster->out);
        phx_buf_append_slice(&cluster->out, phx_buf_slice(&cluster->waits));
        phx_buf_clear(&cluster->waits);
        cluster_send(cluster, 0);
    }
}
#endif

static void relay(void *user, const broadcast_t *broadcast)
{
    cluster_t *cluster = user;
    if (!cluster->linked) {
        return; /* CLU-06 */
    }
#ifdef PHXS_FAULTS
    relay_badly(cluster, broadcast);
#else
    put_broadcast(cluster, broadcast);
    cluster_send(cluster, 0);
#endif
}

static void send_heartbeat(cluster_t *cluster)
{
    uint64_t clock = presence_clock(cluster->core->presence);
    wire_put_u64(cluster_begin(cluster, NODE_HEARTBEAT), clock);
    cluster_send(cluster, 0);
}

/* ---- peers ---- */

static peer_t **find(cluster_t *cluster, node_id_t id)
{
    peer_t **link = &cluster->peers;
    while (*link != NULL && (*link)->id != id) {
        link = &(*link)->next;
    }
    return link;
}

bool cluster_reaches(const cluster_t *cluster, node_id_t node)
{
    return cluster->linked && *find((cluster_t *)cluster, node) != NULL;
}

/* The node; one not known yet is answered by a heartbeat, so that it knows this one. NULL when memory ran
 * out.
 */
static peer_t *heard(cluster_t *cluster, node_id_t id)
{
    peer_t **link = find(cluster, id);
    bool new = *link == NULL;
    if (new && cluster->peer_count < MAX_PEERS) {
        *link = calloc(1, sizeof(**link));
    }
    peer_t *peer = *link;
    if (peer == NULL) {
        return NULL;
    }
    peer->silent_beats = 0;
    if (new) {
        peer->id = id;
        cluster->peer_count++;
        send_heartbeat(cluster);
    }
    return peer;
}

static void gone(cluster_t *cluster, peer_t **link)
{
    peer_t *peer = *link;
    *link = peer->next;
    cluster->peer_count--;
    lp_remote_peer_gone(cluster->core->lp_remote, peer->id);
    presence_peer_gone(cluster->core->presence, peer);
    free(peer);
}

/* A peer's silence is counted in our own heartbeats, not in milliseconds: when this process stood still, what
 * the peer said may lie there unread. */
static void heartbeat_due(loop_timer_t *timer)
{
    cluster_t *cluster = CONTAINER_OF(timer, cluster_t, heartbeat);
    core_t *core = cluster->core;
    send_heartbeat(cluster);
    for (peer_t **link = &cluster->peers; *link != NULL;) {
        if ((*link)->silent_beats++ >= cluster->beats_to_be_down) {
            gone(cluster, link); /* CLU-10 */
        } else {
            link = &(*link)->next;
        }
    }
    timers_start(core->timers, timer, cluster->heartbeat_ms, heartbeat_due);
    tasks_run(&core->tasks);
}

/* ---- receiving ---- */

static void deliver(core_t *core, wire_t *wire)
{
    broadcast_t broadcast = {.topic = wire_get(wire), .event = wire_get(wire)};
    broadcast.payload.form = wire_u8(wire) == PHX_BINARY ? PHX_BINARY : PHX_TEXT;
    broadcast.payload.data = wire_get(wire);
    if (wire->bad) {
        return;
    }
    /* An application reads payloads as checked ones. */
    if (broadcast.payload.form == PHX_TEXT &&
        phx_json_check(broadcast.payload.data, &broadcast.payload.data, NULL) != 0) {
        return;
    }
#ifdef PHXS_FAULTS
    core->fault_afar = true;
#endif
    if (!has_fault(core, FAULT_CLUSTER_DEAF)) {
        pubsub_deliver(core->pubsub, NULL, &broadcast); /* who cannot be written to does not matter there */
    }
#ifdef PHXS_FAULTS
    core->fault_afar = false;
#endif
}

static void received(void *user, phx_slice_t message)
{
    cluster_t *cluster = user;
    core_t *core = cluster->core;
    wire_t wire = {.left = message};
    node_id_t from = wire_u64(&wire);
    message_kind_t kind = (message_kind_t)wire_u8(&wire);
    if (wire.bad || from == 0 || from == core->node) {
        return;
    }
    if (kind == NODE_GOODBYE) {
        peer_t **link = find(cluster, from);
        if (*link != NULL) {
            gone(cluster, link);
        }
        tasks_run(&core->tasks);
        return;
    }
    peer_t *peer = heard(cluster, from);
    if (peer == NULL) {
        return;
    }
    switch (kind) {
    case NODE_BROADCAST:
        deliver(core, &wire);
        break;
    case NODE_HEARTBEAT:
    case NODE_PRESENCE_DELTA:
    case NODE_PRESENCE_ASK:
    case NODE_PRESENCE_STATE:
        presence_heard(core->presence, peer, kind, &wire);
        break;
    default:
        lp_remote_heard(core->lp_remote, from, kind, &wire);
    }
    tasks_run(&core->tasks);
}

static void linked(void *user, bool up)
{
    cluster_t *cluster = user;
    core_t *core = cluster->core;
    cluster->linked = up;
    for (peer_t *peer = cluster->peers; peer != NULL; peer = peer->next) {
        peer->presence.asked_ms = 0;
    }
    if (up) {
        send_heartbeat(cluster);
    } else {
        lp_remote_unlinked(core->lp_remote);
    }
    tasks_run(&core->tasks);
}

/* ---- life ---- */

cluster_t *cluster_new(core_t *core, adapter_t *adapter, uint64_t down_ms)
{
    cluster_t *cluster = calloc(1, sizeof(*cluster));
    if (cluster == NULL) {
        adapter->ops->free(adapter);
        return NULL;
    }
    cluster->core = core;
    cluster->adapter = adapter;
    cluster->heartbeat_ms = down_ms / LEAST_BEATS_TO_BE_DOWN;
    if (cluster->heartbeat_ms > LONGEST_HEARTBEAT_MS) {
        cluster->heartbeat_ms = LONGEST_HEARTBEAT_MS;
    }
    cluster->beats_to_be_down = down_ms / cluster->heartbeat_ms;
    adapter->user = cluster;
    adapter->received = received;
    adapter->linked = linked;
    if (!timers_start(core->timers, &cluster->heartbeat, cluster->heartbeat_ms, heartbeat_due)) {
        cluster_free(cluster);
        return NULL;
    }
    pubsub_relay(core->pubsub, relay, cluster);
    return cluster;
}

void cluster_free(cluster_t *cluster)
{
    if (cluster == NULL) {
        return;
    }
    pubsub_relay(cluster->core->pubsub, NULL, NULL);
    timers_stop(cluster->core->timers, &cluster->heartbeat);
    cluster_begin(cluster, NODE_GOODBYE);
    cluster_send(cluster, 0);
    cluster->adapter->ops->free(cluster->adapter);
    while (cluster->peers != NULL) {
        peer_t *peer = cluster->peers;
        cluster->peers = peer->next;
        presence_peer_gone(cluster->core->presence, peer);
        free(peer);
    }
    phx_buf_free(&cluster->out);
#ifdef PHXS_FAULTS
    phx_buf_free(&cluster->waits);
#endif
    free(cluster);
}
