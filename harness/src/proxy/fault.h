/* SPDX-License-Identifier: MIT */
/*
 * Faults: which of the things that pass are altered, and how. They are data (vectors/mutants/README.md),
 * matched by what is said and by counting, never by chance or by time, so that a run with a fault can be
 * repeated.
 */
#ifndef PROXY_FAULT_H
#define PROXY_FAULT_H

#include "judge/message.h"

typedef struct faults faults_t;

/* Something that passes: a message, a WebSocket frame that is none, or an HTTP request or response. All
 * borrowed. */
typedef struct unit {
    direction_t from;
    bool websocket; /* else long-poll */
    vsn_t vsn;
    const char *conversation; /* the WebSocket connection or long-poll session it belongs to; "" for none */
    const message_t *message; /* NULL: it is none that can be read */
    const char *frame;        /* "text", "binary", "close", "ping", "pong", "other"; NULL: it came in HTTP */
    unsigned code;            /* of a close frame; 0: none */
    /* An exchange's {"method", "path", "query", "headers", "status", "body"}; NULL: it is none. */
    const json_t *http;
} unit_t;

/*
 * Takes the list of faults of one mutant, which is checked by then (mutant_check). Counted up.
 */
faults_t *faults_new(json_t *list);
void faults_free(faults_t *faults);

/* Whether any fault looks at messages of this side: if not, nobody needs to read them. */
bool faults_read_messages(const faults_t *faults, direction_t from);

/*
 * What is done to the unit: a list of actions in order, names put in. A new reference, or NULL: nothing.
 * Counts the unit, and remembers what `after` waits for.
 */
json_t *faults_match(faults_t *faults, const unit_t *unit);

/* How many units a fault has altered so far. */
size_t faults_hits(const faults_t *faults);

#endif
