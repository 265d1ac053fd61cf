/* SPDX-License-Identifier: MIT */
/*
 * The scripted server of one case. It listens on a port of its own and does nothing unasked but what keeps a
 * conversation going: it answers pings and the closes of a client, takes POSTs with status 200, and gives a
 * poll what there is to give. Who wants to connect is an offer until the script accepts or refuses it.
 * Everything goes to the transcript as it happens; what an expectation may ask for comes out as lists that
 * are only ever added to.
 */
#ifndef CLIENT_SUITE_HOST_H
#define CLIENT_SUITE_HOST_H

#include "judge/transcript.h"
#include "vectors/pace.h"
#include "vectors/vector.h"

#include <uv.h>

typedef struct host host_t;
typedef struct offer offer_t; /* a handshake, or the first GET of a session, not answered yet */
typedef struct peer peer_t;   /* an accepted connection or session */

typedef enum peer_event_kind {
    PEER_MESSAGE, /* entry->message */
    PEER_CLOSE,   /* a close frame the client sent of its own accord */
    PEER_END,     /* the client ended TCP; over long-poll it gave up its poll */
    PEER_TROUBLE, /* what the protocol does not allow; `text` says what */
} peer_event_kind_t;

typedef struct peer_event {
    peer_event_kind_t kind;
    entry_t *entry; /* borrowed from the transcript */
    char *text;     /* owned; NULL unless the kind has one */
    moment_t came;
} peer_event_t;

/* What may be kept waiting; a close is the closing handshake of the client. */
typedef enum request_kind { REQUEST_POLL, REQUEST_POST, REQUEST_CLOSE, REQUESTS } request_kind_t;

/* Begins to listen on 127.0.0.1; NULL and a message where that cannot be. `changed` is called from the loop
 * when there is something new, and may not free the host. Transcript and pace are borrowed. */
host_t *host_open(uv_loop_t *loop, const pace_t *pace, transcript_t *transcript, vsn_t vsn,
                  void (*changed)(void *ctx), void *ctx, text_t *error);
int host_port(const host_t *host);
/* The longest it took to answer of its own accord (NULL: none did). */
double host_late_ms(const host_t *host);
/* When something was last written to a client, by the kernel's account; 0: it gives none. */
double host_sent_at(const host_t *host);
/* Ends whatever is open and releases. */
void host_free(host_t *host);

/* Offers in the order they came; NULL: not yet. */
offer_t *host_offer(const host_t *host, size_t index);
/* Peers in the order they were accepted; NULL: no more. */
peer_t *host_peer(const host_t *host, size_t index);

transport_t offer_transport(const offer_t *offer);
const entry_t *offer_entry(const offer_t *offer);
moment_t offer_came(const offer_t *offer);
const char *offer_target(const offer_t *offer);

/* Answers 101, with the subprotocol phoenix where that was offered, or with the token of a new session. An
 * offer that is gone is accepted, too, and its peer has ended. Borrowed from the host. */
peer_t *offer_accept(offer_t *offer, const char *name);
/* Answers with this status and body; over long-poll, `status` stands in the body of a 200 where `body` is
 * NULL. Status 0: TCP is ended without an answer. */
void offer_refuse(offer_t *offer, int status, const char *body);

const char *peer_name(const peer_t *peer);
transport_t peer_transport(const peer_t *peer);
const char *peer_token(const peer_t *peer);                       /* "" over WebSocket */
const peer_event_t *peer_event(const peer_t *peer, size_t index); /* NULL: not yet */
bool peer_gone(const peer_t *peer);

/* One whole message, `binary` or text, whatever its bytes. */
void peer_send(peer_t *peer, bool binary, span_t bytes);
/* WebSocket: bytes as they are. */
void peer_send_raw(peer_t *peer, span_t bytes);

/* Asks for a sign that the client has taken all it was sent: a ping. */
void peer_ask(peer_t *peer);
/* Whether the sign has come, or none can: the pong, or over long-poll the next poll. What the client sent
 * before is here then. */
bool peer_settled(const peer_t *peer);

/* Begins the closing handshake; code 0: without one. Over long-poll the session is gone: polls are answered
 * with 410 and a token that leads nowhere. */
void peer_close(peer_t *peer, unsigned code, span_t reason);
/* Ends TCP, of all requests of a session, which stays. */
void peer_drop(peer_t *peer);

/* Requests of this kind wait for peer_answer from now on, or are answered as usual again. Pending
 * ones stay as they are. */
void peer_hold(peer_t *peer, request_kind_t kind, bool hold);
/* Long-poll: answers the oldest request of this kind that waits; false: none does. */
bool peer_answer(peer_t *peer, request_kind_t kind, int status, span_t body);
/* Long-poll: how many requests of this kind wait for an answer. */
size_t peer_waiting(const peer_t *peer, request_kind_t kind);
/* Long-poll: the oldest of them, as offer_json has it, a new reference; NULL: none waits. */
json_t *peer_asked(const peer_t *peer, request_kind_t kind);

#endif
