/* SPDX-License-Identifier: MIT */
#include "replay/compare.h"

#include "base/diff.h"
#include "net/ws_codec.h"

#include <string.h>
#include <strings.h>

void finding_free(finding_t *finding)
{
    text_free(&finding->what);
    text_free(&finding->diff);
}

static bool differ(finding_t *finding, const char *what, text_t *recorded, text_t *got)
{
    if (finding != NULL) {
        text_puts(&finding->what, what);
        diff_lines(&finding->diff, text_span(recorded), text_span(got), "    ");
    }
    text_free(recorded);
    text_free(got);
    return false;
}

/* ---- JSON, by rule where the rule says so ---- */

static bool values_agree(const json_t *recorded, const json_t *got, identities_t *identities);

static bool members_agree(const char *key, const json_t *recorded, const json_t *got,
                          identities_t *identities)
{
    static const char *const made_up[] = {"phx_ref", "phx_ref_prev", "token"};
    if (json_is_string(recorded) && json_is_string(got)) {
        for (size_t i = 0; i < sizeof made_up / sizeof *made_up; i++) {
            if (strcmp(key, made_up[i]) == 0) {
                return identities_agree(identities, jvalue_bytes(recorded), jvalue_bytes(got));
            }
        }
        /* connect_info names the node; one that is not part of a cluster is called so by Erlang */
        if (strcmp(key, "node") == 0 && strcmp(json_string_value(recorded), "nonode@nohost") == 0) {
            return json_string_length(got) > 0;
        }
    }
    return values_agree(recorded, got, identities);
}

static bool values_agree(const json_t *recorded, const json_t *got, identities_t *identities)
{
    if (json_is_object(recorded) && json_is_object(got)) {
        json_t *walked = (json_t *)recorded, *value; /* jansson's iteration takes no const */
        const char *key;
        if (json_object_size(recorded) != json_object_size(got)) {
            return false;
        }
        json_object_foreach(walked, key, value)
        {
            const json_t *other = json_object_get(got, key);
            if (other == NULL || !members_agree(key, value, other, identities)) {
                return false;
            }
        }
        return true;
    }
    if (json_is_array(recorded) && json_is_array(got)) {
        bool agree = json_array_size(recorded) == json_array_size(got);
        for (size_t i = 0; agree && i < json_array_size(recorded); i++) {
            agree = values_agree(json_array_get(recorded, i), json_array_get(got, i), identities);
        }
        return agree;
    }
    return jvalue_equal(recorded, got);
}

/* ---- frames ---- */

static bool messages_agree(const message_t *recorded, const message_t *got, identities_t *identities)
{
    size_t before = identities->len;
    bool agree = recorded->binary == got->binary && jvalue_equal(recorded->join_ref, got->join_ref) &&
                 jvalue_equal(recorded->ref, got->ref) && jvalue_equal(recorded->topic, got->topic) &&
                 jvalue_equal(recorded->event, got->event) &&
                 values_agree(recorded->payload, got->payload, identities);
    if (!agree) {
        identities_forget(identities, before);
    }
    return agree;
}

static void describe(text_t *out, unsigned opcode, unsigned rsv, bool has_code, unsigned code,
                     const message_t *message, span_t bytes)
{
    if (opcode == WS_CLOSE) {
        if (has_code) {
            text_printf(out, "close %u\n", code);
        } else {
            text_puts(out, "close without a code\n");
        }
        return;
    }
    if (rsv != 0) {
        text_printf(out, "rsv %u\n", rsv);
    }
    if (message != NULL) {
        message_pretty(out, message);
        return;
    }
    text_printf(out, "opcode %u, %zu bytes\n", opcode, bytes.len);
    text_show(out, bytes, 2000);
    text_putc(out, '\n');
}

static span_t payload_of(const entry_t *got)
{
    return got->whole.len > 0 ? text_span(&got->whole) : text_span(&got->bytes);
}

static const char *what_differs(const recorded_frame_t *recorded, const entry_t *got)
{
    if (recorded->opcode != got->opcode) {
        return "another kind of frame";
    }
    if (recorded->opcode == WS_CLOSE) {
        return "another close code";
    }
    if (recorded->rsv != got->rsv) {
        return "other reserved bits";
    }
    return recorded->has_message ? "another message" : "other bytes";
}

