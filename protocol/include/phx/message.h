/* SPDX-License-Identifier: MIT */
/*
 * Messages: join_ref, ref, topic, event, payload (MSG-01), in the serializers 1.0.0 and 2.0.0.
 * Pure functions over bytes: no I/O, no clock, no state.
 */
#ifndef PHX_MESSAGE_H
#define PHX_MESSAGE_H

#include "phx/bytes.h"
#include "phx/error.h"

#pragma GCC visibility push(default)

typedef enum phx_vsn {
    PHX_V1, /* 1.0.0: JSON objects */
    PHX_V2, /* 2.0.0: JSON arrays, and binary messages */
} phx_vsn_t;

/* Whether a message travels as text or as bytes: a WebSocket frame's opcode, a long-poll line's first
 * character. */
typedef enum phx_form {
    PHX_TEXT,
    PHX_BINARY,
} phx_form_t;

/* A payload: JSON text (one checked value), or bytes. */
typedef struct phx_payload {
    phx_form_t form;
    phx_slice_t data;
} phx_payload_t;

#define PHX_JSON_PAYLOAD(literal) ((phx_payload_t){PHX_TEXT, PHX_SLICE(literal)})

/*
 * A message as it was received. Refs, topic and event are JSON text, since a peer may send any JSON there and
 * must get back what it sent (MSG-02, MSG-09): a string comes with its quotes, an absent ref is `null`.
 * Strings are in one spelling (quoted as phx_json_quote does it), so that equal values are equal bytes
 * (JREF-04). Slices are borrowed from the decoded bytes or from `scratch`.
 */
typedef struct phx_message {
    phx_slice_t join_ref;
    phx_slice_t ref;
    phx_slice_t topic;
    phx_slice_t event;
    phx_payload_t payload;
    phx_slice_t status; /* binary replies only (BIN-04): the status as JSON string; else empty */
    phx_buf_t scratch;  /* owned */
} phx_message_t;

/* Releases what a decoded message owns, and zeroes it. A zeroed message may be released, too. */
void phx_message_free(phx_message_t *message);

/*
 * Decodes what a client sent. `message` is zero-initialised or a message to be overwritten (its scratch
 * memory is used again); `bytes` must outlive it. V1 reads JSON whatever the form is (V1-07); V2 reads arrays
 * from text (V2-01 to V2-04, more than five elements are allowed) and the push layout from binary (BIN-02).
 * An empty binary join_ref or ref is the string "". The header strings of a binary message are taken as they
 * are, UTF-8 or not: only text cannot carry them on. Of equal keys in a payload the first is kept. Returns 0,
 * PHX_EJSON, PHX_ESHAPE, PHX_EKIND, PHX_ETRUNCATED, PHX_ENOMEM.
 */
int phx_decode_from_client(phx_vsn_t vsn, phx_form_t form, phx_slice_t bytes, phx_message_t *message);

/*
 * Decodes what a server sent: text as above (V1 without join_ref), binary in the layouts of push, reply and
 * broadcast (BIN-03 to BIN-05). A binary reply has the event "phx_reply" and its `status` set. A binary ref
 * of no bytes is null, since that is how a server writes null (BIN-06). Returns as phx_decode_from_client.
 */
int phx_decode_from_server(phx_vsn_t vsn, phx_form_t form, phx_slice_t bytes, phx_message_t *message);

/*
 * Encoders append one message to `out` and say its form. Refs are JSON text; topic, event and status are
 * characters (UTF-8, without quotes), unless said otherwise. On error `out` is as it was.
 * All return 0, PHX_ENOMEM, PHX_EUTF8 (a string that is not UTF-8 in a text message), and what else they
 * name.
 */

/* A client's message. V1 writes join_ref only when it is not null. A binary payload takes the layout of
 * BIN-02. Also PHX_ETOOLONG, PHX_EV1BINARY. */
int phx_encode_from_client(phx_vsn_t vsn, phx_buf_t *out, phx_form_t *form, phx_slice_t join_ref,
                           phx_slice_t ref, phx_slice_t topic, phx_slice_t event, phx_payload_t payload);

/* A server's push (V1-05, V2-06, BIN-03). Also PHX_ENOTOBJECT, PHX_ETOOLONG, PHX_EV1BINARY. */
int phx_encode_push(phx_vsn_t vsn, phx_buf_t *out, phx_form_t *form, phx_slice_t join_ref, phx_slice_t topic,
                    phx_slice_t event, phx_payload_t payload);

/* A reply (V1-04, V2-05, BIN-04). Also PHX_ETOOLONG, PHX_EV1BINARY. */
int phx_encode_reply(phx_vsn_t vsn, phx_buf_t *out, phx_form_t *form, phx_slice_t join_ref, phx_slice_t ref,
                     phx_slice_t topic, phx_slice_t status, phx_payload_t response);

/* The same for a topic that is any JSON value (MSG-09); the response is JSON. */
int phx_encode_reply_json_topic(phx_vsn_t vsn, phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref,
                                phx_slice_t topic_json, phx_slice_t status, phx_slice_t response_json);

/* A broadcast (V1-05, V2-07, BIN-05). Also PHX_ENOTOBJECT, PHX_ETOOLONG, PHX_EV1BINARY. */
int phx_encode_broadcast(phx_vsn_t vsn, phx_buf_t *out, phx_form_t *form, phx_slice_t topic,
                         phx_slice_t event, phx_payload_t payload);

/* The end of a channel: `event` is phx_close or phx_error, `payload` JSON (V1-06, V2-08). Always text. */
int phx_encode_end(phx_vsn_t vsn, phx_buf_t *out, phx_slice_t join_ref, phx_slice_t topic, phx_slice_t event,
                   phx_slice_t payload_json);

#pragma GCC visibility pop

#endif
