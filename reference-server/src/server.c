/* SPDX-License-Identifier: MIT */
#include "phxspec/server.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carrier.h"
#include "cluster.h"
#include "connection.h"
#include "container.h"
#include "longpoll.h"
#include "lp_remote.h"
#include "presence.h"
#include "redis.h"
#include "redis_url.h"
#include "session.h"
#include "tls_files.h"
#include "websocket.h"

enum {
    MAX_HEAD_BYTES = 64 * 1024,
    MAX_HEADERS = 100,
    DEFAULT_MAX_QUEUED_BYTES = 64 << 20,
    DEFAULT_MAX_LONGPOLL_BYTES = 16 << 20,
    DEFAULT_TOTAL_BYTES = 512 << 20,
    DEFAULT_MAX_SESSIONS = 100000,
    DEFAULT_HEAD_TIMEOUT_MS = 15000,
    DEFAULT_REQUEST_TIMEOUT_MS = 60000,
    DRAIN_GRACE_MS = 5000,
    DEFAULT_PRESENCE_DOWN_MS = 30000,
    LEAST_PRESENCE_DOWN_MS = 100,
};

struct phxs_server {
    core_t core;
    connection_owner_t owner;
    carrier_t *carrier;
    sessions_t sessions;
    bool sessions_ready;
    mount_t *mounts;
    loop_timer_t drain_deadline;
    void (*drained)(void *user);
    void *drained_user;
    char node[128];
};

void phxs_mount_defaults(phxs_mount_config_t *config)
{
    *config = (phxs_mount_config_t){
        .websocket = true,
        .longpoll = true,
        .websocket_timeout_ms = 60000,
        .max_frame_bytes = 10000000,
        .longpoll_window_ms = 10000,
        .longpoll_pubsub_timeout_ms = 2000,
        .token_max_age_s = 1209600,
        .max_body_bytes = 8000000,
        .max_channels = 100,
        .check_origin = true,
    };
}

/* ---- requests ---- */

static phxs_server_t *server_of(connection_owner_t *owner)
{
    return CONTAINER_OF(owner, phxs_server_t, owner);
}

/* The path without empty segments (WS-CONN-02). */
static void normalize(phx_slice_t path, phx_buf_t *out)
{
    for (size_t i = 0; i < path.len; i++) {
        bool slash = path.data[i] == '/';
        if (!slash || (i + 1 < path.len && path.data[i + 1] != '/')) {
            phx_buf_append_byte(out, (uint8_t)path.data[i]);
        }
    }
}

/* What follows the mount's path, if it has it as a prefix of whole segments. */
static bool below(const mount_t *mount, phx_slice_t path, phx_slice_t *rest)
{
    size_t len = strlen(mount->path);
    if (path.len < len || memcmp(path.data, mount->path, len) != 0) {
        return false;
    }
    *rest = (phx_slice_t){path.data + len, path.len - len};
    return true;
}

static void handle_request(connection_t *connection, const http_request_t *request)
{
    phxs_server_t *server = server_of(connection_owner(connection));
    phx_buf_t path = {0};
    phx_slice_t rest;
    normalize(request->path, &path);
    for (mount_t *mount = server->mounts; mount != NULL; mount = mount->next) {
        if (!below(mount, phx_buf_slice(&path), &rest)) {
            continue;
        }
        bool websocket = mount->config.websocket && phx_slice_equals(rest, "/websocket");
        bool longpoll = mount->config.longpoll && phx_slice_equals(rest, "/longpoll");
        if (websocket || longpoll) {
            phx_buf_free(&path);
            if (websocket) {
                websocket_request(connection, mount);
            } else {
                longpoll_request(connection, mount, &server->sessions);
            }
            return;
        }
    }
    phx_buf_free(&path);
    connection_answer_text(connection, 404, "not found");
}

/* ---- drain ---- */

static void finish_drain(phxs_server_t *server)
{
    void (*drained)(void *) = server->drained;
    server->drained = NULL;
    timers_stop(server->core.timers, &server->drain_deadline);
    if (drained != NULL) {
        drained(server->drained_user);
    }
}

static void connection_gone(connection_owner_t *owner)
{
    if (owner->draining && owner->first == NULL) {
        finish_drain(server_of(owner));
    }
}

