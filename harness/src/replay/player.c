/* SPDX-License-Identifier: MIT */
#include "replay/player_impl.h"

#include "base/memory.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const double OPEN_PATIENCE_MS = 2000, FAREWELL_PATIENCE_MS = 2000;

const recorded_event_t *player_recorded(const player_t *player, long event)
{
    return &player->setup.recording->events[event];
}

/* ---- the verdict ---- */

static void report(void *ctx)
{
    player_t *player = ctx;
    player->deadline = NULL;
    player->setup.done(player->setup.ctx, player);
}

void player_farewell_over(player_t *player)
{
    deadline_cancel(&player->deadline);
    player->deadline = deadline_start(player->setup.loop, 0, report, player);
}

static void hang_up(player_t *player)
{
    const recording_t *recording = player->setup.recording;
    for (size_t i = 0; i < recording->events_len; i++) {
        exchange_close(&player->exchanges[i]);
    }
    for (size_t i = 0; i < recording->conns_len; i++) {
        ws_client_free(player->wires[i].ws);
        player->wires[i].ws = NULL;
    }
}

/* From the loop, not from here: the callers stand in callbacks of what the owner will free. */
/* How late the client was for what it had to do at the cursor. */
static void note_lateness(player_t *player)
{
    if (player->cursor < player->plan.len && player->plan.at[player->cursor].act < ACT_AWAIT_FRAME) {
        double due_ms = player->plan.at[player->cursor].t_ms;
        player->late_ms = fmax(player->late_ms, transcript_now(player->transcript) - due_ms);
    }
}

static void finish(player_t *player, bool agreed)
{
    note_lateness(player); /* it may still have had to do it when the verdict fell */
    player->over = true;
    player->agreed = agreed;
    player->ms = transcript_now(player->transcript);
    hang_up(player);
    deadline_cancel(&player->deadline);
    farewell_start(player);
    double wait_ms = player->farewells_len > 0 ? FAREWELL_PATIENCE_MS : 0;
    player->deadline = deadline_start(player->setup.loop, wait_ms, report, player);
}

void player_fail(player_t *player, long event)
{
    if (!player->over) {
        player->event = (size_t)(event + 1);
        finish(player, false);
    }
}

void player_fail_with(player_t *player, long event, const char *format, ...)
{
    if (!player->over) {
        va_list arguments;
        va_start(arguments, format);
        text_vprintf(&player->finding.what, format, arguments);
        va_end(arguments);
        player_fail(player, event);
    }
}

bool player_in_time(player_t *player, long event, double earliest_ms, double got_ms)
{
    if (got_ms < earliest_ms) {
        player_fail_with(player, event, "came after %.0f ms, too soon: %.0f ms at least were asked for",
                         got_ms, earliest_ms);
    }
    return got_ms >= earliest_ms;
}

/* ---- the plan ---- */

static void on_pause_over(void *ctx)
{
    player_t *player = ctx;
    player->deadline = NULL;
    player_advance(player);
}

static bool paused(player_t *player, const moment_t *moment)
{
    double left = player->passed_ms + moment->pause_ms - transcript_now(player->transcript);
    if (left <= 0) {
        return false;
    }
    if (player->deadline == NULL) {
        player->deadline = deadline_start(player->setup.loop, left, on_pause_over, player);
    }
    return true;
}

static void describe(text_t *out, const player_t *player, const moment_t *moment)
{
    if (moment->act == ACT_OPEN) {
        text_puts(out, "the answer to the handshake");
        return;
    }
    const recorded_event_t *event = player_recorded(player, moment->event);
    if (moment->act == ACT_AWAIT_END) {
        text_puts(out, "the end of the connection");
    } else if (moment->act == ACT_AWAIT_ANSWER && event->http.method != NULL) {
        text_printf(out, "the answer to %s %s", event->http.method, event->http.path);
        text_puts(out, event->http.messages_len > 0 ? " with all its messages" : "");
    } else if (moment->act == ACT_AWAIT_ANSWER) {
        text_puts(out, "the answer to a request");
    } else if (event->frame.has_message) {
        message_write(out, &event->frame.message);
    } else if (event->frame.has_code) {
        text_printf(out, "a close frame with code %u", event->frame.code);
    } else {
        text_puts(out, "a frame");
    }
}

static void on_patience_over(void *ctx)
{
    player_t *player = ctx;
    const moment_t *moment = &player->plan.at[player->cursor];
    double patience = moment->act == ACT_OPEN ? OPEN_PATIENCE_MS : plan_patience(moment->gap_ms);
    player->deadline = NULL;
    text_t what = {0};
    describe(&what, player, moment);
    player_fail_with(player, moment->event, "did not come within %.0f ms (recorded: %.0f ms): %.*s", patience,
                     moment->gap_ms, 300, what.at);
    text_free(&what);
}

/* What the cursor is at has not come yet. */
static bool wait(player_t *player, double patience_ms)
{
    if (!player->waiting && !player->over) {
        player->waiting = true;
        player->deadline = deadline_start(player->setup.loop, patience_ms, on_patience_over, player);
    }
    return false;
}

static bool await_frame(player_t *player, const moment_t *moment, wire_t *wire)
{
    const expected_t *expected = wire_expected(wire, moment->event, 0);
    bool code_allowed;
    if (expected->arrived || expected->optional) {
        return true;
    }
    if (wire->ended && expected->frame->opcode == WS_CLOSE && wire_may_end(wire, 0, &code_allowed)) {
        return true;
    }
    if (wire->ended) {
        text_t what = {0};
        describe(&what, player, moment);
        player_fail_with(player, moment->event, "the connection ended (%s) before there came %.*s", wire->end,
                         300, what.at);
        text_free(&what);
        return false;
    }
    return wait(player, plan_patience(moment->gap_ms));
}

