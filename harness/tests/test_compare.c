/* SPDX-License-Identifier: MIT */
#include "net/ws_codec.h"
#include "replay/compare.h"
#include "test_util.h"

#include <string.h>

static recorded_frame_t recorded_text(const char *text)
{
    recorded_frame_t frame = {.opcode = WS_TEXT, .fin = true};
    text_puts(&frame.bytes, text);
    frame.has_message = message_decode(&frame.message, VSN_2, FROM_SERVER, false, span_of(text), NULL);
    return frame;
}

static entry_t got_text(const char *text)
{
    entry_t entry = {.kind = ENTRY_FRAME, .from = FROM_SERVER, .opcode = WS_TEXT, .fin = true, .conn = "a"};
    text_puts(&entry.bytes, text);
    entry.has_message = message_decode(&entry.message, VSN_2, FROM_SERVER, false, span_of(text), NULL);
    return entry;
}

/* NULL: they agree; else what the finding must say. */
static void assert_frames(identities_t *identities, const char *recorded, const char *got, const char *what)
{
    recorded_frame_t a = recorded_text(recorded);
    entry_t b = got_text(got);
    finding_t finding = {0};
    size_t before = identities->len;
    bool agree = compare_frame(&a, &b, identities, &finding);
    ck_assert_msg(agree == (what == NULL), "%s and %s: %s", recorded, got, text_str(&finding.what));
    if (what != NULL) {
        ck_assert_str_eq(finding.what.at, what);
        ck_assert(finding.diff.len > 0);
        ck_assert_uint_eq(identities->len, before);
    }
    finding_free(&finding);
    text_free(&a.bytes);
    message_free(&a.message);
    text_free(&b.bytes);
    message_free(&b.message);
}

START_TEST(messages_are_compared_as_values)
{
    identities_t ids = {0};
    assert_frames(&ids, "[null,\"1\",\"t\",\"e\",{\"a\":1,\"b\":1.0e3}]",
                  "[null, \"1\", \"t\", \"e\", {\"b\":1000,\"a\":1}]", NULL);
    assert_frames(&ids, "[null,\"1\",\"t\",\"e\",{}]", "[null,1,\"t\",\"e\",{}]", "another message");
    assert_frames(&ids, "[null,\"1\",\"t\",\"e\",{}]", "[\"1\",\"1\",\"t\",\"e\",{}]", "another message");
    assert_frames(&ids, "[null,\"1\",\"t\",\"e\",{}]", "[null,\"1\",\"t\",\"e\",{\"x\":1}]",
                  "another message");
    assert_frames(&ids, "[null,\"1\",\"t\",\"e\",{}]", "nonsense", "another message");
    assert_frames(&ids, "no message", "no message", NULL);
    assert_frames(&ids, "no message", "another", "other bytes");
    identities_free(&ids);
}
END_TEST

START_TEST(made_up_names_are_compared_by_rule)
{
    identities_t ids = {0};
    assert_frames(&ids, "[null,null,\"t\",\"d\",{\"m\":[{\"phx_ref\":\"R1\"},{\"phx_ref\":\"R2\"}]}]",
                  "[null,null,\"t\",\"d\",{\"m\":[{\"phx_ref\":\"x\"},{\"phx_ref\":\"y\"}]}]", NULL);
    assert_frames(&ids, "[null,null,\"t\",\"d\",{\"phx_ref_prev\":\"R1\"}]",
                  "[null,null,\"t\",\"d\",{\"phx_ref_prev\":\"x\"}]", NULL);
    assert_frames(&ids, "[null,null,\"t\",\"d\",{\"phx_ref_prev\":\"R1\"}]",
                  "[null,null,\"t\",\"d\",{\"phx_ref_prev\":\"y\"}]", "another message");
    assert_frames(&ids, "[null,null,\"t\",\"d\",{\"phx_ref\":\"R3\",\"n\":1}]",
                  "[null,null,\"t\",\"d\",{\"phx_ref\":\"z\",\"n\":2}]", "another message");
    assert_frames(&ids, "[null,null,\"t\",\"d\",{\"node\":\"nonode@nohost\"}]",
                  "[null,null,\"t\",\"d\",{\"node\":\"n1\"}]", NULL);
    assert_frames(&ids, "[null,null,\"t\",\"d\",{\"node\":\"mine\"}]",
                  "[null,null,\"t\",\"d\",{\"node\":\"n1\"}]", "another message");
    identities_free(&ids);
}
END_TEST

START_TEST(closes_faults_and_kinds)
{
    identities_t ids = {0};
    finding_t finding = {0};
    recorded_frame_t close = {.opcode = WS_CLOSE, .fin = true, .has_code = true, .code = 1000};
    entry_t got = {
        .kind = ENTRY_FRAME, .opcode = WS_CLOSE, .fin = true, .has_code = true, .code = 1000, .conn = "a"};
    ck_assert(compare_frame(&close, &got, &ids, NULL));
    got.code = 1001;
    ck_assert(!compare_frame(&close, &got, &ids, &finding));
    ck_assert_str_eq(finding.diff.at, "    - close 1000\n    + close 1001\n");
    finding_free(&finding);
    got.code = 1000;
    got.faults = WS_FAULT_MASKED;
    ck_assert(!compare_frame(&close, &got, &ids, &finding));
    ck_assert_str_eq(finding.what.at, "a frame that RFC 6455 forbids");
    finding_free(&finding);
    got = (entry_t){.kind = ENTRY_FRAME, .opcode = WS_PONG, .fin = true, .conn = "a"};
    ck_assert(!compare_frame(&close, &got, &ids, &finding));
    ck_assert_str_eq(finding.what.at, "another kind of frame");
    finding_free(&finding);
}
END_TEST

