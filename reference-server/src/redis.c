/* SPDX-License-Identifier: MIT */
#include "redis.h"

#include <hiredis/async.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "redis_url.h"

enum {
    FIRST_RETRY_MS = 50,
    LONGEST_RETRY_MS = 5000,
    CONNECT_TIMEOUT_MS = 5000,
    LONGEST_SILENCE_MS = 5000,
    CHECKS_PER_SILENCE = 4,
    /* What may wait for Redis to take it; more is lost. */
    MAX_WAITING_BYTES = 64 << 20,
    ID_BYTES = 8,
};

typedef enum link_state {
    WAITING,    /* for the time to try again */
    RESOLVING,  /* the name of the host */
    CONNECTING, /* and subscribing */
    LINKED,
} link_state_t;

typedef struct redis redis_t;

/* What hiredis polls with. */
typedef struct watch {
    uv_poll_t poll;
    redisAsyncContext *context; /* NULL: it has gone */
    int events;
} watch_t;

struct redis {
    adapter_t adapter; /* first */
    uv_loop_t *loop;
    timers_t *timers;
    redis_url_t url;
    char *everyone; /* the channel of all nodes; `own` is that of this one */
    char *own;
    size_t everyone_len;
    char id[ID_BYTES]; /* what this node's messages begin with */
    uint64_t silence_ms;

    link_state_t state;
    redisAsyncContext *publisher;
    redisAsyncContext *subscriber;
    int subscribed; /* channels confirmed */
    int unanswered; /* checks since a message of our own came back: so long the link is known to be good */
    uint64_t retry_ms;
    loop_timer_t timer; /* to try again, to give up connecting, to check the link: as the state is */
    struct resolution *resolution;
    size_t waiting_bytes;
    bool overfull; /* since it was logged */
    bool lost;     /* since it was logged */
    bool freeing;
};

/* Outlives the adapter if it is freed meanwhile. */
typedef struct resolution {
    uv_getaddrinfo_t request;
    redis_t *redis; /* NULL: nobody wants to know any more */
} resolution_t;

static void begin(redis_t *redis);
static void give_up(redis_t *redis, const char *why);

static void note(const redis_t *redis, const char *what, const char *why)
{
    (void)fprintf(stderr, "phxspec-server: Redis at %s:%s %s%s\n", redis->url.host, redis->url.port, what,
                  why);
}

/* ---- hiredis on the loop (its own glue overlooks errors of a poll, and so refused connections) ---- */

static void poll_due(uv_poll_t *poll, int status, int events)
{
    const watch_t *watch = CONTAINER_OF(poll, watch_t, poll);
    if (watch->context != NULL && (status != 0 || (events & UV_READABLE) != 0)) {
        redisAsyncHandleRead(watch->context);
    }
    if (watch->context != NULL && (status != 0 || (events & UV_WRITABLE) != 0)) {
        redisAsyncHandleWrite(watch->context);
    }
}

static void poll_for(watch_t *watch, int events)
{
    watch->events = events;
    if (events == 0) {
        uv_poll_stop(&watch->poll);
    } else {
        uv_poll_start(&watch->poll, events, poll_due);
    }
}

static void add_read(void *data)
{
    watch_t *watch = data;
    poll_for(watch, watch->events | UV_READABLE);
}

static void del_read(void *data)
{
    watch_t *watch = data;
    poll_for(watch, watch->events & ~UV_READABLE);
}

static void add_write(void *data)
{
    watch_t *watch = data;
    poll_for(watch, watch->events | UV_WRITABLE);
}

static void del_write(void *data)
{
    watch_t *watch = data;
    poll_for(watch, watch->events & ~UV_WRITABLE);
}

static void watch_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, watch_t, poll));
}

static void cleanup(void *data)
{
    watch_t *watch = data;
    watch->context = NULL;
    uv_close((uv_handle_t *)&watch->poll, watch_closed);
}

