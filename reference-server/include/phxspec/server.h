/* SPDX-License-Identifier: MIT */
/*
 * An embeddable Phoenix Channels server: WebSocket and long-poll on one port, the caller's libuv loop, one
 * thread.
 *
 * An application mounts a socket handler at a path, routes topics to channel handlers and answers through
 * callbacks. Whatever a callback is given is borrowed for the call; whatever it hands over is copied.
 * Callbacks run on the loop and must not block: a handler that needs time suspends its channel
 * (phxs_suspend).
 *
 * Calls that take a channel are valid from its join until its `ended` callback returns.
 */
#ifndef PHXSPEC_SERVER_H
#define PHXSPEC_SERVER_H

#include <uv.h>

#include "phx/message.h"

#pragma GCC visibility push(default)

typedef struct phxs_server phxs_server_t;
typedef struct phxs_socket phxs_socket_t;
typedef struct phxs_channel phxs_channel_t;

/* ---- channels ---- */

/* How a handler ended. */
typedef enum phxs_outcome {
    PHXS_CONTINUE,  /* join: accepted (JOIN-02); else: the channel goes on */
    PHXS_REFUSE,    /* join only: refused (JOIN-03) */
    PHXS_STOP,      /* a graceful stop: phx_close (STOP-01) */
    PHXS_FAIL,      /* any other end: phx_error (STOP-03, STOP-04); join: "join crashed" (JOIN-05) */
    PHXS_SUSPENDED, /* phxs_suspend was called: `resume` will tell */
} phxs_outcome_t;

/* Why a channel ends, as `terminate` is told. */
typedef enum phxs_end {
    PHXS_END_LEFT,      /* the client left */
    PHXS_END_STOPPED,   /* a handler gave PHXS_STOP */
    PHXS_END_FAILED,    /* a handler gave PHXS_FAIL */
    PHXS_END_DUPLICATE, /* the client joined the topic again (JOIN-21) */
    PHXS_END_TRANSPORT, /* the connection or session is gone (WS-CLOSE-06) */
} phxs_end_t;

typedef struct phxs_channel_handler {
    /* Decides on a join. The response is set with phxs_join_response; without it, it is {}. Required. */
    phxs_outcome_t (*join)(phxs_channel_t *channel, phx_payload_t payload);
    /* A push came. Required. */
    phxs_outcome_t (*handle_in)(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload);
    /* A message of the application's own is due (phxs_post, phxs_post_after). The message is released
     * afterwards. */
    phxs_outcome_t (*handle_info)(phxs_channel_t *channel, void *message);
    /* A broadcast named in `intercepts` is about to reach this subscriber (BC-09). NULL: it is passed on as a
     * push. */
    phxs_outcome_t (*handle_out)(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload);
    /* The channel ends. What it pushes now trails phx_close, or precedes phx_error (LEAVE-06). A duplicate
     * join calls this only for channels that trap exits. May be NULL. */
    void (*terminate)(phxs_channel_t *channel, phxs_end_t why);
    /* The last call for a channel, joined or not: release its assigns. May be NULL. */
    void (*ended)(phxs_channel_t *channel);
    const char *const *intercepts; /* NULL-terminated event names; NULL: none */
} phxs_channel_handler_t;

/* A pattern is an exact topic, or a prefix followed by `*` (JOIN-17). Routes are tried in order (JOIN-18). */
typedef struct phxs_route {
    const char *pattern;
    const phxs_channel_handler_t *handler;
} phxs_route_t;

phxs_socket_t *phxs_channel_socket(const phxs_channel_t *channel);
phx_slice_t phxs_channel_topic(const phxs_channel_t *channel);
phx_vsn_t phxs_channel_vsn(const phxs_channel_t *channel);
/* One pointer for the application's own state. */
void phxs_channel_assign(phxs_channel_t *channel, void *assigns);
void *phxs_channel_assigns(const phxs_channel_t *channel);

/* Inside `join` (or its resume): the response of the reply. Returns 0, PHX_ENOMEM. */
int phxs_join_response(phxs_channel_t *channel, phx_payload_t response);

