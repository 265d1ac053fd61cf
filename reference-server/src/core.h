/* SPDX-License-Identifier: MIT */
/* What every part of one server shares, and the settings of a mount. */
#ifndef CORE_H
#define CORE_H

#include "adapter.h"
#include "budget.h"
#include "faults.h"
#include "phx/bytes.h"
#include "phxspec/server.h"
#include "pubsub.h"
#include "rules.h"
#include "tasks.h"
#include "timers.h"

typedef struct cluster cluster_t;
typedef struct lp_remote lp_remote_t;
typedef struct presence presence_t;

struct core {
    phxs_server_t *server;
    rules_t rules;
    timers_t *timers;
    tasks_t tasks;
    pubsub_t *pubsub;
    presence_t *presence;
    node_id_t node;
    cluster_t *cluster; /* NULL: a node alone */
    lp_remote_t *lp_remote;
    phx_buf_t scratch;        /* for one encoding at a time */
    budget_t received;        /* parts of messages and requests, and what waits to be handled */
    budget_t queued;          /* what waits to be sent, shared bytes counted once */
    size_t max_waiting_bytes; /* of one socket; 0: no limit */
    size_t max_longpoll_bytes;
    size_t max_sessions;
    bool secure; /* all connections speak TLS */
    /* `queued` is exceeded: ends those who have most. */
    void (*shed)(core_t *core);
#ifdef PHXS_FAULTS
    fault_t fault;
    const void *fault_sender; /* the channel that a broadcast leaves out */
    bool fault_afar;          /* what is delivered comes from another node */
#endif
};

static inline bool has_fault(const core_t *core, fault_t fault)
{
#ifdef PHXS_FAULTS
    return core->fault == fault;
#else
    (void)core;
    (void)fault;
    return false;
#endif
}

/* To be called after something was queued. */
static inline void core_check_queued(core_t *core)
{
    if (budget_exceeded(&core->queued)) {
        core->shed(core);
    }
}

typedef struct mount {
    core_t *core;
    struct mount *next;
    phxs_mount_config_t config;
    const phxs_socket_handler_t *handler;
    void *app;
    char *path;
    char **origins; /* what the lists of `config` point to */
    char **subprotocols;
} mount_t;

#endif