static bool attach(redisAsyncContext *context, uv_loop_t *loop)
{
    watch_t *watch = calloc(1, sizeof(*watch));
    if (watch == NULL || uv_poll_init(loop, &watch->poll, context->c.fd) != 0) {
        free(watch);
        return false;
    }
    watch->context = context;
    context->ev.data = watch;
    context->ev.addRead = add_read;
    context->ev.delRead = del_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = del_write;
    context->ev.cleanup = cleanup;
    return true;
}

/* ---- a link that is lost ---- */

/* hiredis calls back while it frees: nobody listens then. */
static void drop(redisAsyncContext **context)
{
    redisAsyncContext *dropped = *context;
    *context = NULL;
    if (dropped != NULL) {
        dropped->data = NULL;
        redisAsyncFree(dropped);
    }
}

static void retry_due(loop_timer_t *timer)
{
    begin(CONTAINER_OF(timer, redis_t, timer));
}

static void drop_link(redis_t *redis)
{
    drop(&redis->publisher);
    drop(&redis->subscriber);
    redis->subscribed = 0;
    redis->waiting_bytes = 0;
    if (redis->resolution != NULL) {
        redis->resolution->redis = NULL;
        uv_cancel((uv_req_t *)&redis->resolution->request);
        redis->resolution = NULL;
    }
}

static void give_up(redis_t *redis, const char *why)
{
    bool was_linked = redis->state == LINKED;
    if (!redis->lost) { /* `why` may belong to what is dropped */
        note(redis,
             was_linked ? "is lost; this node goes on alone until it is back: "
                        : "cannot be reached; this node goes on alone until it can: ",
             why);
    }
    drop_link(redis);
    redis->state = WAITING;
    redis->lost = true;
    timers_start(redis->timers, &redis->timer, redis->retry_ms, retry_due);
    redis->retry_ms = redis->retry_ms * 2 < LONGEST_RETRY_MS ? redis->retry_ms * 2 : LONGEST_RETRY_MS;
    if (was_linked) {
        redis->adapter.linked(redis->adapter.user, false);
    }
}

/* The redis_t of a context that is still in use. */
static redis_t *redis_of(const redisAsyncContext *context)
{
    return context->data;
}

static void disconnected(const redisAsyncContext *context, int status)
{
    (void)status;
    redis_t *redis = redis_of(context);
    if (redis == NULL) {
        return;
    }
    if (redis->publisher == context) { /* hiredis frees it itself */
        redis->publisher = NULL;
    } else {
        redis->subscriber = NULL;
    }
    if (!redis->freeing) {
        give_up(redis, context->c.errstr[0] != '\0' ? context->c.errstr : "it closed the connection");
    }
}

static void connected(const redisAsyncContext *context, int status)
{
    if (status != REDIS_OK) {
        disconnected(context, status);
    }
}

/* ---- a link that is good ---- */

static void publish_done(redisAsyncContext *context, void *data, void *len)
{
    const redisReply *reply = data;
    redis_t *redis = redis_of(context);
    if (redis == NULL || reply == NULL) {
        return;
    }
    redis->waiting_bytes -= (size_t)(uintptr_t)len;
    if (reply->type == REDIS_REPLY_ERROR) {
        give_up(redis, reply->str);
    }
}

static bool publish(redis_t *redis, const char *channel, size_t channel_len, phx_slice_t message)
{
    const char *words[] = {"PUBLISH", channel, message.data};
    const size_t lens[] = {7, channel_len, message.len};
    if (redisAsyncCommandArgv(redis->publisher, publish_done, (void *)(uintptr_t)message.len, 3, words,
                              lens) != REDIS_OK) {
        return false;
    }
    redis->waiting_bytes += message.len;
    return true;
}

