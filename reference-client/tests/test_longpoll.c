/* SPDX-License-Identifier: MIT */
/* The long-poll transport on a scripted HTTP and a clock of our own. */
#include "longpoll.h"

#include <stdio.h>
#include <string.h>

#include "rig.h"

enum { MOST_CALLS = 64 };

typedef struct call {
    phxc_http_done done;
    void *owner;
    uint64_t timeout_ms;
    char method;
    bool over;
} call_t;

/* The rig gives the clock and the log; the socket it has is not used. */
typedef struct poller {
    rig_t rig;
    phxc_transport_t *transport;
    call_t calls[MOST_CALLS];
    size_t call_count;
    bool refuse;
    bool released;
    bool dispose_on_message;
    bool send_on_message;
} poller_t;

#define TEXT_OF(slice) (int)(slice).len, (slice).data != NULL ? (slice).data : ""

/* ---- HTTP ---- */

static void *http_start(void *context, const phxc_http_request_t *request, phxc_http_done done, void *owner)
{
    poller_t *poller = context;
    if (poller->refuse) {
        return NULL;
    }
    ck_assert_uint_lt(poller->call_count, MOST_CALLS);
    call_t *call = &poller->calls[poller->call_count++];
    *call = (call_t){done, owner, request->timeout_ms, request->method[0], false};
    char headers[300] = "";
    for (size_t i = 0, at = 0; i < request->headers.len && at < sizeof headers - 2; i++) {
        if (request->headers.data[i] == '\n') {
            headers[at++] = ';';
        } else if (request->headers.data[i] != '\r') {
            headers[at++] = request->headers.data[i];
        }
    }
    rig_line(&poller->rig, "%s %s %s%s%.*s", request->method, request->url, headers,
             request->body.data != NULL ? " " : "", TEXT_OF(request->body));
    return call;
}

static void http_cancel(void *handle)
{
    call_t *call = handle;
    ck_assert(!call->over);
    call->over = true;
}

/* Answers the oldest request of that method that is under way. */
static void answer(poller_t *poller, char method, const phxc_http_result_t *result)
{
    for (size_t i = 0; i < poller->call_count; i++) {
        call_t *call = &poller->calls[i];
        if (!call->over && call->method == method) {
            call->over = true;
            call->done(call->owner, result);
            return;
        }
    }
    ck_abort_msg("no %c is under way", method);
}

static void answer_body(poller_t *poller, char method, const char *body)
{
    const phxc_http_result_t result = {.status = 200, .body = phx_slice_of(body)};
    answer(poller, method, &result);
}

static size_t under_way(const poller_t *poller)
{
    size_t count = 0;
    for (size_t i = 0; i < poller->call_count; i++) {
        count += !poller->calls[i].over;
    }
    return count;
}

/* ---- the owner ---- */

static void on_opened(void *owner)
{
    rig_line(owner, "opened");
}

static void on_received(void *owner, phx_form_t form, phx_slice_t bytes)
{
    poller_t *poller = owner;
    ck_assert_int_eq(form, PHX_TEXT);
    rig_line(&poller->rig, "received %.*s", TEXT_OF(bytes));
    if (poller->send_on_message) {
        poller->transport->ops->send(poller->transport, PHX_TEXT, PHX_SLICE("[\"answer\"]"));
    }
    if (poller->dispose_on_message) {
        poller->transport->ops->dispose(poller->transport);
        poller->transport = NULL;
    }
}

static void on_failed(void *owner, const char *text, int http_status)
{
    rig_line(owner, "failed %s (%d)", text, http_status);
}

static void on_closed(void *owner, int code, phx_slice_t reason, bool clean)
{
    rig_line(owner, "closed %d %.*s%s", code, TEXT_OF(reason), clean ? " clean" : "");
}

static const phxc_transport_events_t EVENTS = {on_opened, on_received, on_failed, on_closed};

static void released(void *context)
{
    ((poller_t *)context)->released = true;
}

