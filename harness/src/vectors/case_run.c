/* SPDX-License-Identifier: MIT */
#include "vectors/steps.h"

#include "base/member.h"
#include "base/memory.h"
#include "vectors/adapt.h"
#include "vectors/race.h"
#include "vectors/template.h"
#include "vectors/view.h"
#include "vectors/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The whole case may wait for as long as its steps may, but not for more than this many of them beside its
 * timers. */
enum { PATIENT_STEPS_MAX = 15 };
/* What a server may send to a client, beside several times what the case itself sends. */
static const double ROOM_BYTES = 2e6, ROOM_TIMES = 6;
/* A deadline that has passed is believed only after the loop has read its sockets once more: this process may
 * have been the one that stood still. */
static const double LAST_LOOK_MS = 50;
/* Who has not answered by then is slow, or does not answer. */
static const double BUSY_MS = 300;
enum { LONGEST_NAME = 255 }; /* that a binary message can carry (BIN-09) */

outcome_t step_fail(case_run_t *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    case_result_set(&run->result, VERDICT_FAIL, format, arguments);
    va_end(arguments);
    return STEP_FAILED;
}

outcome_t step_broken(case_run_t *run, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    case_result_set(&run->result, VERDICT_HARNESS_ERROR, format, arguments);
    va_end(arguments);
    return STEP_FAILED;
}

seat_t *case_seat(case_run_t *run, const char *name)
{
    for (size_t i = run->seat_count; i > 0;
         i--) { /* the name of a client that was refused may be used again */
        if (strcmp(client_name(run->seats[i - 1].client), name) == 0) {
            return &run->seats[i - 1];
        }
    }
    return NULL;
}

const profile_mount_t *case_mount(const case_run_t *run)
{
    return &run->target->profile->mounts[run->variant->mount];
}

/* Whether a join_ref in version 1.0.0 is overlooked here: the target has them, and the case is about
 * something else. */
static bool overlooks_join_ref(const case_run_t *run)
{
    return run->target->profile->v1_join_ref && !vector_cites(run->variant->c, "V1-03");
}

match_context_t case_context(const case_run_t *run, const client_t *client, const json_t *step)
{
    const json_t *v1_join_ref = json_object_get(step, "v1_join_ref");
    return (match_context_t){.names = run->names,
                             .vsn = client ? client_vsn(client) : run->variant->vsn,
                             .v1_join_ref =
                                 v1_join_ref ? json_is_true(v1_join_ref) : run->variant->c->v1_join_ref,
                             .v1_any_join_ref = overlooks_join_ref(run)};
}

static bool is_allowed(case_run_t *run, const seat_t *seat, const message_t *message)
{
    match_context_t anyway = case_context(run, seat->client, NULL);
    for (size_t i = 0; i < json_array_size(run->anyway); i++) {
        if (view_match(json_array_get(run->anyway, i), message, &anyway, NULL)) {
            return true;
        }
    }
    for (size_t i = 0; i < json_array_size(run->allowed); i++) {
        const json_t *step = json_array_get(run->allowed, i);
        const json_t *on = json_object_get(step, "on");
        match_context_t context = case_context(run, seat->client, step);
        if (strcmp(on ? json_string_value(on) : "a", client_name(seat->client)) == 0 &&
            view_match(json_object_get(step, "allow"), message, &context, NULL)) {
            return true;
        }
    }
    return false;
}

const client_event_t *seat_next(case_run_t *run, seat_t *seat)
{
    const client_event_t *event;
    while ((event = client_event(seat->client, seat->read))) {
        bool passed_over = event->kind == EVENT_CONTROL ||
                           (event->kind == EVENT_MESSAGE && is_allowed(run, seat, &event->entry->message));
        if (!passed_over) {
            return event;
        }
        event->entry->taken = true;
        seat->read++;
    }
    return NULL;
}

