/* SPDX-License-Identifier: MIT */
/* The serializer 2.0.0, binary: a kind, the lengths of the header strings, the strings, the payload (BIN-01).
 */
#include <string.h>

#include "serializer.h"

enum { KIND_PUSH = 0, KIND_REPLY = 1, KIND_BROADCAST = 2 };
enum { MAX_STRINGS = 4, MAX_STRING_LEN = 255 };

/* Splits `bytes` into `count` header strings and the payload. Returns 0, PHX_ETRUNCATED. */
static int split(phx_slice_t bytes, size_t count, phx_slice_t strings[MAX_STRINGS], phx_slice_t *payload)
{
    size_t at = 1 + count;
    if (bytes.len < at) {
        return PHX_ETRUNCATED;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t len = (uint8_t)bytes.data[1 + i];
        if (bytes.len - at < len) {
            return PHX_ETRUNCATED;
        }
        strings[i] = (phx_slice_t){bytes.data + at, len};
        at += len;
    }
    *payload = (phx_slice_t){bytes.data + at, bytes.len - at};
    return PHX_OK;
}

/* Makes each string a JSON string in the scratch memory. Returns 0, PHX_ENOMEM. */
static int quote(phx_message_t *message, size_t count, phx_slice_t strings[MAX_STRINGS])
{
    phx_buf_t *scratch = &message->scratch;
    bool utf8 = true; /* not asked for: message.h */
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += json__quoted_len(strings[i], &utf8);
    }
    if (!phx_buf_reserve(scratch, size)) {
        return PHX_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t start = scratch->len;
        phx_json_quote(scratch, strings[i]);
        strings[i] = (phx_slice_t){scratch->data + start, scratch->len - start};
    }
    return PHX_OK;
}

/* A server writes an absent ref as no bytes (BIN-06); a client's empty ref is the string "" (BIN-08). */
static phx_slice_t server_ref(phx_slice_t quoted)
{
    return quoted.len > 2 ? quoted : JSON_NULL;
}

int binary__decode(side_t side, phx_slice_t bytes, phx_message_t *message)
{
    if (bytes.len == 0) {
        return PHX_ETRUNCATED;
    }
    const uint8_t kind = (uint8_t)bytes.data[0];
    if (kind > (side == FROM_CLIENT ? KIND_PUSH : KIND_BROADCAST)) {
        return PHX_EKIND;
    }
    const size_t count = kind == KIND_BROADCAST ? 2 : kind == KIND_PUSH && side == FROM_SERVER ? 3 : 4;
    phx_slice_t strings[MAX_STRINGS];
    int error = split(bytes, count, strings, &message->payload.data);
    if (error == PHX_OK) {
        error = quote(message, count, strings);
    }
    if (error != PHX_OK) {
        return error;
    }

    message->payload.form = PHX_BINARY;
    message->join_ref = JSON_NULL;
    message->ref = JSON_NULL;
    if (side == FROM_CLIENT) { /* BIN-02 */
        message->join_ref = strings[0];
        message->ref = strings[1];
        message->topic = strings[2];
        message->event = strings[3];
    } else if (kind == KIND_PUSH) { /* BIN-03 */
        message->join_ref = server_ref(strings[0]);
        message->topic = strings[1];
        message->event = strings[2];
    } else if (kind == KIND_REPLY) { /* BIN-04 */
        message->join_ref = server_ref(strings[0]);
        message->ref = server_ref(strings[1]);
        message->topic = strings[2];
        message->event = PHX_SLICE("\"phx_reply\"");
        message->status = strings[3];
    } else { /* BIN-05 */
        message->topic = strings[0];
        message->event = strings[1];
    }
    return PHX_OK;
}

static bool is_string(piece_t piece)
{
    return piece.kind == PIECE_JSON && phx_json_kind(piece.slice) == PHX_JSON_STRING;
}

/* BIN-06; a ref that is neither null, number nor string is written as its JSON. */
static size_t header_len(piece_t piece)
{
    if (is_string(piece)) {
        return json__unescaped_len(piece.slice);
    }
    return piece.kind == PIECE_JSON && phx_json_kind(piece.slice) == PHX_JSON_NULL ? 0 : piece.slice.len;
}

static int encode(phx_buf_t *out, uint8_t kind, const piece_t *strings, size_t count, phx_slice_t payload)
{
    uint8_t header[1 + MAX_STRINGS] = {kind};
    size_t size = 1 + count + payload.len;
    for (size_t i = 0; i < count; i++) {
        const size_t len = header_len(strings[i]);
        if (len > MAX_STRING_LEN) { /* BIN-09 */
            return PHX_ETOOLONG;
        }
        header[1 + i] = (uint8_t)len;
        size += len;
    }
    if (!phx_buf_reserve(out, size)) {
        return PHX_ENOMEM;
    }
    phx_buf_append(out, header, 1 + count);
    for (size_t i = 0; i < count; i++) {
        if (is_string(strings[i])) {
            (void)json__unescape(out->data + out->len, strings[i].slice);
            out->len += header[1 + i];
        } else {
            phx_buf_append(out, strings[i].slice.data, header[1 + i]);
        }
    }
    phx_buf_append_slice(out, payload);
    return PHX_OK;
}

int binary__from_client(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref, phx_slice_t topic,
                        phx_slice_t event, phx_slice_t payload)
{
    const piece_t strings[] = {as_json(join_ref), as_json(ref), as_string(topic), as_string(event)};
    return encode(out, KIND_PUSH, strings, 4, payload);
}

int binary__push(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t topic, phx_slice_t event,
                 phx_slice_t payload)
{
    const piece_t strings[] = {as_json(join_ref), as_string(topic), as_string(event)};
    return encode(out, KIND_PUSH, strings, 3, payload);
}

int binary__reply(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref, phx_slice_t topic,
                  phx_slice_t status, phx_slice_t response)
{
    const piece_t strings[] = {as_json(join_ref), as_json(ref), as_string(topic), as_string(status)};
    return encode(out, KIND_REPLY, strings, 4, response);
}

int binary__broadcast(phx_buf_t *out, phx_slice_t topic, phx_slice_t event, phx_slice_t payload)
{
    const piece_t strings[] = {as_string(topic), as_string(event)};
    return encode(out, KIND_BROADCAST, strings, 2, payload);
}
