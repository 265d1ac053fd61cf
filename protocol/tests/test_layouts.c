/* SPDX-License-Identifier: MIT */
/* The bytes of the four binary layouts (BIN-01 to BIN-09), both ways. */
#include <string.h>

#include "phx/base64.h"
#include "phx/message.h"
#include "test_util.h"

#define BYTES(literal) ((phx_payload_t){PHX_BINARY, PHX_SLICE(literal)})
#define JSON_NULL PHX_SLICE("null")

static phx_buf_t out;
static phx_form_t form;
static phx_message_t message;

static void set_up(void)
{
    out = (phx_buf_t){0};
    message = (phx_message_t){0};
    form = PHX_TEXT;
}

static void tear_down(void)
{
    phx_buf_free(&out);
    phx_message_free(&message);
}

START_TEST(test_client_push) /* BIN-02 */
{
    const phx_slice_t bytes = PHX_SLICE("\x00\x01\x01\x06\x01"
                                        "15room:pe\x00\xff");
    assert_ok(phx_encode_from_client(PHX_V2, &out, &form, PHX_SLICE("\"1\""), PHX_SLICE("\"5\""),
                                     PHX_SLICE("room:p"), PHX_SLICE("e"), BYTES("\x00\xff")));
    ck_assert_int_eq(form, PHX_BINARY);
    assert_slice(phx_buf_slice(&out), bytes);

    assert_ok(phx_decode_from_client(PHX_V2, PHX_BINARY, bytes, &message));
    assert_slice(message.join_ref, PHX_SLICE("\"1\""));
    assert_slice(message.ref, PHX_SLICE("\"5\""));
    assert_slice(message.topic, PHX_SLICE("\"room:p\""));
    assert_slice(message.event, PHX_SLICE("\"e\""));
    ck_assert_int_eq(message.payload.form, PHX_BINARY);
    assert_slice(message.payload.data, PHX_SLICE("\x00\xff"));
    assert_slice(message.status, PHX_SLICE(""));
}
END_TEST

START_TEST(test_server_push) /* BIN-03 */
{
    const phx_slice_t bytes = PHX_SLICE("\x00\x02\x06\x03"
                                        "12room:pbin\x00\x01\xff");
    assert_ok(phx_encode_push(PHX_V2, &out, &form, PHX_SLICE("\"12\""), PHX_SLICE("room:p"), PHX_SLICE("bin"),
                              BYTES("\x00\x01\xff")));
    ck_assert_int_eq(form, PHX_BINARY);
    assert_slice(phx_buf_slice(&out), bytes);

    assert_ok(phx_decode_from_server(PHX_V2, PHX_BINARY, bytes, &message));
    assert_slice(message.join_ref, PHX_SLICE("\"12\""));
    assert_slice(message.ref, JSON_NULL);
    assert_slice(message.topic, PHX_SLICE("\"room:p\""));
    assert_slice(message.event, PHX_SLICE("\"bin\""));
    assert_slice(message.payload.data, PHX_SLICE("\x00\x01\xff"));
    assert_slice(message.status, PHX_SLICE(""));
}
END_TEST

START_TEST(test_reply) /* BIN-04 */
{
    const phx_slice_t bytes = PHX_SLICE("\x01\x01\x02\x06\x05"
                                        "123room:perror\x80");
    assert_ok(phx_encode_reply(PHX_V2, &out, &form, PHX_SLICE("\"1\""), PHX_SLICE("\"23\""),
                               PHX_SLICE("room:p"), PHX_SLICE("error"), BYTES("\x80")));
    ck_assert_int_eq(form, PHX_BINARY);
    assert_slice(phx_buf_slice(&out), bytes);

    assert_ok(phx_decode_from_server(PHX_V2, PHX_BINARY, bytes, &message));
    assert_slice(message.join_ref, PHX_SLICE("\"1\""));
    assert_slice(message.ref, PHX_SLICE("\"23\""));
    assert_slice(message.topic, PHX_SLICE("\"room:p\""));
    assert_slice(message.event, PHX_SLICE("\"phx_reply\""));
    assert_slice(message.status, PHX_SLICE("\"error\""));
    assert_slice(message.payload.data, PHX_SLICE("\x80"));
}
END_TEST

