/* SPDX-License-Identifier: MIT */
/*
 * Messages as vectors and recordings see them: five JSON values (MSG-01), whatever carried them. This codec
 * is the harness' own, on purpose: a judge that shares its codec with the accused proves nothing.
 */
#ifndef JUDGE_MESSAGE_H
#define JUDGE_MESSAGE_H

#include "base/jvalue.h"

typedef enum vsn { VSN_1, VSN_2 } vsn_t;

/* "1.0.0" and "2.0.0"; false for anything else. */
bool vsn_parse(const char *string, vsn_t *vsn);
const char *vsn_name(vsn_t vsn);

typedef enum direction { FROM_CLIENT, FROM_SERVER } direction_t;

/*
 * A message. Fields are owned references and never NULL in a decoded message, but join_ref: NULL means that a
 * V1 message had no such key (V1-05); in V2 it is JSON null at least. A message with `binary` set has a
 * payload of bytes, written {"$base64": "…"}; a binary reply (BIN-04) has the event "phx_reply" and the
 * payload {"status": S, "response": {"$base64": "…"}}, and a broadcast (BIN-05) has null refs. Refs of binary
 * messages are strings, and null where their length is 0 (BIN-06).
 */
typedef struct message {
    json_t *join_ref, *ref, *topic, *event, *payload;
    bool binary;
} message_t;

void message_free(message_t *message); /* drops the references, and zeroes it */

/* The five fields, borrowed references stay the caller's: each is counted up. NULL: JSON null. */
message_t message_of(json_t *join_ref, json_t *ref, json_t *topic, json_t *event, json_t *payload);

/*
 * Reads what the peer sent. `binary`: it came in a binary frame (V2: one of the layouts of BIN-02 to BIN-05
 * by direction; V1: JSON all the same, V1-07). Strict: V1 is an object with topic, event, payload, ref (more
 * keys are allowed from a client), V2 an array of five (a client's may be longer). False, a message for
 * people in `error` (may be NULL), and `message` zeroed, when it is not a message.
 */
bool message_decode(message_t *message, vsn_t vsn, direction_t from, bool binary, span_t bytes,
                    text_t *error);

/*
 * Writes a client's message; *binary says which opcode it takes. V1 writes join_ref unless it is NULL or JSON
 * null. Binary needs VSN_2 and strings (or null) in the other fields, each at most 255 bytes long. False and
 * a message for people when it cannot be written so.
 */
bool message_encode(const message_t *message, vsn_t vsn, text_t *out, bool *binary, text_t *error);

/* Appends "[join_ref, ref, topic, event, payload]" in canonical JSON, "binary " before it where it is. */
void message_write(text_t *out, const message_t *message);

/* The same over several lines, for diffs. */
void message_pretty(text_t *out, const message_t *message);

/* The topic or event as a string; "" when it is none. Borrowed. */
const char *message_topic(const message_t *message);
const char *message_event(const message_t *message);

#endif
