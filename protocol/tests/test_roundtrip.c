/* SPDX-License-Identifier: MIT */
/* Encoding and then decoding gives back what was encoded: random messages in every direction, version and
 * form. */
#include <stdio.h>
#include <string.h>

#include "phx/json.h"
#include "phx/message.h"
#include "test_util.h"

enum { MESSAGES = 20000, DAMAGED = 20000 };

#define JSON_NULL PHX_SLICE("null")

static rng_t seeded;

/* One random message, and the memory that it and its coded form need. */
typedef struct fixture {
    rng_t rng;
    phx_vsn_t vsn;
    phx_buf_t join_ref;
    phx_buf_t ref;
    phx_buf_t topic;
    phx_buf_t event;
    phx_buf_t status;
    phx_buf_t payload_data;
    phx_payload_t payload;
    phx_buf_t out;
    phx_buf_t scratch;
    phx_message_t message;
} fixture_t;

/* JSON that a binary message can carry, too, if `flat`. */
static void random_ref(rng_t *rng, phx_buf_t *out, bool flat)
{
    char number[24];
    phx_buf_clear(out);
    switch (rng_below(rng, flat ? 3 : 4)) {
    case 0:
        phx_buf_append_text(out, "null");
        break;
    case 1:
        (void)snprintf(number, sizeof number, "%d", (int)rng_below(rng, 100000) - 50000);
        phx_buf_append_text(out, number);
        break;
    case 2: {
        phx_buf_t characters = {0};
        random_utf8(rng, &characters, 12);
        phx_json_quote(out, phx_buf_slice(&characters));
        phx_buf_free(&characters);
        break;
    }
    default: {
        /* Strings come back in one spelling only if they stand alone. */
        phx_buf_append_byte(out, '[');
        random_json(rng, out, NULL, 2);
        phx_buf_append_byte(out, ']');
        break;
    }
    }
}

static void random_message(fixture_t *f, bool object)
{
    rng_t *rng = &f->rng;
    f->vsn = rng_below(rng, 2) ? PHX_V2 : PHX_V1;
    f->payload.form = f->vsn == PHX_V2 && rng_below(rng, 2) ? PHX_BINARY : PHX_TEXT;
    random_ref(rng, &f->join_ref, f->payload.form == PHX_BINARY);
    random_ref(rng, &f->ref, f->payload.form == PHX_BINARY);
    random_utf8(rng, &f->topic, 40);
    random_utf8(rng, &f->event, 20);
    random_utf8(rng, &f->status, 6);
    phx_buf_clear(&f->payload_data);
    if (f->payload.form == PHX_BINARY) {
        for (size_t i = rng_below(rng, 40); i > 0; i--) {
            phx_buf_append_byte(&f->payload_data, (uint8_t)rng_next(rng));
        }
    } else if (object) {
        phx_buf_append_text(&f->payload_data, "{\"first\":");
        random_json(rng, &f->payload_data, NULL, 3);
        phx_buf_append_text(&f->payload_data, "}");
    } else {
        /* Blanks around a value are not a part of it. */
        phx_buf_append_text(&f->payload_data, "[ ");
        random_json(rng, &f->payload_data, NULL, 3);
        phx_buf_append_text(&f->payload_data, "]");
    }
    f->payload.data = phx_buf_slice(&f->payload_data);
    phx_buf_clear(&f->out);
}

static void fixture_free(fixture_t *f)
{
    phx_buf_t *const bufs[] = {&f->join_ref, &f->ref,          &f->topic, &f->event,
                               &f->status,   &f->payload_data, &f->out,   &f->scratch};
    for (size_t i = 0; i < COUNT(bufs); i++) {
        phx_buf_free(bufs[i]);
    }
    phx_message_free(&f->message);
}

static void assert_string(fixture_t *f, phx_slice_t json, const phx_buf_t *characters)
{
    phx_slice_t read = {0};
    assert_ok(phx_json_string(json, &f->scratch, &read));
    assert_slice(read, phx_buf_slice(characters));
}

/* What a ref becomes in a binary message and back: BIN-06, BIN-08. */
static void assert_ref(fixture_t *f, phx_slice_t actual, const phx_buf_t *ref, bool from_client)
{
    const phx_slice_t sent = phx_buf_slice(ref);
    if (f->payload.form == PHX_TEXT) {
        assert_slice(actual, sent);
    } else if (phx_slice_equals(sent, "null") || phx_slice_equals(sent, "\"\"")) {
        assert_slice(actual, from_client ? PHX_SLICE("\"\"") : JSON_NULL);
    } else if (sent.data[0] == '"') {
        assert_slice(actual, sent);
    } else {
        assert_string(f, actual, ref);
    }
}

static void assert_payload(const fixture_t *f)
{
    ck_assert_int_eq(f->message.payload.form, f->payload.form);
    assert_slice(f->message.payload.data, f->payload.data);
}

static void from_client(fixture_t *f)
{
    phx_form_t form;
    random_message(f, false);
    assert_ok(phx_encode_from_client(f->vsn, &f->out, &form, phx_buf_slice(&f->join_ref),
                                     phx_buf_slice(&f->ref), phx_buf_slice(&f->topic),
                                     phx_buf_slice(&f->event), f->payload));
    assert_ok(phx_decode_from_client(f->vsn, form, phx_buf_slice(&f->out), &f->message));
    assert_ref(f, f->message.join_ref, &f->join_ref, true);
    assert_ref(f, f->message.ref, &f->ref, true);
    assert_string(f, f->message.topic, &f->topic);
    assert_string(f, f->message.event, &f->event);
    assert_payload(f);
}