START_TEST(test_broadcast) /* BIN-05 */
{
    const phx_slice_t bytes = PHX_SLICE("\x02\x06\x03room:pbin\x00\x01");
    assert_ok(
        phx_encode_broadcast(PHX_V2, &out, &form, PHX_SLICE("room:p"), PHX_SLICE("bin"), BYTES("\x00\x01")));
    ck_assert_int_eq(form, PHX_BINARY);
    assert_slice(phx_buf_slice(&out), bytes);

    assert_ok(phx_decode_from_server(PHX_V2, PHX_BINARY, bytes, &message));
    assert_slice(message.join_ref, JSON_NULL);
    assert_slice(message.ref, JSON_NULL);
    assert_slice(message.topic, PHX_SLICE("\"room:p\""));
    assert_slice(message.event, PHX_SLICE("\"bin\""));
    assert_slice(message.payload.data, PHX_SLICE("\x00\x01"));
}
END_TEST

START_TEST(test_empty_strings_and_payload)
{
    assert_ok(phx_decode_from_client(PHX_V2, PHX_BINARY, PHX_SLICE("\0\0\0\0\0"), &message));
    assert_slice(message.join_ref, PHX_SLICE("\"\"")); /* BIN-08: not null */
    assert_slice(message.ref, PHX_SLICE("\"\""));
    assert_slice(message.topic, PHX_SLICE("\"\""));
    assert_slice(message.event, PHX_SLICE("\"\""));
    assert_slice(message.payload.data, PHX_SLICE(""));

    assert_ok(phx_decode_from_server(PHX_V2, PHX_BINARY, PHX_SLICE("\0\0\0\0"), &message));
    assert_slice(message.join_ref, JSON_NULL); /* BIN-06 */
    assert_slice(message.topic, PHX_SLICE("\"\""));
    assert_ok(phx_decode_from_server(PHX_V2, PHX_BINARY, PHX_SLICE("\1\0\0\0\0"), &message));
    assert_slice(message.join_ref, JSON_NULL);
    assert_slice(message.ref, JSON_NULL);
    assert_slice(message.status, PHX_SLICE("\"\""));
    assert_ok(phx_decode_from_server(PHX_V2, PHX_BINARY, PHX_SLICE("\2\0\0"), &message));
    assert_slice(message.event, PHX_SLICE("\"\""));
}
END_TEST

START_TEST(test_refs_of_other_types) /* BIN-06 */
{
    const struct {
        const char *ref;
        const char *bytes;
    } refs[] = {{"null", ""},
                {"7", "7"},
                {"-1.50", "-1.50"},
                {"\"\"", ""},
                {"\"a\\\"\\u00fc\"", "a\"ü"},
                {"\"null\"", "null"},
                {"true", "true"},
                {"[1]", "[1]"},
                {"{\"a\":\"b\"}", "{\"a\":\"b\"}"}};
    for (size_t i = 0; i < COUNT(refs); i++) {
        phx_buf_clear(&out);
        assert_ok(phx_encode_reply(PHX_V2, &out, &form, phx_slice_of(refs[i].ref), phx_slice_of(refs[i].ref),
                                   PHX_SLICE("t"), PHX_SLICE("ok"), BYTES("x")));
        phx_buf_t expected = {0};
        const size_t len = strlen(refs[i].bytes);
        phx_buf_append(&expected, (const char[]){1, (char)len, (char)len, 1, 2}, 5);
        phx_buf_append_text(&expected, refs[i].bytes);
        phx_buf_append_text(&expected, refs[i].bytes);
        phx_buf_append_text(&expected, "tokx");
        assert_slice(phx_buf_slice(&out), phx_buf_slice(&expected));
        phx_buf_free(&expected);
    }
}
END_TEST

