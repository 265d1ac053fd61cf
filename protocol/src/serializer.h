/* SPDX-License-Identifier: MIT */
/* What message.c, which chooses, and the serializers, which do, tell each other. */
#ifndef PHX_SERIALIZER_H
#define PHX_SERIALIZER_H

#include "json_internal.h"
#include "phx/message.h"

#define JSON_NULL PHX_SLICE("null")

typedef enum side {
    FROM_CLIENT,
    FROM_SERVER,
} side_t;

/* A part of a message to be written. */
typedef struct piece {
    enum {
        PIECE_AS_IS, /* our own punctuation, or checked JSON */
        PIECE_JSON,  /* a ref or topic: JSON that may hold bytes of a binary message that are not UTF-8 */
        PIECE_CHARACTERS, /* a string without its quotes */
    } kind;
    phx_slice_t slice;
} piece_t;

#define TEXT(literal) ((piece_t){PIECE_AS_IS, PHX_SLICE(literal)})

static inline piece_t as_is(phx_slice_t json)
{
    return (piece_t){PIECE_AS_IS, json};
}

static inline piece_t as_json(phx_slice_t json)
{
    return (piece_t){PIECE_JSON, json};
}

static inline piece_t as_string(phx_slice_t characters)
{
    return (piece_t){PIECE_CHARACTERS, characters};
}

/* Appends the pieces as text. Returns 0, PHX_EUTF8, PHX_ENOMEM; on error `out` is as it was. */
int text__write(phx_buf_t *out, const piece_t *pieces, size_t count);
#define TEXT_WRITE(out, pieces) text__write(out, pieces, sizeof(pieces) / sizeof(pieces)[0])

/*
 * Gives the fields of `message`, still slices of the scanned text, the form its readers may count on: refs,
 * topic and event in one spelling, the payload without repeated keys. Returns 0, PHX_ENOMEM.
 */
int text__settle(phx_message_t *message, const json_scan_t *scan);

/* Decoders fill a message that is empty but for its scratch memory. */
int v1__decode(side_t side, phx_slice_t bytes, phx_message_t *message);
int v2__decode(phx_slice_t bytes, phx_message_t *message);
int binary__decode(side_t side, phx_slice_t bytes, phx_message_t *message);

/* Encoders: as the public ones. `topic` is JSON or characters. */
int v1__message(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref, phx_slice_t topic, phx_slice_t event,
                phx_slice_t payload);
int v1__reply(phx_buf_t *out, phx_slice_t ref, piece_t topic, phx_slice_t status, phx_slice_t response);
int v2__message(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref, phx_slice_t topic, phx_slice_t event,
                phx_slice_t payload);
int v2__reply(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref, piece_t topic, phx_slice_t status,
              phx_slice_t response);
int binary__from_client(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref, phx_slice_t topic,
                        phx_slice_t event, phx_slice_t payload);
int binary__push(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t topic, phx_slice_t event,
                 phx_slice_t payload);
int binary__reply(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref, phx_slice_t topic,
                  phx_slice_t status, phx_slice_t response);
int binary__broadcast(phx_buf_t *out, phx_slice_t topic, phx_slice_t event, phx_slice_t payload);

#endif
