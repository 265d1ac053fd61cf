/* SPDX-License-Identifier: MIT */
/* What every part of one server shares, and the settings of a mount. */
#ifndef CORE_H
#define CORE_H

#include "adapter.h"
#include "phx/bytes.h"
#include "phxspec/server.h"
#include "pubsub.h"
#include "rules.h"
#include "tasks.h"
#include "timers.h"

typedef struct cluster cluster_t;
typedef struct lp_remote lp_remote_t;
typedef struct presence presence_t;

typedef struct core {
    phxs_server_t *server;
    rules_t rules;
    timers_t *timers;
    tasks_t tasks;
    pubsub_t *pubsub;
    presence_t *presence;
    node_id_t node;
    cluster_t *cluster; /* NULL: a node alone */
    lp_remote_t *lp_remote;
    phx_buf_t scratch; /* for one encoding at a time */
    size_t max_longpoll_bytes;
} core_t;

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
