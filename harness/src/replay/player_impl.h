/* SPDX-License-Identifier: MIT */
/* Inside of the player: player.c goes through the plan, player_wire.c has what comes and must come on each
 * connection, player_http.c the HTTP exchanges, player_farewell.c what is done when the verdict is known. */
#ifndef REPLAY_PLAYER_IMPL_H
#define REPLAY_PLAYER_IMPL_H

#include "net/deadline.h"
#include "net/http_client.h"
#include "net/ws_client.h"
#include "replay/plan.h"
#include "replay/player.h"

/* Something the recorded server sent, to be found among what the target sends. */
typedef struct expected {
    long event;
    const recorded_frame_t *frame;
    bool optional; /* a rule says that it need not come */
    bool arrived;
    char label[32]; /* for the timeline */
} expected_t;

/* A connection of the recording: a WebSocket, or a long-poll session (or bare HTTP exchanges). */
typedef struct wire {
    player_t *player;
    const recorded_conn_t *recorded;
    ws_client_t *ws;
    bool answered;   /* the handshake was */
    bool ended;      /* TCP, by the target */
    bool close_came; /* a close frame */
    double opened_ms;
    char *end; /* how TCP ended */
    expected_t *expected;
    size_t expected_len, expected_cap;
    double poll_sent_ms, polled_ms; /* when the last poll was sent, and answered */
    names_t tokens;                 /* of the long-poll sessions the target gave us on it */
    bool posts_over;                /* a run of POSTs has come to its end (the rule "posts") */
} wire_t;

/* An exchange, one for each HTTP event. */
typedef struct exchange {
    player_t *player;
    wire_t *wire;
    long event;
    http_client_t *client;
    http_exchange_t *http; /* under way, or NULL */
    const entry_t *request;
    deadline_t *again; /* until a POST is sent once more (the rule "posts") */
    bool done;         /* answered as recorded, or as a rule allows */
    bool skipped;      /* not sent: its messages had already come, or its run was over */
} exchange_t;

struct player {
    player_setup_t setup;
    plan_t plan;
    size_t cursor;
    double passed_ms;     /* when the moment before the cursor was passed */
    deadline_t *deadline; /* of the moment at the cursor, or that reports the verdict */
    bool waiting;         /* the deadline is the patience for the moment at the cursor */
    double *sent_ms;      /* when each event of the client was sent; -1: not yet */
    wire_t *wires;
    exchange_t *exchanges; /* by event */
    transcript_t *transcript;
    identities_t identities;
    bool holding; /* the messages of one answer come one by one: the plan goes on behind the last */
    bool over, agreed;
    size_t event;
    finding_t finding;
    double ms, late_ms;
    http_client_t **farewells; /* POSTs that leave the channels of long-poll sessions */
    size_t farewells_len, farewells_cap, farewells_left;
};

/* player.c */
const recorded_event_t *player_recorded(const player_t *player, long event);
void player_advance(player_t *player);
/* The verdict: a disagreement at this event (NO_EVENT: none of them). The finding is filled by the caller. */
void player_fail(player_t *player, long event);
void player_fail_with(player_t *player, long event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* False, and the verdict, when an answer came sooner than it may. */
bool player_in_time(player_t *player, long event, double earliest_ms, double got_ms);
/* The sessions have been left; the verdict can be told. */
void player_farewell_over(player_t *player);

/* player_wire.c */
void wire_init(wire_t *wire, player_t *player, size_t conn);
void wire_free(wire_t *wire);
void wire_open(wire_t *wire);
void wire_send(wire_t *wire, const moment_t *moments, size_t count);
void wire_end(wire_t *wire);
expected_t *wire_expected(wire_t *wire, long event, size_t nth);
/* Something came; it is matched, allowed by a rule, or the verdict. */
void wire_arrived(wire_t *wire, entry_t *entry);
bool wire_may_end(const wire_t *wire, unsigned code, bool *code_allowed);

/* player_http.c */
void exchange_request(exchange_t *exchange);
void exchange_abort(exchange_t *exchange);
/* Whether what the recorded exchange brought is all there; asks again where a poll brought less. */
bool exchange_complete(exchange_t *exchange);
void exchange_close(exchange_t *exchange);

/* player_farewell.c */
/*
 * A long-poll session outlives its client by some windows, and its channels would hear what the next
 * recording says on the same topics. So the channels are left: one POST for each session, whose answer is not
 * judged. player_farewell_over is called when all are answered; farewells_len is 0 when there was nothing to
 * leave.
 */
void farewell_start(player_t *player);
void farewell_free(player_t *player);

#endif
