/* SPDX-License-Identifier: MIT */
/* What both kinds of client have in common; for client*.c only. */
#ifndef VECTORS_CLIENT_IMPL_H
#define VECTORS_CLIENT_IMPL_H

#include "vectors/client.h"

typedef struct client_kind {
    void (*open)(client_t *client, const client_setup_t *setup);
    void (*free)(client_t *client); /* what `link` points to */
    bool (*send)(client_t *client, const message_t *messages, size_t count, text_t *error);
    void (*send_text)(client_t *client, span_t text);
    void (*close)(client_t *client, unsigned code, span_t reason);
    void (*drop)(client_t *client);
    /* when what was sent has left; NULL: at once */
    double (*sent_at)(const client_t *client);
} client_kind_t;

struct client {
    const client_kind_t *kind;
    client_setup_t setup; /* name, target and headers are not used after open */
    char *name;
    client_state_t state;
    bool gone, over, flooded;
    const entry_t *answer;
    int body_status;
    moment_t last_sent;
    size_t received; /* bytes, and some for each event */
    client_event_t *events;
    size_t len, cap;
    void *link; /* of the kind */
};

extern const client_kind_t client_websocket, client_longpoll;
void client_websocket_send_frames(client_t *client, const ws_frame_t *frames, size_t count);
const char *client_websocket_accept(const client_t *client);

/* Adds an event and tells the owner; `text` is copied. */
void client_add_event(client_t *client, event_kind_t kind, entry_t *entry, const char *text);

/* Adds that what came is no message, and why it is none. */
void client_add_no_message(client_t *client, entry_t *entry, bool binary, span_t bytes);

/* The handshake was answered, or failed: sets the state and tells the owner. */
void client_answered(client_t *client, client_state_t state, const entry_t *answer);

/* Counts what came. False, and the connection is dropped, when that is more than there is room for: the
 * caller does nothing more with it. */
bool client_received(client_t *client, size_t bytes);

#endif