void seat_blame(case_run_t *run, const seat_t *seat, const client_event_t *event)
{
    bool post = event->kind == EVENT_TROUBLE && client_transport(seat->client) == LONGPOLL &&
                event->entry->kind != ENTRY_MESSAGE; /* not taken, as when the session is gone */
    run->by_end = event->kind == EVENT_CLOSE || event->kind == EVENT_END || post;
    run->by_message = event->kind == EVENT_MESSAGE;
}

void seat_take(case_run_t *run, seat_t *seat)
{
    entry_t *entry = client_event(seat->client, seat->read++)->entry;
    entry->taken = true;
    entry->taken_by = run->labels[run->step];
}

/* Whether the version neither sends nor expects the join_ref that the step names. */
static bool has_no_join_ref(case_run_t *run)
{
    const json_t *step = run->variant->c->steps[run->step].json;
    const seat_t *seat = case_seat(run, string_member(step, "on", "a"));
    match_context_t context = case_context(run, seat ? seat->client : NULL, step);
    return context.vsn == VSN_1 && !context.v1_join_ref;
}

static void describe_step(case_run_t *run)
{
    const vector_case_t *c = run->variant->c;
    run->result.step = run->step + 1;
    text_t text = {0};
    if (run->step == c->len) {
        text_puts(&text, "the end of the case");
    } else {
        text_t words = {0};
        words_step(&words, c->steps[run->step].verb, run->filled ? run->filled : c->steps[run->step].json,
                   run->target->patience_ms);
        text_show(&text, text_span(&words), 400);
        if (has_no_join_ref(run) && strstr(text_str(&words), "join_ref")) {
            text_puts(&text, "; version 1.0.0 does without the join_ref");
        }
        text_free(&words);
    }
    run->result.step_text = text_take(&text);
}

static void finish(void *ctx);

/* The verdict has fallen. */
static void end_now(case_run_t *run)
{
    if (run->result.reason && !run->result.step_text) {
        describe_step(run);
    }
    run->over = true;
    deadline_cancel(&run->deadline);
    deadline_cancel(&run->whole);
    run->finish = deadline_start(run->target->loop, 0, finish, run);
}

/* The harness' own fault is not the server's: no wait ends while, or because, the harness stood still. */
static bool prolong(case_run_t *run, double since, bool *prolonged, deadline_t **deadline,
                    deadline_cb *passed)
{
    double stood = pace_stood_still(run->target->pace, since);
    if (*prolonged || stood == 0) {
        return false;
    }
    *prolonged = true;
    *deadline = deadline_start(run->target->loop, stood, passed, run);
    return true;
}

static void on_deadline(void *ctx)
{
    case_run_t *run = ctx;
    bool waits = run->step < run->variant->c->len && run->variant->c->steps[run->step].verb == VERB_WAIT;
    run->deadline = NULL;
    if (waits || run->last_look) {
        run->time_up = true;
        case_advance(run);
    } else if (!prolong(run, run->step_began, &run->prolonged, &run->deadline, on_deadline)) {
        run->last_look = true;
        run->deadline = deadline_start(run->target->loop, LAST_LOOK_MS, on_deadline, run);
    }
}

/* A server that makes every step wait, and none too long, must not keep the run. */
static void on_whole(void *ctx)
{
    case_run_t *run = ctx;
    run->whole = NULL;
    if (!prolong(run, run->case_began, &run->whole_prolonged, &run->whole, on_whole)) {
        step_fail(run, "the case was not over within %.0f ms", run->whole_ms);
        end_now(run);
    }
}

