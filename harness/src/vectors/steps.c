/* SPDX-License-Identifier: MIT */
#include "vectors/steps.h"

#include "base/memory.h"
#include "vectors/template.h"
#include "vectors/view.h"

#include <stdlib.h>
#include <string.h>

static const json_t *argument(const case_run_t *run)
{
    return json_object_get(run->filled, verb_name(run->variant->c->steps[run->step].verb));
}

static seat_t *seat_of_step(case_run_t *run)
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

void event_describe(text_t *out, const client_event_t *event)
{
    switch (event->kind) {
    case EVENT_MESSAGE:
        message_write(out, &event->entry->message);
        break;
    case EVENT_CLOSE:
        if (event->entry->kind != ENTRY_FRAME) {
            text_puts(out, "the session is gone (410)");
        } else if (event->entry->has_code) {
            text_printf(out, "a close frame with code %u", event->entry->code);
        } else {
            text_puts(out, "a close frame without a code");
        }
        break;
    case EVENT_CONTROL:
        text_puts(out, event->entry->opcode == WS_PING ? "a ping" : "a pong");
        break;
    case EVENT_END:
    case EVENT_TROUBLE:
        text_puts(out, event->text);
        break;
    }
}

/* A step waits, or has waited long enough. */
static outcome_t wait_for(case_run_t *run, const char *what)
{
    double ms = run->target->patience_ms +
                time_ms(json_object_get(run->filled, "within"), run->target->profile, run->variant->mount);
    return run->time_up ? step_fail(run, "%s within %.0f ms", what, ms) : STEP_WAITING;
}

/* What came must not have come before its time. */
static outcome_t check_early(case_run_t *run, const entry_t *entry, double since)
{
    const json_t *time = json_object_get(run->filled, "not_before");
    double least = time_ms(time, run->target->profile, run->variant->mount), took = entry->at_ms - since;
    return !time || took >= least
               ? STEP_DONE
               : step_fail(run,
                           "came %.0f ms after the client's last word, and must not before "
                           "%.0f ms",
                           took, least);
}

static void set_diff(case_run_t *run, const json_t *five, const message_t *message,
                     const match_context_t *context)
{
    text_t expected = {0}, got = {0};
    view_diff(five, message, context, &expected, &got);
    run->result.expected = text_take(&expected);
    run->result.got = text_take(&got);
}

/* The next event is not the message expected. */
static outcome_t unexpected(case_run_t *run, const client_t *client, const client_event_t *event)
{
    text_t what = {0};
    event_describe(&what, event);
    step_fail(run, "a message is expected on %s, instead came: %s", client_name(client), text_str(&what));
    text_free(&what);
    return STEP_FAILED;
}

/* The next message of the seat must be `five`. */
static outcome_t take_message(case_run_t *run, seat_t *seat, const json_t *five, const client_event_t **taken)
{
    match_context_t context = case_context(run, seat->client, run->filled);
    const client_event_t *event = client_event(seat->client, seat->read);
    bool match =
        event && event->kind == EVENT_MESSAGE && view_match(five, &event->entry->message, &context, NULL);
    if (!match) { /* an expectation goes before what is merely allowed */
        event = seat_next(run, seat);
        match =
            event && event->kind == EVENT_MESSAGE && view_match(five, &event->entry->message, &context, NULL);
    }
    if (!event) {
        if (run->time_up) {
            set_diff(run, five, NULL, &context);
        }
        return wait_for(run, "nothing came");
    }
    if (match) {
        *taken = event;
        seat_take(run, seat);
        return STEP_DONE;
    }
    if (event->kind != EVENT_MESSAGE) {
        set_diff(run, five, NULL, &context);
        return unexpected(run, seat->client, event);
    }
    text_t why = {0};
    view_match(five, &event->entry->message, &context, &why);
    step_fail(run, "another message came on %s: %s", client_name(seat->client), text_str(&why));
    text_free(&why);
    set_diff(run, five, &event->entry->message, &context);
    return STEP_FAILED;
}

static outcome_t expect_poll(case_run_t *run)
{
    seat_t *seat = seat_of_step(run);
    const client_event_t *event;
    outcome_t outcome = take_message(run, seat, argument(run), &event);
    return outcome == STEP_DONE ? check_early(run, event->entry, client_last_sent(seat->client)) : outcome;
}

/* What came, or did not, is the next message of none of the lists: the diff has every one that could have
 * come. */
