/* SPDX-License-Identifier: MIT */
/*
 * A channel is one joined topic: a mailbox whose messages the application handles one after the other
 * (PUSH-10), at the end of the loop's turn. A busy channel delays nobody but itself (PUSH-11).
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "core.h"
#include "presence_store.h"

typedef struct channel_mail channel_mail_t;

typedef enum channel_state {
    CHANNEL_JOINING,
    CHANNEL_JOINED,
    CHANNEL_ENDED, /* over, but its socket has not taken notice yet: what is sent to it is lost (LEAVE-07) */
} channel_state_t;

struct phxs_channel {
    phxs_socket_t *socket;
    phxs_channel_t *next; /* in its socket's list */
    const phxs_channel_handler_t *handler;
    uint64_t topic_hash;
    phx_slice_t topic_json; /* in the one spelling of phx/message.h */
    phx_slice_t topic;      /* its characters */
    phx_slice_t join_ref;   /* of the join, JSON text; may be `null` */
    phx_slice_t
        push_ref; /* the join_ref of pushes and replies: the join's ref where it had no join_ref (JOIN-09) */
    phx_slice_t join_message_ref;
    char *text; /* owns the four texts above */
    void *assigns;
    subscriber_t subscription;
    presence_owner_t presences; /* what it tracks */
    task_t task;
    channel_mail_t *first_mail;
    channel_mail_t *last_mail;
    channel_mail_t *current; /* being handled */
    channel_mail_t *delayed; /* posted with a delay */
    struct suspension *suspension;
    phx_buf_t *join_response; /* until the join is decided; its first byte is the form */
    uint8_t state;            /* channel_state_t */
    bool trap_exit;
};

/* A channel about to be joined. Refs are JSON text, `topic_json` in the one spelling. NULL when memory ran
 * out. */
phxs_channel_t *channel_new(phxs_socket_t *socket, const phxs_channel_handler_t *handler,
                            phx_slice_t topic_json, uint64_t topic_hash, phx_slice_t join_ref,
                            phx_slice_t ref);

/* Calls the application's join. On PHXS_SUSPENDED socket_join_decided will be called. */
phxs_outcome_t channel_join(phxs_channel_t *channel, phx_payload_t payload);

/* The join is accepted: subscribes. Returns 0, PHX_ENOMEM. */
int channel_joined(phxs_channel_t *channel);

/* The response of the join: what the application set, or {}. */
phx_payload_t channel_join_response(const phxs_channel_t *channel);
/* The join is decided and answered: its response and payload are not needed any more. */
void channel_forget_join(phxs_channel_t *channel);

/* A push or leave for the mailbox; everything is copied. Returns 0, PHX_ENOMEM. */
int channel_push(phxs_channel_t *channel, phx_slice_t event_json, phx_slice_t ref, phx_payload_t payload);
int channel_leave(phxs_channel_t *channel, phx_slice_t ref);

/* A duplicate join: asks a channel that traps exits to end, behind what waits for it; then
 * socket_duplicate_ended is called. Returns 0, PHX_ENOMEM. */
int channel_request_exit(phxs_channel_t *channel);

/* Ends a channel without a word from it, and frees it: killed, refused, or its transport is gone. `terminate`
 * is called if `why` says so. */
void channel_destroy(phxs_channel_t *channel, const phxs_end_t *why);

#endif