static void drain_too_slow(loop_timer_t *timer)
{
    finish_drain(CONTAINER_OF(timer, phxs_server_t, drain_deadline));
}

void phxs_server_drain(phxs_server_t *server, void (*drained)(void *user), void *user)
{
    if (server->owner.draining) {
        return;
    }
    server->drained = drained;
    server->drained_user = user;
    server->owner.draining = true;
    carrier_stop_listening(server->carrier);
    uint64_t longest = 0; /* a poll may wait this long yet */
    for (const mount_t *mount = server->mounts; mount != NULL; mount = mount->next) {
        if (mount->config.longpoll_window_ms > longest) {
            longest = mount->config.longpoll_window_ms;
        }
    }
    timers_start(server->core.timers, &server->drain_deadline, longest + DRAIN_GRACE_MS, drain_too_slow);
    presence_mute(server->core.presence); /* who listens here is told to go */
    sessions_end(&server->sessions);
    connections_drain(&server->owner);
    tasks_run(&server->core.tasks);
    if (server->owner.first == NULL) {
        finish_drain(server);
    }
}

bool phxs_release_known(const char *release)
{
    rules_t rules;
    return rules_of(release, &rules);
}

#ifdef PHXS_FAULTS
bool phxs_server_break(phxs_server_t *server, const char *name)
{
    server->core.fault = faults_named(name);
    if (has_fault(&server->core, FAULT_BATCH_OF_TEN)) {
        server->core.rules.batch_limit = 10;
    }
    return server->core.fault != FAULT_NONE;
}
#endif

/* ---- mounts ---- */

static void strings_free(char **strings)
{
    for (char **s = strings; s != NULL && *s != NULL; s++) {
        free(*s);
    }
    free(strings);
}

/* A copy of a NULL-terminated list; NULL stays NULL. Returns false when memory ran out. */
static bool strings_copy(const char *const *strings, char ***copy)
{
    size_t count = 0;
    if (strings == NULL) {
        return true;
    }
    while (strings[count] != NULL) {
        count++;
    }
    *copy = calloc(count + 1, sizeof(**copy));
    for (size_t i = 0; *copy != NULL && i < count; i++) {
        (*copy)[i] = strdup(strings[i]);
        if ((*copy)[i] == NULL) {
            return false;
        }
    }
    return *copy != NULL;
}

static void mount_free(mount_t *mount)
{
    strings_free(mount->origins);
    strings_free(mount->subprotocols);
    free(mount->path);
    free(mount);
}

int phxs_server_mount(phxs_server_t *server, const char *path, const phxs_mount_config_t *config,
                      const phxs_socket_handler_t *handler, void *app)
{
    phx_buf_t clean = {0};
    mount_t *mount = calloc(1, sizeof(*mount));
    if (mount == NULL) {
        return PHX_ENOMEM;
    }
    mount->core = &server->core;
    mount->handler = handler;
    mount->app = app;
    mount->config = *config;
    mount->config.auth_token = config->auth_token && server->core.rules.auth_token;
    mount->config.max_channels = server->core.rules.channel_limit ? config->max_channels : 0;
    faults_bend_mount(&server->core, &mount->config);
    normalize(phx_slice_of(path), &clean);
    phx_buf_append_byte(&clean, '\0');
    mount->path = clean.data;
    if (clean.failed || !strings_copy(mount->config.origins, &mount->origins) ||
        !strings_copy(config->subprotocols, &mount->subprotocols)) {
        mount_free(mount);
        return PHX_ENOMEM;
    }
    mount->config.origins = (const char *const *)mount->origins;
    mount->config.subprotocols = (const char *const *)mount->subprotocols;
    if (config->max_body_bytes > server->owner.limits.max_body_bytes) {
        server->owner.limits.max_body_bytes = config->max_body_bytes;
    }
    mount_t **link = &server->mounts;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = mount;
    return 0;
}

/* ---- limits ---- */

/* Drops those who leave most unread, until a quarter of what all may is free again: then there is some time
 * to the next search for them. */
static void shed(core_t *core)
{
    phxs_server_t *server = core->server;
    const size_t enough = core->queued.max - core->queued.max / 4;
    while (core->queued.used > enough) {
        const size_t of_connections = carrier_largest_queue(server->carrier);
        const size_t of_sessions = sessions_largest_queue(&server->sessions);
        const size_t largest = of_connections > of_sessions ? of_connections : of_sessions;
        if (largest == 0) {
            return;
        }
        carrier_abort_slow(server->carrier, largest / 2 + 1);
        sessions_end_slow(&server->sessions, largest / 2 + 1);
    }
}