static outcome_t not_in_lists(case_run_t *run, const seat_t *seat, const json_t *lists,
                              const client_event_t *event)
{
    match_context_t context = case_context(run, seat->client, run->filled);
    text_t all = {0}, got = {0};
    for (size_t i = 0; i < json_array_size(lists); i++) {
        const json_t *next = json_array_get(json_array_get(lists, i), run->progress[i]);
        if (next) {
            text_puts(&all, all.len ? "or\n" : "");
            view_diff(next, NULL, &context, &all, &got);
        }
    }
    if (event && event->kind == EVENT_MESSAGE) {
        message_pretty(&got, &event->entry->message);
    }
    run->result.expected = text_take(&all);
    run->result.got = text_take(&got);
    if (!event) {
        return wait_for(run, "not everything came");
    }
    return event->kind == EVENT_MESSAGE
               ? step_fail(run, "a message came on %s that is none of those expected",
                           client_name(seat->client))
               : unexpected(run, seat->client, event);
}

static outcome_t unordered_poll(case_run_t *run)
{
    seat_t *seat = seat_of_step(run);
    const json_t *lists = argument(run);
    match_context_t context = case_context(run, seat->client, run->filled);
    for (;;) {
        size_t left = 0;
        for (size_t i = 0; i < json_array_size(lists); i++) {
            left += json_array_size(json_array_get(lists, i)) - run->progress[i];
        }
        if (left == 0) {
            return STEP_DONE;
        }
        const client_event_t *event = client_event(seat->client, seat->read);
        bool match = false;
        for (size_t i = 0; event && event->kind == EVENT_MESSAGE && !match && i < json_array_size(lists);
             i++) {
            const json_t *next = json_array_get(json_array_get(lists, i), run->progress[i]);
            match = next && view_match(next, &event->entry->message, &context, NULL);
            run->progress[i] += match;
        }
        if (match) {
            seat_take(run, seat);
            continue;
        }
        if (event != seat_next(run, seat)) {
            continue; /* something merely allowed was passed over */
        }
        if (!event && !run->time_up) {
            return STEP_WAITING;
        }
        return not_in_lists(run, seat, lists, event);
    }
}

