/* SPDX-License-Identifier: MIT */
#include "vectors/steps.h"

#include "base/memory.h"
#include "vectors/template.h"
#include "vectors/view.h"

#include <stdlib.h>
#include <string.h>

const json_t *step_argument(const case_run_t *run)
{
    return json_object_get(run->filled, verb_name(run->variant->c->steps[run->step].verb));
}

seat_t *step_seat(case_run_t *run)
{
    const json_t *on = json_object_get(run->filled, "on");
    return case_seat(run, on ? json_string_value(on) : "a");
}

bool text_value(case_run_t *run, const json_t *value, vsn_t vsn, text_t *out, text_t *error)
{
    const json_t *five = json_object_get(value, "$message");
    if (!five && json_is_array(value)) {
        five = value;
    }
    if (!five) {
        text_add(out, json_string_value(value), json_string_length(value));
        return true;
    }
    bool binary;
    message_t message = view_to_send(five, vsn, run->variant->c->v1_join_ref);
    bool good = message_encode(&message, vsn, out, &binary, error);
    message_free(&message);
    return good;
}

bool bytes_value(case_run_t *run, const json_t *parts, vsn_t vsn, text_t *out, text_t *error)
{
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        bool good = json_object_get(part, "$message") ? text_value(run, part, vsn, out, error)
                                                      : template_bytes(part, out, error);
        if (!good) {
            return false;
        }
    }
    return true;
}

static const struct {
    const char *name;
    uint8_t opcode;
} opcodes[] = {{"continuation", WS_CONTINUATION},
               {"text", WS_TEXT},
               {"binary", WS_BINARY},
               {"close", WS_CLOSE},
               {"ping", WS_PING},
               {"pong", WS_PONG}};
enum { OPCODES = sizeof opcodes / sizeof *opcodes };

uint8_t opcode_of(const json_t *opcode)
{
    for (size_t i = 0; i < OPCODES; i++) {
        if (json_is_string(opcode) && strcmp(json_string_value(opcode), opcodes[i].name) == 0) {
            return opcodes[i].opcode;
        }
    }
    return (uint8_t)(json_integer_value(opcode) & 15);
}

const char *opcode_name(unsigned opcode)
{
    for (size_t i = 0; i < OPCODES; i++) {
        if (opcodes[i].opcode == opcode) {
            return opcodes[i].name;
        }
    }
    return "reserved opcode";
}

/*
 * A ref of its own for every barrier, so that no earlier answer passes for it. How a heartbeat is answered is
 * for the cases about heartbeats to judge; here it only has to be.
 */
json_t *barrier_message(const case_run_t *run, bool reply)
{
    const json_t *to = step_argument(run);
    json_t *ref = json_sprintf("barrier-%zu", run->step + 1);
    if (json_is_string(to)) {
        return reply
                   ? json_pack("[{s:b} o s s {s:b}]", "$any", true, ref, "phoenix", "phx_reply", "$any", true)
                   : json_pack("[n o s s {}]", ref, "phoenix", "heartbeat");
    }
    json_t *join_ref = json_array_get(to, 0), *topic = json_array_get(to, 1);
    if (!reply) {
        return json_pack("[O o O s {s:i}]", join_ref, ref, topic, "echo", "barrier", (int)run->step + 1);
    }
    /* joined without a join_ref, the channel answers under the ref of its join (JOIN-09) */
    json_t *answer = json_is_null(join_ref) ? json_pack("{s:b}", "$any", true) : json_incref(join_ref);
    return json_pack("[o o O s {s:s s:{s:i}}]", answer, ref, topic, "phx_reply", "status", "ok", "response",
                     "barrier", (int)run->step + 1);
}

static outcome_t send_begin(case_run_t *run, const json_t *list, size_t count)
{
    seat_t *seat = step_seat(run);
    match_context_t context = case_context(run, seat->client, run->filled);
    message_t *messages = mem_new(count, sizeof *messages);
    for (size_t i = 0; i < count; i++) {
        messages[i] = view_to_send(json_array_get(list, i), context.vsn, context.v1_join_ref);
    }
    text_t error = {0};
    bool good = client_send(seat->client, messages, count, &error);
    outcome_t outcome = good ? STEP_WAITING : step_broken(run, "%s", text_str(&error));
    for (size_t i = 0; i < count; i++) {
        message_free(&messages[i]);
    }
    free(messages);
    text_free(&error);
    return outcome;
}

static outcome_t send_one(case_run_t *run, json_t *five)
{
    json_t *list = json_pack("[o]", five);
    outcome_t outcome = send_begin(run, list, 1);
    json_decref(list);
    return outcome;
}

static bool read_frame(case_run_t *run, const json_t *json, vsn_t vsn, text_t *bytes, ws_frame_t *frame,
                       text_t *error)
{
    static const char *const forms[] = {[WS_LENGTH_7] = "7", [WS_LENGTH_16] = "16", [WS_LENGTH_64] = "64"};
    const json_t *raw = json_object_get(json, "raw"), *fin = json_object_get(json, "fin");
    const json_t *masked = json_object_get(json, "masked"),
                 *declared = json_object_get(json, "declared_length");
    if (!bytes_value(run, raw ? raw : json_object_get(json, "bytes"), vsn, bytes, error)) {
        return false;
    }
    *frame = client_frame(raw ? CLIENT_RAW : opcode_of(json_object_get(json, "opcode")), text_span(bytes));
    frame->fin = !json_is_false(fin);
    frame->masked = !json_is_false(masked);
    frame->rsv = (uint8_t)(json_integer_value(json_object_get(json, "rsv")) & 7);
    frame->declare = declared != NULL;
    frame->declared = (uint64_t)json_integer_value(declared);
    json_int_t form = json_integer_value(json_object_get(json, "length_form"));
    for (int i = WS_LENGTH_7; i <= WS_LENGTH_64; i++) {
        if (form == atoi(forms[i])) {
            frame->length_form = (ws_length_t)i;
        }
    }
    return true;
}