/* From now on a duplicate join waits until the channel is idle and lets it terminate, for 5 s at most
 * (JOIN-25). */
void phxs_trap_exit(phxs_channel_t *channel);

/* The client is gone, or has left so much unread that it will be dropped: there is no use in sending on. */
enum { PHXS_EGONE = -99 };

/*
 * Pushes an event to the channel's client (BC-17). Returns 0 or what keeps the message from being written:
 * PHX_ENOTOBJECT, PHX_ETOOLONG, PHX_EV1BINARY, PHX_EUTF8, PHX_ENOMEM, PHXS_EGONE. A handler that ignores that
 * has lost the message; Phoenix' own channels fail (PUSH-16).
 */
int phxs_push(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload);

/* Replies to the message being handled; may be called several times (PUSH-07). Returns as phxs_push. */
int phxs_reply(phxs_channel_t *channel, const char *status, phx_payload_t response);

/* True if the message being handled has a ref that is not null: only then can it be answered later (PUSH-09).
 */
bool phxs_has_ref(const phxs_channel_t *channel);

/* The ref of the message being handled, as JSON text; `null` outside of handle_in and its resume. */
phx_slice_t phxs_ref(const phxs_channel_t *channel);

/* Replies to a ref that was kept (PUSH-06). Returns as phxs_push. */
int phxs_reply_to(phxs_channel_t *channel, phx_slice_t ref, phx_slice_t status, phx_payload_t response);

/* Broadcasts on the channel's topic to all subscribers, or to all but this channel (BC-01, BC-02). Returns as
 * phxs_push: a payload that a subscriber's serializer cannot write reaches neither it nor those who
 * subscribed later (BC-10). */
int phxs_broadcast(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload);
int phxs_broadcast_from(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload);

/* Hands `message` to the channel's own handle_info, behind what waits for it; `release` (may be NULL) is
 * called with it in the end, whatever happens. Returns 0, PHX_ENOMEM (then `message` stays the caller's). */
int phxs_post(phxs_channel_t *channel, void *message, void (*release)(void *message));
/* The same, `delay_ms` from now. */
int phxs_post_after(phxs_channel_t *channel, uint64_t delay_ms, void *message,
                    void (*release)(void *message));

/*
 * The handler needs time: the channel handles nothing until `resume` is called after `delay_ms`, whose
 * outcome is the handler's (PUSH-11; in `join` the whole connection waits, JOIN-14). The caller returns
 * PHXS_SUSPENDED at once. `release` (may be NULL) is called with `data` in the end, also if the channel ends
 * before; a `resume` may suspend again with the same `data`. Returns 0, PHX_ENOMEM.
 */
int phxs_suspend(phxs_channel_t *channel, uint64_t delay_ms,
                 phxs_outcome_t (*resume)(phxs_channel_t *, void *data), void *data,
                 void (*release)(void *data));

/*
 * Presence: who is there, told to all subscribers of a topic by the broadcast presence_diff (PRES-02). A
 * channel tracks keys on its own topic, each once, with a meta: JSON text of an object, to which the server
 * adds phx_ref. What it tracks leaves when it ends (PRES-06). With several nodes all of them see it (CLU-09).
 */
enum {
    PHXS_ETRACKED = -100,    /* the channel tracks this key already, or has not joined (PRES-07) */
    PHXS_ENOTTRACKED = -101, /* the channel does not track this key */
    PHXS_ETOOMUCH = -102,    /* a channel tracks at most 1000 keys, and 256 KiB of keys and metas */
};

/* Tracks a key. Returns 0, PHXS_ETRACKED, PHXS_ETOOMUCH, PHX_ENOTOBJECT, PHX_EUTF8,
 * PHX_ENOMEM. */
int phxs_presence_track(phxs_channel_t *channel, phx_slice_t key, phx_slice_t meta);
/* Replaces the meta of a key (PRES-04). Returns 0, PHXS_ENOTTRACKED, or as phxs_presence_track. */
int phxs_presence_update(phxs_channel_t *channel, phx_slice_t key, phx_slice_t meta);
/* Ends it; a key that is not tracked is left alone. Returns 0, PHX_ENOMEM. */
int phxs_presence_untrack(phxs_channel_t *channel, phx_slice_t key);
/* Appends who is there on the channel's topic, the payload of presence_state (PRES-01). Returns 0,
 * PHX_ENOMEM. */
