/* SPDX-License-Identifier: MIT */
/*
 * A Phoenix Channels client: WebSocket and long-poll, reconnects and rejoins by itself, on the caller's libuv
 * loop, in the caller's thread.
 *
 * A program makes a socket, connects it, makes a channel per topic, joins it, and gets what happens through
 * callbacks. Whatever a callback is given is borrowed for the call; whatever is handed over is copied, unless
 * said otherwise. Callbacks run on the loop, and some within the call that caused them; any function may be
 * called from them, phxc_socket_free excepted.
 *
 * It starts no threads. A host that is a name is looked up by uv_getaddrinfo, which starts libuv's own.
 *
 * A peer that cuts raises no SIGPIPE; nothing of the process is changed for it.
 *
 * A loop of another kind can carry libuv's: watch uv_backend_fd, and run it with UV_RUN_NOWAIT when that is
 * readable or uv_backend_timeout has passed.
 */
#ifndef PHXSPEC_CLIENT_H
#define PHXSPEC_CLIENT_H

#include <uv.h>

#include "phx/message.h"

typedef struct phxc_socket phxc_socket_t;
typedef struct phxc_channel phxc_channel_t;
typedef struct phxc_presence phxc_presence_t;

/* What functions return besides 0 and the errors of phx/error.h. */
typedef enum phxc_error {
    PHXC_ENOTJOINED = -101, /* a push to a channel that was never told to join (PUSH-19) */
    PHXC_EJOINED = -102,    /* a channel joins once; rejoins are its own business (CL-CHAN-01) */
    PHXC_ECLOSED = -103,    /* the channel was left or closed: make a new one */
    PHXC_EOFFLINE = -104,   /* a ping needs an open connection (HB-11) */
} phxc_error_t;

/* What an error means, for people; knows those of phx/error.h, too. Never NULL. */
const char *phxc_strerror(int error);

/* ---- sockets ---- */

typedef enum phxc_carriage {
    PHXC_WEBSOCKET,
    PHXC_LONGPOLL,
} phxc_carriage_t;

/* Where the token of a long-poll session travels (LP-HTTP-06). */
typedef enum phxc_token_place {
    PHXC_TOKEN_IN_QUERY,  /* every release of Phoenix reads it there */
    PHXC_TOKEN_IN_HEADER, /* x-phoenix-longpoll-token: Phoenix 1.8.10 and later */
    PHXC_TOKEN_IN_BOTH,
} phxc_token_place_t;

/* Delays by attempt; the last one serves all that follow. */
typedef struct phxc_delays {
    const uint64_t *ms;
    size_t count;
} phxc_delays_t;

/* phxc_config_defaults gives phoenix.js' own. Everything is copied. */
typedef struct phxc_config {
    /* ws://HOST:PORT/MOUNT, wss:, http: or https:; the transport's own suffix is added (WS-CONN-11), and one
     * that is there is taken off. */
    const char *endpoint;
    phxc_carriage_t carriage;
    phx_vsn_t vsn;
    const char *params;     /* the connect params, a JSON object (WS-CONN-12); NULL: none */
    const char *auth_token; /* a bearer token (TOK-01, TOK-07); NULL: none */
    /* Give the params as JSON, and the token, anew for each attempt (CL-CONN-05, TOK-08); called with the
     * callbacks' `user`. NULL: the two above. */
    void (*params_at)(void *user, phx_buf_t *json);
    void (*auth_token_at)(void *user, phx_buf_t *token);
    const char *const *headers;    /* for all requests, each `Name: value`; NULL-terminated; NULL: none */
    uint64_t timeout_ms;           /* of joins and pushes (PUSH-18) */
    uint64_t heartbeat_ms;         /* both how often, and how long one may stay unanswered (HB-01, HB-09) */
    uint64_t connect_timeout_ms;   /* until a WebSocket is open */
    uint64_t longpoll_timeout_ms;  /* for a response to a poll or a POST (LP-GET-09) */
    uint64_t longpoll_fallback_ms; /* 0: no fallback; else see CL-TRAN-01 */
    phxc_delays_t reconnect_after; /* CL-CONN-04 */
    phxc_delays_t rejoin_after;    /* CL-CHAN-05 */
    phxc_token_place_t longpoll_token;
    size_t max_message_bytes; /* a server that sends more is closed with 1009 */
    const char *ca_file;      /* the certificates to trust with wss: and https:; NULL: the system's */
    bool insecure;            /* trust any certificate */
} phxc_config_t;