/* Who ends TCP behind a close frame is a matter of timing, and not awaited. */
static bool await_end(player_t *player, const moment_t *moment, wire_t *wire)
{
    return wire->ended || wire->close_came || wait(player, plan_patience(moment->gap_ms));
}

static size_t send_together(player_t *player, const moment_t *moment)
{
    size_t count = 1;
    while (player->cursor + count < player->plan.len && moment[count].with_previous) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        player->sent_ms[moment[i].event] = transcript_now(player->transcript);
    }
    wire_send(&player->wires[moment->conn], moment, count);
    return count;
}

static bool await_open(player_t *player, wire_t *wire)
{
    if (wire->ws == NULL && !wire->answered) {
        wire_open(wire);
    }
    return wire->answered || wait(player, OPEN_PATIENCE_MS);
}

static void send_signal(player_t *player)
{
    bool kill = strcmp(player->setup.recording->scenario, "drain.kill") == 0;
    transcript_note(player->transcript, "", "%s to the server", kill ? "SIGKILL" : "SIGTERM");
    player->setup.signal(player->setup.ctx, kill ? SIGKILL : SIGTERM);
}

/* Does or awaits what is at the cursor; how many moments are passed with it, 0: not yet. */
static size_t pass(player_t *player)
{
    const moment_t *moment = &player->plan.at[player->cursor];
    wire_t *wire = &player->wires[moment->conn];
    if (moment->act < ACT_AWAIT_FRAME) {
        if (paused(player, moment)) {
            return 0;
        }
        note_lateness(player);
    }
    switch (moment->act) {
    case ACT_OPEN:
        return await_open(player, wire);
    case ACT_SEND:
        return send_together(player, moment);
    case ACT_END:
        wire_end(wire);
        return 1;
    case ACT_REQUEST:
        player->sent_ms[moment->event] = transcript_now(player->transcript);
        exchange_request(&player->exchanges[moment->event]);
        return 1;
    case ACT_ABORT:
        exchange_abort(&player->exchanges[moment->event]);
        return 1;
    case ACT_SIGNAL:
        send_signal(player);
        return 1;
    case ACT_AWAIT_FRAME:
        return await_frame(player, moment, wire);
    case ACT_AWAIT_ANSWER:
        return exchange_complete(&player->exchanges[moment->event]) ||
               wait(player, plan_patience(moment->gap_ms));
    case ACT_AWAIT_END:
        return await_end(player, moment, wire);
    }
    return 0;
}

void player_advance(player_t *player)
{
    while (!player->over && !player->holding) {
        if (player->cursor == player->plan.len) {
            finish(player, true);
            return;
        }
        act_t act = player->plan.at[player->cursor].act;
        size_t passed = pass(player);
        if (passed == 0 || player->over) {
            return;
        }
        deadline_cancel(&player->deadline);
        player->waiting = false;
        player->cursor += passed;
        /* opening a connection is part of the pause before what it is opened for */
        player->passed_ms = act == ACT_OPEN ? player->passed_ms : transcript_now(player->transcript);
    }
}

/* ---- life ---- */

static void on_start(void *ctx)
{
    player_t *player = ctx;
    player->deadline = NULL;
    player_advance(player);
}

player_t *player_start(const player_setup_t *setup)
{
    player_t *player = mem_new(1, sizeof *player);
    const recording_t *recording = setup->recording;
    player->setup = *setup;
    player->plan = plan_make(recording);
    player->transcript = transcript_new();
    player->sent_ms = mem_new(recording->events_len, sizeof *player->sent_ms);
    player->exchanges = mem_new(recording->events_len, sizeof *player->exchanges);
    player->wires = mem_new(recording->conns_len, sizeof *player->wires);
    for (size_t i = 0; i < recording->conns_len; i++) {
        wire_init(&player->wires[i], player, i);
    }
    for (size_t i = 0; i < recording->events_len; i++) {
        player->sent_ms[i] = -1;
        player->exchanges[i] = (exchange_t){
            .player = player, .wire = &player->wires[recording->events[i].conn], .event = (long)i};
    }
    player->deadline = deadline_start(setup->loop, 0, on_start, player);
    return player;
}

bool player_agreed(const player_t *player)
{
    return player->agreed;
}

size_t player_event(const player_t *player)
{
    return player->event;
}

const finding_t *player_finding(const player_t *player)
{
    return &player->finding;
}

const transcript_t *player_transcript(const player_t *player)
{
    return player->transcript;
}

double player_ms(const player_t *player)
{
    return player->ms;
}

double player_late_ms(const player_t *player)
{
    return player->late_ms;
}

void player_free(player_t *player)
{
    if (player == NULL) {
        return;
    }
    deadline_cancel(&player->deadline);
    hang_up(player);
    farewell_free(player);
    for (size_t i = 0; i < player->setup.recording->conns_len; i++) {
        wire_free(&player->wires[i]);
    }
    free(player->wires);
    free(player->exchanges);
    free(player->sent_ms);
    plan_free(&player->plan);
    identities_free(&player->identities);
    finding_free(&player->finding);
    transcript_free(player->transcript);
    free(player);
}
