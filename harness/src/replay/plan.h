/* SPDX-License-Identifier: MIT */
/*
 * A recording as a list of moments to be gone through one after the other: what the client does (and how long
 * it paused before), and what is to come before it goes on. The recorder worked so: it sent nothing before it
 * had seen what it waited for; only where answers overlap (a poll that waits while a POST goes out) their
 * ends come later.
 */
#ifndef REPLAY_PLAN_H
#define REPLAY_PLAN_H

#include "replay/recording.h"

typedef enum act {
    ACT_OPEN,    /* connect the WebSocket and await the answer to the handshake */
    ACT_SEND,    /* frames or raw bytes; with_previous: in one write with the moment before */
    ACT_END,     /* end TCP */
    ACT_REQUEST, /* send an HTTP request */
    ACT_ABORT,   /* give the exchange up */
    ACT_SIGNAL,  /* stop the server: SIGTERM, or SIGKILL where the recording says so */
    ACT_AWAIT_FRAME,
    ACT_AWAIT_ANSWER, /* to the request of the same event */
    ACT_AWAIT_END,    /* the end of TCP */
} act_t;

enum { NO_EVENT = -1 };

typedef struct moment {
    act_t act;
    long event; /* index in the recording, NO_EVENT for ACT_OPEN and ACT_SIGNAL */
    size_t conn;
    double t_ms;     /* when it was recorded */
    double pause_ms; /* acts: the client's own pause since the moment before */
    double gap_ms;   /* awaits: how long after the moment before it came */
    bool with_previous;
} moment_t;

typedef struct plan {
    moment_t *at;
    size_t len, cap;
} plan_t;

plan_t plan_make(const recording_t *recording);
void plan_free(plan_t *plan);

/* How long to wait for something that took `gap_ms` when it was recorded: three times that, and at least 2 s
 * more. */
double plan_patience(double gap_ms);

/*
 * The event that the incoming one is an answer to: the client's message with the same ref and topic on its
 * connection, else whatever the client did last. NO_EVENT: nothing was sent before.
 */
long plan_cause(const recording_t *recording, size_t event);

/*
 * How soon an answer that took `recorded_ms` may come. Only what was asked to be late must be: half of the
 * recorded time where that was 250 ms or more, but not more than the client's messages up to this event asked
 * for (delay_ms, ms) and, for a close frame, the idle timeout. 0: at once.
 */
double plan_earliest(const recording_t *recording, size_t event, double recorded_ms);

#endif
