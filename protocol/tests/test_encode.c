/* SPDX-License-Identifier: MIT */
/* Text messages as they are written, and what encoders refuse. */
#include "phx/message.h"
#include "test_util.h"

#define BYTES(literal) ((phx_payload_t){PHX_BINARY, PHX_SLICE(literal)})
#define JSON_NULL PHX_SLICE("null")

static phx_buf_t out;
static phx_form_t form;

static void set_up(void)
{
    out = (phx_buf_t){0};
    form = PHX_BINARY;
}

static void tear_down(void)
{
    phx_buf_free(&out);
}

START_TEST(test_from_client)
{
    const phx_slice_t topic = PHX_SLICE("room:1");
    const phx_slice_t event = PHX_SLICE("new");
    assert_ok(phx_encode_from_client(PHX_V2, &out, &form, PHX_SLICE("\"1\""), PHX_SLICE("2"), topic, event,
                                     PHX_JSON_PAYLOAD("{\"a\": 1}")));
    ck_assert_int_eq(form, PHX_TEXT);
    assert_buf(&out, "[\"1\",2,\"room:1\",\"new\",{\"a\": 1}]"); /* V2-01 */
    assert_ok(phx_encode_from_client(PHX_V2, &out, &form, JSON_NULL, JSON_NULL, topic, event,
                                     PHX_JSON_PAYLOAD("\"not an object\""))); /* MSG-04 */
    assert_buf(&out, "[null,null,\"room:1\",\"new\",\"not an object\"]");
    assert_ok(phx_encode_from_client(PHX_V1, &out, &form, JSON_NULL, PHX_SLICE("\"2\""), topic, event,
                                     PHX_JSON_PAYLOAD("{}")));
    assert_buf(&out, "{\"event\":\"new\",\"payload\":{},\"ref\":\"2\",\"topic\":\"room:1\"}");
    assert_ok(phx_encode_from_client(PHX_V1, &out, &form, PHX_SLICE("\"1\""), JSON_NULL, topic, event,
                                     PHX_JSON_PAYLOAD("[]")));
    assert_buf(&out,
               "{\"event\":\"new\",\"join_ref\":\"1\",\"payload\":[],\"ref\":null,\"topic\":\"room:1\"}");
}
END_TEST

START_TEST(test_push)
{
    assert_ok(phx_encode_push(PHX_V2, &out, &form, PHX_SLICE("\"1\""), PHX_SLICE("t"), PHX_SLICE("e"),
                              PHX_JSON_PAYLOAD("{\"n\":0}")));
    ck_assert_int_eq(form, PHX_TEXT);
    assert_buf(&out, "[\"1\",null,\"t\",\"e\",{\"n\":0}]"); /* V2-06 */
    assert_ok(phx_encode_push(PHX_V1, &out, &form, PHX_SLICE("\"1\""), PHX_SLICE("t"), PHX_SLICE("e"),
                              PHX_JSON_PAYLOAD("{\"n\":0}")));
    assert_buf(&out,
               "{\"event\":\"e\",\"payload\":{\"n\":0},\"ref\":null,\"topic\":\"t\"}"); /* V1-03, V1-05 */
}
END_TEST

START_TEST(test_reply)
{
    assert_ok(phx_encode_reply(PHX_V2, &out, &form, PHX_SLICE("\"1\""), PHX_SLICE("[2]"), PHX_SLICE("t"),
                               PHX_SLICE("ok"), PHX_JSON_PAYLOAD("{\"x\":1}")));
    ck_assert_int_eq(form, PHX_TEXT);
    assert_buf(&out,
               "[\"1\",[2],\"t\",\"phx_reply\",{\"response\":{\"x\":1},\"status\":\"ok\"}]"); /* V2-05 */
    assert_ok(phx_encode_reply(PHX_V1, &out, &form, PHX_SLICE("\"1\""), PHX_SLICE("\"2\""), PHX_SLICE("t"),
                               PHX_SLICE("später"), PHX_JSON_PAYLOAD("null")));
    assert_buf(&out,
               "{\"event\":\"phx_reply\",\"payload\":{\"response\":null,\"status\":\"später\"},\"ref\":\"2\","
               "\"topic\":\"t\"}"); /* V1-04 */
}
END_TEST