static void begin(poller_t *poller, phx_vsn_t vsn, phxc_token_place_t place, const char *bearer)
{
    char error[200] = "";
    *poller = (poller_t){0};
    rig_start(&poller->rig, NULL);
    const phxc_longpoll_settings_t settings = {
        .timers = &poller->rig.timers,
        .http = {http_start, http_cancel, poller},
        .timeout_ms = 20000,
        .token_place = place,
        .release = released,
        .context = poller,
    };
    const phxc_request_t request = {PHXC_LONGPOLL, vsn, "http://h/s/longpoll?vsn=x", phx_slice_of(bearer)};
    poller->transport = phxc_longpoll_open(&settings, &request, &EVENTS, poller, error, sizeof error);
    ck_assert_msg(poller->transport != NULL, "%s", error);
}

static void begin_open(poller_t *poller)
{
    begin(poller, PHX_V2, PHXC_TOKEN_IN_QUERY, NULL);
    answer_body(poller, 'G', "{\"status\":410,\"token\":\"t/1\",\"messages\":[]}");
    phx_buf_clear(&poller->rig.log);
}

static void end(poller_t *poller)
{
    if (poller->transport != NULL) {
        poller->transport->ops->dispose(poller->transport);
    }
    rig_advance(&poller->rig, 10000);
    ck_assert(poller->released);
    ck_assert_uint_eq(under_way(poller), 0);
    rig_end(&poller->rig);
}

static void send_text(poller_t *poller, const char *text)
{
    poller->transport->ops->send(poller->transport, PHX_TEXT, phx_slice_of(text));
}

#define URL "http://h/s/longpoll?vsn=x"
#define GET "GET " URL "&token=t%2F1 Accept: application/json;\n"
#define POST(body) "POST " URL "&token=t%2F1 Content-Type: application/x-ndjson; " body "\n"

/* ---- opening ---- */

START_TEST(opening) /* LP-OPEN-05, LP-HTTP-06 to LP-HTTP-08 */
{
    poller_t poller;
    begin(&poller, PHX_V2, PHXC_TOKEN_IN_QUERY, NULL);
    rig_expect(&poller.rig, "GET " URL " Accept: application/json;\n");
    ck_assert_uint_eq(poller.calls[0].timeout_ms, 20000); /* LP-GET-09 */
    send_text(&poller, "[\"too early\"]");
    answer_body(&poller, 'G', "{\"status\":410,\"token\":\"t/1\",\"messages\":[]}");
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig, "opened\n" GET);
    end(&poller);
}
END_TEST

START_TEST(token_places) /* LP-HTTP-06 */
{
    poller_t poller;
    begin(&poller, PHX_V2, PHXC_TOKEN_IN_HEADER, NULL);
    answer_body(&poller, 'G', "{\"status\":410,\"token\":\"t\"}");
    send_text(&poller, "[1]");
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig,
               "GET " URL " Accept: application/json;\nopened\n"
               "GET " URL " X-Phoenix-Longpoll-Token: t;Accept: application/json;\n"
               "POST " URL " X-Phoenix-Longpoll-Token: t;Content-Type: application/x-ndjson; [1]\n");
    answer_body(&poller, 'P', "{\"status\":200}");
    end(&poller);
    begin(&poller, PHX_V2, PHXC_TOKEN_IN_BOTH, NULL);
    answer_body(&poller, 'G', "{\"status\":410,\"token\":\"t\"}");
    rig_expect(&poller.rig, "GET " URL " Accept: application/json;\nopened\n"
                            "GET " URL "&token=t X-Phoenix-Longpoll-Token: t;Accept: application/json;\n");
    end(&poller);
}
END_TEST

START_TEST(bearer_token) /* TOK-07: on every GET, on no POST */
{
    poller_t poller;
    begin(&poller, PHX_V2, PHXC_TOKEN_IN_QUERY, "secret");
    answer_body(&poller, 'G', "{\"status\":410,\"token\":\"t/1\"}");
    send_text(&poller, "[1]");
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig,
               "GET " URL " Accept: application/json;X-Phoenix-AuthToken: secret;\nopened\n"
               "GET " URL "&token=t%2F1 Accept: application/json;X-Phoenix-AuthToken: secret;\n" POST("[1]"));
    answer_body(&poller, 'P', "{\"status\":200}");
    end(&poller);
}
END_TEST

