/* SPDX-License-Identifier: MIT */
#include "proxy/act.h"

#include "base/memory.h"
#include "proxy/edit.h"

#include <stdlib.h>
#include <string.h>

/* A client's frames must be masked, and a mask of zeros would hide a server that does not unmask. */
static const uint8_t MASK[4] = {0x37, 0xfa, 0x21, 0x3d};

void piece_free(piece_t *piece)
{
    text_free(&piece->payload);
    text_free(&piece->raw);
}

void acts_free(acts_t *acts)
{
    for (size_t i = 0; i < acts->len; i++) {
        piece_free(&acts->at[i]);
    }
    free(acts->at);
    *acts = (acts_t){0};
}

void piece_write(text_t *out, const piece_t *piece)
{
    if (!piece->altered) {
        text_span_add(out, text_span(&piece->raw));
        return;
    }
    span_t rest = text_span(&piece->payload);
    size_t count = piece->fragments > 1 ? piece->fragments : 1;
    for (size_t i = 0; i < count; i++) {
        size_t size = i + 1 == count ? rest.len : piece->payload.len / count;
        ws_frame_t frame = ws_frame(i == 0 ? piece->opcode : WS_CONTINUATION, (span_t){rest.at, size});
        frame.fin = i + 1 == count;
        frame.rsv = i == 0 ? piece->rsv : 0;
        frame.masked = piece->masked;
        memcpy(frame.mask, MASK, sizeof MASK);
        ws_encode(out, &frame);
        rest = span_from(rest, size);
    }
}

static piece_t copy_of(const piece_t *piece)
{
    piece_t copy = *piece;
    copy.payload = copy.raw = (text_t){0};
    text_span_add(&copy.payload, text_span(&piece->payload));
    text_span_add(&copy.raw, text_span(&piece->raw));
    return copy;
}

static void add(acts_t *acts, size_t place, piece_t piece)
{
    MEM_ROOM(acts->at, acts->len, acts->cap);
    memmove(&acts->at[place + 1], &acts->at[place], (acts->len - place) * sizeof *acts->at);
    acts->at[place] = piece;
    acts->len++;
}

/* Another message of the same sender, written by the fault. */
static void add_message(acts_t *acts, size_t place, const json_t *five, vsn_t vsn, bool masked)
{
    message_t message = message_of(json_array_get(five, 0), json_array_get(five, 1), json_array_get(five, 2),
                                   json_array_get(five, 3), json_array_get(five, 4));
    piece_t piece = {.altered = true, .masked = masked, .opcode = WS_TEXT};
    bool binary;
    if (vsn == VSN_1 && !masked) { /* what a server sends has no join_ref there (V1-03) */
        json_decref(message.join_ref);
        message.join_ref = NULL;
    }
    if (message_encode(&message, vsn, &piece.payload, &binary, NULL)) {
        add(acts, place, piece);
    }
    message_free(&message);
}

static void edit(piece_t *piece, const json_t *action)
{
    json_t *root = jvalue_parse(text_span(&piece->payload), NULL);
    if (root) {
        edit_json(root, action);
        text_clear(&piece->payload);
        jvalue_write(&piece->payload, root);
        piece->altered = true;
        json_decref(root);
    }
}

/* A byte of a binary message, counted from the end when negative. */
static void set_byte(piece_t *piece, const json_t *byte)
{
    json_int_t at = json_integer_value(json_object_get(byte, "at"));
    at += at < 0 ? (json_int_t)piece->payload.len : 0;
    if (at >= 0 && (size_t)at < piece->payload.len) {
        piece->payload.at[at] = (char)json_integer_value(json_object_get(byte, "value"));
        piece->altered = true;
    }
}

static uint8_t opcode_named(const char *name)
{
    return strcmp(name, "binary") == 0 ? WS_BINARY : WS_TEXT;
}

static void alter(piece_t *piece, const json_t *action)
{
    const json_t *value;
    if (edit_is(action)) {
        edit(piece, action);
    }
    if ((value = json_object_get(action, "text"))) {
        text_clear(&piece->payload);
        text_add(&piece->payload, json_string_value(value), json_string_length(value));
        piece->altered = true;
    }
    if ((value = json_object_get(action, "byte"))) {
        set_byte(piece, value);
    }
    if ((value = json_object_get(action, "truncate")) &&
        (size_t)json_integer_value(value) < piece->payload.len) {
        piece->payload.len = (size_t)json_integer_value(value);
        piece->altered = true;
    }
    if ((value = json_object_get(action, "opcode"))) {
        piece->opcode = opcode_named(json_string_value(value));
        piece->altered = true;
    }
    if ((value = json_object_get(action, "rsv"))) {
        piece->rsv = (uint8_t)(json_integer_value(value) & 7);
        piece->altered = true;
    }
    if ((value = json_object_get(action, "masked"))) {
        piece->masked = json_is_true(value);
        piece->altered = true;
    }
    if ((value = json_object_get(action, "fragments"))) {
        piece->fragments = (size_t)json_integer_value(value);
        piece->altered = true;
    }
    if ((value = json_object_get(action, "delay_ms"))) {
        piece->delay_ms += json_number_value(value);
    }
}

static void act_one(acts_t *acts, const json_t *action, vsn_t vsn, bool masked)
{
    const json_t *message;
    if (json_is_true(json_object_get(action, "drop"))) {
        for (size_t i = 0; i < acts->len; i++) {
            piece_free(&acts->at[i]);
        }
        acts->len = 0;
    }
    if (json_is_true(json_object_get(action, "duplicate")) && acts->len > 0) {
        add(acts, acts->len, copy_of(&acts->at[acts->len - 1]));
    }
    for (size_t i = 0; i < acts->len; i++) {
        alter(&acts->at[i], action);
    }
    if ((message = json_object_get(action, "before"))) {
        add_message(acts, 0, message, vsn, masked);
    }
    if ((message = json_object_get(action, "also"))) {
        add_message(acts, acts->len, message, vsn, masked);
    }
    acts->swap = acts->swap || json_is_true(json_object_get(action, "swap"));
    acts->merge = acts->merge || json_is_true(json_object_get(action, "merge"));
    acts->cut = acts->cut || json_is_true(json_object_get(action, "cut"));
    const json_t *close = json_object_get(action, "close");
    if (close) {
        const char *reason = json_string_value(json_object_get(close, "reason"));
        acts->close = true;
        acts->code = (unsigned)json_integer_value(json_object_get(close, "code"));
        acts->reason = reason ? reason : "";
    }
}

acts_t act(const json_t *actions, vsn_t vsn, piece_t piece)
{
    acts_t acts = {0};
    bool masked = piece.masked;
    add(&acts, 0, piece);
    for (size_t i = 0; i < json_array_size(actions); i++) {
        act_one(&acts, json_array_get(actions, i), vsn, masked);
    }
    return acts;
}
