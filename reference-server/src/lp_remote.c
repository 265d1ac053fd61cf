/* SPDX-License-Identifier: MIT */
#include "lp_remote.h"

#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "exchange.h"
#include "lp_answer.h"

/* The windows a POST may take before it counts as lost: every line of a batch has one of its own
 * (LP-POST-09).
 */
enum { POST_WINDOWS = 10 };

/* A request that another node is to answer. */
typedef struct asked {
    table_entry_t entry; /* first: found by its number */
    lp_remote_t *remote;
    connection_t *connection;
    mount_t *mount;
    message_kind_t kind;
    lp_lost_t lost;
    node_id_t node;
    uint64_t number;
    bool taken; /* the session is there */
    loop_timer_t timeout;
    char token[LP_TOKEN_CHARS + 1];
} asked_t;

/* A request of another node that this one is to answer. */
typedef struct answering {
    exchange_t exchange; /* first */
    lp_remote_t *remote;
    struct answering *next;
    struct answering *prev;
    node_id_t node;
    uint64_t number;
    size_t charged; /* in the server's budget for what is received */
    char body[];
} answering_t;

struct lp_remote {
    core_t *core;
    sessions_t *sessions;
    table_t asked;
    uint64_t last_number;
    answering_t *answering;
};

lp_remote_t *lp_remote_new(core_t *core, sessions_t *sessions, uint64_t seed)
{
    lp_remote_t *remote = calloc(1, sizeof(*remote));
    if (remote == NULL || !table_init(&remote->asked, seed)) {
        free(remote);
        return NULL;
    }
    remote->core = core;
    remote->sessions = sessions;
    return remote;
}

/* ---- the node that is asked ---- */

static void reply(const answering_t *answering, message_kind_t kind, phx_slice_t body)
{
    cluster_t *cluster = answering->remote->core->cluster;
    phx_buf_t *out = cluster_begin(cluster, kind);
    wire_put_u64(out, answering->number);
    wire_put(out, body);
    cluster_send(cluster, answering->node);
}

static void answering_free(answering_t *answering)
{
    (void)budget_update(&answering->remote->core->received, &answering->charged, 0);
    if (answering->prev != NULL) {
        answering->prev->next = answering->next;
    } else {
        answering->remote->answering = answering->next;
    }
    if (answering->next != NULL) {
        answering->next->prev = answering->prev;
    }
    free(answering);
}

static void remote_answer(exchange_t *exchange, phx_slice_t body)
{
    answering_t *answering = (answering_t *)exchange;
    reply(answering, NODE_REQUEST_ANSWERED, body);
    answering_free(answering);
}

static void remote_error(exchange_t *exchange, int status)
{
    answering_t *answering = (answering_t *)exchange;
    const char code[] = {(char)(status / 100), (char)(status % 100)};
    reply(answering, NODE_REQUEST_FAILED, (phx_slice_t){code, sizeof(code)});
    answering_free(answering);
}

static answering_t *answering_new(lp_remote_t *remote, node_id_t node, uint64_t number, phx_slice_t body)
{
    static const exchange_ops_t OPS = {remote_answer, remote_error};
    answering_t *answering = calloc(1, sizeof(*answering) + body.len);
    if (answering == NULL) {
        return NULL;
    }
    if (body.len > 0) {
        memcpy(answering->body, body.data, body.len);
    }
    answering->exchange.ops = &OPS;
    answering->exchange.body = (phx_slice_t){answering->body, body.len};
    answering->remote = remote;
    answering->node = node;
    answering->number = number;
    answering->next = remote->answering;
    if (answering->next != NULL) {
        answering->next->prev = answering;
    }
    remote->answering = answering;
    return answering;
}

