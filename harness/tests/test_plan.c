/* SPDX-License-Identifier: MIT */
#include "net/ws_codec.h"
#include "replay/identities.h"
#include "replay/plan.h"
#include "test_util.h"

#include <string.h>

/* A recording with two WebSockets a and b and one HTTP connection h, whose events a test fills in. */
typedef struct sample {
    recording_t recording;
    recorded_conn_t conns[3];
    recorded_event_t events[12];
} sample_t;

static void sample_init(sample_t *sample)
{
    *sample = (sample_t){0};
    sample->recording = (recording_t){.group = "join",
                                      .scenario = "join.x",
                                      .conns = sample->conns,
                                      .conns_len = 3,
                                      .events = sample->events,
                                      .config = NULL};
    sample->conns[2].transport = CONN_HTTP;
}

static recorded_event_t *add(sample_t *sample, double t_ms, size_t conn, direction_t from, const char *text)
{
    recorded_event_t *event = &sample->events[sample->recording.events_len++];
    *event = (recorded_event_t){.kind = EVENT_FRAME, .t_ms = t_ms, .conn = conn, .from = from};
    event->frame.opcode = text ? WS_TEXT : WS_CLOSE;
    event->frame.fin = true;
    if (text != NULL) {
        event->frame.has_message =
            message_decode(&event->frame.message, VSN_2, from, false, span_of(text), NULL);
    }
    return event;
}

static void add_http(sample_t *sample, double t_ms, double done_ms, const char *error)
{
    recorded_event_t *event = &sample->events[sample->recording.events_len++];
    *event = (recorded_event_t){.kind = EVENT_HTTP, .t_ms = t_ms, .conn = 2};
    event->http.done_ms = done_ms;
    event->http.error = (char *)(uintptr_t)error;
}

static void sample_free(sample_t *sample)
{
    for (size_t i = 0; i < sample->recording.events_len; i++) {
        message_free(&sample->events[i].frame.message);
    }
}

/* "open a; send 0; await 1 (5); pause 50 send+ 2; …" */
static void assert_plan(const sample_t *sample, const char *expected)
{
    static const char *const acts[] = {"open",   "send",  "end",    "request",   "abort",
                                       "signal", "frame", "answer", "end of TCP"};
    plan_t plan = plan_make(&sample->recording);
    text_t out = {0};
    for (size_t i = 0; i < plan.len; i++) {
        const moment_t *moment = &plan.at[i];
        text_puts(&out, i > 0 ? "; " : "");
        if (moment->pause_ms > 0) {
            text_printf(&out, "pause %.0f ", moment->pause_ms);
        }
        text_printf(&out, "%s%s %c", acts[moment->act], moment->with_previous ? "+" : "",
                    "abh"[moment->conn]);
        if (moment->gap_ms > 0) {
            text_printf(&out, " (%.0f)", moment->gap_ms);
        }
    }
    assert_text(&out, expected);
    plan_free(&plan);
}

#define JOIN "[\"1\",\"1\",\"t\",\"phx_join\",{}]"
#define OK "[\"1\",\"1\",\"t\",\"phx_reply\",{}]"

START_TEST(connections_are_opened_when_they_speak)
{
    sample_t sample;
    sample_init(&sample);
    add(&sample, 1, 0, FROM_CLIENT, JOIN);
    add(&sample, 3, 0, FROM_SERVER, OK);
    add(&sample, 90, 1, FROM_CLIENT, JOIN);
    add(&sample, 91, 1, FROM_SERVER, OK);
    assert_plan(&sample, "open a; send a; frame a (2); open b; pause 87 send b; frame b (1)");
    sample_free(&sample);
}
END_TEST

START_TEST(who_only_listens_is_there_from_the_start)
{
    sample_t sample;
    sample_init(&sample);
    add(&sample, 1, 0, FROM_CLIENT, JOIN);
    add(&sample, 2, 1, FROM_SERVER, NULL);
    assert_plan(&sample, "open b; open a; send a; frame b (1)");
    sample_free(&sample);
}
END_TEST

START_TEST(what_was_sent_at_once_goes_in_one_write)
{
    sample_t sample;
    sample_init(&sample);
    sample.recording.conns_len = 1;
    add(&sample, 1, 0, FROM_CLIENT, JOIN);
    add(&sample, 1.1, 0, FROM_CLIENT, JOIN);
    add(&sample, 1.5, 0, FROM_CLIENT, JOIN);
    add(&sample, 1.6, 0, FROM_SERVER, OK);
    add(&sample, 1.6, 0, FROM_CLIENT, JOIN);
    assert_plan(&sample, "open a; send a; send+ a; send a; frame a (0); send a");
    sample_free(&sample);
}
END_TEST

START_TEST(exchanges_overlap)
{
    sample_t sample;
    sample_init(&sample);
    sample.recording.conns_len = 0;
    add_http(&sample, 1, 300, NULL);
    add_http(&sample, 101, 102, NULL);
    add_http(&sample, 301, 350, "aborted by the client");
    assert_plan(&sample,
                "request h; pause 100 request h; answer h (1); answer h (198); request h; pause 49 abort h");
}
END_TEST

