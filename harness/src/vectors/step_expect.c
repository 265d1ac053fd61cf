/* SPDX-License-Identifier: MIT */
/* The steps that read what came: expect, unordered, barrier, expect_close, expect_frame. */
#include "vectors/steps.h"

#include "base/memory.h"
#include "vectors/view.h"

#include <stdlib.h>
#include <string.h>

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
    double ms = run->target->patience_ms + time_ms(json_object_get(run->filled, "within"), case_mount(run));
    return run->time_up ? step_fail(run, "%s within %.0f ms", what, ms) : STEP_WAITING;
}

/*
 * What came must not have come before its time. Neither moment is known exactly where the harness stood
 * still: what could have come in time or too early proves nothing.
 */
outcome_t check_early(case_run_t *run, moment_t came, moment_t since, const char *since_what)
{
    const json_t *time = json_object_get(run->filled, "not_before");
    double least = time_ms(time, case_mount(run));
    double shortest = came.earliest - since.latest, longest = came.latest - since.earliest;
    if (!time || shortest >= least) {
        return STEP_DONE;
    }
    if (longest < least) {
        return step_fail(run, "came %.0f ms after %s, and must not before %.0f ms", longest, since_what,
                         least);
    }
    return step_broken(run,
                       "this machine stood still: it came between %.0f and %.0f ms after %s, and must not "
                       "before %.0f ms; the case proves nothing",
                       shortest > 0 ? shortest : 0, longest, since_what, least);
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
static outcome_t unexpected(case_run_t *run, const seat_t *seat, const client_event_t *event)
{
    seat_blame(run, seat, event);
    text_t what = {0};
    event_describe(&what, event);
    step_fail(run, "a message is expected on %s, instead came: %s", client_name(seat->client),
              text_str(&what));
    text_free(&what);
    return STEP_FAILED;
}

/* The next message of the seat must be `five`. */
static outcome_t take_message(case_run_t *run, seat_t *seat, const json_t *five)
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
        seat_take(run, seat);
        return check_early(run, event->came, client_last_sent(seat->client), "the client's last word");
    }
    if (event->kind != EVENT_MESSAGE) {
        set_diff(run, five, NULL, &context);
        return unexpected(run, seat, event);
    }
    text_t why = {0};
    view_match(five, &event->entry->message, &context, &why);
    seat_blame(run, seat, event);
    step_fail(run, "another message came on %s: %s", client_name(seat->client), text_str(&why));
    text_free(&why);
    set_diff(run, five, &event->entry->message, &context);
    return STEP_FAILED;
}

outcome_t expect_poll(case_run_t *run)
{
    return take_message(run, step_seat(run), step_argument(run));
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
    seat_blame(run, seat, event);
    return event->kind == EVENT_MESSAGE
               ? step_fail(run, "a message came on %s that is none of those expected",
                           client_name(seat->client))
               : unexpected(run, seat, event);
}

outcome_t unordered_poll(case_run_t *run)
{
    seat_t *seat = step_seat(run);
    const json_t *lists = step_argument(run);
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

outcome_t barrier_poll(case_run_t *run)
{
    json_t *reply = barrier_message(run, true);
    outcome_t outcome = take_message(run, step_seat(run), reply);
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

outcome_t close_poll(case_run_t *run)
{
    seat_t *seat = step_seat(run);
    const json_t *codes = json_object_get(step_argument(run), "codes");
    const json_t *not_codes = json_object_get(step_argument(run), "not_codes");
    const client_event_t *event;
    while ((event = seat_next(run, seat)) && event->kind == EVENT_TROUBLE &&
           client_transport(seat->client) == LONGPOLL && event->entry->kind != ENTRY_MESSAGE) {
        seat_take(run, seat); /* a session that ends takes no POST either (LP-POST-10) */
    }
    if (!event) {
        return wait_for(run, "the server did not end the connection");
    }
    moment_t since = client_last_sent(seat->client);
    bool tcp = json_is_true(json_object_get(step_argument(run), "tcp"));
    if (event->kind == EVENT_END && client_transport(seat->client) == WEBSOCKET && tcp) {
        seat->ended = true;
        seat_take(run, seat);
        return check_early(run, event->came, since, "the client's last word");
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
    return check_early(run, event->came, since, "the client's last word");
}

/* The next frame of a message, or the next ping or pong, by its very bytes. */
outcome_t frame_poll(case_run_t *run)
{
    seat_t *seat = step_seat(run);
    const json_t *parts = json_object_get(step_argument(run), "bytes");
    uint8_t opcode = opcode_of(json_object_get(step_argument(run), "opcode"));
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
            text_printf(&expected, "%s ", opcode_name(opcode));
            text_show(&expected, parts ? text_span(&bytes) : came, 0);
            text_printf(&got, "%s ", opcode_name(entry->opcode));
            text_show(&got, came, 0);
            run->result.expected = text_take(&expected);
            run->result.got = text_take(&got);
            seat_blame(run, seat, event);
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