START_TEST(bearer_tokens_that_would_be_headers)
{
    char error[200] = "";
    rig_t rig;
    rig_start(&rig, NULL);
    const phxc_longpoll_settings_t settings = {.timers = &rig.timers};
    const phxc_request_t request = {PHXC_LONGPOLL, PHX_V2, URL, PHX_SLICE("a\r\nX: y")};
    ck_assert_ptr_null(phxc_longpoll_open(&settings, &request, &EVENTS, NULL, error, sizeof error));
    ck_assert_str_eq(error, "a token with a line break cannot travel in a header");
    rig_end(&rig);
}
END_TEST

/* ---- what polls bring ---- */

START_TEST(messages) /* LP-GET-08 */
{
    poller_t poller;
    begin_open(&poller);
    answer_body(&poller, 'G',
                "{\"status\":200,\"token\":\"t/1\",\"messages\":[\"[1,\\\"\\u00e4\\\"]\",\"[2]\",7]}");
    rig_expect(&poller.rig, "received [1,\"\xc3\xa4\"]\nreceived [2]\n" GET);
    answer_body(&poller, 'G', "{\"status\":204,\"token\":\"t/1\",\"messages\":[]}");
    rig_expect(&poller.rig, GET);
    end(&poller);
}
END_TEST

static const struct {
    const char *body;
    const char *expected;
} POLL_ENDS[] = {
    {"{\"status\":410,\"token\":\"t/2\",\"messages\":[]}",
     "failed poll: status 410 (410)\nclosed 3410 session_gone\n"},
    {"{\"status\":403}", "failed poll: status 403 (403)\nclosed 1008 forbidden\n"},
    {"{\"status\":500}", "failed poll: status 500 (500)\nclosed 1011 internal server error\n"},
    {"{\"status\":999}", "failed poll: status 999 (999)\nclosed 1011 internal server error\n"},
    {"",
     "failed poll: HTTP 200, and no answer of the protocol in it (200)\nclosed 1011 internal server error\n"},
    {"<html>",
     "failed poll: HTTP 200, and no answer of the protocol in it (200)\nclosed 1011 internal server error\n"},
    {"{\"status\":\"200\"}",
     "failed poll: HTTP 200, and no answer of the protocol in it (200)\nclosed 1011 internal server error\n"},
    {"[410]",
     "failed poll: HTTP 200, and no answer of the protocol in it (200)\nclosed 1011 internal server error\n"},
};

START_TEST(polls_that_end_the_session) /* LP-OPEN-06, LP-GET-10, CL-TRAN-06 */
{
    for (size_t i = 0; i < COUNT(POLL_ENDS); i++) {
        poller_t poller;
        begin_open(&poller);
        answer_body(&poller, 'G', POLL_ENDS[i].body);
        rig_expect(&poller.rig, POLL_ENDS[i].expected);
        end(&poller);
    }
}
END_TEST

START_TEST(polls_without_a_response) /* LP-GET-09, LP-GET-10 */
{
    poller_t poller;
    begin_open(&poller);
    answer(&poller, 'G', &(phxc_http_result_t){.error = "late", .timed_out = true});
    rig_expect(&poller.rig, "failed poll: no response in time (0)\nclosed 1005 timeout\n");
    end(&poller);
    begin_open(&poller);
    answer(&poller, 'G', &(phxc_http_result_t){.error = "cut"});
    rig_expect(&poller.rig, "failed poll: cut (0)\nclosed 1011 internal server error\n");
    end(&poller);
}
END_TEST

START_TEST(sessions_that_do_not_begin)
{
    poller_t poller;
    begin(&poller, PHX_V2, PHXC_TOKEN_IN_QUERY, NULL);
    answer_body(&poller, 'G', "{\"status\":403}");
    rig_expect(&poller.rig, "GET " URL " Accept: application/json;\nfailed poll: status 403 (403)\n"
                            "closed 1008 forbidden\n");
    end(&poller);
    begin(&poller, PHX_V2, PHXC_TOKEN_IN_QUERY, NULL);
    answer_body(&poller, 'G', "{\"status\":410,\"token\":\"a\\r\\nb\"}");
    rig_expect(&poller.rig,
               "GET " URL " Accept: application/json;\nfailed poll without a token: status 410 (410)\n"
               "closed 1011 internal server error\n");
    end(&poller);
}
END_TEST

