/* SPDX-License-Identifier: MIT */
#include "client_suite/play_impl.h"

#include "base/memory.h"
#include "client_suite/hurry.h"
#include "client_suite/play_words.h"
#include "vectors/template.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How long the end of a case waits for the client to have taken what it was sent, which it does not judge. */
static const double SETTLING_MS = 1000;
/* A driver that does not answer a reset in time hangs. */
static const double RESET_MS = 3000;
/* A deadline that has passed is believed only after the loop has read its sockets once more. */
static const double LAST_LOOK_MS = 50;
/* What is kept of a driver's stderr in one case. */
enum { NOISE_MAX = 16 << 10 };

outcome_t play_fail(play_t *play, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    case_result_set(&play->result, VERDICT_FAIL, format, arguments);
    va_end(arguments);
    return PLAY_FAILED;
}

outcome_t play_broken(play_t *play, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    case_result_set(&play->result, VERDICT_HARNESS_ERROR, format, arguments);
    va_end(arguments);
    return PLAY_FAILED;
}

void play_pardon(play_t *play)
{
    free(play->result.reason);
    play->result.reason = NULL;
    play->result.verdict = VERDICT_PASS;
}

void play_tell(play_t *play, const json_t *command)
{
    text_t text = {0};
    jvalue_write(&text, command);
    transcript_note(play->transcript, "", "driver, do: %s", text_str(&text));
    text_free(&text);
    driver_tell(play->driver, command);
}

/* ---- the driver ---- */

bool play_strict(const char *event, const json_t *members)
{
    static const char *const strict[] = {"message", "reply", "presence", NULL};
    if (json_object_get(members, "to")) { /* the answer to a join or leave */
        return false;
    }
    for (const char *const *name = strict; *name; name++) {
        if (strcmp(*name, event) == 0) {
            return true;
        }
    }
    return false;
}

static void on_said(void *ctx, const json_t *line)
{
    play_t *play = ctx;
    const char *event = json_string_value(json_object_get(line, "event"));
    if (strcmp(event, "reset") == 0) {
        play->reset_done = play->resetting;
        play_advance(play);
        return;
    }
    if (play->settling && strcmp(event, "synced") == 0) {
        play->synced = true;
        play_advance(play);
        return;
    }
    text_t text = {0};
    jvalue_write(&text, line);
    entry_t *entry = transcript_note(play->transcript, "", "driver: %s", text_str(&text));
    text_free(&text);
    MEM_ROOM(play->heard, play->heard_count, play->heard_cap);
    play->heard[play->heard_count++] = (heard_t){.line = json_incref((json_t *)line),
                                                 .entry = entry,
                                                 .came = driver_moment(play->driver, play->stage->pace),
                                                 .strict = play_strict(event, line)};
    play_advance(play);
}

static void on_noise(void *ctx, span_t line)
{
    play_t *play = ctx;
    if (play->noise > NOISE_MAX) {
        return;
    }
    play->noise += line.len + 1;
    text_t text = {0};
    text_show(&text, line, 400);
    transcript_note(play->transcript, "", "driver, stderr: %s%s", text_str(&text),
                    play->noise > NOISE_MAX ? "; what it says from here on is not kept" : "");
    text_free(&text);
}

static void on_driver_end(void *ctx, const char *how)
{
    play_t *play = ctx;
    transcript_note(play->transcript, "", "%s", how);
    free(play->driver_end);
    play->driver_end = mem_string(how);
    play_advance(play);
}

static const driver_events_t driver_events = {on_said, on_noise, on_driver_end};

/* ---- the course ---- */

static void on_deadline(void *ctx)
{
    play_t *play = ctx;
    play->deadline = NULL;
    double stood = pace_stood_still(play->stage->pace, play->step_began);
    bool waits = !play->resetting && play->step < play->variant->c->len &&
                 deed_of(play->variant->c->steps[play->step].json) == DEED_WAIT;
    if (waits || play->last_look) {
        play->time_up = true;
        play_advance(play);
    } else if (!play->prolonged && stood > 0) { /* no wait ends while, or because, the harness stood still */
        play->prolonged = true;
        play->deadline = deadline_start(play->stage->loop, stood, on_deadline, play);
    } else {
        play->last_look = true;
        play->deadline = deadline_start(play->stage->loop, LAST_LOOK_MS, on_deadline, play);
    }
}

/* A wait of the harness begins, for the client or its driver. */
static void begin_wait(play_t *play, double ms)
{
    play->step_began = clock_ms();
    play->time_up = play->last_look = play->prolonged = false;
    deadline_cancel(&play->deadline);
    play->deadline = deadline_start(play->stage->loop, ms, on_deadline, play);
}