static outcome_t begin(case_run_t *run)
{
    const vector_case_t *c = run->variant->c;
    run->begun = true;
    run->step_began = clock_ms();
    run->time_up = run->last_look = run->prolonged = false;
    if (run->step == c->len) {
        deadline_cancel(&run->whole);
        run->deadline = deadline_start(run->target->loop, CLOSING_MS, on_deadline, run);
        return end_begin(run);
    }
    text_t error = {0};
    run->filled = template_fill(c->steps[run->step].json, run->names, case_mount(run), &error);
    outcome_t outcome = run->filled ? STEP_WAITING : step_broken(run, "%s", text_str(&error));
    text_free(&error);
    if (run->filled) {
        adapt_step(run->target->profile, c, run->filled);
        double ms =
            c->steps[run->step].verb == VERB_WAIT
                ? time_ms(json_object_get(run->filled, "wait"), case_mount(run))
                : run->target->patience_ms + time_ms(json_object_get(run->filled, "within"), case_mount(run));
        run->deadline = deadline_start(run->target->loop, ms, on_deadline, run);
        outcome = step_begin(run);
    }
    return outcome;
}

static void next_step(case_run_t *run)
{
    json_decref(run->filled);
    run->filled = NULL;
    free(run->result.expected);
    free(run->result.got);
    run->result.expected = run->result.got = NULL;
    run->begun = false;
    run->step++;
    deadline_cancel(&run->deadline);
}

/* A failure proves nothing where the harness itself may have been the one that let a timer run out: not
 * before any timer could. */
static void excuse(case_run_t *run)
{
    double margin = run->by_end       ? race_margin_ms(run->variant, run->target->profile)
                    : run->by_message ? race_wait_margin_ms(run->variant, run->target->profile)
                                      : 0;
    double stood = pace_stood_still(run->target->pace, run->case_began);
    bool late = clock_ms() - run->case_began > 2 * margin;
    if (run->result.verdict == VERDICT_FAIL && margin > 0 && stood > margin && late) {
        text_t reason = {0};
        text_printf(&reason, "this machine stood still for %.0f ms; the case proves nothing (it failed: %s)",
                    stood, run->result.reason);
        free(run->result.reason);
        run->result.reason = text_take(&reason);
        run->result.verdict = VERDICT_HARNESS_ERROR;
    }
}

static void finish(void *ctx)
{
    case_run_t *run = ctx;
    run->finish = NULL;
    excuse(run);
    case_result_t result = run->result;
    result.ms = transcript_now(run->transcript);
    result.transcript = run->transcript;
    result.labels = run->labels;
    result.label_count = run->variant->c->len + 1;
    run->labels = NULL;
    run->result = (case_result_t){0};
    for (size_t i = 0; i < run->seat_count; i++) {
        client_free(run->seats[i].client);
    }
    run->seat_count = 0;
    while (run->exchange_count > 0) {
        step_exchange_free(run->exchanges[--run->exchange_count]);
    }
    run->transcript = NULL;
    run->done(run->ctx, &result);
}

static bool flooded(case_run_t *run)
{
    for (size_t i = 0; i < run->seat_count; i++) {
        if (client_flooded(run->seats[i].client)) {
            step_fail(run, "flooded: the server sent more than %zu bytes on %s", run->room,
                      client_name(run->seats[i].client));
            return true;
        }
    }
    return false;
}

void case_advance(void *ctx)
{
    case_run_t *run = ctx;
    if (run->target->heard) {
        ++*run->target->heard;
    }
    if (run->advancing || run->over) {
        return;
    }
    bool over = flooded(run);
    run->advancing = true;
    while (!over) {
        outcome_t outcome = run->begun ? STEP_WAITING : begin(run);
        if (outcome == STEP_WAITING) {
            outcome = run->step == run->variant->c->len ? end_poll(run) : step_poll(run);
        }
        if (outcome == STEP_WAITING) {
            break;
        }
        over = outcome == STEP_FAILED || run->step == run->variant->c->len;
        if (outcome != STEP_FAILED) {
            next_step(run);
        }
    }
    run->advancing = false;
    if (over) {
        end_now(run);
    }
}

bool case_busy(const case_run_t *run)
{
    if (run->over || run->step == run->variant->c->len || clock_ms() - run->step_began > BUSY_MS) {
        return false;
    }
    const vector_step_t *step = &run->variant->c->steps[run->step];
    return step->verb != VERB_WAIT && !json_object_get(step->json, "within") &&
           !json_object_get(step->json, "not_before");
}