START_TEST(disposed_by_a_message)
{
    poller_t poller;
    begin_open(&poller);
    poller.dispose_on_message = true;
    answer_body(&poller, 'G', "{\"status\":200,\"token\":\"t\",\"messages\":[\"[1]\",\"[2]\"]}");
    rig_expect(&poller.rig, "received [1]\n");
    end(&poller);
    begin_open(&poller); /* with something still to be sent */
    poller.dispose_on_message = poller.send_on_message = true;
    answer_body(&poller, 'G', "{\"status\":200,\"token\":\"t/1\",\"messages\":[\"[1]\",\"[2]\"]}");
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig, "received [1]\n" POST("[\"answer\"]"));
    ck_assert(!poller.released);
    answer_body(&poller, 'P', "{\"status\":200}");
    ck_assert(poller.released);
    end(&poller);
}
END_TEST

/* ---- what is sent ---- */

START_TEST(batches) /* LP-POST-06, LP-POST-07, LP-POST-12 */
{
    poller_t poller;
    begin_open(&poller);
    send_text(&poller, "[1]");
    poller.transport->ops->send(poller.transport, PHX_BINARY, PHX_SLICE("\x00\xff"));
    rig_expect(&poller.rig, "");
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig, POST("[1]\nAP8="));
    send_text(&poller, "[2]");
    send_text(&poller, "[3]");
    rig_advance(&poller.rig, 100); /* one at a time */
    rig_expect(&poller.rig, "");
    answer_body(&poller, 'P', "{\"status\":200}");
    rig_expect(&poller.rig, POST("[2]\n[3]"));
    answer_body(&poller, 'P', "{\"status\":200}");
    rig_advance(&poller.rig, 100);
    rig_expect(&poller.rig, "");
    send_text(&poller, "[4]");
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig, POST("[4]"));
    answer_body(&poller, 'P', "{\"status\":200}");
    end(&poller);
}
END_TEST

START_TEST(large_batches) /* LP-POST-12: at most 100 lines */
{
    poller_t poller;
    size_t lines = 0;
    begin_open(&poller);
    for (int i = 0; i < 201; i++) {
        send_text(&poller, "[0]");
    }
    rig_advance(&poller.rig, 0);
    static const size_t expected[] = {100, 100, 1};
    for (size_t i = 0; i < COUNT(expected); i++) {
        lines = 0;
        for (size_t at = 0; at < poller.rig.log.len; at++) {
            lines += poller.rig.log.data[at] == '\n';
        }
        /* The line of the log holds the body's lines, as far as it holds them. */
        ck_assert_uint_gt(lines, 0);
        if (i == 2) {
            rig_expect(&poller.rig, POST("[0]"));
        } else {
            ck_assert_uint_eq(lines, expected[i]);
        }
        phx_buf_clear(&poller.rig.log);
        answer_body(&poller, 'P', "{\"status\":200}");
    }
    rig_expect(&poller.rig, "");
    end(&poller);
}
END_TEST

START_TEST(version_1_has_no_batches) /* LP-POST-07 */
{
    poller_t poller;
    begin(&poller, PHX_V1, PHXC_TOKEN_IN_QUERY, NULL);
    answer_body(&poller, 'G', "{\"status\":410,\"token\":\"t/1\"}");
    phx_buf_clear(&poller.rig.log);
    send_text(&poller, "{\"a\":1}");
    send_text(&poller, "{\"a\":2}");
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig, "POST " URL "&token=t%2F1 Content-Type: application/json; {\"a\":1}\n");
    answer_body(&poller, 'P', "{\"status\":200}");
    rig_expect(&poller.rig, "POST " URL "&token=t%2F1 Content-Type: application/json; {\"a\":2}\n");
    answer_body(&poller, 'P', "{\"status\":200}");
    end(&poller);
}
END_TEST

