/* SPDX-License-Identifier: MIT */
#include "replay/player_impl.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *scenario_of(const wire_t *wire)
{
    return wire->player->setup.recording->scenario;
}

static bool is_optional(const wire_t *wire, const message_t *message)
{
    return rules_optional(wire->player->setup.rules, scenario_of(wire), wire->recorded->name, message);
}

bool wire_may_end(const wire_t *wire, unsigned code, bool *code_allowed)
{
    return rules_end(wire->player->setup.rules, scenario_of(wire), wire->recorded->name, code, code_allowed);
}

/* ---- what is to come ---- */

static void expect(wire_t *wire, long event, const recorded_frame_t *frame)
{
    MEM_ROOM(wire->expected, wire->expected_len, wire->expected_cap);
    wire->expected[wire->expected_len++] = (expected_t){
        .event = event, .frame = frame, .optional = frame->has_message && is_optional(wire, &frame->message)};
}

void wire_init(wire_t *wire, player_t *player, size_t conn)
{
    const recording_t *recording = player->setup.recording;
    *wire = (wire_t){.player = player, .recorded = &recording->conns[conn]};
    for (size_t i = 0; i < recording->events_len; i++) {
        const recorded_event_t *event = &recording->events[i];
        if (event->conn != conn) {
            continue;
        }
        if (event->kind == EVENT_FRAME && event->from == FROM_SERVER) {
            expect(wire, (long)i, &event->frame);
        }
        for (size_t j = 0; j < event->http.messages_len; j++) {
            expect(wire, (long)i, &event->http.messages[j]);
        }
    }
}

void wire_free(wire_t *wire)
{
    names_free(&wire->tokens);
    free(wire->expected);
    free(wire->end);
}

expected_t *wire_expected(wire_t *wire, long event, size_t nth)
{
    for (size_t i = 0; i < wire->expected_len; i++) {
        if (wire->expected[i].event == event && nth-- == 0) {
            return &wire->expected[i];
        }
    }
    return NULL;
}

/* ---- what comes ---- */

/* Messages keep their order with those of the same topic, other frames with those of the same kind. */
static bool same_stream(const wire_t *wire, const recorded_frame_t *recorded, const entry_t *got)
{
    if (!recorded->has_message || !got->has_message) {
        return recorded->has_message == got->has_message && recorded->opcode == got->opcode;
    }
    const rules_t *rules = wire->player->setup.rules;
    const char *conn = wire->recorded->name;
    return jvalue_equal(recorded->message.topic, got->message.topic) &&
           rules_free_order(rules, scenario_of(wire), conn, &recorded->message) ==
               rules_free_order(rules, scenario_of(wire), conn, &got->message);
}

static double event_sent_ms(const wire_t *wire, long cause)
{
    return cause == NO_EVENT ? wire->opened_ms : wire->player->sent_ms[cause];
}

static bool in_time(wire_t *wire, const expected_t *expected, const entry_t *entry)
{
    const recording_t *recording = wire->player->setup.recording;
    if (wire->recorded->transport != CONN_WEBSOCKET) {
        return true; /* over long-poll the exchange is what takes its time */
    }
    long cause = plan_cause(recording, (size_t)expected->event);
    double recorded_ms = recording->events[expected->event].t_ms;
    recorded_ms -= cause == NO_EVENT ? 0 : recording->events[cause].t_ms;
    double earliest_ms = plan_earliest(recording, (size_t)expected->event, recorded_ms);
    double sent_ms = event_sent_ms(wire, cause);
    double got_ms = sent_ms < 0 ? 0 : entry->at_ms - sent_ms;
    return player_in_time(wire->player, expected->event, earliest_ms, got_ms);
}

static void take(wire_t *wire, expected_t *expected, entry_t *entry)
{
    if (in_time(wire, expected, entry)) {
        expected->arrived = true;
        snprintf(expected->label, sizeof expected->label, "event %ld", expected->event + 1);
        entry->taken_by = expected->label;
        player_advance(wire->player);
    }
}

/*
 * What the entry is to be compared with: the first of its stream that has not come; nothing overtakes a close
 * frame, and a close frame overtakes nothing. NULL: nothing of the kind was recorded. *agrees: it is what was
 * recorded.
 */
static expected_t *find_expected(wire_t *wire, const entry_t *entry, bool *agrees)
{
    bool close = entry->opcode == WS_CLOSE;
    expected_t *first = NULL;
    for (size_t i = 0; i < wire->expected_len; i++) {
        expected_t *each = &wire->expected[i];
        bool each_close = each->frame->opcode == WS_CLOSE;
        if (each->arrived || (close && !each_close && each->optional)) {
            continue;
        }
        if (close || (!each_close && same_stream(wire, each->frame, entry))) {
            *agrees = compare_frame(each->frame, entry, &wire->player->identities, NULL);
            if (*agrees) {
                return each;
            }
            first = first ? first : each;
            if (!each->optional) {
                return first;
            }
        } else if (each_close) {
            break;
        }
    }
    *agrees = false;
    return first;
}

/* A close frame where none with this code was recorded, but a rule lets the connection end so. */
static bool close_allowed(wire_t *wire, const entry_t *entry)
{
    bool code_allowed;
    return entry->opcode == WS_CLOSE && wire_may_end(wire, entry->code, &code_allowed) && code_allowed;
}