START_TEST(a_server_is_stopped_before_it_acts_alone)
{
    sample_t sample;
    sample_init(&sample);
    sample.recording.group = "drain";
    sample.recording.conns_len = 1;
    add(&sample, 1, 0, FROM_CLIENT, JOIN);
    add(&sample, 2, 0, FROM_SERVER, OK);
    add(&sample, 9, 0, FROM_SERVER, NULL);
    add(&sample, 9, 0, FROM_CLIENT, NULL);
    assert_plan(&sample, "open a; send a; frame a (1); pause 100 signal a; frame a (7); send a");
    sample_free(&sample);
}
END_TEST

START_TEST(answers_have_causes)
{
    sample_t sample;
    sample_init(&sample);
    add(&sample, 0, 0, FROM_CLIENT, "[\"1\",\"1\",\"t\",\"reply_later\",{\"delay_ms\":300}]");
    add(&sample, 1, 0, FROM_CLIENT, "[\"1\",\"2\",\"t\",\"echo\",{}]");
    add(&sample, 2, 0, FROM_SERVER, "[\"1\",\"2\",\"t\",\"phx_reply\",{}]");
    add(&sample, 310, 0, FROM_SERVER, "[\"1\",\"1\",\"t\",\"phx_reply\",{}]");
    add(&sample, 311, 0, FROM_SERVER, "[null,null,\"t\",\"e\",{}]");
    ck_assert_int_eq(plan_cause(&sample.recording, 2), 1);
    ck_assert_int_eq(plan_cause(&sample.recording, 3), 0);
    ck_assert_int_eq(plan_cause(&sample.recording, 4), 1);
    ck_assert_int_eq(plan_cause(&sample.recording, 0), NO_EVENT);
    ck_assert_double_eq_tol(plan_earliest(&sample.recording, 3, 310), 155, 0.1);
    ck_assert_double_eq_tol(plan_earliest(&sample.recording, 3, 900), 270, 0.1);
    ck_assert_double_eq_tol(plan_earliest(&sample.recording, 2, 2), 0, 0.1);
    sample_free(&sample);
}
END_TEST

START_TEST(nothing_is_late_that_was_not_asked_to_be)
{
    sample_t sample;
    sample_init(&sample);
    add(&sample, 0, 0, FROM_CLIENT, "[\"1\",\"1\",\"t\",\"echo\",{}]");
    add(&sample, 500, 0, FROM_SERVER, "[\"1\",\"1\",\"t\",\"phx_reply\",{}]");
    ck_assert_double_eq_tol(plan_earliest(&sample.recording, 1, 500), 0, 0.1);
    sample.recording.config = jvalue_parse(SPAN("{\"websocket_timeout_ms\":1000}"), NULL);
    add(&sample, 1500, 0, FROM_SERVER, NULL);
    ck_assert_double_eq_tol(plan_earliest(&sample.recording, 2, 1000), 500, 0.1);
    json_decref(sample.recording.config);
    sample_free(&sample);
}
END_TEST

START_TEST(patience)
{
    ck_assert_double_eq_tol(plan_patience(1), 2001, 0.1);
    ck_assert_double_eq_tol(plan_patience(10000), 30000, 0.1);
}
END_TEST

START_TEST(names_are_replaced)
{
    identities_t identities = {0};
    text_t out = {0};
    ck_assert(identities_agree(&identities, SPAN("recorded-token-0001"), SPAN("GOT.TOKEN.0001.xx")));
    ck_assert(identities_agree(&identities, SPAN("recorded-token-0001"), SPAN("GOT.TOKEN.0001.xx")));
    ck_assert(!identities_agree(&identities, SPAN("recorded-token-0001"), SPAN("other")));
    ck_assert(!identities_agree(&identities, SPAN("another"), SPAN("GOT.TOKEN.0001.xx")));
    identities_replace(&identities, &out, SPAN("vsn=2&token=recorded-token-0001&x=1"));
    assert_text(&out, "vsn=2&token=GOT.TOKEN.0001.xx&x=1");
    identities_replace(&identities, &out,
                       SPAN("token=recorded-token-00A1")); /* one changed, next to the end */
    assert_text(&out, "token=GOT.TOKEN.0001.Ax");
    identities_replace(&identities, &out, SPAN("token=recorded-token-00"));
    assert_text(&out, "token=GOT.TOKEN.0001.");
    identities_replace(&identities, &out, SPAN("token=garbage&token[]=recorded-token-0001"));
    assert_text(&out, "token=garbage&token[]=GOT.TOKEN.0001.xx");
    identities_forget(&identities, 0);
    identities_replace(&identities, &out, SPAN("recorded-token-0001"));
    assert_text(&out, "recorded-token-0001");
    identities_free(&identities);
}
END_TEST

TEST_MAIN("plan", connections_are_opened_when_they_speak, who_only_listens_is_there_from_the_start,
          what_was_sent_at_once_goes_in_one_write, exchanges_overlap,
          a_server_is_stopped_before_it_acts_alone, answers_have_causes,
          nothing_is_late_that_was_not_asked_to_be, patience, names_are_replaced)