bool compare_frame(const recorded_frame_t *recorded, const entry_t *got, identities_t *identities,
                   finding_t *finding)
{
    bool agree = recorded->opcode == got->opcode && recorded->rsv == got->rsv;
    if (agree && recorded->opcode == WS_CLOSE) {
        agree = recorded->has_code == got->has_code && recorded->code == got->code;
    } else if (agree && recorded->has_message) {
        agree = got->has_message && messages_agree(&recorded->message, &got->message, identities);
    } else if (agree && recorded->rsv == 0) { /* compressed bytes are the compressor's own affair */
        agree = span_equal(text_span(&recorded->bytes), payload_of(got));
    }
    text_t a = {0}, b = {0};
    if (agree && got->faults != 0) {
        text_puts(&a, "no fault\n");
        ws_faults_write(&b, got->faults);
        return differ(finding, "a frame that RFC 6455 forbids", &a, &b);
    }
    if (agree || finding == NULL) {
        return agree;
    }
    describe(&a, recorded->opcode, recorded->rsv, recorded->has_code, recorded->code,
             recorded->has_message ? &recorded->message : NULL, text_span(&recorded->bytes));
    describe(&b, got->opcode, got->rsv, got->has_code, got->code, got->has_message ? &got->message : NULL,
             payload_of(got));
    return differ(finding, what_differs(recorded, got), &a, &b);
}

/* ---- HTTP ---- */

static bool starts_with(const char *string, const char *prefix)
{
    return strncasecmp(string, prefix, strlen(prefix)) == 0;
}

/* Appends the headers that are compared, one a line, sorted by the order of `names`. */
static void list_header(text_t *out, const http_headers_t *headers, const char *name)
{
    const char *value = http_headers_get(headers, name);
    if (value != NULL) {
        text_printf(out, "%s: %s\n", name, value);
    }
}

static bool has_header(const http_headers_t *headers, const char *name)
{
    return http_headers_get(headers, name) != NULL;
}

/* The access-control-* headers of either side, in the order of their first appearance. */
static void list_cors(text_t *out, const http_headers_t *headers, const http_headers_t *a,
                      const http_headers_t *b)
{
    for (size_t i = 0; i < a->len; i++) {
        if (starts_with(a->at[i].name, "access-control-")) {
            list_header(out, headers, a->at[i].name);
        }
    }
    for (size_t i = 0; i < b->len; i++) {
        if (starts_with(b->at[i].name, "access-control-") && !has_header(a, b->at[i].name)) {
            list_header(out, headers, b->at[i].name);
        }
    }
}

static bool compare_status(int recorded, int got, finding_t *finding)
{
    text_t a = {0}, b = {0};
    if (recorded == got) {
        return true;
    }
    text_printf(&a, "HTTP %d\n", recorded);
    text_printf(&b, "HTTP %d\n", got);
    return differ(finding, "another HTTP status", &a, &b);
}

static bool same_text(finding_t *finding, const char *what, text_t *a, text_t *b)
{
    if (!span_equal(text_span(a), text_span(b))) {
        return differ(finding, what, a, b);
    }
    text_free(a);
    text_free(b);
    return true;
}

static bool compare_upgrade(const http_headers_t *recorded, const entry_t *got, const char *accept,
                            finding_t *finding)
{
    text_t a = {0}, b = {0};
    list_header(&a, recorded, "sec-websocket-protocol");
    list_header(&b, &got->headers, "sec-websocket-protocol");
    text_printf(&a, "sec-websocket-accept: %s\n", accept);
    list_header(&b, &got->headers, "sec-websocket-accept");
    text_puts(&a, has_header(recorded, "sec-websocket-extensions") ? "with extensions\n" : "");
    text_puts(&b, has_header(&got->headers, "sec-websocket-extensions") ? "with extensions\n" : "");
    return same_text(finding, "other headers in the answer to the handshake", &a, &b);
}