START_TEST(posts_that_end_the_session) /* LP-POST-13 */
{
    static const char *const bodies[] = {"{\"status\":408}", "{\"status\":410}", "{\"status\":403}",
                                         "{\"status\":500}", "{\"status\":204}", "not JSON"};
    for (size_t i = 0; i < COUNT(bodies); i++) {
        poller_t poller;
        begin_open(&poller);
        send_text(&poller, "[1]");
        send_text(&poller, "[2]");
        rig_advance(&poller.rig, 0);
        send_text(&poller, "[3]");
        phx_buf_clear(&poller.rig.log);
        answer_body(&poller, 'P', bodies[i]);
        rig_advance(&poller.rig, 100);
        const char *closed = strstr(poller.rig.log.data, "\nclosed 1011 internal server error\n");
        ck_assert_ptr_nonnull(closed);
        ck_assert_int_eq(strncmp(poller.rig.log.data, "failed POST", 11), 0);
        send_text(&poller, "[4]");
        rig_advance(&poller.rig, 100);
        ck_assert_uint_eq(poller.call_count, 3);
        end(&poller);
    }
    poller_t poller;
    begin_open(&poller);
    send_text(&poller, "[1]");
    rig_advance(&poller.rig, 0);
    phx_buf_clear(&poller.rig.log);
    answer(&poller, 'P', &(phxc_http_result_t){.error = "late", .timed_out = true});
    rig_expect(&poller.rig, "failed POST: no response in time (0)\nclosed 1005 timeout\n");
    end(&poller);
}
END_TEST

START_TEST(memory_for_a_request_runs_out)
{
    poller_t poller;
    begin_open(&poller);
    send_text(&poller, "[1]");
    poller.refuse = true;
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig, "failed memory ran out (0)\nclosed 1011 internal server error\n");
    end(&poller);
    begin_open(&poller);
    poller.refuse = true;
    answer_body(&poller, 'G', "{\"status\":204,\"token\":\"t\"}");
    rig_expect(&poller.rig, "failed memory ran out (0)\nclosed 1011 internal server error\n");
    end(&poller);
}
END_TEST

/* ---- closing ---- */

START_TEST(closing) /* LP-END-03 */
{
    poller_t poller;
    begin_open(&poller);
    poller.transport->ops->close(poller.transport, 0, PHX_SLICE(""));
    ck_assert_uint_eq(under_way(&poller), 0);
    rig_expect(&poller.rig, "");
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig, "closed 1000  clean\n");
    end(&poller);
}
END_TEST

START_TEST(closing_sends_what_there_is) /* CL-CONN-08 */
{
    poller_t poller;
    begin_open(&poller);
    send_text(&poller, "[1]");
    poller.transport->ops->close(poller.transport, 4000, PHX_SLICE("bye"));
    send_text(&poller, "[2]");
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig, POST("[1]"));
    answer_body(&poller, 'P', "{\"status\":200}");
    rig_expect(&poller.rig, "closed 4000 bye clean\n");
    end(&poller);

    begin_open(&poller); /* a server that takes nothing */
    send_text(&poller, "[1]");
    rig_advance(&poller.rig, 0);
    poller.transport->ops->close(poller.transport, 0, PHX_SLICE(""));
    phx_buf_clear(&poller.rig.log);
    rig_advance(&poller.rig, 2999);
    rig_expect(&poller.rig, "");
    rig_advance(&poller.rig, 1);
    rig_expect(&poller.rig, "closed 1000 \n");
    end(&poller);
}
END_TEST

START_TEST(closing_before_it_is_open)
{
    poller_t poller;
    begin(&poller, PHX_V2, PHXC_TOKEN_IN_QUERY, NULL);
    poller.transport->ops->close(poller.transport, 0, PHX_SLICE(""));
    rig_advance(&poller.rig, 0);
    rig_expect(&poller.rig, "GET " URL " Accept: application/json;\nclosed 1000  clean\n");
    end(&poller);
    begin(&poller, PHX_V2, PHXC_TOKEN_IN_QUERY, NULL);
    end(&poller);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        opening,
        token_places,
        bearer_token,
        bearer_tokens_that_would_be_headers,
        messages,
        polls_that_end_the_session,
        polls_without_a_response,
        sessions_that_do_not_begin,
        disposed_by_a_message,
        batches,
        large_batches,
        version_1_has_no_batches,
        posts_that_end_the_session,
        memory_for_a_request_runs_out,
        closing,
        closing_sends_what_there_is,
        closing_before_it_is_open,
    };
    TCase *tcase = tcase_create("longpoll");
    for (size_t i = 0; i < COUNT(tests); i++) {
        tcase_add_test(tcase, tests[i]);
    }
    Suite *suite = suite_create("longpoll");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