static size_t or_default(size_t configured, size_t otherwise)
{
    return configured > 0 ? configured : otherwise;
}

/* ---- life ---- */

static bool start_core(phxs_server_t *server, uv_loop_t *loop, const phxs_config_t *config)
{
    uint64_t seed;
    node_id_t node;
    if (RAND_bytes((unsigned char *)&seed, sizeof(seed)) != 1 ||
        RAND_bytes((unsigned char *)&node, sizeof(node)) != 1) {
        return false;
    }
    server->core.node = node | 1; /* 0 is no node */
    server->core.server = server;
    server->core.max_longpoll_bytes = or_default(config->max_longpoll_bytes, DEFAULT_MAX_LONGPOLL_BYTES);
    server->core.max_waiting_bytes = or_default(config->max_queued_bytes, DEFAULT_MAX_QUEUED_BYTES);
    server->core.max_sessions = or_default(config->max_sessions, DEFAULT_MAX_SESSIONS);
    server->core.queued.max = or_default(config->max_total_queued_bytes, DEFAULT_TOTAL_BYTES);
    server->core.received.max = or_default(config->max_total_received_bytes, DEFAULT_TOTAL_BYTES);
    server->core.secure = config->tls_cert != NULL;
    server->core.shed = shed;
    server->core.timers = timers_new(loop);
    server->core.pubsub = pubsub_new(seed);
    server->core.presence = presence_new(&server->core, seed);
    server->sessions_ready = sessions_init(&server->sessions, config->secret, seed);
    server->core.lp_remote = lp_remote_new(&server->core, &server->sessions, seed);
    return server->core.timers != NULL && server->core.pubsub != NULL && server->core.presence != NULL &&
           server->core.lp_remote != NULL && server->sessions_ready;
}

static uint64_t presence_down_ms(const phxs_config_t *config)
{
    return config->presence_down_ms > 0 ? config->presence_down_ms : DEFAULT_PRESENCE_DOWN_MS;
}

static bool check_cluster(const phxs_config_t *config, char *error, size_t error_size)
{
    redis_url_t url;
    if (config->redis == NULL) {
        return true;
    }
    if (config->secret == NULL) {
        snprintf(error, error_size, "several nodes need one secret, so that each knows the others' tokens");
        return false;
    }
    if (presence_down_ms(config) < LEAST_PRESENCE_DOWN_MS) {
        snprintf(error, error_size, "presence_down_ms is %llu: heartbeats need %d at least",
                 (unsigned long long)presence_down_ms(config), LEAST_PRESENCE_DOWN_MS);
        return false;
    }
    return redis_url_parse(config->redis, &url, error, error_size);
}

bool phxs_config_check(const phxs_config_t *config, char *error, size_t error_size)
{
    rules_t rules;
    if (!rules_of(config->phoenix, &rules)) {
        snprintf(error, error_size, "the rules of Phoenix %s are not known, but those of " RULES_RANGE,
                 config->phoenix);
        return false;
    }
    if ((config->tls_cert == NULL) != (config->tls_key == NULL)) {
        snprintf(error, error_size, "TLS takes both, a certificate and its key");
        return false;
    }
    if (config->tls_cert != NULL && !tls_files_check(config->tls_cert, config->tls_key, error, error_size)) {
        return false;
    }
    return check_cluster(config, error, error_size);
}

static bool join_cluster(phxs_server_t *server, uv_loop_t *loop, const phxs_config_t *config, char *error,
                         size_t error_size)
{
    core_t *core = &server->core;
    const uint64_t down_ms = presence_down_ms(config);
    const redis_config_t redis = {
        .url = config->redis,
        .cluster = config->cluster != NULL ? config->cluster : "phxspec",
        .node = core->node,
        .down_ms = down_ms,
    };
    if (config->redis == NULL) {
        return true;
    }
    adapter_t *adapter = redis_adapter_new(loop, core->timers, &redis, error, error_size);
    core->cluster = adapter != NULL ? cluster_new(core, adapter, down_ms) : NULL;
    if (adapter != NULL && core->cluster == NULL) {
        snprintf(error, error_size, "memory ran out");
    }
    return core->cluster != NULL;
}

