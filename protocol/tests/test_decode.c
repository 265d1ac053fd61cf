/* SPDX-License-Identifier: MIT */
/* Text messages as they arrive. */
#include <string.h>

#include "phx/json.h"
#include "phx/message.h"
#include "test_util.h"

static phx_message_t message;

static void set_up(void)
{
    message = (phx_message_t){0};
}

static void tear_down(void)
{
    phx_message_free(&message);
    phx_message_free(&message);
}

static void assert_fields(const char *join_ref, const char *ref, const char *topic, const char *event,
                          const char *payload)
{
    assert_slice(message.join_ref, phx_slice_of(join_ref));
    assert_slice(message.ref, phx_slice_of(ref));
    assert_slice(message.topic, phx_slice_of(topic));
    assert_slice(message.event, phx_slice_of(event));
    ck_assert_int_eq(message.payload.form, PHX_TEXT);
    assert_slice(message.payload.data, phx_slice_of(payload));
    assert_slice(message.status, PHX_SLICE(""));
}

static const struct {
    phx_vsn_t vsn;
    const char *text;
    const char *fields[5]; /* join_ref, ref, topic, event, payload */
} accepted[] = {
    {PHX_V2, "[\"1\",\"2\",\"t\",\"e\",{}]", {"\"1\"", "\"2\"", "\"t\"", "\"e\"", "{}"}},
    /* MSG-02: refs of every type. */
    {PHX_V2, "[null,1,\"t\",\"e\",{}]", {"null", "1", "\"t\"", "\"e\"", "{}"}},
    {PHX_V2, "[-0,1.50,\"t\",\"e\",{}]", {"-0", "1.50", "\"t\"", "\"e\"", "{}"}},
    {PHX_V2,
     "[12345678901234567890123,1e3,\"t\",\"e\",{}]",
     {"12345678901234567890123", "1e3", "\"t\"", "\"e\"", "{}"}},
    {PHX_V2, "[true,[1, \"a\"],\"t\",\"e\",{}]", {"true", "[1, \"a\"]", "\"t\"", "\"e\"", "{}"}},
    {PHX_V2, "[{\"a\":1},false,\"t\",\"e\",{}]", {"{\"a\":1}", "false", "\"t\"", "\"e\"", "{}"}},
    /* MSG-09: topics and events, too. */
    {PHX_V2, "[\"2\",\"3\",\"t\",null,{}]", {"\"2\"", "\"3\"", "\"t\"", "null", "{}"}},
    {PHX_V2, "[null,\"4\",5,[\"echo\"],{}]", {"null", "\"4\"", "5", "[\"echo\"]", "{}"}},
    {PHX_V2,
     "[null,\"4\",{\"e\":1},{\"e\":\"\\/\"},{}]",
     {"null", "\"4\"", "{\"e\":1}", "{\"e\":\"\\/\"}", "{}"}},
    /* MSG-04: payloads of every type. */
    {PHX_V2,
     "[null,null,\"t\",\"e\",[1,\"two\",null]]",
     {"null", "null", "\"t\"", "\"e\"", "[1,\"two\",null]"}},
    {PHX_V2, "[null,null,\"t\",\"e\",\"\\u0061\"]", {"null", "null", "\"t\"", "\"e\"", "\"\\u0061\""}},
    {PHX_V2, "[null,null,\"t\",\"e\",-0.0]", {"null", "null", "\"t\"", "\"e\"", "-0.0"}},
    {PHX_V2, "[null,null,\"t\",\"e\",null]", {"null", "null", "\"t\"", "\"e\"", "null"}},
    /* JREF-04: one spelling. */
    {PHX_V2,
     "[\"\\u0031\",\"\\/\\u00fC\",\"\\ud83c\\udf89\\n\",\"\\u0070hx_join\\u0000\",{\"\\u0061\":\"\\/\"}]",
     {"\"1\"", "\"/ü\"", "\"🎉\\n\"", "\"phx_join\\u0000\"", "{\"\\u0061\":\"\\/\"}"}},
    {PHX_V2,
     "[\"\\u001f\\\"\\\\\",\"2\",\"t\",\"\\u0009\",1]",
     {"\"\\u001F\\\"\\\\\"", "\"2\"", "\"t\"", "\"\\t\"", "1"}},
    /* V2-02, V2-10 */
    {PHX_V2,
     "[\"1\",\"2\",\"t\",\"e\",{\"x\":1},\"more\",{\"and\":\"more\"}]",
     {"\"1\"", "\"2\"", "\"t\"", "\"e\"", "{\"x\":1}"}},
    {PHX_V2,
     " \r\n[ \"1\" ,\t\"2\", \"t\"\n, \"e\" , { \"x\" : [ 1 , 2 ] } ]\n ",
     {"\"1\"", "\"2\"", "\"t\"", "\"e\"", "{ \"x\" : [ 1 , 2 ] }"}},
    {PHX_V2,
     "[\"1\",\"2\",\"t\",\"e\",{\"nul\":\"a\\u0000b\",\"slash\":\"\\/"
     "\",\"pair\":\"\\ud83c\\udf89\",\"upper\":\"\\u00FC\"}]",
     {"\"1\"", "\"2\"", "\"t\"", "\"e\"",
      "{\"nul\":\"a\\u0000b\",\"slash\":\"\\/\",\"pair\":\"\\ud83c\\udf89\",\"upper\":\"\\u00FC\"}"}},
    /* The first of equal keys counts. */
    {PHX_V2,
     "[\"1\",\"2\",\"t\",\"echo\",{\"k\":1,\"k\":2,\"o\":{\"a\":1},\"o\":{\"b\":2}}]",
     {"\"1\"", "\"2\"", "\"t\"", "\"echo\"", "{\"k\":1,\"o\":{\"a\":1}}"}},
    {PHX_V2,
     "[\"\\u0031\",\"2\",\"\\u0074\",\"echo\",{\"k\":1,\"\\u006b\":2}]",
     {"\"1\"", "\"2\"", "\"t\"", "\"echo\"", "{\"k\":1}"}},
    {PHX_V1,
     "{\"topic\":\"t\",\"event\":\"echo\",\"payload\":{\"k\":1,\"k\":2,\"o\":{\"a\":1},\"o\":{\"b\":2}},"
     "\"ref\":\"2\"}",
     {"null", "\"2\"", "\"t\"", "\"echo\"", "{\"k\":1,\"o\":{\"a\":1}}"}},
    {PHX_V1,
     "{\"topic\":\"t\",\"event\":\"echo\",\"payload\":{\"first\":true},\"ref\":\"3\",\"ref\":\"4\",\"event\":"
     "\"reply\","
     "\"topic\":\"nosuch\",\"payload\":{\"second\":true}}",
     {"null", "\"3\"", "\"t\"", "\"echo\"", "{\"first\":true}"}},
    /* V1-01 */
    {PHX_V1,
     "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":null}",
     {"null", "null", "\"t\"", "\"e\"", "{}"}},
    {PHX_V1,
     "{\"join_ref\":\"1\",\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":2,\"more\":[1],\"\":null}",
     {"\"1\"", "2", "\"t\"", "\"e\"", "{}"}},
    {PHX_V1,
     "{\"join_ref\":null,\"\\u0074opic\":\"\\u0074\",\"event\":null,\"payload\":[],\"ref\":\"\"}",
     {"null", "\"\"", "\"t\"", "null", "[]"}},
    {PHX_V1,
     " \r\n{ \"topic\" : \"t\",\t\"event\":\n\"e\" , \"payload\" : { \"x\" : [ 1 , 2 ] } , \"ref\" : \"2\" "
     "}\n ",
     {"null", "\"2\"", "\"t\"", "\"e\"", "{ \"x\" : [ 1 , 2 ] }"}},
};