void phxc_config_defaults(phxc_config_t *config);

typedef enum phxc_socket_state {
    PHXC_DISCONNECTED, /* also while the next attempt waits for its time */
    PHXC_CONNECTING,
    PHXC_OPEN,
    PHXC_DISCONNECTING,
} phxc_socket_state_t;

typedef enum phxc_beat {
    PHXC_BEAT_SENT,
    PHXC_BEAT_ANSWERED,
    PHXC_BEAT_TIMEOUT,
} phxc_beat_t;

/* How a connection ended. */
typedef struct phxc_end {
    int code; /* the peer's, or one of ours: 1006 without a Close frame, 1005 for one without code; see
                 LP-OPEN-06, LP-GET-10, LP-POST-13 for long-poll */
    phx_slice_t reason;
    bool clean;          /* both sides said so */
    bool will_reconnect; /* an attempt is scheduled (WS-CLOSE-07) */
} phxc_end_t;

/* All may be NULL. */
typedef struct phxc_socket_callbacks {
    /* An attempt begins; `url` is complete, its params included. */
    void (*connecting)(void *user, phxc_carriage_t carriage, const char *url);
    void (*opened)(void *user, phxc_carriage_t carriage);
    /* Something went wrong, for people; `http_status` is 0 where there is none. `closed` follows, or
     * `fell_back`. */
    void (*failed)(void *user, const char *text, int http_status);
    void (*closed)(void *user, const phxc_end_t *end);
    /* The attempt number `attempt`, from 1, will begin in `delay_ms`. */
    void (*reconnecting)(void *user, unsigned attempt, uint64_t delay_ms);
    /* From now on long-poll carries the socket (CL-TRAN-01). */
    void (*fell_back)(void *user, const char *why);
    void (*heartbeat)(void *user, phxc_beat_t beat, uint64_t elapsed_ms);
    /* Every message as it comes and goes. `error`, when not 0, is why it was dropped unread (BIN-13). */
    void (*received)(void *user, phx_form_t form, phx_slice_t bytes, int error);
    void (*sent)(void *user, phx_form_t form, phx_slice_t bytes);
} phxc_socket_callbacks_t;

/*
 * A socket, not connected yet. `callbacks` (may be NULL) is borrowed for its life. NULL when memory ran out
 * or `config` does not do, with the reason for people in `error`.
 */
phxc_socket_t *phxc_socket_new(uv_loop_t *loop, const phxc_config_t *config,
                               const phxc_socket_callbacks_t *callbacks, void *user, char *error,
                               size_t error_size);

/*
 * Frees the socket with all its channels and presences: pushes are cancelled, no other callback is called.
 * Not from within a callback. A connection is closed in order behind the scenes; the loop must run on until
 * it is idle for its handles to go.
 */
void phxc_socket_free(phxc_socket_t *socket);

/* Connects, or does nothing where that was done (CL-CONN-01). A failure shows in the callbacks, and is
 * followed by further attempts. */
void phxc_socket_connect(phxc_socket_t *socket);

/* Ends the connection and all attempts (WS-CLOSE-07, CL-CONN-08): what is queued is still sent, then a Close
 * frame, with `code` unless that is 0; `closed` tells when it is done, 3 s later at most. */
void phxc_socket_disconnect(phxc_socket_t *socket, int code, phx_slice_t reason);

/* Drops the connection and goes on with another transport, if it was connected (CL-TRAN-05). */
void phxc_socket_replace_carriage(phxc_socket_t *socket, phxc_carriage_t carriage);

