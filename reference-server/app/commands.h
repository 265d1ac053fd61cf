/* SPDX-License-Identifier: MIT */
/* The events of the conformance channel, as pushes and as commands in lists. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "phxspec/server.h"

/* A push of the client: `event` decides what happens. */
phxs_outcome_t commands_push(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload);

/* Runs `list` (a JSON array of {"event", "payload"}) behind what waits for the channel. There is no ref to
 * answer to. Returns 0, PHX_ENOMEM, PHX_ESHAPE (no array). */
int commands_post(phxs_channel_t *channel, phx_slice_t list);

/* Tracks the key of `presence` ({"key", "meta"}) and pushes presence_state, behind what waits for the
 * channel. Returns 0, PHX_ENOMEM. */
int commands_post_presence(phxs_channel_t *channel, phx_slice_t presence);

/* A message that commands_post or a command has posted is due. */
phxs_outcome_t commands_due(phxs_channel_t *channel, void *message);

/*
 * The payload that a JSON value stands for: itself, or the bytes of {"$base64": …}, which are decoded into
 * `scratch` (cleared first). Returns 0, PHX_EBASE64, PHX_EV1BINARY (no bytes on 1.0.0), PHX_ENOMEM.
 */
int commands_value(const phxs_channel_t *channel, phx_slice_t value, phx_buf_t *scratch,
                   phx_payload_t *payload);

#endif