START_TEST(test_lengths_count_bytes) /* BIN-01 */
{
    assert_ok(phx_encode_push(PHX_V2, &out, &form, PHX_SLICE("\"1\""), PHX_SLICE("phxspec:日本"),
                              PHX_SLICE("größe"), BYTES("x")));
    assert_buf(&out, "\x00\x01\x0e\x07"
                     "1phxspec:日本größex");
    assert_ok(phx_decode_from_client(PHX_V2, PHX_BINARY,
                                     PHX_SLICE("\x00\x01\x03\x0e\x04"
                                               "1réphxspec:日本echoü"),
                                     &message));
    assert_slice(message.ref, PHX_SLICE("\"ré\""));
    assert_slice(message.topic, PHX_SLICE("\"phxspec:日本\""));
    assert_slice(message.payload.data, PHX_SLICE("ü"));
}
END_TEST

START_TEST(test_strings_that_need_escapes)
{
    assert_ok(phx_decode_from_client(PHX_V2, PHX_BINARY, PHX_SLICE("\x00\x01\x02\x01\x01\"\\\n\x00\x01p"),
                                     &message));
    assert_slice(message.join_ref, PHX_SLICE("\"\\\"\""));
    assert_slice(message.ref, PHX_SLICE("\"\\\\\\n\""));
    assert_slice(message.topic, PHX_SLICE("\"\\u0000\""));
    assert_slice(message.event, PHX_SLICE("\"\\u0001\""));
    assert_slice(message.payload.data, PHX_SLICE("p"));
}
END_TEST