int phxs_presence_list(const phxs_channel_t *channel, phx_buf_t *out);

/* ---- sockets ---- */

/* What is known of a client when it connects (CINFO-01). JSON texts are objects. */
typedef struct phxs_connect_info {
    phx_slice_t params;    /* the query, decoded (WS-CONN-13) */
    phx_slice_t x_headers; /* headers that start with `x-` */
    phx_slice_t path;
    phx_slice_t query;      /* as sent */
    phx_slice_t user_agent; /* `data` is NULL if there is none */
    phx_slice_t auth_token; /* `data` is NULL if there is none (TOK-09) */
} phxs_connect_info_t;

typedef enum phxs_connect_outcome {
    PHXS_CONNECT_OK,
    PHXS_CONNECT_REFUSED,             /* 403 (WS-AUTH-01) */
    PHXS_CONNECT_REFUSED_WITH_REASON, /* WebSocket: what `refusal` says (WS-AUTH-02); long-poll: 403
                                         (WS-AUTH-03) */
    PHXS_CONNECT_FAILED,              /* 500 (WS-AUTH-04) */
} phxs_connect_outcome_t;

typedef struct phxs_refusal {
    int status;
    const char *body; /* plain text, static */
} phxs_refusal_t;

typedef struct phxs_socket_handler {
    const phxs_route_t *routes;
    size_t route_count;
    /* Accepts or refuses a client. `app` is the mount's. NULL accepts everyone. */
    phxs_connect_outcome_t (*connect)(phxs_socket_t *socket, const phxs_connect_info_t *info, void *app,
                                      phxs_refusal_t *refusal);
    /* The last call for a socket that `connect` has seen: release its assigns. May be NULL. */
    void (*closed)(phxs_socket_t *socket);
} phxs_socket_handler_t;

/* Inside `connect`: the id by which phxs_disconnect finds this socket (BC-13). Returns 0, PHX_ENOMEM. */
int phxs_socket_identify(phxs_socket_t *socket, phx_slice_t id);
void phxs_socket_assign(phxs_socket_t *socket, void *assigns);
void *phxs_socket_assigns(const phxs_socket_t *socket);
phxs_server_t *phxs_socket_server(const phxs_socket_t *socket);

/* ---- the server ---- */

typedef struct phxs_config {
    const char *phoenix;  /* whose rules count, a release from 1.6.0 to 1.8.12; NULL: the newest */
    const char *address;  /* numeric; NULL: 127.0.0.1 */
    uint16_t port;        /* 0: any free port */
    bool reuse_port;      /* other processes of this user that say the same listen there, too */
    const char *tls_cert; /* PEM files, a chain and its key: TLS (1.2 or newer) and nothing else is */
    const char *tls_key;  /* spoken; NULL: plain HTTP is */
    const char *secret;   /* signs long-poll tokens; NULL: a random one */
    /* Nodes that share a Redis and a cluster's name are one server to their clients. They need one secret. */
    const char *redis;         /* redis://[[USER]:PASSWORD@]HOST[:PORT]; NULL: a node alone */
    const char *cluster;       /* NULL: phxspec */
    const char *node_name;     /* what phxs_server_node tells; NULL: made up, unique */
    uint64_t presence_down_ms; /* a node not heard for so long is down (CLU-10), at least 100;
                                * 0: 30 000 */
    size_t max_connections;    /* 0: what the limit of descriptors allows */
    size_t max_queued_bytes;   /* a client that leaves more unread is dropped; 0: 64 MiB */
    size_t max_longpoll_bytes; /* a session that lets more pile up between polls ends; 0: 16 MiB. An answer,
                                * with all quotes escaped, must fit into max_queued_bytes */
    size_t max_sessions;       /* of long-poll; more are answered with 503; 0: 100 000 */
    /* What all clients together may leave unread, before those who leave most are dropped, and what parts of
     * messages and requests, and messages that wait for a busy channel, may take, before those who add to
     * them are dropped (64 kB of each client do not count there); 0: 512 MiB. */
    size_t max_total_queued_bytes;
    size_t max_total_received_bytes;
    size_t max_head_bytes;    /* of a request: its line and headers; 0: 64 KiB */
    size_t max_headers;       /* 0: 100 */
    uint64_t head_timeout_ms; /* for a request's head, from connecting or its first byte; 0: 15 000, and never
                               * more than the next */
    uint64_t request_timeout_ms; /* for its body, and between requests; 0: 60 000 */
} phxs_config_t;

