/* SPDX-License-Identifier: MIT */
/* The serializer 1.0.0: objects. Keys are written in the order Phoenix writes them, which nobody may rely on.
 */
#include "serializer.h"

int v1__decode(side_t side, phx_slice_t bytes, phx_message_t *message)
{
    const struct {
        const char *key;
        phx_slice_t *value;
    } fields[] = {
        {"topic", &message->topic}, {"event", &message->event},       {"payload", &message->payload.data},
        {"ref", &message->ref},     {"join_ref", &message->join_ref},
    };
    enum { FIELDS = sizeof fields / sizeof fields[0] };

    json_scan_t scan;
    const int error = json__scan(bytes, true, &scan);
    if (error != PHX_OK) {
        return error;
    }
    if (phx_json_kind(scan.value) != PHX_JSON_OBJECT) {
        return PHX_ESHAPE;
    }
    size_t cursor = 0;
    phx_slice_t key;
    phx_slice_t value;
    while (phx_json_next(scan.value, &cursor, &key, &value)) {
        for (size_t i = 0; i < FIELDS; i++) {
            if (fields[i].value->len == 0 && phx_json_is(key, fields[i].key)) {
                *fields[i].value = value;
                break;
            }
        }
    }
    /* V1-01: all but join_ref must be there. V1-03: a server's message has none. */
    if (message->join_ref.len == 0 || side == FROM_SERVER) {
        message->join_ref = JSON_NULL;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        if (fields[i].value->len == 0) {
            return PHX_ESHAPE;
        }
    }
    return text__settle(message, &scan);
}

int v1__message(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref, phx_slice_t topic, phx_slice_t event,
                phx_slice_t payload)
{
    const bool joined = phx_json_kind(join_ref) != PHX_JSON_NULL;
    const piece_t pieces[] = {
        TEXT("{\"event\":"),
        as_string(event),
        joined ? TEXT(",\"join_ref\":") : TEXT(""),
        joined ? as_json(join_ref) : TEXT(""),
        TEXT(",\"payload\":"),
        as_is(payload),
        TEXT(",\"ref\":"),
        as_json(ref),
        TEXT(",\"topic\":"),
        as_string(topic),
        TEXT("}"),
    };
    return TEXT_WRITE(out, pieces);
}

int v1__reply(phx_buf_t *out, phx_slice_t ref, piece_t topic, phx_slice_t status, phx_slice_t response)
{
    const piece_t pieces[] = {
        TEXT("{\"event\":\"phx_reply\",\"payload\":{\"response\":"),
        as_is(response),
        TEXT(",\"status\":"),
        as_string(status),
        TEXT("},\"ref\":"),
        as_json(ref),
        TEXT(",\"topic\":"),
        topic,
        TEXT("}"),
    };
    return TEXT_WRITE(out, pieces);
}