phxc_socket_state_t phxc_socket_state(const phxc_socket_t *socket);
phxc_carriage_t phxc_socket_carriage(const phxc_socket_t *socket);

/* Sends a heartbeat of its own and tells the time until it is answered; no answer, no call (HB-11). Returns
 * 0, PHXC_EOFFLINE, PHX_ENOMEM. */
int phxc_socket_ping(phxc_socket_t *socket, void (*answered)(void *user, uint64_t elapsed_ms), void *user);

/* Sends a message that belongs to no channel, with a ref of its own and no join_ref; while not connected it
 * waits for the next connection (CL-CONN-10). Returns 0, or why it cannot be written: PHX_ENOMEM, PHX_EUTF8,
 * PHX_ETOOLONG, PHX_EV1BINARY. */
int phxc_socket_send(phxc_socket_t *socket, phx_slice_t topic, phx_slice_t event, phx_payload_t payload);

/* ---- channels ---- */

typedef enum phxc_channel_state {
    PHXC_CHANNEL_NEW,     /* not told to join yet */
    PHXC_CHANNEL_JOINING, /* also: as soon as there is a connection */
    PHXC_CHANNEL_JOINED,
    PHXC_CHANNEL_ERRORED, /* will be joined again */
    PHXC_CHANNEL_CLOSED,  /* for good */
} phxc_channel_state_t;

/* Why a channel that was joining or joined is not any more. */
typedef enum phxc_cause {
    PHXC_CAUSE_TRANSPORT, /* the connection ended (CL-CONN-07) */
    PHXC_CAUSE_SERVER,    /* phx_error (STOP-09) */
} phxc_cause_t;

/* All may be NULL. */
typedef struct phxc_channel_callbacks {
    /* A join, the first or a later one, is answered with ok, with another status, or not in time. After the
     * latter two it is tried again (CL-CHAN-07, CL-CHAN-08). */
    void (*joined)(void *user, phxc_channel_t *channel, phx_payload_t response);
    void (*refused)(void *user, phxc_channel_t *channel, phx_slice_t status, phx_payload_t response);
    void (*join_timeout)(void *user, phxc_channel_t *channel);
    /* `reason`: connection_closed, connection_error or heartbeat_timeout with PHXC_CAUSE_TRANSPORT; the
     * payload of phx_error otherwise. */
    void (*errored)(void *user, phxc_channel_t *channel, phxc_cause_t cause, phx_slice_t reason);
    /* The channel was left, or the server closed it: it will not be joined again (STOP-09, LEAVE-09). */
    void (*closed)(void *user, phxc_channel_t *channel, bool left);
    /* The join number `attempt`, from 1, since the last that went well will be sent in `delay_ms`. */
    void (*rejoining)(void *user, phxc_channel_t *channel, unsigned attempt, uint64_t delay_ms);
    /* An event of the application's came, whether or not a handler waits for it; those are called after this.
     */
    void (*message)(void *user, phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload);
} phxc_channel_callbacks_t;

/*
 * A channel of the socket's, which owns it. `params` is the payload of its joins, JSON or bytes. `callbacks`
 * (may be NULL) is borrowed for the channel's life. NULL when memory ran out.
 */
phxc_channel_t *phxc_channel_new(phxc_socket_t *socket, phx_slice_t topic, phx_payload_t params,
                                 const phxc_channel_callbacks_t *callbacks, void *user);

/* From now on the payload of each join is what `params_at` gives (CL-CHAN-01), as JSON. */
void phxc_channel_params_at(phxc_channel_t *channel, void (*params_at)(void *user, phx_buf_t *json));

/* Leaves it if need be (without calling `closed`), cancels its pushes, and frees it and its presences. */
void phxc_channel_free(phxc_channel_t *channel);

