/* SPDX-License-Identifier: MIT */
/* How each verb begins and how it is seen to be done; for case_run.c only. */
#ifndef VECTORS_STEPS_H
#define VECTORS_STEPS_H

#include "net/deadline.h"
#include "net/http_client.h"
#include "vectors/case_run.h"
#include "vectors/client.h"
#include "vectors/matcher.h"

typedef enum outcome { STEP_DONE, STEP_WAITING, STEP_FAILED } outcome_t;

/* A client, and how far its events have been read. */
typedef struct seat {
    client_t *client;
    size_t read;
    bool ended;   /* a step expected its end */
    bool dropped; /* a step ended TCP */
    bool closing; /* the end of the case has come */
    bool asked;   /* it was open then, and was closed */
    bool closed;  /* the server has answered that */
} seat_t;

/* An HTTP exchange of an http step. */
typedef struct exchange {
    case_run_t *run;
    char *name; /* "" where the step itself waits for the answer */
    http_client_t *connection;
    http_exchange_t *under_way; /* NULL once it is over */
    const entry_t *request;
    entry_t *answer;
    moment_t came;
    double begun_at; /* clock_ms */
} exchange_t;

struct case_run {
    const target_t *target;
    const variant_t *variant;
    void (*done)(void *ctx, case_result_t *result);
    void *ctx;

    transcript_t *transcript;
    json_t *names; /* built in and captured */
    seat_t *seats;
    size_t seat_count, seat_cap;
    exchange_t **exchanges;
    size_t exchange_count, exchange_cap;
    json_t *anyway;  /* list of messages the profile allows; NULL: none */
    json_t *allowed; /* list of [client, message, v1_join_ref] */

    size_t step; /* index; the number of steps: the end of the case */
    bool begun;
    double step_began, case_began; /* clock_ms */
    json_t *filled;                /* the step, its names put in */
    char **labels;                 /* "step 1", … for the transcript */
    size_t *progress;              /* of an unordered step: how many of each list came */
    deadline_t *deadline;
    bool prolonged, whole_prolonged; /* the deadline was put off, for the harness had stood still */
    bool last_look;                  /* the deadline has passed; what the sockets hold is still read */
    bool time_up;                    /* the deadline of this step has passed */
    bool by_end;     /* it failed for the server had ended the connection or session, or the poll */
    bool by_message; /* it failed for another message came than was expected */
    bool advancing, over;
    deadline_t *finish, *whole; /* the end; the deadline of the whole case */
    double whole_ms;
    size_t room; /* how many bytes each client takes */
    case_result_t result;
};

/* Goes as far as it can; called whenever something has happened. */
void case_advance(void *run);

/* Begins the current step (run->filled): sends what it sends. STEP_WAITING, or STEP_FAILED. */
outcome_t step_begin(case_run_t *run);

/* How long the end of a case waits for the server's half of a closing handshake. */
enum { CLOSING_MS = 1000 };

/* The end of the case, once all steps are done: the same for it. */
outcome_t end_begin(case_run_t *run);
outcome_t end_poll(case_run_t *run);

/* What came at `came` must not have come before its time ("not_before"). STEP_DONE or STEP_FAILED. */
outcome_t check_early(case_run_t *run, moment_t came, moment_t since, const char *since_what);

/* Whether the current step is done by now. */
outcome_t step_poll(case_run_t *run);

/* Sets the reason of a failure; the harness' own fault where `verdict` says so. STEP_FAILED. */
outcome_t step_fail(case_run_t *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
outcome_t step_broken(case_run_t *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Reads what came for a seat up to what an expectation is about: pings, pongs and allowed messages are passed
 * over. NULL: nothing yet.
 */
const client_event_t *seat_next(case_run_t *run, seat_t *seat);

/* In words what an event is that no step expects. */
void event_describe(text_t *out, const client_event_t *event);

/* The step fails for this event: notes what a client that speaks too late may be the cause of. */
void seat_blame(case_run_t *run, const seat_t *seat, const client_event_t *event);

/* The event was what the current step expects. */
void seat_take(case_run_t *run, seat_t *seat);

/* The newest client of this name; NULL: none. */
seat_t *case_seat(case_run_t *run, const char *name);
/* The mount of the variant. */
const profile_mount_t *case_mount(const case_run_t *run);

match_context_t case_context(const case_run_t *run, const client_t *client, const json_t *step);

/* What stands behind the verb of the current step, and the client the step is about. */
const json_t *step_argument(const case_run_t *run);
seat_t *step_seat(case_run_t *run);

/* An opcode by its name or number. */
uint8_t opcode_of(const json_t *opcode);
const char *opcode_name(unsigned opcode);

/* The five fields a barrier sends, or the answer to it. A new reference. */
json_t *barrier_message(const case_run_t *run, bool reply);

/* The steps that read what came (step_expect.c). */
outcome_t expect_poll(case_run_t *run);
outcome_t unordered_poll(case_run_t *run);
outcome_t barrier_poll(case_run_t *run);
outcome_t close_poll(case_run_t *run);
outcome_t frame_poll(case_run_t *run);

/* The steps that speak HTTP: connect, http, response (step_http.c). */
outcome_t connect_begin(case_run_t *run);
outcome_t connect_poll(case_run_t *run);
outcome_t http_begin(case_run_t *run);
outcome_t http_poll(case_run_t *run);
outcome_t response_poll(case_run_t *run);
bool exchange_drop(case_run_t *run, const char *name);
void step_exchange_free(exchange_t *exchange);

/* The text a {"$message": …}, string or list of parts stands for, in the version of the variant or of
 * `client`. */
bool text_value(case_run_t *run, const json_t *value, vsn_t vsn, text_t *out, text_t *error);
bool bytes_value(case_run_t *run, const json_t *parts, vsn_t vsn, text_t *out, text_t *error);

#endif