START_TEST(test_accepted)
{
    const phx_slice_t text = phx_slice_of(accepted[_i].text);
    const char *const *fields = accepted[_i].fields;
    assert_ok(phx_decode_from_client(accepted[_i].vsn, PHX_TEXT, text, &message));
    assert_fields(fields[0], fields[1], fields[2], fields[3], fields[4]);
    /* A server's text is read in the same way, but in 1.0.0 has no join_ref. */
    assert_ok(phx_decode_from_server(accepted[_i].vsn, PHX_TEXT, text, &message));
    assert_fields(accepted[_i].vsn == PHX_V1 ? "null" : fields[0], fields[1], fields[2], fields[3],
                  fields[4]);
    if (accepted[_i].vsn == PHX_V1) { /* V1-07 */
        assert_ok(phx_decode_from_client(PHX_V1, PHX_BINARY, text, &message));
        assert_fields(fields[0], fields[1], fields[2], fields[3], fields[4]);
    }
}
END_TEST

#define V1_ECHO(payload) "{\"topic\":\"t\",\"event\":\"echo\",\"payload\":" payload ",\"ref\":\"2\"}"
#define V2_ECHO(payload) "[\"1\",\"2\",\"t\",\"echo\"," payload "]"

/* Texts that make a Phoenix server give up the connection. */
static const struct {
    const char *text;
    phx_vsn_t vsn;
    int error;
} refused[] = {
    {"", PHX_V1, PHX_EJSON},
    {"", PHX_V2, PHX_EJSON},
    {"{nope", PHX_V1, PHX_EJSON},
    {"{nope", PHX_V2, PHX_EJSON},
    {"hello", PHX_V1, PHX_EJSON},
    {"hello", PHX_V2, PHX_EJSON},
    {"\xef\xbb\xbf" V1_ECHO("{}"), PHX_V1, PHX_EJSON},
    {"\xef\xbb\xbf" V2_ECHO("{}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{\"s\":\"X\xff\"}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{\"s\":\"X\xff\"}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{\"s\":\"\\ud800\"}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{\"s\":\"\\ud800\"}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{\"s\":\"a\001b\"}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{\"s\":\"a\001b\"}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{\"a\":1,}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{\"a\":1,}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{'a':1}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{'a':1}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{\"a\":NaN}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{\"a\":NaN}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{\"a\":01}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{\"a\":01}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{\"a\":1/**/}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{\"a\":1/**/}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{\"a\":+1}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{\"a\":+1}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{\"a\":.5}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{\"a\":.5}"), PHX_V2, PHX_EJSON},
    {V1_ECHO("{}") "x", PHX_V1, PHX_EJSON},
    {V2_ECHO("{}") "x", PHX_V2, PHX_EJSON},
    {V1_ECHO("{}") ",", PHX_V1, PHX_EJSON},
    {V2_ECHO("{}") ",", PHX_V2, PHX_EJSON},
    {V1_ECHO("{}") V1_ECHO("{}"), PHX_V1, PHX_EJSON},
    {V2_ECHO("{}") V2_ECHO("{}"), PHX_V2, PHX_EJSON},
    {"5", PHX_V1, PHX_ESHAPE},
    {"5", PHX_V2, PHX_ESHAPE},
    {"\"text\"", PHX_V1, PHX_ESHAPE},
    {"\"text\"", PHX_V2, PHX_ESHAPE},
    {"null", PHX_V1, PHX_ESHAPE},
    {"null", PHX_V2, PHX_ESHAPE},
    {"true", PHX_V1, PHX_ESHAPE},
    {"true", PHX_V2, PHX_ESHAPE},
    {V2_ECHO("{}"), PHX_V1, PHX_ESHAPE},
    {V1_ECHO("{}"), PHX_V2, PHX_ESHAPE},
    {"{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}", PHX_V2, PHX_ESHAPE},
    {"[\"1\",\"2\",\"t\",\"echo\"]", PHX_V2, PHX_ESHAPE},
    {"[]", PHX_V2, PHX_ESHAPE},
    {"[[1,2,3,4,5]]", PHX_V2, PHX_ESHAPE},
    {"{}", PHX_V1, PHX_ESHAPE},
    {"{\"topic\":\"t\",\"event\":\"echo\",\"payload\":{}}", PHX_V1, PHX_ESHAPE},
    {"{\"topic\":\"t\",\"event\":\"echo\",\"ref\":\"2\"}", PHX_V1, PHX_ESHAPE},
    {"{\"topic\":\"t\",\"payload\":{},\"ref\":\"2\"}", PHX_V1, PHX_ESHAPE},
    {"{\"event\":\"echo\",\"payload\":{},\"ref\":\"2\"}", PHX_V1, PHX_ESHAPE},
    {"{\"Topic\":\"t\",\"event\":\"echo\",\"payload\":{},\"ref\":\"2\"}", PHX_V1, PHX_ESHAPE},
    {"[{\"topic\":\"t\",\"event\":\"echo\",\"payload\":{},\"ref\":\"2\"}]", PHX_V1, PHX_ESHAPE},
};