START_TEST(test_reply_for_any_topic) /* MSG-09 */
{
    assert_ok(phx_encode_reply_json_topic(PHX_V2, &out, JSON_NULL, PHX_SLICE("\"4\""),
                                          PHX_SLICE("{\"t\":[5]}"), PHX_SLICE("error"),
                                          PHX_SLICE("{\"reason\":\"unmatched topic\"}")));
    assert_buf(&out, "[null,\"4\",{\"t\":[5]},\"phx_reply\",{\"response\":{\"reason\":\"unmatched topic\"},"
                     "\"status\":\"error\"}]");
    assert_ok(phx_encode_reply_json_topic(PHX_V1, &out, JSON_NULL, PHX_SLICE("4"), JSON_NULL,
                                          PHX_SLICE("error"), PHX_SLICE("{}")));
    assert_buf(&out, "{\"event\":\"phx_reply\",\"payload\":{\"response\":{},\"status\":\"error\"},\"ref\":4,"
                     "\"topic\":null}");
    assert_error(phx_encode_reply_json_topic(PHX_V2, &out, JSON_NULL, JSON_NULL, PHX_SLICE("\"\xff\""),
                                             PHX_SLICE("error"), PHX_SLICE("{}")),
                 PHX_EUTF8);
}
END_TEST

START_TEST(test_broadcast)
{
    assert_ok(
        phx_encode_broadcast(PHX_V2, &out, &form, PHX_SLICE("t"), PHX_SLICE("e"), PHX_JSON_PAYLOAD("{}")));
    ck_assert_int_eq(form, PHX_TEXT);
    assert_buf(&out, "[null,null,\"t\",\"e\",{}]"); /* V2-07 */
    assert_ok(
        phx_encode_broadcast(PHX_V1, &out, &form, PHX_SLICE("t"), PHX_SLICE("e"), PHX_JSON_PAYLOAD("{}")));
    assert_buf(&out, "{\"event\":\"e\",\"payload\":{},\"ref\":null,\"topic\":\"t\"}");
}
END_TEST

START_TEST(test_end)
{
    assert_ok(phx_encode_end(PHX_V2, &out, PHX_SLICE("\"1\""), PHX_SLICE("t"), PHX_SLICE("phx_close"),
                             PHX_SLICE("{}")));
    assert_buf(&out, "[\"1\",\"1\",\"t\",\"phx_close\",{}]"); /* V2-08 */
    assert_ok(phx_encode_end(PHX_V1, &out, PHX_SLICE("\"1\""), PHX_SLICE("t"), PHX_SLICE("phx_error"),
                             PHX_SLICE("{\"reason\":\"channel_crash\"}")));
    assert_buf(
        &out,
        "{\"event\":\"phx_error\",\"payload\":{\"reason\":\"channel_crash\"},\"ref\":\"1\",\"topic\":\"t\"}");
    assert_ok(
        phx_encode_end(PHX_V1, &out, JSON_NULL, PHX_SLICE("t"), PHX_SLICE("phx_close"), PHX_SLICE("{}")));
    assert_buf(&out, "{\"event\":\"phx_close\",\"payload\":{},\"ref\":null,\"topic\":\"t\"}"); /* V1-06 */
}
END_TEST

START_TEST(test_strings_are_escaped)
{
    assert_ok(phx_encode_push(PHX_V2, &out, &form, JSON_NULL, PHX_SLICE("\"\\/\n\0\x1f日🎉"),
                              PHX_SLICE("e\""), PHX_JSON_PAYLOAD("{}")));
    assert_buf(&out, "[null,null,\"\\\"\\\\/\\n\\u0000\\u001F日🎉\",\"e\\\"\",{}]");
}
END_TEST

START_TEST(test_appends)
{
    phx_buf_append_text(&out, "before ");
    assert_ok(
        phx_encode_broadcast(PHX_V2, &out, &form, PHX_SLICE("t"), PHX_SLICE("e"), PHX_JSON_PAYLOAD("{}")));
    assert_ok(phx_encode_broadcast(PHX_V2, &out, &form, PHX_SLICE("t"), PHX_SLICE("e"), BYTES("\x01")));
    assert_buf(&out, "before [null,null,\"t\",\"e\",{}]\x02\x01\x01te\x01");
}
END_TEST

START_TEST(test_payloads_that_are_no_objects) /* MSG-05 */
{
    const char *const payloads[] = {"null", "true", "1", "\"{}\"", "[]", "[{}]"};
    phx_buf_append_text(&out, "kept");
    for (size_t i = 0; i < COUNT(payloads); i++) {
        const phx_payload_t payload = {PHX_TEXT, phx_slice_of(payloads[i])};
        assert_error(phx_encode_push(PHX_V2, &out, &form, JSON_NULL, PHX_SLICE("t"), PHX_SLICE("e"), payload),
                     PHX_ENOTOBJECT);
        assert_error(phx_encode_broadcast(PHX_V2, &out, &form, PHX_SLICE("t"), PHX_SLICE("e"), payload),
                     PHX_ENOTOBJECT);
        ck_assert_uint_eq(out.len, 4);
        assert_ok(phx_encode_push(PHX_V1, &out, &form, JSON_NULL, PHX_SLICE("t"), PHX_SLICE("e"), payload));
        assert_ok(phx_encode_broadcast(PHX_V1, &out, &form, PHX_SLICE("t"), PHX_SLICE("e"), payload));
        assert_ok(phx_encode_reply(PHX_V2, &out, &form, JSON_NULL, JSON_NULL, PHX_SLICE("t"), PHX_SLICE("ok"),
                                   payload));
        out.len = 4;
    }
}
END_TEST