static void builtin_names(case_run_t *run, const char *unique)
{
    const profile_t *profile = run->target->profile;
    const char *path = case_mount(run)->path;
    text_t text = {0};
    json_object_set_new(run->names, "unique", json_string(unique));
    profile_topic(&text, profile->unmatched, unique);
    json_object_set_new(run->names, "unmatched", json_string(text_str(&text)));
    text_clear(&text);
    profile_topic(&text, profile->topic ? profile->topic : "", unique);
    json_object_set_new(run->names, "topic", json_string(text_str(&text)));
    text_fill(&text, 't', text.len < LONGEST_NAME ? LONGEST_NAME - text.len : 0);
    json_object_set_new(run->names, "topic255", json_string(text_str(&text)));
    json_object_set_new(run->names, "vsn", json_string(vsn_name(run->variant->vsn)));
    json_object_set_new(run->names, "mount", json_string(path));
    json_object_set_new(run->names, "websocket", json_sprintf("%s/websocket", path));
    json_object_set_new(run->names, "longpoll", json_sprintf("%s/longpoll", path));
    json_object_set_new(run->names, "origin_allowed", json_string(profile->origin_allowed));
    json_object_set_new(run->names, "origin_forbidden", json_string(profile->origin_forbidden));
    text_free(&text);
}

case_run_t *case_start(const target_t *target, const variant_t *variant, const char *unique,
                       void (*done)(void *ctx, case_result_t *result), void *ctx)
{
    case_run_t *run = mem_new(1, sizeof *run);
    run->target = target;
    run->variant = variant;
    run->done = done;
    run->ctx = ctx;
    run->transcript = transcript_new();
    run->names = json_object();
    run->allowed = json_array();
    run->labels = mem_new(variant->c->len + 1, sizeof *run->labels);
    for (size_t i = 0; i <= variant->c->len; i++) {
        text_t label = {0};
        text_printf(&label, i < variant->c->len ? "step %zu" : "end", i + 1);
        run->labels[i] = text_take(&label);
    }
    builtin_names(run, unique);
    if (target->profile->join_allow) {
        text_t unknown = {0};
        run->anyway = template_fill(target->profile->join_allow, run->names, case_mount(run), &unknown);
        text_free(&unknown);
    }
    double bytes = 0, waits = 0;
    for (size_t i = 0; i < variant->c->len; i++) {
        const json_t *step = variant->c->steps[i].json;
        bytes += template_size(step, case_mount(run));
        waits += time_ms(json_object_get(step, "wait"), case_mount(run)) +
                 time_ms(json_object_get(step, "within"), case_mount(run));
    }
    run->room = (size_t)(ROOM_BYTES + ROOM_TIMES * bytes);
    run->case_began = clock_ms();
    run->whole_ms =
        waits + (target->patience_ms + LAST_LOOK_MS) * fmin((double)variant->c->len + 1, PATIENT_STEPS_MAX);
    run->whole = deadline_start(target->loop, run->whole_ms, on_whole, run);
    case_advance(run);
    return run;
}

void case_free(case_run_t *run)
{
    deadline_cancel(&run->deadline);
    deadline_cancel(&run->whole);
    deadline_cancel(&run->finish);
    for (size_t i = 0; i < run->seat_count; i++) {
        client_free(run->seats[i].client);
    }
    free(run->seats);
    for (size_t i = 0; i < run->exchange_count; i++) {
        step_exchange_free(run->exchanges[i]);
    }
    free(run->exchanges);
    for (size_t i = 0; run->labels && i <= run->variant->c->len; i++) {
        free(run->labels[i]);
    }
    free(run->labels);
    free(run->progress);
    json_decref(run->filled);
    json_decref(run->names);
    json_decref(run->allowed);
    json_decref(run->anyway);
    case_result_free(&run->result);
    if (run->transcript) {
        transcript_free(run->transcript);
    }
    free(run);
}
