/* SPDX-License-Identifier: MIT */
#include "replay/plan.h"

#include "base/memory.h"
#include "net/ws_codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the client did at once and what it paused before: shorter gaps were its own work. */
static const double PAUSE_MIN_MS = 20, ONE_WRITE_MS = 0.2, DRAIN_PAUSE_MS = 100, LATE_MS = 250;

static moment_t *add(plan_t *plan, act_t act, long event, size_t conn, double t_ms)
{
    MEM_ROOM(plan->at, plan->len, plan->cap);
    moment_t *moment = &plan->at[plan->len++];
    *moment = (moment_t){.act = act, .event = event, .conn = conn, .t_ms = t_ms};
    return moment;
}

static bool aborted(const recorded_exchange_t *http)
{
    return http->error != NULL && strcmp(http->error, "aborted by the client") == 0;
}

static void add_event(plan_t *plan, const recording_t *recording, size_t index)
{
    const recorded_event_t *event = &recording->events[index];
    act_t act = ACT_SEND;
    switch (event->kind) {
    case EVENT_FRAME:
        act = event->from == FROM_CLIENT ? ACT_SEND : ACT_AWAIT_FRAME;
        break;
    case EVENT_RAW:
        break;
    case EVENT_TCP_END:
    case EVENT_TCP_RESET:
        act = event->from == FROM_CLIENT || recording->conns[event->conn].given_up ? ACT_END : ACT_AWAIT_END;
        break;
    case EVENT_HTTP:
        add(plan, ACT_REQUEST, (long)index, event->conn, event->t_ms);
        act = aborted(&event->http) ? ACT_ABORT : ACT_AWAIT_ANSWER;
        add(plan, act, (long)index, event->conn, event->http.done_ms);
        return;
    }
    add(plan, act, (long)index, event->conn, event->t_ms);
}

/* By time; of equal times by the order of the events, a request before its answer. */
static int by_time(const void *a, const void *b)
{
    const moment_t *x = a, *y = b;
    if (x->t_ms != y->t_ms) {
        return x->t_ms < y->t_ms ? -1 : 1;
    }
    if (x->event != y->event) {
        return x->event < y->event ? -1 : 1;
    }
    return (int)x->act - (int)y->act;
}

/* When a connection was made is not recorded. One that first hears something was there from the start; any
 * other is needed only when it first speaks, and for some (a reconnect) that is when it came. */
static void insert_opens(plan_t *plan, const recording_t *recording)
{
    plan_t opened = {0};
    bool *open = mem_new(recording->conns_len, sizeof *open);
    for (size_t i = 0; i < recording->conns_len; i++) {
        bool waits_for_its_turn = false;
        for (size_t j = 0; j < plan->len; j++) {
            if (plan->at[j].conn == i) {
                waits_for_its_turn = plan->at[j].act == ACT_SEND || plan->at[j].act == ACT_END;
                break;
            }
        }
        if (recording->conns[i].transport == CONN_WEBSOCKET && !waits_for_its_turn) {
            add(&opened, ACT_OPEN, NO_EVENT, i, 0);
            open[i] = true;
        }
    }
    for (size_t i = 0; i < plan->len; i++) {
        const moment_t *moment = &plan->at[i];
        if (recording->conns[moment->conn].transport == CONN_WEBSOCKET && !open[moment->conn]) {
            add(&opened, ACT_OPEN, NO_EVENT, moment->conn, moment->t_ms);
            open[moment->conn] = true;
        }
        *add(&opened, moment->act, moment->event, moment->conn, moment->t_ms) = *moment;
    }
    free(open);
    free(plan->at);
    *plan = opened;
}

static bool server_acts_alone(const plan_t *plan, const recording_t *recording, size_t index)
{
    const moment_t *moment = &plan->at[index];
    if (moment->act == ACT_AWAIT_FRAME) {
        return recording->events[moment->event].frame.opcode == WS_CLOSE;
    }
    if (moment->act == ACT_AWAIT_ANSWER) {
        return index + 1 == plan->len;
    }
    return moment->act == ACT_AWAIT_END;
}