/* Bodies of refusals are for people and free (WS-CONN-07), but those the conformance application writes
 * itself: 403 without a body, and 429. */
static bool body_counts(int status)
{
    return status < 400 || status == 403 || status == 429;
}

static bool compare_text_body(int status, const text_t *recorded, const text_t *got, finding_t *finding)
{
    text_t a = {0}, b = {0};
    if (body_counts(status)) {
        text_show(&a, text_span(recorded), 2000);
        text_show(&b, text_span(got), 2000);
    }
    return same_text(finding, "another body", &a, &b);
}

bool compare_handshake(const recorded_conn_t *recorded, const entry_t *got, const char *accept,
                       finding_t *finding)
{
    if (!compare_status(recorded->status, got->status, finding)) {
        return false;
    }
    if (recorded->status == 101) {
        return compare_upgrade(&recorded->response_headers, got, accept, finding);
    }
    return compare_text_body(recorded->status, &recorded->response_body, &got->bytes, finding);
}

static bool compare_headers(const recorded_exchange_t *recorded, const entry_t *got, finding_t *finding)
{
    text_t a = {0}, b = {0};
    list_cors(&a, &recorded->response_headers, &recorded->response_headers, &got->headers);
    list_cors(&b, &got->headers, &recorded->response_headers, &got->headers);
    if (recorded->status < 400) {
        list_header(&a, &recorded->response_headers, "content-type");
        list_header(&b, &got->headers, "content-type");
    }
    if (recorded->poll_status != 0) {
        list_header(&a, &recorded->response_headers, "cache-control");
        list_header(&b, &got->headers, "cache-control");
    }
    return same_text(finding, "other headers", &a, &b);
}

static bool compare_json_body(const recorded_exchange_t *recorded, const json_t *answer,
                              identities_t *identities, finding_t *finding)
{
    size_t before = identities->len;
    if (values_agree(recorded->answer, answer, identities)) {
        return true;
    }
    identities_forget(identities, before);
    text_t a = {0}, b = {0};
    jvalue_pretty(&a, recorded->answer, 90);
    jvalue_pretty(&b, answer, 90);
    return differ(finding, "another body", &a, &b);
}

/* The members of a long-poll answer, its messages aside: those are compared one by one as they come. */
static bool compare_poll_body(const recorded_exchange_t *recorded, const json_t *answer,
                              identities_t *identities, finding_t *finding)
{
    recorded_exchange_t without = *recorded;
    json_t *got = json_copy((json_t *)answer);
    without.answer = json_copy(recorded->answer);
    if (json_object_del(without.answer, "messages") == 0 && json_is_array(json_object_get(got, "messages"))) {
        json_object_del(got, "messages");
    }
    bool agree = compare_json_body(&without, got, identities, finding);
    json_decref(without.answer);
    json_decref(got);
    return agree;
}

bool compare_answer(const recorded_exchange_t *recorded, const entry_t *got, bool with_messages,
                    identities_t *identities, finding_t *finding)
{
    if (!compare_status(recorded->status, got->status, finding)) {
        return false;
    }
    if (recorded->status == 101) {
        const char *accept = http_headers_get(&recorded->response_headers, "sec-websocket-accept");
        return compare_upgrade(&recorded->response_headers, got, accept ? accept : "", finding);
    }
    if (!compare_headers(recorded, got, finding)) {
        return false;
    }
    if (recorded->answer == NULL || json_object_get(recorded->answer, "error") != NULL) {
        return recorded->answer != NULL ||
               compare_text_body(recorded->status, &recorded->response_body, &got->bytes, finding);
    }
    json_t *answer = jvalue_parse(text_span(&got->bytes), NULL);
    bool agree;
    if (!json_is_object(answer)) {
        text_t a = {0}, b = {0};
        jvalue_pretty(&a, recorded->answer, 90);
        text_show(&b, text_span(&got->bytes), 2000);
        agree = differ(finding, "a body that is no JSON object", &a, &b);
    } else {
        agree = with_messages ? compare_json_body(recorded, answer, identities, finding)
                              : compare_poll_body(recorded, answer, identities, finding);
    }
    json_decref(answer);
    return agree;
}
