/* SPDX-License-Identifier: MIT */
/* The end of a case: what no step expected must not be there, and its connections are closed. */
#include "vectors/steps.h"

#include <stdlib.h>
#include <string.h>

enum { NORMAL_CLOSURE = 1000 };

static outcome_t end_check(case_run_t *run, seat_t *seat)
{
    const client_event_t *event;
    while ((event = seat_next(run, seat))) {
        bool gone = seat->ended || seat->closing;
        bool late_post = event->kind == EVENT_TROUBLE && event->entry->kind != ENTRY_MESSAGE &&
                         client_transport(seat->client) == LONGPOLL; /* begun before the session ended */
        bool own_close = seat->closing && event->kind == EVENT_CLOSE;
        if (gone && (event->kind == EVENT_END || late_post || own_close || seat->closed)) {
            seat->closed = seat->closed || own_close; /* what comes behind is for closing_describe */
            seat_take(run, seat);
            continue;
        }
        text_t what = {0};
        event_describe(&what, event);
        seat_blame(run, seat, event);
        step_fail(run, "no step expects this on %s: %s", client_name(seat->client), text_str(&what));
        text_free(&what);
        return STEP_FAILED;
    }
    bool over = client_over(seat->client) || client_state(seat->client) == CLIENT_REFUSED;
    return seat->closing && !over ? STEP_WAITING : STEP_DONE;
}

outcome_t end_begin(case_run_t *run)
{
    for (size_t i = 0; i < run->seat_count; i++) {
        if (end_check(run, &run->seats[i]) == STEP_FAILED) {
            return STEP_FAILED;
        }
    }
    for (size_t i = 0; i < run->seat_count; i++) {
        seat_t *seat = &run->seats[i];
        if (!client_gone(seat->client)) {
            client_close(seat->client, NORMAL_CLOSURE, (span_t){0});
            seat->asked = true;
        }
        seat->closing = true;
    }
    return STEP_WAITING;
}

/* What is wrong with how a connection closed; NULL: nothing. `words` is where words are put together. */
static const char *closing_fault(const seat_t *seat, double patience_ms, text_t *words)
{
    const client_event_t *event, *close = NULL;
    bool ended = client_over(seat->client);
    for (size_t i = 0; (event = client_event(seat->client, i)); i++) {
        if (close && event->kind != EVENT_END) {
            return "a frame came behind the server's close";
        }
        close = event->kind == EVENT_CLOSE ? event : close;
    }
    if (seat->asked && !close && ended) {
        return "the server ended TCP and did not answer the close";
    }
    if (seat->asked && !close) {
        text_printf(words, "the server did not answer the close within %.0f ms", patience_ms);
        return text_str(words);
    }
    if (seat->asked && close->entry->has_code && close->entry->code != NORMAL_CLOSURE) {
        text_printf(words, "the server answered the close with code %u, not %u", close->entry->code,
                    NORMAL_CLOSURE);
        return text_str(words);
    }
    if (close && !ended) {
        text_printf(words, "the server left TCP open for %.0f ms behind the close", patience_ms);
        return text_str(words);
    }
    return NULL;
}

/* "clean", "unclean: b: …"; NULL where no WebSocket was open. */
static char *closing_describe(const case_run_t *run)
{
    text_t faults = {0};
    bool any = false;
    for (size_t i = 0; i < run->seat_count; i++) {
        const seat_t *seat = &run->seats[i];
        if (client_transport(seat->client) != WEBSOCKET || client_state(seat->client) != CLIENT_OPEN ||
            seat->dropped) {
            continue;
        }
        text_t words = {0};
        const char *fault = closing_fault(seat, CLOSING_MS, &words);
        any = true;
        if (fault) {
            text_printf(&faults, "%s%s: %s", faults.len ? "; " : "unclean: ", client_name(seat->client),
                        fault);
        }
        text_free(&words);
    }
    if (any && faults.len == 0) {
        text_puts(&faults, "clean");
    }
    return any ? text_take(&faults) : NULL;
}

outcome_t end_poll(case_run_t *run)
{
    outcome_t all = STEP_DONE;
    for (size_t i = 0; i < run->seat_count; i++) {
        outcome_t one = end_check(run, &run->seats[i]);
        all = one > all ? one : all;
    }
    all = all == STEP_WAITING && run->time_up ? STEP_DONE : all;
    if (all == STEP_DONE) {
        run->result.closing = closing_describe(run);
    }
    return all;
}
