/* SPDX-License-Identifier: MIT */
/*
 * A socket is one client's connection, whatever carries it: which channels it has, what a message's join_ref
 * means, in what order things happen (sections 2 to 7 of the specification).
 *
 * What reaches a socket is handled in order of arrival, as from a mailbox: messages of its client, frames of
 * its channels, ends of channels. While a join is being decided all of it waits (JOIN-14); the answers the
 * socket gives itself go out at once.
 */
#ifndef SOCKET_H
#define SOCKET_H

#include "core.h"
#include "frame.h"

/* Why the server ends a socket. */
typedef enum socket_end {
    SOCKET_DISCONNECTED, /* by its id (WS-CLOSE-02) */
    SOCKET_FAILED,       /* its client sent what cannot be read (WS-CLOSE-01), or memory ran out */
} socket_end_t;

/* What carries a socket. */
typedef struct transport_ops {
    /* Sends a message; the frame is borrowed. Must not free the socket. */
    void (*send)(void *transport, frame_t frame);
    /* A message that was not taken up at once now is; `tag` is what socket_receive was given. May be NULL. */
    void (*taken)(void *transport, void *tag);
    /* Too much waits: receive no more until told so again with `pause` false. May be NULL. */
    void (*pause)(void *transport, bool pause);
    /* The socket is over: the transport calls socket_free, now or soon. */
    void (*end)(void *transport, socket_end_t why);
} transport_ops_t;

typedef enum socket_mail_kind {
    MAIL_RECEIVED,
    MAIL_SEND,
    MAIL_CHANNEL_END,
    MAIL_END,
} socket_mail_kind_t;

typedef struct socket_mail socket_mail_t;
typedef struct waiting_join waiting_join_t;

struct phxs_socket {
    mount_t *mount;
    const transport_ops_t *ops;
    void *transport;
    phxs_channel_t *channels;
    size_t channel_count;
    phxs_channel_t *joining; /* the join being decided: everything else waits */
    waiting_join_t *waiting; /* a join that waits for the end of the channel before it (JOIN-25) */
    socket_mail_t *first_mail;
    socket_mail_t *last_mail;
    size_t mail_bytes; /* of its client, in its own mailbox */
    size_t held_bytes; /* all that waits in it and in its channels, and what these are called */
    size_t charged;    /* of them, in the server's budget */
    bool paused;
    bool deferring; /* frames of channels go through the mailbox, whatever is in it */
    bool over;      /* nothing is handled or sent any more; `end` follows in its turn */
    uint8_t end;    /* socket_end_t */
    uint8_t vsn;
    bool join_tagged; /* the message that began the join has a tag */
    void *join_tag;
    task_t task;
    subscriber_t id; /* DELIVER_MESSAGE of events on the socket's id */
    void *assigns;
};

/*
 * Asks the application whether it accepts a client. On PHXS_CONNECT_OK `*socket` is a new socket, to be
 * released with socket_free; `ops` and `transport` serve it. Otherwise `refusal` says what a WebSocket's
 * refusal may answer.
 */
phxs_connect_outcome_t socket_connect(mount_t *mount, phx_vsn_t vsn, const phxs_connect_info_t *info,
                                      const transport_ops_t *ops, void *transport, phxs_socket_t **socket,
                                      phxs_refusal_t *refusal);

/* The transport is gone: every channel ends without a word (WS-CLOSE-06). NULL is allowed. */
void socket_free(phxs_socket_t *socket);

/*
 * A message of the client. Returns true if it has been taken up. False if it waits, or began a join that is
 * not decided yet: then `taken` is called with `tag` when that is done; or if the message, or one before it,
 * has ended the socket.
 */
bool socket_receive(phxs_socket_t *socket, phx_form_t form, phx_slice_t bytes, void *tag);

/* True when so much waits already that no more should be given to it now. */
bool socket_full(const phxs_socket_t *socket);

/* What was to be sent is lost: the socket takes and sends nothing any more, and `end` follows. */
void socket_fail(phxs_socket_t *socket);

/* Ends the socket in its turn. */
void socket_stop(phxs_socket_t *socket, socket_end_t why);

/* The subscription of a socket to its id. */
extern const subscriber_ops_t SOCKET_ID_OPS;

/* ---- for channels ---- */

/* Counts memory that a client makes the socket hold. A socket that holds too much ends. */
void socket_hold(phxs_socket_t *socket, size_t bytes);
void socket_let_go(phxs_socket_t *socket, size_t bytes);

/* A frame of a channel; borrowed. */
void socket_send(phxs_socket_t *socket, frame_t frame);
/*
 * Announces the end of a channel; `event` is phx_close or phx_error. Returns true if the topic is free again
 * now (STOP-07): then the caller destroys the channel. False: that will happen in the order of things, and
 * the socket destroys it.
 */
bool socket_announce_end(phxs_socket_t *socket, phxs_channel_t *channel, const char *event);
#ifdef PHXS_FAULTS
/* Its end is announced, but it lives on, found by nobody. */
void socket_haunt(phxs_socket_t *socket, phxs_channel_t *channel, const char *event);
/* The other channels end without a word. */
void socket_end_others(phxs_socket_t *socket, const phxs_channel_t *channel);
#else
#define socket_haunt(socket, channel, event) ((void)0)
#define socket_end_others(socket, channel) ((void)0)
#endif
/* A join has been decided, or the channel before it is gone. */
void socket_join_decided(phxs_socket_t *socket, phxs_channel_t *channel, phxs_outcome_t outcome);
/* A channel that traps exits has ended because of a duplicate join. */
void socket_duplicate_ended(phxs_socket_t *socket, phxs_channel_t *channel);

#endif
