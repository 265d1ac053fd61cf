/* SPDX-License-Identifier: MIT */
/* The serializer 2.0.0, text: arrays. */
#include "serializer.h"

int v2__decode(phx_slice_t bytes, phx_message_t *message)
{
    json_scan_t scan;
    const int error = json__scan(bytes, true, &scan);
    if (error != PHX_OK) {
        return error;
    }
    if (phx_json_kind(scan.value) != PHX_JSON_ARRAY || scan.element_count < 5) { /* V2-02, V2-03 */
        return PHX_ESHAPE;
    }
    message->join_ref = scan.elements[0];
    message->ref = scan.elements[1];
    message->topic = scan.elements[2];
    message->event = scan.elements[3];
    message->payload.data = scan.elements[4];
    return text__settle(message, &scan);
}

int v2__message(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref, phx_slice_t topic, phx_slice_t event,
                phx_slice_t payload)
{
    const piece_t pieces[] = {
        TEXT("["), as_json(join_ref), TEXT(","), as_json(ref),   TEXT(","), as_string(topic),
        TEXT(","), as_string(event),  TEXT(","), as_is(payload), TEXT("]"),
    };
    return TEXT_WRITE(out, pieces);
}

int v2__reply(phx_buf_t *out, phx_slice_t join_ref, phx_slice_t ref, piece_t topic, phx_slice_t status,
              phx_slice_t response)
{
    const piece_t pieces[] = {
        TEXT("["),
        as_json(join_ref),
        TEXT(","),
        as_json(ref),
        TEXT(","),
        topic,
        TEXT(",\"phx_reply\",{\"response\":"),
        as_is(response),
        TEXT(",\"status\":"),
        as_string(status),
        TEXT("}]"),
    };
    return TEXT_WRITE(out, pieces);
}