/* The settings of one mount. phxs_mount_defaults gives Phoenix' own. */
typedef struct phxs_mount_config {
    bool websocket;
    bool longpoll;
    uint64_t websocket_timeout_ms;       /* WS-IDLE-01 */
    size_t max_frame_bytes;              /* WS-FRAME-06 */
    uint64_t longpoll_window_ms;         /* LP-GET-04 */
    uint64_t longpoll_pubsub_timeout_ms; /* for another node to say that it has a session (LP-OPEN-04) */
    uint64_t token_max_age_s;            /* LP-OPEN-07 */
    size_t max_body_bytes;               /* LP-POST-11 */
    size_t max_channels;                 /* JOIN-06; 0, and always where the release has none: no limit */
    bool check_origin;
    bool same_connection; /* ORIG-07: the origin must be that of the connection; `origins` does not count */
    const char *const
        *origins;    /* ORIG-04, ORIG-05; NULL-terminated. NULL: the Host of the request (ORIG-03) */
    bool auth_token; /* TOK-02 */
    const char *const *subprotocols; /* SUBP-02; NULL-terminated; NULL: none */
} phxs_mount_config_t;

/* Whether there are rules of a release of Phoenix, like "1.8.11". */
bool phxs_release_known(const char *release);

void phxs_mount_defaults(phxs_mount_config_t *config);

/*
 * Whether the settings can be used, as far as that shows before a port is taken; if not, why, for people. The
 * files of TLS are read. phxs_server_new looks at the same.
 */
bool phxs_config_check(const phxs_config_t *config, char *error, size_t error_size);

/*
 * A server that listens already, on `loop`, which must outlive it. Returns NULL when that fails, with the
 * reason for people in `error`.
 */
phxs_server_t *phxs_server_new(uv_loop_t *loop, const phxs_config_t *config, char *error, size_t error_size);

/*
 * Serves `handler` at `path` (`/socket`: then `/socket/websocket` and `/socket/longpoll`, WS-CONN-01).
 * `config` and the strings it names are copied; `handler` and `app` are borrowed for the server's life.
 * Returns 0, PHX_ENOMEM.
 */
int phxs_server_mount(phxs_server_t *server, const char *path, const phxs_mount_config_t *config,
                      const phxs_socket_handler_t *handler, void *app);

uint16_t phxs_server_port(const phxs_server_t *server);
/* The name of this node: the configured one, or one unique to this process. */
const char *phxs_server_node(const phxs_server_t *server);

/* Broadcasts on any topic (BC-03). Returns as phxs_broadcast. */
int phxs_server_broadcast(phxs_server_t *server, phx_slice_t topic, phx_slice_t event, phx_payload_t payload);

/* Ends every socket with that id: WebSockets with 1001, long-poll sessions silently (BC-13, BC-14). */
void phxs_disconnect(phxs_server_t *server, phx_slice_t id);

/*
 * Stops in order: takes no new connections, closes WebSockets that have channels with 1012 (DRAIN-01) and the
 * others with 1000 (WS-CLOSE-04), ends long-poll sessions, lets waiting polls run to their end; then calls
 * `drained` (from which the server must not be freed: let the loop turn first).
 */
void phxs_server_drain(phxs_server_t *server, void (*drained)(void *user), void *user);

/* Ends everything at once; not from within a callback of the server. The loop must run on until it is idle
 * for the last handles to go. */
void phxs_server_free(phxs_server_t *server);

#pragma GCC visibility pop

#endif