static outcome_t begin(play_t *play)
{
    const vector_case_t *c = play->variant->c;
    static const profile_mount_t no_mount = {0};
    text_t error = {0};
    play->begun = true;
    play->filled = template_fill(c->steps[play->step].json, play->names, &no_mount, &error);
    outcome_t outcome = play->filled ? PLAY_WAITING : play_broken(play, "%s", text_str(&error));
    text_free(&error);
    if (play->filled) {
        begin_wait(play, play_limit(play));
        outcome = play_begin(play);
    }
    return outcome;
}

static void next_step(play_t *play)
{
    const char *mark = json_string_value(json_object_get(play->filled, "mark"));
    if (mark) {
        json_object_set_new(play->marks, mark, json_integer((json_int_t)play->step));
    }
    json_decref(play->filled);
    play->filled = NULL;
    free(play->result.expected);
    free(play->result.got);
    play->result.expected = play->result.got = NULL;
    play->begun = false;
    play->step++;
    deadline_cancel(&play->deadline);
}

static void describe_step(play_t *play)
{
    const vector_case_t *c = play->variant->c;
    play->result.step = play->step + 1;
    text_t text = {0}, words = {0};
    if (play->step < c->len) {
        play_words(&words, play->filled ? play->filled : c->steps[play->step].json);
        text_show(&text, text_span(&words), 400);
    } else {
        text_puts(&text, "the end of the case");
    }
    play->result.step_text = text_take(&text);
    text_free(&words);
}

/* A failure proves nothing where the harness itself may have been the one that let a timer of the client run
 * out. */
static void excuse(play_t *play)
{
    double margin = hurry_margin_ms(play->variant->c);
    double late = fmax(play->late_ms, host_late_ms(play->host));
    if (play->result.verdict == VERDICT_FAIL && !play->by_driver && margin > 0 && late > margin) {
        char *failed = play->result.reason;
        play->result.reason = NULL;
        play_broken(play,
                    "this machine stood still: the server was late by %.0f ms; the case proves nothing (it "
                    "failed: %s)",
                    late, failed);
        free(failed);
    }
}

/* Nobody can reach the server any more. */
static void close_server(play_t *play)
{
    if (play->detour) {
        *play->stage->altered += detour_altered(play->detour);
    }
    detour_close(play->detour);
    host_free(play->host);
    play->detour = NULL;
    play->host = NULL;
}

static void finish(void *ctx)
{
    play_t *play = ctx;
    play->finish = NULL;
    case_result_t result = play->result;
    result.ms = transcript_now(play->transcript);
    result.transcript = play->transcript;
    result.labels = play->labels;
    result.label_count = play->variant->c->len + 1;
    play->labels = NULL;
    play->result = (case_result_t){0};
    close_server(play);
    play->transcript = NULL;
    play->done(play->ctx, &result, play->reset_done && !play->driver_end);
}

/* The case is judged; the driver is made ready for the next one. */
static void begin_reset(play_t *play)
{
    json_t *command = json_pack("{s:s}", "do", "reset");
    excuse(play);
    play->over = play->resetting = true;
    begin_wait(play, RESET_MS);
    play_tell(play, command);
    json_decref(command);
}

static void poll_reset(play_t *play)
{
    if (play->finish || !(play->reset_done || play->driver_end || play->time_up)) {
        return;
    }
    deadline_cancel(&play->deadline);
    if (!play->reset_done && play->result.verdict == VERDICT_PASS) {
        play->result.step = play->variant->c->len + 1;
        play->by_driver = true;
        play_fail(play, "%s", play->driver_end ? play->driver_end : "the driver does not answer a reset");
    } else if (play->driver_end && !play->by_driver && play->result.reason) {
        text_t reason = {0}; /* its end was seen after what it led to */
        text_printf(&reason, "%s; %s", play->result.reason, play->driver_end);
        free(play->result.reason);
        play->result.reason = text_take(&reason);
    }
    play->finish = deadline_start(play->stage->loop, 0, finish, play);
}

/*
 * The end of a case. What no step expects must not come, and may still be on its way: so the client is asked,
 * on the way its messages take, whether it has them all, and then the driver, whether it has said everything.
 */
