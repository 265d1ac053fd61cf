/* SPDX-License-Identifier: MIT */
/* What the two text serializers have in common. */
#include <string.h>

#include "serializer.h"

int text__write(phx_buf_t *out, const piece_t *pieces, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        const phx_slice_t slice = pieces[i].slice;
        bool utf8 = true;
        switch (pieces[i].kind) {
        case PIECE_AS_IS:
            size += slice.len;
            break;
        case PIECE_JSON:
            utf8 = phx_utf8_valid(slice);
            size += slice.len;
            break;
        case PIECE_CHARACTERS:
            size += json__quoted_len(slice, &utf8);
            break;
        }
        if (!utf8) {
            return PHX_EUTF8;
        }
    }
    if (!phx_buf_reserve(out, size)) {
        return PHX_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].kind == PIECE_CHARACTERS) {
            phx_json_quote(out, pieces[i].slice);
        } else {
            phx_buf_append_slice(out, pieces[i].slice);
        }
    }
    return PHX_OK;
}

static bool has_escape(phx_slice_t json)
{
    return json.data[0] == '"' && memchr(json.data, '\\', json.len) != NULL;
}

int text__settle(phx_message_t *message, const json_scan_t *scan)
{
    if (!scan->escapes && !scan->repeated_keys) {
        return PHX_OK;
    }
    phx_slice_t *strings[] = {&message->join_ref, &message->ref, &message->topic, &message->event};
    phx_buf_t *scratch = &message->scratch;

    /* Nothing gets longer, so that one reserve keeps all slices of the scratch where they are. */
    size_t needed = scan->repeated_keys ? message->payload.data.len : 0;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        needed += has_escape(*strings[i]) ? strings[i]->len : 0;
    }
    if (!phx_buf_reserve(scratch, needed)) {
        return PHX_ENOMEM;
    }
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        if (has_escape(*strings[i])) {
            const size_t start = scratch->len;
            json__requote(scratch, *strings[i]);
            *strings[i] = (phx_slice_t){scratch->data + start, scratch->len - start};
        }
    }
    if (scan->repeated_keys) {
        const size_t start = scratch->len;
        const int error = phx_json_unique_keys(message->payload.data, scratch);
        if (error != PHX_OK) {
            return error;
        }
        message->payload.data = (phx_slice_t){scratch->data + start, scratch->len - start};
    }
    return PHX_OK;
}