static entry_t got_answer(int status, const char *headers, const char *body)
{
    entry_t entry = {.kind = ENTRY_RESPONSE, .from = FROM_SERVER, .status = status, .conn = "a"};
    span_t rest = span_of(headers), line;
    while (rest.len > 0 && span_next(&rest, '\n', &line)) {
        char name[64], value[128];
        ck_assert_int_eq(sscanf(line.at, "%63[^:]: %127[^\n]", name, value), 2);
        http_headers_add(&entry.headers, name, value);
    }
    text_puts(&entry.bytes, body);
    return entry;
}

static recorded_exchange_t recorded_answer(int status, const char *headers, const char *body)
{
    entry_t entry = got_answer(status, headers, body);
    recorded_exchange_t http = {
        .status = status, .response_headers = entry.headers, .response_body = entry.bytes};
    http.answer = jvalue_parse(span_of(body), NULL);
    http.poll_status = (int)json_integer_value(json_object_get(http.answer, "status"));
    return http;
}

static void assert_answers(recorded_exchange_t recorded, entry_t got, const char *what)
{
    identities_t ids = {0};
    finding_t finding = {0};
    bool agree = compare_answer(&recorded, &got, true, &ids, &finding);
    ck_assert_str_eq(agree ? "agree" : finding.what.at, what);
    finding_free(&finding);
    identities_free(&ids);
    http_headers_free(&recorded.response_headers);
    text_free(&recorded.response_body);
    json_decref(recorded.answer);
    http_headers_free(&got.headers);
    text_free(&got.bytes);
}

#define POLL "cache-control: no-store\ncontent-type: application/json\naccess-control-allow-origin: *"

START_TEST(http_answers)
{
    const char *body = "{\"status\":204,\"token\":\"T1\",\"messages\":[]}";
    assert_answers(
        recorded_answer(200, POLL "\ndate: today", body),
        got_answer(200, POLL "\nserver: x", "{\"token\":\"other\",\"messages\":[],\"status\":204}"), "agree");
    assert_answers(recorded_answer(200, POLL, body), got_answer(500, POLL, body), "another HTTP status");
    assert_answers(
        recorded_answer(200, POLL, body),
        got_answer(200,
                   "cache-control: private\ncontent-type: application/json\naccess-control-allow-origin: *",
                   body),
        "other headers");
    assert_answers(recorded_answer(200, POLL, body),
                   got_answer(200, POLL "\naccess-control-max-age: 1", body), "other headers");
    assert_answers(recorded_answer(200, POLL, body),
                   got_answer(200, POLL, "{\"status\":204,\"messages\":[]}"), "another body");
    assert_answers(recorded_answer(200, POLL, body), got_answer(200, POLL, "OK"),
                   "a body that is no JSON object");
}
END_TEST

START_TEST(refusals)
{
    assert_answers(recorded_answer(400, "", "Bad"), got_answer(400, "", "Something else"), "agree");
    assert_answers(recorded_answer(400, "", "{\"error\":\"x\"}"), got_answer(400, "", ""), "agree");
    assert_answers(recorded_answer(403, "", ""), got_answer(403, "", "why"), "another body");
    assert_answers(recorded_answer(429, "", "Too many requests"), got_answer(429, "", "No"), "another body");
}
END_TEST

START_TEST(handshakes)
{
    recorded_conn_t recorded = {.status = 101};
    finding_t finding = {0};
    http_headers_add(&recorded.response_headers, "sec-websocket-protocol", "phoenix");
    http_headers_add(&recorded.response_headers, "sec-websocket-accept", "recorded");
    entry_t got = got_answer(101, "sec-websocket-protocol: phoenix\nsec-websocket-accept: mine", "");
    ck_assert(compare_handshake(&recorded, &got, "mine", &finding));
    ck_assert(!compare_handshake(&recorded, &got, "other", &finding));
    finding_free(&finding);
    http_headers_add(&got.headers, "sec-websocket-extensions", "x");
    ck_assert(!compare_handshake(&recorded, &got, "mine", &finding));
    ck_assert_str_eq(finding.diff.at,
                     "      sec-websocket-protocol: phoenix\n      sec-websocket-accept: mine\n"
                     "    + with extensions\n");
    finding_free(&finding);
    got.status = 200;
    ck_assert(!compare_handshake(&recorded, &got, "mine", &finding));
    finding_free(&finding);
    http_headers_free(&recorded.response_headers);
    http_headers_free(&got.headers);
    text_free(&got.bytes);
}
END_TEST

TEST_MAIN("compare", messages_are_compared_as_values, made_up_names_are_compared_by_rule,
          closes_faults_and_kinds, http_answers, refusals, handshakes)