static outcome_t frames_begin(case_run_t *run)
{
    seat_t *seat = step_seat(run);
    size_t count = json_array_size(step_argument(run));
    text_t *bytes = mem_new(count, sizeof *bytes), error = {0};
    ws_frame_t *frames = mem_new(count, sizeof *frames);
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        good = read_frame(run, json_array_get(step_argument(run), i), client_vsn(seat->client), &bytes[i],
                          &frames[i], &error);
    }
    outcome_t outcome = STEP_WAITING;
    if (good) {
        client_send_frames(seat->client, frames, count);
    } else {
        outcome = step_broken(run, "%s", text_str(&error));
    }
    for (size_t i = 0; i < count; i++) {
        text_free(&bytes[i]);
    }
    free(bytes);
    free(frames);
    text_free(&error);
    return outcome;
}

static outcome_t text_begin(case_run_t *run, bool binary)
{
    seat_t *seat = step_seat(run);
    text_t bytes = {0}, error = {0};
    vsn_t vsn = client_vsn(seat->client);
    bool good = binary ? bytes_value(run, step_argument(run), vsn, &bytes, &error)
                       : text_value(run, step_argument(run), vsn, &bytes, &error);
    if (!good) {
        step_broken(run, "%s", text_str(&error));
    } else if (binary) {
        ws_frame_t frame = client_frame(WS_BINARY, text_span(&bytes));
        client_send_frames(seat->client, &frame, 1);
    } else {
        client_send_text(seat->client, text_span(&bytes));
    }
    text_free(&bytes);
    text_free(&error);
    return good ? STEP_WAITING : STEP_FAILED;
}

static void close_begin(case_run_t *run)
{
    const json_t *reason = json_object_get(step_argument(run), "reason");
    span_t span = {json_string_value(reason), json_string_length(reason)};
    client_close(step_seat(run)->client,
                 (unsigned)json_integer_value(json_object_get(step_argument(run), "code")), span);
}

static outcome_t drop_begin(case_run_t *run)
{
    const char *name = json_string_value(step_argument(run));
    seat_t *seat = case_seat(run, name);
    if (seat) {
        client_drop(seat->client);
        seat->ended = seat->dropped = true;
        return STEP_WAITING;
    }
    return exchange_drop(run, name) ? STEP_WAITING : step_fail(run, "the exchange %s is over already", name);
}

outcome_t step_begin(case_run_t *run)
{
    json_t *list;
    switch (run->variant->c->steps[run->step].verb) {
    case VERB_CONNECT:
        return connect_begin(run);
    case VERB_SEND:
        return send_one(run, json_incref((json_t *)step_argument(run)));
    case VERB_PIPELINE:
        return send_begin(run, step_argument(run), json_array_size(step_argument(run)));
    case VERB_BARRIER:
        return send_one(run, barrier_message(run, false));
    case VERB_SEND_TEXT:
        return text_begin(run, false);
    case VERB_SEND_BINARY:
        return text_begin(run, true);
    case VERB_SEND_FRAMES:
        return frames_begin(run);
    case VERB_UNORDERED:
        free(run->progress);
        list = (json_t *)step_argument(run);
        run->progress = mem_new(json_array_size(list), sizeof *run->progress);
        return STEP_WAITING;
    case VERB_ALLOW:
        json_array_append(run->allowed, run->filled);
        return STEP_WAITING;
    case VERB_CLOSE:
        close_begin(run);
        return STEP_WAITING;
    case VERB_DROP:
        return drop_begin(run);
    case VERB_HTTP:
        return http_begin(run);
    case VERB_EXPECT:
    case VERB_EXPECT_CLOSE:
    case VERB_EXPECT_FRAME:
    case VERB_RESPONSE:
    case VERB_WAIT:
    case VERBS:
        break;
    }
    return STEP_WAITING;
}

outcome_t step_poll(case_run_t *run)
{
    switch (run->variant->c->steps[run->step].verb) {
    case VERB_CONNECT:
        return connect_poll(run);
    case VERB_EXPECT:
        return expect_poll(run);
    case VERB_UNORDERED:
        return unordered_poll(run);
    case VERB_EXPECT_CLOSE:
        return close_poll(run);
    case VERB_EXPECT_FRAME:
        return frame_poll(run);
    case VERB_BARRIER:
        return barrier_poll(run);
    case VERB_HTTP:
        return http_poll(run);
    case VERB_RESPONSE:
        return response_poll(run);
    case VERB_WAIT:
        return run->time_up ? STEP_DONE : STEP_WAITING;
    case VERB_SEND:
    case VERB_PIPELINE:
    case VERB_SEND_TEXT:
    case VERB_SEND_BINARY:
    case VERB_SEND_FRAMES:
    case VERB_ALLOW:
    case VERB_CLOSE:
    case VERB_DROP:
    case VERBS:
        break;
    }
    return STEP_DONE;
}