START_TEST(test_ref_that_is_not_utf8)
{
    assert_ok(phx_decode_from_client(PHX_V2, PHX_BINARY, PHX_SLICE("\x00\x01\x01\x01\x01\x31\xfft\x65x"),
                                     &message));
    assert_slice(message.ref, PHX_SLICE("\"\xff\""));
    assert_ok(phx_encode_reply(PHX_V2, &out, &form, message.join_ref, message.ref, PHX_SLICE("t"),
                               PHX_SLICE("ok"), BYTES("x")));
    assert_buf(&out, "\x01\x01\x01\x01\x02\x31\xfftokx");
    assert_error(phx_encode_reply(PHX_V2, &out, &form, message.join_ref, message.ref, PHX_SLICE("t"),
                                  PHX_SLICE("ok"), PHX_JSON_PAYLOAD("{}")),
                 PHX_EUTF8);
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* Every string in turn at 255 and at 256 bytes (BIN-09), the refs with and without escapes. */
START_TEST(test_255_and_256_bytes)
{
    char text[259];
    memset(text, 'x', sizeof text);
    text[0] = '"';
    phx_buf_append_text(&out, "kept");
    const phx_slice_t one = PHX_SLICE("1");
    for (size_t len = 255; len <= 256; len++) {
        const int expected = len == 255 ? PHX_OK : PHX_ETOOLONG;
        const phx_slice_t string = {text + 1, len};
        for (size_t place = 0; place < 6; place++) {
            text[len + 1] = '"';
            phx_slice_t ref = {text, len + 2};
            if (place > 3) { /* as many characters, one of them escaped */
                text[1] = '\\';
                text[2] = '/';
                text[len + 1] = 'x';
                text[len + 2] = '"';
                ref.len++;
            }
            const phx_slice_t join_ref = place == 0 || place == 4 ? ref : one;
            const phx_slice_t message_ref = place == 1 || place == 5 ? ref : one;
            const phx_slice_t topic = place == 2 ? string : one;
            const phx_slice_t event = place == 3 ? string : one;
            const phx_payload_t payload = BYTES("payload");
            const bool has_ref = place == 1 || place == 5;
            const bool has_join_ref = place == 0 || place == 4;
            const size_t kept = out.len;
            assert_error(
                phx_encode_from_client(PHX_V2, &out, &form, join_ref, message_ref, topic, event, payload),
                expected);
            ck_assert_uint_eq(out.len, kept + (expected == PHX_OK ? 5 + 255 + 3 + 7 : 0));
            if (expected == PHX_OK) {
                ck_assert_uint_eq((uint8_t)out.data[kept + 1 + (place > 3 ? place - 4 : place)], 255);
            }
            out.len = kept;
            assert_error(phx_encode_reply(PHX_V2, &out, &form, join_ref, message_ref, topic, event, payload),
                         expected);
            out.len = kept;
            assert_error(phx_encode_push(PHX_V2, &out, &form, join_ref, topic, event, payload),
                         has_ref ? PHX_OK : expected);
            out.len = kept;
            assert_error(phx_encode_broadcast(PHX_V2, &out, &form, topic, event, payload),
                         has_ref || has_join_ref ? PHX_OK : expected);
            out.len = kept;
            text[1] = text[2] = text[len + 1] = text[len + 2] = 'x';
        }
    }
    assert_buf(&out, "kept");
}
END_TEST

START_TEST(test_kinds) /* BIN-07, BIN-13 */
{
    char bytes[20] = {0};
    for (int kind = 0; kind < 256; kind++) {
        bytes[0] = (char)kind;
        assert_error(phx_decode_from_client(PHX_V2, PHX_BINARY, (phx_slice_t){bytes, sizeof bytes}, &message),
                     kind == 0 ? PHX_OK : PHX_EKIND);
        assert_error(phx_decode_from_server(PHX_V2, PHX_BINARY, (phx_slice_t){bytes, sizeof bytes}, &message),
                     kind <= 2 ? PHX_OK : PHX_EKIND);
    }
}
END_TEST

/* Frames that a Phoenix server was sent or sent, in base64. */
static const struct {
    bool from_client;
    const char *frame;
    const char *join_ref;
    const char *ref;
    const char *topic;
    const char *event;
    const char *status;
    phx_slice_t payload;
} frames[] = {
    {true,
     "AAEBDAQxMnBoeHNwZWM6ZWNob2VjaG8AAQL9/v8=",
     "\"1\"",
     "\"2\"",
     "\"phxspec:echo\"",
     "\"echo\"",
     "",
     {"\x00\x01\x02\xfd\xfe\xff", 6}},
    {false,
     "AQEBDAIxMnBoeHNwZWM6ZWNob29rAAEC/f7/",
     "\"1\"",
     "\"2\"",
     "\"phxspec:echo\"",
     "\"phx_reply\"",
     "\"ok\"",
     {"\x00\x01\x02\xfd\xfe\xff", 6}},
    {false,
     "AAETAzFwaHhzcGVjOnNlcnZlci1wdXNoYmluAAEC/f7/",
     "\"1\"",
     "null",
     "\"phxspec:server-push\"",
     "\"bin\"",
     "",
     {"\x00\x01\x02\xfd\xfe\xff", 6}},
    {false,
     "AAETADFwaHhzcGVjOnNlcnZlci1wdXNo",
     "\"1\"",
     "null",
     "\"phxspec:server-push\"",
     "\"\"",
     "",
     {"", 0}},
    {false,
     "AhEDcGh4c3BlYzpicm9hZGNhc3RiaW5mcm9t",
     "null",
     "null",
     "\"phxspec:broadcast\"",
     "\"bin\"",
     "",
     {"from", 4}},
    {false,
     "AQEBDQcxNHBoeHNwZWM6cmVwbHlzcMOkdGVyAAEC/f7/",
     "\"1\"",
     "\"4\"",
     "\"phxspec:reply\"",
     "\"phx_reply\"",
     "\"später\"",
     {"\x00\x01\x02\xfd\xfe\xff", 6}},
    {false,
     "AAAaBHBoeHNwZWM6bnVsbC1qb2luLXJlZi1qb2luYmluMnB1c2g=",
     "null",
     "null",
     "\"phxspec:null-join-ref-join\"",
     "\"bin2\"",
     "",
     {"push", 4}},
    {true, "AAABBwkxcGhvZW5peGhlYXJ0YmVhdA==", "\"\"", "\"1\"", "\"phoenix\"", "\"heartbeat\"", "", {"", 0}},
    {true,
     "AAAABwlwaG9lbml4aGVhcnRiZWF0ZGF0YQ==",
     "\"\"",
     "\"\"",
     "\"phoenix\"",
     "\"heartbeat\"",
     "",
     {"data", 4}},
    {true, "AAEBAwQxMnD//mVjaG94", "\"1\"", "\"2\"", "\"p\xff\xfe\"", "\"echo\"", "", {"x", 1}},
};

START_TEST(test_recorded_frames)
{
    phx_buf_t frame = {0};
    assert_ok(phx_base64_decode(&frame, phx_slice_of(frames[_i].frame), PHX_BASE64_PADDED));
    const phx_slice_t bytes = phx_buf_slice(&frame);
    assert_ok(frames[_i].from_client ? phx_decode_from_client(PHX_V2, PHX_BINARY, bytes, &message)
                                     : phx_decode_from_server(PHX_V2, PHX_BINARY, bytes, &message));
    assert_slice(message.join_ref, phx_slice_of(frames[_i].join_ref));
    assert_slice(message.ref, phx_slice_of(frames[_i].ref));
    assert_slice(message.topic, phx_slice_of(frames[_i].topic));
    assert_slice(message.event, phx_slice_of(frames[_i].event));
    assert_slice(message.status, phx_slice_of(frames[_i].status));
    assert_slice(message.payload.data, frames[_i].payload);
    phx_buf_free(&frame);
}
END_TEST

/* Frames that make a Phoenix server give up the connection. */
static const struct {
    const char *frame;
    int error;
} refused[] = {
    {"", PHX_ETRUNCATED},
    {"AAEB", PHX_ETRUNCATED},
    {"AAEBFgQxMnBoeHNwZWM6dHJ1bmNhdGVkLWJvZHllYw==", PHX_ETRUNCATED},
    {"AQEBDgQxMnBoeHNwZWM6a2luZC0xZWNob3g=", PHX_EKIND},
    {"AgEBDgQxMnBoeHNwZWM6a2luZC0yZWNob3g=", PHX_EKIND},
    {"AwEBDgQxMnBoeHNwZWM6a2luZC0zZWNob3g=", PHX_EKIND},
    {"WyIxIiwiMiIsInBoeHNwZWM6anNvbi1pbi1iaW5hcnkiLCJlY2hvIix7fV0=", PHX_EKIND}, /* V2-04 */
};

START_TEST(test_refused_frames)
{
    phx_buf_t frame = {0};
    assert_ok(phx_base64_decode(&frame, phx_slice_of(refused[_i].frame), PHX_BASE64_PADDED));
    assert_error(phx_decode_from_client(PHX_V2, PHX_BINARY, phx_buf_slice(&frame), &message),
                 refused[_i].error);
    assert_slice(message.topic, PHX_SLICE(""));
    phx_buf_free(&frame);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layouts");
    TCase *tcase = tcase_create("layouts");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, test_client_push);
    tcase_add_test(tcase, test_server_push);
    tcase_add_test(tcase, test_reply);
    tcase_add_test(tcase, test_broadcast);
    tcase_add_test(tcase, test_empty_strings_and_payload);
    tcase_add_test(tcase, test_refs_of_other_types);
    tcase_add_test(tcase, test_lengths_count_bytes);
    tcase_add_test(tcase, test_strings_that_need_escapes);
    tcase_add_test(tcase, test_ref_that_is_not_utf8);
    tcase_add_test(tcase, test_255_and_256_bytes);
    tcase_add_test(tcase, test_kinds);
    tcase_add_loop_test(tcase, test_recorded_frames, 0, COUNT(frames));
    tcase_add_loop_test(tcase, test_refused_frames, 0, COUNT(refused));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
