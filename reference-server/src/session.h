/* SPDX-License-Identifier: MIT */
/*
 * Long-poll sessions: a socket whose client comes and goes. What the socket sends waits here until a poll
 * takes it; what POSTs bring is taken up line by line.
 */
#ifndef SESSION_H
#define SESSION_H

#include "exchange.h"
#include "lp_token.h"
#include "socket.h"

typedef struct session session_t;

/* All sessions of a server: a request may come on any connection. */
typedef struct sessions {
    table_t by_id;
    uint8_t key[LP_KEY_BYTES];
} sessions_t;

/* `secret` signs tokens; NULL: a random one. Returns false when memory or randomness ran out. */
bool sessions_init(sessions_t *sessions, const char *secret, uint64_t seed);
/* Ends all sessions without a word (DRAIN-01). */
void sessions_end(sessions_t *sessions);
void sessions_fini(sessions_t *sessions);

/* A new session for a client that connects. On PHXS_CONNECT_OK `*session` is it; it ends by itself. */
phxs_connect_outcome_t session_open(sessions_t *sessions, mount_t *mount, phx_vsn_t vsn,
                                    const phxs_connect_info_t *info, session_t **session);

/* True when there are as many as there may be. */
bool sessions_full(const sessions_t *sessions, const core_t *core);

/* As carrier_largest_queue and carrier_abort_slow, for what waits between polls. */
size_t sessions_largest_queue(const sessions_t *sessions);
void sessions_end_slow(const sessions_t *sessions, size_t least);

/* Whether a token is one of this server's, or of one that shares its secret; then `id` is that of its
 * session. */
bool session_token_read(const sessions_t *sessions, phx_slice_t token, uint64_t max_age_s,
                        uint8_t id[LP_ID_BYTES]);

/* The living session of this node with that id; NULL if there is none (LP-OPEN-02, LP-POST-01). */
session_t *session_by_id(const sessions_t *sessions, phx_slice_t id);

phx_slice_t session_token(const session_t *session);

#ifdef PHXS_FAULTS
/* It speaks another version from now on. */
void session_speak(session_t *session, phx_vsn_t vsn);
#else
#define session_speak(session, vsn) ((void)0)
#endif

/* Answers a poll, when there is something to tell or the window is over (LP-GET-01 to LP-GET-06). */
void session_poll(session_t *session, exchange_t *exchange);

/* Takes up what a POST brings, then answers it (LP-POST-02 to LP-POST-10). */
void session_post(session_t *session, exchange_t *exchange, bool batch);

#endif