/* A ref of its own for every barrier, so that no earlier answer passes for it. */
static json_t *barrier_message(const case_run_t *run, bool reply)
{
    const json_t *to = argument(run);
    json_t *ref = json_sprintf("barrier-%zu", run->step + 1);
    if (json_is_string(to)) {
        return reply ? json_pack("[n o s s {s:s s:{}}]", ref, "phoenix", "phx_reply", "status", "ok",
                                 "response")
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

static outcome_t barrier_poll(case_run_t *run)
{
    const client_event_t *event;
    json_t *reply = barrier_message(run, true);
    outcome_t outcome = take_message(run, seat_of_step(run), reply, &event);
    json_decref(reply);
    return outcome;
}

static bool has_code(const json_t *codes, const entry_t *entry)
{
    for (size_t i = 0; i < json_array_size(codes); i++) {
        const json_t *code = json_array_get(codes, i);
        if (entry->has_code ? json_integer_value(code) == (json_int_t)entry->code : json_is_null(code)) {
            return true;
        }
    }
    return false;
}

static outcome_t close_poll(case_run_t *run)
{
    seat_t *seat = seat_of_step(run);
    const json_t *codes = json_object_get(argument(run), "codes");
    const json_t *not_codes = json_object_get(argument(run), "not_codes");
    const client_event_t *event;
    while ((event = seat_next(run, seat)) && event->kind == EVENT_TROUBLE &&
           client_transport(seat->client) == LONGPOLL && event->entry->kind != ENTRY_MESSAGE) {
        seat_take(run, seat); /* a session that ends takes no POST either (LP-POST-10) */
    }
    if (!event) {
        return wait_for(run, "the server did not end the connection");
    }
    double since = client_last_sent(seat->client);
    bool tcp = json_is_true(json_object_get(argument(run), "tcp"));
    if (event->kind == EVENT_END && client_transport(seat->client) == WEBSOCKET && tcp) {
        seat->ended = true;
        seat_take(run, seat);
        return check_early(run, event->entry, since);
    }
    text_t what = {0};
    event_describe(&what, event);
    outcome_t outcome = STEP_DONE;
    if (event->kind != EVENT_CLOSE) {
        outcome = step_fail(run, "the end of %s is expected, instead came: %s", client_name(seat->client),
                            text_str(&what));
    } else if (event->entry->kind == ENTRY_FRAME &&
               ((codes && !has_code(codes, event->entry)) || has_code(not_codes, event->entry))) {
        text_t wanted = {0};
        text_puts(&wanted, codes ? "" : "any but ");
        jvalue_write(&wanted, codes ? codes : not_codes);
        outcome = step_fail(run, "the code of the close is to be %s, and came: %s", text_str(&wanted),
                            text_str(&what));
        text_free(&wanted);
    }
    text_free(&what);
    if (outcome == STEP_FAILED) {
        return outcome;
    }
    seat->ended = true;
    seat_take(run, seat);
    return check_early(run, event->entry, since);
}

static uint8_t opcode_of(const json_t *opcode)
{
    static const struct {
        const char *name;
        uint8_t opcode;
    } names[] = {{"continuation", WS_CONTINUATION},
                 {"text", WS_TEXT},
                 {"binary", WS_BINARY},
                 {"close", WS_CLOSE},
                 {"ping", WS_PING},
                 {"pong", WS_PONG}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (json_is_string(opcode) && strcmp(json_string_value(opcode), names[i].name) == 0) {
            return names[i].opcode;
        }
    }
    return (uint8_t)(json_integer_value(opcode) & 15);
}

/* The next frame of a message, or the next ping or pong, by its very bytes. */
static outcome_t frame_poll(case_run_t *run)
{
    seat_t *seat = seat_of_step(run);
    const json_t *parts = json_object_get(argument(run), "bytes");
    uint8_t opcode = opcode_of(json_object_get(argument(run), "opcode"));
    const client_event_t *event = client_event(seat->client, seat->read);
    if (!event) {
        return wait_for(run, "no such frame came");
    }
    text_t bytes = {0}, error = {0};
    outcome_t outcome = STEP_DONE;
    if (!bytes_value(run, parts, client_vsn(seat->client), &bytes, &error)) {
        outcome = step_broken(run, "%s", text_str(&error));
    } else {
        const entry_t *entry = event->entry;
        span_t came = text_span(entry->whole.len ? &entry->whole : &entry->bytes);
        bool frame =
            event->kind == EVENT_MESSAGE || event->kind == EVENT_CONTROL || event->kind == EVENT_TROUBLE;
        if (!frame || entry->opcode != opcode || (parts && !span_equal(came, text_span(&bytes)))) {
            text_t expected = {0}, got = {0};
            text_printf(&expected, "opcode %u ", opcode);
            text_show(&expected, text_span(&bytes), 0);
            text_printf(&got, "opcode %u ", entry->opcode);
            text_show(&got, came, 0);
            run->result.expected = text_take(&expected);
            run->result.got = text_take(&got);
            outcome = step_fail(run, "another frame came on %s", client_name(seat->client));
        }
    }
    text_free(&bytes);
    text_free(&error);
    if (outcome == STEP_DONE) {
        seat_take(run, seat);
    }
    return outcome;
}

static outcome_t send_begin(case_run_t *run, const json_t *list, size_t count)
{
    seat_t *seat = seat_of_step(run);
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
    seat_t *seat = seat_of_step(run);
    size_t count = json_array_size(argument(run));
    text_t *bytes = mem_new(count, sizeof *bytes), error = {0};
    ws_frame_t *frames = mem_new(count, sizeof *frames);
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        good = read_frame(run, json_array_get(argument(run), i), client_vsn(seat->client), &bytes[i],
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
    seat_t *seat = seat_of_step(run);
    text_t bytes = {0}, error = {0};
    vsn_t vsn = client_vsn(seat->client);
    bool good = binary ? bytes_value(run, argument(run), vsn, &bytes, &error)
                       : text_value(run, argument(run), vsn, &bytes, &error);
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
    const json_t *reason = json_object_get(argument(run), "reason");
    span_t span = {json_string_value(reason), json_string_length(reason)};
    client_close(seat_of_step(run)->client,
                 (unsigned)json_integer_value(json_object_get(argument(run), "code")), span);
}

static outcome_t drop_begin(case_run_t *run)
{
    const char *name = json_string_value(argument(run));
    seat_t *seat = case_seat(run, name);
    if (seat) {
        client_drop(seat->client);
        seat->ended = true;
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
        return send_one(run, json_incref((json_t *)argument(run)));
    case VERB_PIPELINE:
        return send_begin(run, argument(run), json_array_size(argument(run)));
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
        list = (json_t *)argument(run);
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