static bool send_message(adapter_t *adapter, node_id_t to, phx_slice_t message)
{
    redis_t *redis = (redis_t *)adapter;
    if (redis->state != LINKED) {
        return false;
    }
    if (redis->waiting_bytes + message.len > MAX_WAITING_BYTES) {
        if (!redis->overfull) {
            note(redis, "does not take what it is sent: messages to other nodes are lost", "");
        }
        redis->overfull = true;
        return false;
    }
    redis->overfull = redis->overfull && redis->waiting_bytes > 0;
    if (to == 0) {
        return publish(redis, redis->everyone, redis->everyone_len, message);
    }
    char channel[512];
    int len = snprintf(channel, sizeof(channel), "%s:%016llx", redis->everyone, (unsigned long long)to);
    return len > 0 && (size_t)len < sizeof(channel) && publish(redis, channel, (size_t)len, message);
}

/* Our own words come back to us as long as the link is good, both ways. Checks are counted, not milliseconds:
 * when this process stood still, the answer may lie there unread. */
static void check_due(loop_timer_t *timer)
{
    redis_t *redis = CONTAINER_OF(timer, redis_t, timer);
    if (redis->unanswered++ == CHECKS_PER_SILENCE) {
        give_up(redis, "it does not answer");
        return;
    }
    publish(redis, redis->own, strlen(redis->own), (phx_slice_t){redis->id, ID_BYTES});
    timers_start(redis->timers, timer, redis->silence_ms / CHECKS_PER_SILENCE, check_due);
}

static void link_is_good(redis_t *redis)
{
    redis->state = LINKED;
    redis->unanswered = 0;
    redis->retry_ms = FIRST_RETRY_MS;
    if (redis->lost) {
        note(redis, "is back", "");
    }
    redis->lost = false;
    timers_start(redis->timers, &redis->timer, redis->silence_ms / CHECKS_PER_SILENCE, check_due);
    redis->adapter.linked(redis->adapter.user, true);
}

static void message_came(redis_t *redis, phx_slice_t message)
{
    if (message.len >= ID_BYTES && memcmp(message.data, redis->id, ID_BYTES) == 0) {
        redis->unanswered = 0;
    } else {
        redis->adapter.received(redis->adapter.user, message);
    }
}

static void subscription(redisAsyncContext *context, void *data, void *user)
{
    (void)user;
    const redisReply *reply = data;
    redis_t *redis = redis_of(context);
    if (redis == NULL || reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
        return;
    }
    const redisReply *body = reply->element[2];
    if (body->type == REDIS_REPLY_STRING) {
        if (redis->state == LINKED) {
            message_came(redis, (phx_slice_t){body->str, (size_t)body->len});
        }
    } else if (++redis->subscribed == 2) {
        link_is_good(redis);
    }
}

/* ---- connecting ---- */

static void admitted(redisAsyncContext *context, void *data, void *user)
{
    (void)user;
    const redisReply *reply = data;
    redis_t *redis = redis_of(context);
    if (redis != NULL && reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        give_up(redis, reply->str);
    }
}

static bool authenticate(const redis_t *redis, redisAsyncContext *context)
{
    if (redis->url.password[0] == '\0') {
        return true;
    }
    if (redis->url.user[0] == '\0') {
        return redisAsyncCommand(context, admitted, NULL, "AUTH %s", redis->url.password) == REDIS_OK;
    }
    return redisAsyncCommand(context, admitted, NULL, "AUTH %s %s", redis->url.user, redis->url.password) ==
           REDIS_OK;
}

static redisAsyncContext *open_connection(redis_t *redis, const char *address)
{
    redisAsyncContext *context = redisAsyncConnect(address, (int)strtol(redis->url.port, NULL, 10));
    if (context == NULL || context->err != 0 || !attach(context, redis->loop)) {
        drop(&context);
        return NULL;
    }
    context->data = redis;
    redisAsyncSetConnectCallback(context, connected);
    redisAsyncSetDisconnectCallback(context, disconnected);
    return context;
}