START_TEST(test_no_bytes_in_v1) /* V1-08 */
{
    const phx_slice_t t = PHX_SLICE("t");
    phx_buf_append_text(&out, "kept");
    assert_error(phx_encode_from_client(PHX_V1, &out, &form, JSON_NULL, JSON_NULL, t, t, BYTES("x")),
                 PHX_EV1BINARY);
    assert_error(phx_encode_push(PHX_V1, &out, &form, JSON_NULL, t, t, BYTES("x")), PHX_EV1BINARY);
    assert_error(phx_encode_reply(PHX_V1, &out, &form, JSON_NULL, JSON_NULL, t, t, BYTES("x")),
                 PHX_EV1BINARY);
    assert_error(phx_encode_broadcast(PHX_V1, &out, &form, t, t, BYTES("x")), PHX_EV1BINARY);
    assert_buf(&out, "kept");
}
END_TEST

START_TEST(test_strings_that_are_not_utf8)
{
    const phx_slice_t good = PHX_SLICE("t");
    const phx_slice_t bad = PHX_SLICE("\xc3(");
    const phx_slice_t bad_ref = PHX_SLICE("\"\xc3(\"");
    const phx_payload_t payload = PHX_JSON_PAYLOAD("{}");
    phx_buf_append_text(&out, "kept");
    for (phx_vsn_t vsn = PHX_V1; vsn <= PHX_V2; vsn++) {
        assert_error(phx_encode_from_client(vsn, &out, &form, bad_ref, JSON_NULL, good, good, payload),
                     PHX_EUTF8);
        assert_error(phx_encode_from_client(vsn, &out, &form, JSON_NULL, bad_ref, good, good, payload),
                     PHX_EUTF8);
        assert_error(phx_encode_from_client(vsn, &out, &form, JSON_NULL, JSON_NULL, bad, good, payload),
                     PHX_EUTF8);
        assert_error(phx_encode_from_client(vsn, &out, &form, JSON_NULL, JSON_NULL, good, bad, payload),
                     PHX_EUTF8);
        assert_error(phx_encode_push(vsn, &out, &form, JSON_NULL, bad, good, payload), PHX_EUTF8);
        assert_error(phx_encode_broadcast(vsn, &out, &form, good, bad, payload), PHX_EUTF8);
        assert_error(phx_encode_reply(vsn, &out, &form, JSON_NULL, JSON_NULL, good, bad, payload), PHX_EUTF8);
        assert_error(phx_encode_end(vsn, &out, bad_ref, good, good, payload.data), PHX_EUTF8);
    }
    assert_buf(&out, "kept");
}
END_TEST

START_TEST(test_long_strings_have_no_limit_in_text)
{
    phx_buf_t topic = {0};
    for (int i = 0; i < 70000; i++) {
        phx_buf_append_byte(&topic, 't');
    }
    assert_ok(phx_encode_broadcast(PHX_V2, &out, &form, phx_buf_slice(&topic), PHX_SLICE("e"),
                                   PHX_JSON_PAYLOAD("{}")));
    ck_assert_uint_eq(out.len, 70000 + sizeof "[null,null,\"\",\"e\",{}]" - 1);
    phx_buf_free(&topic);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("encode");
    TCase *tcase = tcase_create("encode");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, test_from_client);
    tcase_add_test(tcase, test_push);
    tcase_add_test(tcase, test_reply);
    tcase_add_test(tcase, test_reply_for_any_topic);
    tcase_add_test(tcase, test_broadcast);
    tcase_add_test(tcase, test_end);
    tcase_add_test(tcase, test_strings_are_escaped);
    tcase_add_test(tcase, test_appends);
    tcase_add_test(tcase, test_payloads_that_are_no_objects);
    tcase_add_test(tcase, test_no_bytes_in_v1);
    tcase_add_test(tcase, test_strings_that_are_not_utf8);
    tcase_add_test(tcase, test_long_strings_have_no_limit_in_text);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