/* Joins, now or as soon as the socket is open; another channel of the topic is left first (CL-CHAN-03).
 * `timeout_ms` 0: the socket's. Returns 0, PHXC_EJOINED, PHXC_ECLOSED, PHX_ENOMEM and what
 * phxc_channel_push says of payloads. */
int phxc_channel_join(phxc_channel_t *channel, uint64_t timeout_ms);

/* Leaves: the channel is closed at once, and not joined again (LEAVE-01, LEAVE-09). Its pushes that wait
 * are cancelled. */
void phxc_channel_leave(phxc_channel_t *channel);

/* How a push ended. */
typedef enum phxc_outcome {
    PHXC_REPLIED,
    PHXC_TIMEOUT,   /* no reply in time (PUSH-18) */
    PHXC_CANCELLED, /* its channel was left, closed or freed */
} phxc_outcome_t;

/* `status` and `response` are empty unless replied. */
typedef void (*phxc_reply_cb)(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response);

/*
 * Pushes an event, now or as soon as the channel is joined (PUSH-01, CL-CHAN-04). `replied` (may be NULL) is
 * called exactly once, never from within this call. `timeout_ms` 0: the socket's. Returns 0, PHXC_ENOTJOINED,
 * PHXC_ECLOSED, PHX_ENOMEM, or why the message cannot be written: PHX_EJSON, PHX_EUTF8, PHX_ETOOLONG
 * (BIN-09), PHX_EV1BINARY (V1-08); `replied` is not called then.
 */
int phxc_channel_push(phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload, uint64_t timeout_ms,
                      phxc_reply_cb replied, void *user);

/* Calls `handler` for each message with that event (CL-CHAN-10). Returns a number above 0 that takes it away
 * again, or PHX_ENOMEM. */
int phxc_channel_on(phxc_channel_t *channel, phx_slice_t event,
                    void (*handler)(void *user, phxc_channel_t *channel, phx_payload_t payload), void *user);
void phxc_channel_off(phxc_channel_t *channel, int handler);

phxc_channel_state_t phxc_channel_state(const phxc_channel_t *channel);
phx_slice_t phxc_channel_topic(const phxc_channel_t *channel);
/* The ref of its last join, characters; empty before the first. */
phx_slice_t phxc_channel_join_ref(const phxc_channel_t *channel);

/* ---- presence ---- */

/* An entry is a JSON object with `metas` and what else the server gives. All may be NULL. */
typedef struct phxc_presence_callbacks {
    /* `joined` has the metas that came; `current` is the entry as it was, empty if there was none (PRES-16).
     */
    void (*joined)(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t joined);
    /* `left` has the metas that went; `current` is the entry as it is now. */
    void (*left)(void *user, phx_slice_t key, phx_slice_t current, phx_slice_t left);
    /* A state or a diff is applied. */
    void (*synced)(void *user);
} phxc_presence_callbacks_t;

/*
 * Follows the presences of the channel's topic from the next state on. `state_event` and `diff_event` are the
 * events' names; NULL: presence_state and presence_diff (PRES-18). `callbacks` (may be NULL) is borrowed for
 * the presence's life. NULL when memory ran out.
 * Diffs that come before the state wait for it, 1000 of them or 16 MiB; at more, or where memory runs out,
 * those that wait are dropped, and the state sets it right.
 */
phxc_presence_t *phxc_presence_new(phxc_channel_t *channel, const char *state_event, const char *diff_event,
                                   const phxc_presence_callbacks_t *callbacks, void *user);
void phxc_presence_free(phxc_presence_t *presence);

/* Walks the entries by their keys: start with `*cursor` = 0; false at the end. The slices are borrowed until
 * the next change. */
bool phxc_presence_next(const phxc_presence_t *presence, size_t *cursor, phx_slice_t *key,
                        phx_slice_t *entry);

/* Appends all entries as one JSON object. */
void phxc_presence_write(const phxc_presence_t *presence, phx_buf_t *json);

/* Diffs wait for the state of the current join (PRES-15). */
bool phxc_presence_pending(const phxc_presence_t *presence);

#endif