static void name_node(phxs_server_t *server, const char *name)
{
    if (name != NULL) {
        snprintf(server->node, sizeof(server->node), "%s", name);
    } else {
        snprintf(server->node, sizeof(server->node), "phxspec-%ld@%u-%016llx", (long)getpid(),
                 (unsigned)carrier_port(server->carrier), (unsigned long long)server->core.node);
    }
}

phxs_server_t *phxs_server_new(uv_loop_t *loop, const phxs_config_t *config, char *error, size_t error_size)
{
    if (!phxs_config_check(config, error, error_size)) {
        return NULL;
    }
    phxs_server_t *server = calloc(1, sizeof(*server));
    if (server == NULL || !rules_of(config->phoenix, &server->core.rules) ||
        !start_core(server, loop, config)) {
        snprintf(error, error_size, "memory or randomness ran out");
        phxs_server_free(server);
        return NULL;
    }
    server->owner = (connection_owner_t){
        .core = &server->core,
        .limits = {.max_head_bytes = or_default(config->max_head_bytes, MAX_HEAD_BYTES),
                   .max_headers = or_default(config->max_headers, MAX_HEADERS)},
        .head_timeout_ms = or_default(config->head_timeout_ms, DEFAULT_HEAD_TIMEOUT_MS),
        .request_timeout_ms = or_default(config->request_timeout_ms, DEFAULT_REQUEST_TIMEOUT_MS),
        .request = handle_request,
        .gone = connection_gone,
    };
    if (server->owner.head_timeout_ms > server->owner.request_timeout_ms) {
        server->owner.head_timeout_ms = server->owner.request_timeout_ms;
    }
    const carrier_config_t carrier_config = {
        .address = config->address,
        .port = config->port,
        .reuse_port = config->reuse_port,
        .max_connections = config->max_connections,
        .max_queued_bytes = or_default(config->max_queued_bytes, DEFAULT_MAX_QUEUED_BYTES),
        .queued = &server->core.queued,
        .tls_cert = config->tls_cert,
        .tls_key = config->tls_key,
        .tls_timeout_ms = server->owner.head_timeout_ms,
    };
    server->carrier =
        carrier_new(loop, &carrier_config, &CONNECTION_CALLBACKS, &server->owner, error, error_size);
    if (server->carrier == NULL) {
        phxs_server_free(server);
        return NULL;
    }
    if (!join_cluster(server, loop, config, error, error_size)) {
        phxs_server_free(server);
        return NULL;
    }
    name_node(server, config->node_name);
    return server;
}

void phxs_server_free(phxs_server_t *server)
{
    if (server == NULL) {
        return;
    }
    server->drained = NULL;
    if (server->core.presence != NULL) {
        presence_mute(server->core.presence);
    }
    if (server->carrier != NULL) {
        carrier_free(server->carrier);
    }
    if (server->sessions_ready) {
        sessions_fini(&server->sessions);
    }
    while (server->mounts != NULL) {
        mount_t *mount = server->mounts;
        server->mounts = mount->next;
        mount_free(mount);
    }
    lp_remote_free(server->core.lp_remote);
    cluster_free(server->core.cluster);
    presence_free(server->core.presence);
    pubsub_free(server->core.pubsub);
    if (server->core.timers != NULL) {
        timers_free(server->core.timers);
    }
    phx_buf_free(&server->core.scratch);
    free(server);
}

uint16_t phxs_server_port(const phxs_server_t *server)
{
    return carrier_port(server->carrier);
}

const char *phxs_server_node(const phxs_server_t *server)
{
    return server->node;
}

int phxs_server_broadcast(phxs_server_t *server, phx_slice_t topic, phx_slice_t event, phx_payload_t payload)
{
    const broadcast_t broadcast = {topic, event, payload};
    if (has_fault(&server->core, FAULT_CLUSTER_CHANNELS_ONLY)) {
        return pubsub_deliver(server->core.pubsub, NULL, &broadcast);
    }
    return pubsub_broadcast(server->core.pubsub, NULL, &broadcast);
}

void phxs_disconnect(phxs_server_t *server, phx_slice_t id)
{
    phxs_server_broadcast(server, id, PHX_SLICE("disconnect"), PHX_JSON_PAYLOAD("{}"));
}