START_TEST(test_refused)
{
    const phx_slice_t text = phx_slice_of(refused[_i].text);
    assert_error(phx_decode_from_client(refused[_i].vsn, PHX_TEXT, text, &message), refused[_i].error);
    assert_slice(message.topic, PHX_SLICE(""));
    assert_error(phx_decode_from_server(refused[_i].vsn, PHX_TEXT, text, &message), refused[_i].error);
}
END_TEST

START_TEST(test_binary_layout_is_no_v1)
{
    assert_error(phx_decode_from_client(PHX_V1, PHX_BINARY,
                                        PHX_SLICE("\0\1\1\1\4"
                                                  "12techox"),
                                        &message),
                 PHX_EJSON);
}
END_TEST

START_TEST(test_deep_payload)
{
    phx_buf_t text = {0};
    phx_buf_append_text(&text, "[\"1\",\"2\",\"t\",\"echo\",{\"d\":");
    for (int i = 0; i < 3000; i++) {
        phx_buf_append_byte(&text, '[');
    }
    for (int i = 0; i < 3000; i++) {
        phx_buf_append_byte(&text, ']');
    }
    phx_buf_append_text(&text, "}]");
    assert_ok(phx_decode_from_client(PHX_V2, PHX_TEXT, phx_buf_slice(&text), &message));
    ck_assert_uint_eq(message.payload.data.len, strlen("{\"d\":}") + 6000);
    phx_buf_free(&text);
}
END_TEST

START_TEST(test_memory_is_used_again)
{
    const phx_slice_t text = PHX_SLICE("[\"\\u0031\",\"2\",\"\\u0074\",\"e\",{}]");
    assert_ok(phx_decode_from_client(PHX_V2, PHX_TEXT, text, &message));
    const char *memory = message.scratch.data;
    ck_assert_ptr_nonnull(memory);
    for (int i = 0; i < 10; i++) {
        assert_error(phx_decode_from_client(PHX_V2, PHX_TEXT, PHX_SLICE("["), &message), PHX_EJSON);
        assert_ok(phx_decode_from_client(PHX_V2, PHX_TEXT, text, &message));
        ck_assert_ptr_eq(message.scratch.data, memory);
        assert_fields("\"1\"", "\"2\"", "\"t\"", "\"e\"", "{}");
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode");
    TCase *tcase = tcase_create("decode");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, test_accepted, 0, COUNT(accepted));
    tcase_add_loop_test(tcase, test_refused, 0, COUNT(refused));
    tcase_add_test(tcase, test_binary_layout_is_no_v1);
    tcase_add_test(tcase, test_deep_payload);
    tcase_add_test(tcase, test_memory_is_used_again);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