static void push(fixture_t *f)
{
    phx_form_t form;
    random_message(f, true);
    assert_ok(phx_encode_push(f->vsn, &f->out, &form, phx_buf_slice(&f->join_ref), phx_buf_slice(&f->topic),
                              phx_buf_slice(&f->event), f->payload));
    assert_ok(phx_decode_from_server(f->vsn, form, phx_buf_slice(&f->out), &f->message));
    if (f->vsn == PHX_V1) {
        assert_slice(f->message.join_ref, JSON_NULL);
    } else {
        assert_ref(f, f->message.join_ref, &f->join_ref, false);
    }
    assert_slice(f->message.ref, JSON_NULL);
    assert_string(f, f->message.topic, &f->topic);
    assert_string(f, f->message.event, &f->event);
    assert_payload(f);
}

static void reply(fixture_t *f)
{
    phx_form_t form;
    random_message(f, false);
    assert_ok(phx_encode_reply(f->vsn, &f->out, &form, phx_buf_slice(&f->join_ref), phx_buf_slice(&f->ref),
                               phx_buf_slice(&f->topic), phx_buf_slice(&f->status), f->payload));
    assert_ok(phx_decode_from_server(f->vsn, form, phx_buf_slice(&f->out), &f->message));
    if (f->vsn == PHX_V1) {
        assert_slice(f->message.join_ref, JSON_NULL);
    } else {
        assert_ref(f, f->message.join_ref, &f->join_ref, false);
    }
    assert_ref(f, f->message.ref, &f->ref, false);
    assert_string(f, f->message.topic, &f->topic);
    assert_slice(f->message.event, PHX_SLICE("\"phx_reply\""));
    if (form == PHX_BINARY) {
        assert_string(f, f->message.status, &f->status);
        assert_payload(f);
        return;
    }
    phx_slice_t value = {0};
    ck_assert(phx_json_member(f->message.payload.data, "response", &value));
    assert_slice(value, f->payload.data);
    ck_assert(phx_json_member(f->message.payload.data, "status", &value));
    assert_string(f, value, &f->status);
}

static void broadcast(fixture_t *f)
{
    phx_form_t form;
    random_message(f, true);
    assert_ok(phx_encode_broadcast(f->vsn, &f->out, &form, phx_buf_slice(&f->topic), phx_buf_slice(&f->event),
                                   f->payload));
    assert_ok(phx_decode_from_server(f->vsn, form, phx_buf_slice(&f->out), &f->message));
    assert_slice(f->message.join_ref, JSON_NULL);
    assert_slice(f->message.ref, JSON_NULL);
    assert_string(f, f->message.topic, &f->topic);
    assert_string(f, f->message.event, &f->event);
    assert_payload(f);
}

static void end(fixture_t *f)
{
    do {
        random_message(f, true);
    } while (f->payload.form != PHX_TEXT);
    assert_ok(phx_encode_end(f->vsn, &f->out, phx_buf_slice(&f->join_ref), phx_buf_slice(&f->topic),
                             phx_buf_slice(&f->event), f->payload.data));
    assert_ok(phx_decode_from_server(f->vsn, PHX_TEXT, phx_buf_slice(&f->out), &f->message));
    assert_slice(f->message.join_ref, f->vsn == PHX_V1 ? JSON_NULL : phx_buf_slice(&f->join_ref));
    assert_slice(f->message.ref, phx_buf_slice(&f->join_ref));
    assert_string(f, f->message.topic, &f->topic);
    assert_string(f, f->message.event, &f->event);
    assert_payload(f);
}

static void (*const kinds[])(fixture_t *f) = {from_client, push, reply, broadcast, end};

START_TEST(test_identity)
{
    fixture_t f = {.rng = {seeded.state + (uint64_t)_i}};
    for (size_t i = 0; i < MESSAGES / COUNT(kinds); i++) {
        kinds[_i](&f);
    }
    fixture_free(&f);
}
END_TEST

/* Damaged messages are refused or read, and nothing else. */
START_TEST(test_damaged)
{
    fixture_t f = {.rng = seeded};
    guard_t guard = guard_new(1 << 20);
    for (int i = 0; i < DAMAGED; i++) {
        kinds[rng_below(&f.rng, COUNT(kinds))](&f);
        for (size_t damages = 1 + rng_below(&f.rng, 3); damages > 0 && f.out.len > 0; damages--) {
            f.out.data[rng_below(&f.rng, f.out.len)] = (char)rng_next(&f.rng);
            f.out.len -= rng_below(&f.rng, 8) == 0;
        }
        if (f.out.len > guard.size) {
            continue;
        }
        const phx_slice_t bytes = guard_put(&guard, phx_buf_slice(&f.out));
        for (int way = 0; way < 8; way++) {
            const phx_vsn_t vsn = way & 1 ? PHX_V2 : PHX_V1;
            const phx_form_t form = way & 2 ? PHX_BINARY : PHX_TEXT;
            const int error = way & 4 ? phx_decode_from_client(vsn, form, bytes, &f.message)
                                      : phx_decode_from_server(vsn, form, bytes, &f.message);
            ck_assert_int_le(error, 0);
            phx_slice_t value;
            if (error == PHX_OK && f.message.payload.form == PHX_TEXT) {
                assert_ok(phx_json_check(f.message.payload.data, &value, NULL));
            }
        }
    }
    guard_free(&guard);
    fixture_free(&f);
}
END_TEST

int main(void)
{
    seeded = rng_new();
    Suite *suite = suite_create("roundtrip");
    TCase *tcase = tcase_create("roundtrip");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_identity, 0, COUNT(kinds));
    tcase_add_test(tcase, test_damaged);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