/* The recorder's signal is not recorded either: it came before the first thing the server did on its own. */
static void insert_signal(plan_t *plan, const recording_t *recording)
{
    for (size_t i = 0; i < plan->len; i++) {
        if (server_acts_alone(plan, recording, i)) {
            size_t conn = plan->at[i].conn;
            double t_ms = i > 0 ? plan->at[i - 1].t_ms : 0;
            add(plan, ACT_SIGNAL, NO_EVENT, conn, t_ms);
            moment_t signal = plan->at[plan->len - 1];
            memmove(&plan->at[i + 1], &plan->at[i], (plan->len - 1 - i) * sizeof *plan->at);
            plan->at[i] = signal;
            return;
        }
    }
}

static void find_pauses(plan_t *plan)
{
    double before = 0;
    for (size_t i = 0; i < plan->len; i++) {
        moment_t *moment = &plan->at[i];
        double gap = moment->t_ms - before;
        const moment_t *previous = i > 0 ? &plan->at[i - 1] : NULL;
        before = moment->t_ms;
        if (moment->act == ACT_OPEN) {
            before -= gap; /* the pause is the moment's that the connection is opened for */
        } else if (moment->act == ACT_SIGNAL) {
            moment->pause_ms = DRAIN_PAUSE_MS;
        } else if (moment->act >= ACT_AWAIT_FRAME) {
            moment->gap_ms = gap;
        } else {
            moment->pause_ms = gap > PAUSE_MIN_MS ? gap : 0;
            moment->with_previous = moment->act == ACT_SEND && previous != NULL &&
                                    previous->act == ACT_SEND && previous->conn == moment->conn &&
                                    fabs(gap) <= ONE_WRITE_MS;
        }
    }
}

plan_t plan_make(const recording_t *recording)
{
    plan_t plan = {0};
    for (size_t i = 0; i < recording->events_len; i++) {
        add_event(&plan, recording, i);
    }
    if (plan.len > 0) {
        qsort(plan.at, plan.len, sizeof *plan.at, by_time);
    }
    insert_opens(&plan, recording);
    if (strcmp(recording->group, "drain") == 0) {
        insert_signal(&plan, recording);
    }
    find_pauses(&plan);
    return plan;
}

void plan_free(plan_t *plan)
{
    free(plan->at);
    *plan = (plan_t){0};
}

double plan_patience(double gap_ms)
{
    return gap_ms > 1000 ? 3 * gap_ms : gap_ms + 2000;
}

long plan_cause(const recording_t *recording, size_t index)
{
    const recorded_event_t *event = &recording->events[index];
    const recorded_frame_t *frame = &event->frame;
    long last = NO_EVENT;
    for (size_t i = index; i-- > 0;) {
        const recorded_event_t *each = &recording->events[i];
        if (each->from != FROM_CLIENT && each->kind != EVENT_HTTP) {
            continue;
        }
        last = last == NO_EVENT ? (long)i : last;
        if (frame->has_message && !json_is_null(frame->message.ref) && each->conn == event->conn &&
            each->frame.has_message && jvalue_equal(each->frame.message.ref, frame->message.ref) &&
            jvalue_equal(each->frame.message.topic, frame->message.topic)) {
            return (long)i;
        }
    }
    return last;
}

/* The times that a client's message asks the application to take: {"delay_ms": N}, {"ms": N}, also in
 * commands. */
static double asked_in(json_t *payload)
{
    const char *key;
    json_t *value;
    size_t i;
    double asked = json_number_value(json_object_get(payload, "delay_ms")) +
                   json_number_value(json_object_get(payload, "ms"));
    json_object_foreach(payload, key, value)
    {
        asked += asked_in(value);
    }
    json_array_foreach(payload, i, value)
    {
        asked += asked_in(value);
    }
    return asked;
}

double plan_earliest(const recording_t *recording, size_t index, double recorded_ms)
{
    const recorded_event_t *event = &recording->events[index];
    double asked = 0;
    for (size_t i = 0; i < index; i++) {
        const recorded_event_t *each = &recording->events[i];
        asked +=
            each->from == FROM_CLIENT && each->frame.has_message ? asked_in(each->frame.message.payload) : 0;
    }
    if (event->frame.opcode == WS_CLOSE) {
        const json_t *idle = json_object_get(recording->config, "websocket_timeout_ms");
        asked += json_is_number(idle) ? json_number_value(idle) : recorded_ms;
    }
    return recorded_ms < LATE_MS ? 0 : fmin(recorded_ms / 2, 0.9 * asked);
}