static void take_up(lp_remote_t *remote, node_id_t node, message_kind_t kind, wire_t *wire)
{
    uint64_t number = wire_u64(wire);
    phx_slice_t id = wire_get(wire);
    bool batch = wire_u8(wire) != 0;
    phx_slice_t body = wire_get(wire);
    answering_t *answering = wire->bad ? NULL : answering_new(remote, node, number, body);
    if (answering == NULL) {
        return;
    }
    core_t *core = remote->core;
    session_t *session =
        has_fault(core, FAULT_CLUSTER_SESSIONS_STAY) ? NULL : session_by_id(remote->sessions, id);
    if (session == NULL) {
        const bool known = has_fault(core, FAULT_CLUSTER_ENDED_LIVES);
        reply(answering, known ? NODE_REQUEST_TAKEN : NODE_REQUEST_UNKNOWN, (phx_slice_t){0}); /* CLU-11 */
        answering_free(answering);
        return;
    }
    if (!budget_update(&core->received, &answering->charged, sizeof(*answering) + body.len)) {
        remote_error(&answering->exchange, 503); /* as to a client of this node */
        return;
    }
    reply(answering, NODE_REQUEST_TAKEN, (phx_slice_t){0});
    if (kind == NODE_POLL && has_fault(core, FAULT_CLUSTER_POLLS_EMPTY)) {
        answering_free(answering);
    } else if (kind == NODE_POLL) {
        session_poll(session, &answering->exchange);
    } else {
        session_post(session, &answering->exchange, batch && !has_fault(core, FAULT_CLUSTER_BATCH_WHOLE));
    }
}

/* The client of a request has gone. */
static void drop_answering(answering_t *answering)
{
    exchange_gone(&answering->exchange);
    answering_free(answering);
}

/* `number` 0: all of the node; `node` 0: all. */
static void drop_all_answering(lp_remote_t *remote, node_id_t node, uint64_t number)
{
    for (answering_t *answering = remote->answering, *next; answering != NULL; answering = next) {
        next = answering->next;
        if ((node == 0 || answering->node == node) && (number == 0 || answering->number == number)) {
            drop_answering(answering);
        }
    }
}

/* ---- the node that asks ---- */

static asked_t *asked_by_number(const lp_remote_t *remote, uint64_t number)
{
    return (asked_t *)table_find(&remote->asked, (phx_slice_t){(const char *)&number, sizeof(number)});
}

/* Returns the connection, which has to be answered. */
static connection_t *asked_free(asked_t *asked)
{
    connection_t *connection = asked->connection;
    timers_stop(asked->remote->core->timers, &asked->timeout);
    table_remove(&asked->remote->asked, &asked->entry);
    free(asked);
    return connection;
}

/* The other node need not answer any more. */
static void tell_left(const asked_t *asked)
{
    cluster_t *cluster = asked->remote->core->cluster;
    wire_put_u64(cluster_begin(cluster, NODE_REQUEST_LEFT), asked->number);
    cluster_send(cluster, asked->node);
}

static void client_gone(void *data)
{
    tell_left(data);
    asked_free(data);
}

/* No session answered: there is none. */
static void lost(asked_t *asked)
{
    mount_t *mount = asked->mount;
    sessions_t *sessions = asked->remote->sessions;
    lp_lost_t answer = asked->lost;
    answer(asked_free(asked), mount, sessions);
}

/* The session is there, or was, but what it answers does not get here: a poll found nothing so far, and
 * whether a POST was taken up is not known (LP-GET-04, LP-POST-09). */
static void unanswered(asked_t *asked)
{
    char token[LP_TOKEN_CHARS + 1];
    memcpy(token, asked->token, sizeof(token));
    bool poll = asked->kind == NODE_POLL;
    connection_t *connection = asked_free(asked);
    if (poll) {
        lp_answer(connection, 204, phx_slice_of(token), (phx_slice_t){0});
    } else {
        lp_answer_status(connection, 408);
    }
}

static void timed_out(loop_timer_t *timer)
{
    asked_t *asked = CONTAINER_OF(timer, asked_t, timeout);
    core_t *core = asked->remote->core;
    tell_left(asked);
    if (asked->taken) {
        unanswered(asked);
    } else {
        lost(asked); /* LP-OPEN-04 */
    }
    tasks_run(&core->tasks);
}

/* The node of a session, as its id names it. */
static node_id_t node_of(const uint8_t *id)
{
    wire_t wire = {.left = {(const char *)id, LP_ID_BYTES}};
    return wire_u64(&wire);
}