static void connect_to(redis_t *redis, const char *address)
{
    redis->state = CONNECTING;
    redis->publisher = open_connection(redis, address);
    redis->subscriber = redis->publisher != NULL ? open_connection(redis, address) : NULL;
    if (redis->subscriber == NULL || !authenticate(redis, redis->publisher) ||
        !authenticate(redis, redis->subscriber) ||
        redisAsyncCommand(redis->subscriber, subscription, NULL, "SUBSCRIBE %s %s", redis->everyone,
                          redis->own) != REDIS_OK) {
        give_up(redis, "no connection can be opened");
    }
}

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    resolution_t *resolution = CONTAINER_OF(request, resolution_t, request);
    redis_t *redis = resolution->redis;
    free(resolution);
    if (redis != NULL) {
        char address[INET6_ADDRSTRLEN] = "";
        redis->resolution = NULL;
        if (status == 0 && addresses->ai_family == AF_INET) {
            uv_ip4_name((const struct sockaddr_in *)addresses->ai_addr, address, sizeof(address));
        } else if (status == 0) {
            uv_ip6_name((const struct sockaddr_in6 *)addresses->ai_addr, address, sizeof(address));
        }
        if (status == 0) {
            connect_to(redis, address);
        } else {
            give_up(redis, uv_strerror(status));
        }
    }
    uv_freeaddrinfo(addresses);
}

static void connect_too_slow(loop_timer_t *timer)
{
    give_up(CONTAINER_OF(timer, redis_t, timer), "it does not answer");
}

static void begin(redis_t *redis)
{
    resolution_t *resolution = calloc(1, sizeof(*resolution));
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    timers_start(redis->timers, &redis->timer, CONNECT_TIMEOUT_MS, connect_too_slow);
    redis->state = RESOLVING;
    int status = resolution != NULL ? uv_getaddrinfo(redis->loop, &resolution->request, resolved,
                                                     redis->url.host, redis->url.port, &hints)
                                    : UV_ENOMEM;
    if (status != 0) {
        free(resolution);
        give_up(redis, uv_strerror(status));
        return;
    }
    resolution->redis = redis;
    redis->resolution = resolution;
}

/* ---- life ---- */

static void redis_free(adapter_t *adapter)
{
    redis_t *redis = (redis_t *)adapter;
    redis->freeing = true;
    if (redis->publisher != NULL && redis->state == LINKED) {
        redisAsyncHandleWrite(redis->publisher); /* a goodbye */
    }
    drop_link(redis);
    timers_stop(redis->timers, &redis->timer);
    free(redis->everyone);
    free(redis->own);
    free(redis);
}

static char *channel_name(const char *cluster, node_id_t node)
{
    size_t size = strlen(cluster) + 32;
    char *name = malloc(size);
    if (name != NULL && node == 0) {
        snprintf(name, size, "%s", cluster);
    } else if (name != NULL) {
        snprintf(name, size, "%s:%016llx", cluster, (unsigned long long)node);
    }
    return name;
}

adapter_t *redis_adapter_new(uv_loop_t *loop, timers_t *timers, const redis_config_t *config, char *error,
                             size_t error_size)
{
    static const adapter_ops_t OPS = {send_message, redis_free};
    redis_url_t url;
    if (!redis_url_parse(config->url, &url, error, error_size)) {
        return NULL;
    }
    redis_t *redis = calloc(1, sizeof(*redis));
    if (redis == NULL) {
        snprintf(error, error_size, "memory ran out");
        return NULL;
    }
    redis->adapter.ops = &OPS;
    redis->loop = loop;
    redis->timers = timers;
    redis->url = url;
    redis->retry_ms = FIRST_RETRY_MS;
    redis->silence_ms = config->down_ms / 2 < LONGEST_SILENCE_MS ? config->down_ms / 2 : LONGEST_SILENCE_MS;
    for (int i = 0; i < ID_BYTES; i++) {
        redis->id[i] = (char)(uint8_t)(config->node >> (56 - 8 * i));
    }
    redis->everyone = channel_name(config->cluster, 0);
    redis->own = channel_name(config->cluster, config->node);
    redis->everyone_len = strlen(config->cluster);
    if (redis->everyone == NULL || redis->own == NULL || !timers_start(timers, &redis->timer, 0, retry_due)) {
        snprintf(error, error_size, "memory ran out");
        redis_free(&redis->adapter);
        return NULL;
    }
    return &redis->adapter;
}
