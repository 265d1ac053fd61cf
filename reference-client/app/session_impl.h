/* SPDX-License-Identifier: MIT */
/* A session's state, and what its two halves know of each other: session.c runs the commands,
 * session_events.c hears what the library tells. */
#ifndef SESSION_IMPL_H
#define SESSION_IMPL_H

#include "session.h"

typedef enum waiting {
    FOR_COMMANDS,
    FOR_OPEN,
    FOR_JOIN,
    FOR_REPLY,
    FOR_EVENT,
    FOR_TIME,
    FOR_PING,
    FOR_CLOSE,
    FOR_EVER,
    FOR_THE_END, /* the last connection closes */
    FOR_NOTHING, /* it is over */
} waiting_t;

typedef struct queued {
    struct queued *next;
    command_t command;
    bool stops;
} queued_t;

typedef struct topic {
    struct topic *next;
    session_t *session;
    phxc_channel_t *channel;   /* NULL: closed */
    phxc_presence_t *presence; /* from the join on; NULL: closed */
    bool shows_presence;
    phx_buf_t name;
} topic_t;

typedef struct pushed {
    session_t *session;
    unsigned number;
} pushed_t;

struct session {
    const options_t *options;
    const printer_t *printer;
    void (*over)(void *user, int code);
    void *user;
    phxc_socket_t *socket;
    uv_timer_t *timer; /* sleeps, and the end of waiting for an event */
    uv_timer_t *ending;
    waiting_t waiting;
    bool stops; /* the command that runs, when it fails */
    bool opened_once;
    bool no_more;
    bool mute; /* stdout does not take what happens */
    bool freed;
    int code;
    unsigned push_number; /* of the push whose reply is waited for */
    queued_t *first;
    queued_t **last;
    topic_t *topics; /* the current one first */
    phx_buf_t expected;
    phx_buf_t seen; /* events since the last command but `expect` began, each with its NUL */
};

extern const phxc_socket_callbacks_t SESSION_SOCKET_CALLBACKS;     /* user: the session */
extern const phxc_channel_callbacks_t SESSION_CHANNEL_CALLBACKS;   /* user: the topic */
extern const phxc_presence_callbacks_t SESSION_PRESENCE_CALLBACKS; /* user: the topic */

void session__say(session_t *session, print_event_t event);
void session__say_presences(topic_t *topic);
/* On stderr. */
void session__complain(const char *text, phx_slice_t about);
phx_slice_t session__topic_name(const topic_t *topic);

/* What the session waited for is here, or will not come; nothing, if it waits for something else. */
void session__done(session_t *session, waiting_t waiting);
void session__failed(session_t *session, waiting_t waiting);
/* Disconnects, and then is over. */
void session__finish(session_t *session);
void session__end_soon(session_t *session);
/* True if an event like the expected one was seen; it and what came before it is forgotten then. */
bool session__take_seen(session_t *session, phx_slice_t expected);

#endif