bool lp_remote_forward(lp_remote_t *remote, connection_t *connection, const lp_forward_t *forward)
{
    core_t *core = remote->core;
    node_id_t node = node_of(forward->id);
    if (core->cluster == NULL || !cluster_reaches(core->cluster, node)) {
        return false;
    }
    asked_t *asked = calloc(1, sizeof(*asked));
    if (asked == NULL || !timers_start(core->timers, &asked->timeout,
                                       forward->mount->config.longpoll_pubsub_timeout_ms, timed_out)) {
        free(asked);
        return false;
    }
    asked->remote = remote;
    asked->connection = connection;
    asked->mount = forward->mount;
    asked->kind = forward->kind;
    asked->lost = forward->lost;
    asked->node = node;
    asked->number = ++remote->last_number;
    memcpy(asked->token, forward->token.data, forward->token.len);
    asked->entry.key = (phx_slice_t){(const char *)&asked->number, sizeof(asked->number)};
    table_insert(&remote->asked, &asked->entry);

    phx_buf_t *out = cluster_begin(core->cluster, forward->kind);
    wire_put_u64(out, asked->number);
    wire_put(out, (phx_slice_t){(const char *)forward->id, LP_ID_BYTES});
    phx_buf_append_byte(out, forward->batch);
    wire_put(out, forward->kind == NODE_POST ? connection_request(connection)->body : (phx_slice_t){0});
    if (!cluster_send(core->cluster, node)) {
        asked_free(asked);
        return false;
    }
    connection_watch(connection, client_gone, asked);
    return true;
}

static void answered(asked_t *asked, message_kind_t kind, phx_slice_t body)
{
    core_t *core = asked->remote->core;
    uint64_t window = asked->mount->config.longpoll_window_ms;
    switch (kind) {
    case NODE_REQUEST_TAKEN:
        asked->taken = true;
        timers_start(core->timers, &asked->timeout,
                     window * (asked->kind == NODE_POLL ? 1 : POST_WINDOWS) +
                         asked->mount->config.longpoll_pubsub_timeout_ms,
                     timed_out);
        break;
    case NODE_REQUEST_UNKNOWN:
        lost(asked);
        break;
    case NODE_REQUEST_ANSWERED:
        lp_answer_body(asked_free(asked), body);
        break;
    default:
        connection_answer_error(asked_free(asked), body.len == 2 ? body.data[0] * 100 + body.data[1] : 500);
    }
}

/* ---- both ---- */

void lp_remote_heard(lp_remote_t *remote, node_id_t from, message_kind_t kind, wire_t *wire)
{
    if (kind == NODE_POLL || kind == NODE_POST) {
        take_up(remote, from, kind, wire);
        return;
    }
    uint64_t number = wire_u64(wire);
    if (kind == NODE_REQUEST_LEFT && !wire->bad) {
        drop_all_answering(remote, from, number);
        return;
    }
    phx_slice_t body = wire_get(wire);
    asked_t *asked = wire->bad ? NULL : asked_by_number(remote, number);
    if (asked != NULL && asked->node == from && kind >= NODE_REQUEST_TAKEN && kind <= NODE_REQUEST_FAILED) {
        answered(asked, kind, body);
    }
}

/* `node` 0: all. */
static void give_up_asked(lp_remote_t *remote, node_id_t node, bool session_lives)
{
    for (table_entry_t *entry = table_next(&remote->asked, NULL), *next; entry != NULL; entry = next) {
        next = table_next(&remote->asked, entry);
        asked_t *asked = (asked_t *)entry;
        if (node != 0 && asked->node != node) {
            continue;
        }
        if (session_lives && asked->taken) {
            unanswered(asked);
        } else {
            lost(asked);
        }
    }
}

void lp_remote_peer_gone(lp_remote_t *remote, node_id_t node)
{
    drop_all_answering(remote, node, 0);
    give_up_asked(remote, node, false);
}

void lp_remote_unlinked(lp_remote_t *remote)
{
    drop_all_answering(remote, 0, 0); /* what comes meanwhile is kept for the next poll (LP-GET-05) */
    give_up_asked(remote, 0, true);
}

void lp_remote_free(lp_remote_t *remote)
{
    if (remote == NULL) {
        return;
    }
    drop_all_answering(remote, 0, 0);
    table_fini(&remote->asked);
    free(remote);
}