static void surprise(wire_t *wire, const entry_t *entry)
{
    player_t *player = wire->player;
    text_t line = {0};
    entry_write(&line, entry, 300);
    const moment_t *moment = player->cursor < player->plan.len ? &player->plan.at[player->cursor] : NULL;
    player_fail_with(player, moment ? moment->event : NO_EVENT, "something came that was not recorded");
    text_puts(&player->finding.diff, "    + ");
    text_span_add(&player->finding.diff, span_trim(text_span(&line)));
    text_putc(&player->finding.diff, '\n');
    text_free(&line);
}

void wire_arrived(wire_t *wire, entry_t *entry)
{
    player_t *player = wire->player;
    bool agrees;
    if (player->over) {
        return;
    }
    expected_t *expected = find_expected(wire, entry, &agrees);
    if (agrees) {
        take(wire, expected, entry);
    } else if (entry->has_message && is_optional(wire, &entry->message)) {
        entry->taken_by = "a rule allows it";
    } else if (close_allowed(wire, entry)) {
        entry->taken_by = "a rule allows it";
        player_advance(player);
    } else if (expected != NULL) {
        compare_frame(expected->frame, entry, &player->identities, &player->finding);
        player_fail(player, expected->event);
    } else {
        surprise(wire, entry);
    }
}

/* ---- WebSocket ---- */

static void on_answered(void *ctx, const http_response_t *response)
{
    wire_t *wire = ctx;
    player_t *player = wire->player;
    entry_t *entry = transcript_handshake(player->transcript, wire->recorded->name, response);
    if (player->over) {
        return;
    }
    const char *accept = ws_client_accept_expected(wire->ws);
    if (!compare_handshake(wire->recorded, entry, accept, &player->finding)) {
        player_fail(player, NO_EVENT);
        return;
    }
    wire->answered = true;
    wire->opened_ms = entry->at_ms;
    player_advance(player);
}

static void on_frame(void *ctx, const ws_incoming_t *incoming)
{
    wire_t *wire = ctx;
    entry_t *entry =
        transcript_frame_in(wire->player->transcript, wire->recorded->name, wire->recorded->vsn, incoming);
    if (incoming->frame.opcode == WS_CLOSE) {
        wire->close_came = true;
    }
    /* a message in fragments is judged when it is whole; its fragments are judged for their faults only */
    bool part = incoming->frame.opcode <= WS_BINARY && !incoming->completes;
    if (!part || entry->faults != 0) {
        wire_arrived(wire, entry);
    }
}

static void on_ended(void *ctx, ws_end_t how, const char *detail)
{
    wire_t *wire = ctx;
    player_t *player = wire->player;
    transcript_end(player->transcript, wire->recorded->name, FROM_SERVER, detail);
    wire->ended = true;
    wire->end = mem_string(detail);
    if (how == WS_END_BROKEN) {
        player_fail_with(player, NO_EVENT, "what came is no WebSocket: %s", detail);
    } else if (!wire->answered) {
        player_fail_with(player, NO_EVENT, "the handshake was not answered: %s", detail);
    } else if (!player->over) {
        player_advance(player);
    }
}

static const ws_events_t ws_callbacks = {on_answered, on_frame, on_ended};

void wire_open(wire_t *wire)
{
    const player_setup_t *setup = &wire->player->setup;
    ws_request_t request = {.address = setup->address,
                            .authority = setup->authority,
                            .target = wire->recorded->url,
                            .headers = wire->recorded->request_headers};
    transcript_note(wire->player->transcript, wire->recorded->name, "connect %s", wire->recorded->url);
    wire->ws = ws_client_open(setup->loop, &request, &ws_callbacks, wire);
}

static ws_frame_t frame_of(const recorded_frame_t *recorded)
{
    return (ws_frame_t){.fin = recorded->fin,
                        .rsv = recorded->rsv,
                        .opcode = recorded->opcode,
                        .masked = recorded->masked,
                        .mask = {0x37, 0xfa, 0x21, 0x3d},
                        .payload = text_span(&recorded->bytes)};
}

/* All in one write, as the recorder did. */
void wire_send(wire_t *wire, const moment_t *moments, size_t count)
{
    player_t *player = wire->player;
    text_t bytes = {0};
    if (wire->ws == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const recorded_event_t *event = player_recorded(player, moments[i].event);
        if (event->kind == EVENT_RAW) {
            transcript_raw_out(player->transcript, wire->recorded->name, text_span(&event->raw));
            text_span_add(&bytes, text_span(&event->raw));
            continue;
        }
        ws_frame_t frame = frame_of(&event->frame);
        transcript_frame_out(player->transcript, wire->recorded->name, wire->recorded->vsn, &frame);
        ws_encode(&bytes, &frame);
    }
    ws_client_send_raw(wire->ws, text_span(&bytes));
    text_free(&bytes);
}

void wire_end(wire_t *wire)
{
    transcript_end(wire->player->transcript, wire->recorded->name, FROM_CLIENT, "closed by the client");
    ws_client_free(wire->ws);
    wire->ws = NULL;
}