static outcome_t poll_end(play_t *play)
{
    peer_t *peer;
    if (!play->settling) {
        play->settling = true;
        begin_wait(play, SETTLING_MS);
        for (size_t i = 0; (peer = host_peer(play->host, i)); i++) {
            peer_ask(peer);
        }
    }
    moment_t came;
    if (play_check_silence(play, true, &came) == PLAY_FAILED) {
        return PLAY_FAILED;
    }
    if (play->time_up || play->driver_end || play->synced) {
        return PLAY_DONE;
    }
    const peer_t *last = NULL;
    for (size_t i = 0; (peer = host_peer(play->host, i)); i++) {
        last = peer;
    }
    if (last && !peer_settled(last)) { /* a session before the last one has been given up */
        return PLAY_WAITING;
    }
    if (!play->asked_driver) {
        json_t *command = json_pack("{s:s}", "do", "sync");
        play->asked_driver = true;
        play_tell(play, command);
        json_decref(command);
    }
    return PLAY_WAITING;
}

void play_advance(void *ctx)
{
    play_t *play = ctx;
    if (play->advancing) {
        return;
    }
    play->advancing = true;
    while (!play->over) {
        outcome_t outcome;
        if (play->step == play->variant->c->len) {
            outcome = poll_end(play);
        } else {
            outcome = play->begun ? PLAY_WAITING : begin(play);
            outcome = outcome == PLAY_WAITING ? play_poll(play) : outcome;
            if (outcome == PLAY_WAITING && play->driver_end) {
                play->by_driver = true;
                outcome = play_fail(play, "%s", play->driver_end);
            }
        }
        if (outcome == PLAY_WAITING) {
            break;
        }
        if (outcome == PLAY_FAILED) {
            describe_step(play);
            begin_reset(play);
        } else if (play->step == play->variant->c->len) {
            begin_reset(play);
        } else {
            next_step(play);
        }
    }
    play->advancing = false;
    if (play->resetting) {
        poll_reset(play);
    }
}

static bool open_server(play_t *play, text_t *error)
{
    const stage_t *stage = play->stage;
    play->host =
        host_open(stage->loop, stage->pace, play->transcript, play->variant->vsn, play_advance, play, error);
    if (play->host && stage->faults) {
        play->detour = detour_open(stage->loop, host_port(play->host), stage->faults, error);
    }
    return play->host && (play->detour || !stage->faults);
}

static void builtin_names(play_t *play, const char *unique)
{
    const vector_case_t *c = play->variant->c;
    json_object_set_new(play->names, "unique", json_string(unique));
    json_object_set_new(play->names, "topic", json_sprintf("room:%s", unique));
    json_object_set_new(play->names, "vsn", json_string(vsn_name(play->variant->vsn)));
    json_object_set_new(play->names, "transport", json_string(transport_name(play->variant->transport)));
    json_object_set_new(play->names, "options", c->options ? json_deep_copy(c->options) : json_object());
    json_object_set_new(play->names, "token", json_string(""));
}

play_t *play_start(const stage_t *stage, const variant_t *variant, const char *unique, driver_t *driver,
                   void (*done)(void *ctx, case_result_t *result, bool reusable), void *ctx)
{
    play_t *play = mem_new(1, sizeof *play);
    text_t error = {0};
    size_t len = variant->c->len;
    play->ready = clock_ms();
    play->stage = stage;
    play->variant = variant;
    play->driver = driver;
    play->done = done;
    play->ctx = ctx;
    play->transcript = transcript_new();
    play->names = json_object();
    play->marks = json_object();
    play->allowed = json_array();
    play->stamps = mem_new(len + 1, sizeof *play->stamps);
    play->labels = mem_new(len + 1, sizeof *play->labels);
    for (size_t i = 0; i <= len; i++) {
        text_t label = {0};
        text_printf(&label, i < len ? "step %zu" : "end", i + 1);
        play->labels[i] = text_take(&label);
    }
    builtin_names(play, unique);
    driver_listen(driver, &driver_events, play);
    if (!open_server(play, &error)) {
        play_broken(play, "%s", text_str(&error));
        begin_reset(play);
    }
    text_free(&error);
    play_advance(play);
    return play;
}

void play_free(play_t *play)
{
    deadline_cancel(&play->deadline);
    deadline_cancel(&play->finish);
    close_server(play);
    for (size_t i = 0; i < play->heard_count; i++) {
        json_decref(play->heard[i].line);
    }
    free(play->heard);
    for (size_t i = 0; play->labels && i <= play->variant->c->len; i++) {
        free(play->labels[i]);
    }
    free(play->labels);
    free(play->stamps);
    free(play->peers_read);
    free(play->driver_end);
    json_decref(play->filled);
    json_decref(play->names);
    json_decref(play->marks);
    json_decref(play->allowed);
    case_result_free(&play->result);
    if (play->transcript) {
        transcript_free(play->transcript);
    }
    free(play);
}
