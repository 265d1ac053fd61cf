/* SPDX-License-Identifier: MIT */
/*
 * A client of the server under test, for messages: a WebSocket connection, or a long-poll session that polls
 * as phoenix.js does. What is sent and what comes goes to the transcript; what an expectation may ask for
 * comes out as a list of events that is only ever added to.
 *
 * It answers pings and closes, as any WebSocket client must, and nothing else on its own.
 */
#ifndef VECTORS_CLIENT_H
#define VECTORS_CLIENT_H

#include "judge/transcript.h"
#include "net/ws_client.h"
#include "vectors/pace.h"
#include "vectors/vector.h"

typedef enum event_kind {
    EVENT_MESSAGE, /* a message; entry->message */
    EVENT_CONTROL, /* a ping or pong */
    EVENT_CLOSE,   /* a close frame; long-poll: the session is gone (410) */
    EVENT_END,     /* TCP ended (WebSocket); long-poll: a poll that cannot go on, `text` says why */
    EVENT_TROUBLE, /* what the protocol does not allow, or a POST that was not taken; `text` says what */
} event_kind_t;

typedef struct client_event {
    event_kind_t kind;
    entry_t *entry; /* borrowed from the transcript */
    char *text;     /* owned; NULL unless the kind has one */
    moment_t came;
} client_event_t;

typedef enum client_state { CLIENT_CONNECTING, CLIENT_OPEN, CLIENT_REFUSED } client_state_t;

typedef struct client client_t;

/* What a client is made of; everything is borrowed and must outlive it, but for target and headers. */
typedef struct client_setup {
    uv_loop_t *loop;
    const pace_t *pace;
    const address_t *address;
    const char *authority;
    size_t room; /* how many bytes of the server it takes before it calls it a flood */
    transcript_t *transcript;
    const char *name;
    transport_t transport;
    vsn_t vsn;
    bool batches;               /* long-poll: messages that wait for a POST go out as one batch */
    const char *target;         /* path and query of the handshake, or of every request of the session */
    http_headers_t headers;     /* added to the handshake, or to every request; borrowed during client_open */
    void (*changed)(void *ctx); /* its state changed or there is a new event; may not free the client */
    void *ctx;
} client_setup_t;

/* Begins to connect. Owned by the caller. */
client_t *client_open(const client_setup_t *setup);

/* Ends whatever is open, without a closing handshake, and releases. No callback comes any more. */
void client_free(client_t *client);

const char *client_name(const client_t *client);
transport_t client_transport(const client_t *client);
vsn_t client_vsn(const client_t *client);
client_state_t client_state(const client_t *client);

/* The answer to the handshake or to the first GET, once the state is not CLIENT_CONNECTING; borrowed. The
 * entry is an ENTRY_FAILED or ENTRY_END where there was no answer at all. */
const entry_t *client_answer(const client_t *client);
/* The status in the body of the first GET (long-poll), else 0. */
int client_body_status(const client_t *client);
/* Sec-WebSocket-Accept as it must be; "" over long-poll. */
const char *client_accept_expected(const client_t *client);

const client_event_t *client_event(const client_t *client, size_t index); /* NULL: not yet */

/* When something was last sent. */
moment_t client_last_sent(const client_t *client);

/* Sends messages, several in one write, or in one POST where the version allows it (LP-POST-07). False and a
 * message when one of them cannot be encoded. */
bool client_send(client_t *client, const message_t *messages, size_t count, text_t *error);

/* One text message that need not be one: a text frame, or the body of a POST that is no batch. */
void client_send_text(client_t *client, span_t text);

/* A whole message of a client, masked with a key that is not zero: a server that does not unmask must not get
 * through. The payload is borrowed. */
ws_frame_t client_frame(uint8_t opcode, span_t payload);

/* WebSocket only: frames, and bytes that are no frames, in one write. A frame with opcode CLIENT_RAW is raw
 * bytes. */
enum { CLIENT_RAW = 255 };
void client_send_frames(client_t *client, const ws_frame_t *frames, size_t count);

/* Begins the closing handshake; code 0: without one. Over long-poll: stops to poll. */
void client_close(client_t *client, unsigned code, span_t reason);

/* Ends TCP without a closing handshake. Over long-poll: gives up the waiting poll. */
void client_drop(client_t *client);

/* Notes behind a request which headers it has beside the usual ones: in a handshake they are what matters. */
void client_note_headers(transcript_t *transcript, const entry_t *request, const http_headers_t *headers);

/* Whether the server has said its last word: its close, or the end of TCP. */
bool client_gone(const client_t *client);

/* Whether TCP has ended, too (WebSocket). */
bool client_over(const client_t *client);

/* Whether the server sent more than there is room for; the connection was given up then. */
bool client_flooded(const client_t *client);

#endif
