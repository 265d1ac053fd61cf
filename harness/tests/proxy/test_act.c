/* SPDX-License-Identifier: MIT */
#include "proxy/act.h"

#include "test_util.h"

#include <string.h>

static acts_t acted(const char *actions, vsn_t vsn, const char *message)
{
    json_t *list = jvalue_parse(span_of(actions), NULL);
    piece_t piece = {.opcode = WS_TEXT};
    ck_assert_msg(list != NULL, "%s", actions);
    text_puts(&piece.payload, message);
    text_puts(&piece.raw, "(as it came)");
    acts_t acts = act(list, vsn, piece);
    json_decref(list);
    return acts;
}

static const struct {
    vsn_t vsn;
    const char *actions, *message, *result;
} edits[] = {
    {VSN_2, "[{\"set\":{\"ref\":\"7\",\"payload.status\":\"error\"}}]",
     "[\"1\",\"2\",\"t\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]",
     "[\"1\",\"7\",\"t\",\"phx_reply\",{\"response\":{},\"status\":\"error\"}]"},
    {VSN_1, "[{\"set\":{\"join_ref\":\"1\"}},{\"remove\":[\"payload.a\"]}]",
     "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{\"a\":1},\"ref\":null}",
     "{\"event\":\"e\",\"join_ref\":\"1\",\"payload\":{},\"ref\":null,\"topic\":\"t\"}"},
    {VSN_2, "[{\"remove\":[\"payload\"]}]", "[null,null,\"t\",\"e\",{}]", "[null,null,\"t\",\"e\"]"},
    {VSN_2, "[{\"set\":{\"5\":null}}]", "[null,null,\"t\",\"e\",{}]", "[null,null,\"t\",\"e\",{},null]"},
    {VSN_2, "[{\"retype\":{\"ref\":\"number\",\"join_ref\":\"null\"}}]", "[\"1\",\"2\",\"t\",\"e\",{}]",
     "[null,2,\"t\",\"e\",{}]"},
    {VSN_2, "[{\"retype\":{\"ref\":\"string\"}}]", "[1,2,\"t\",\"e\",{}]", "[1,\"2\",\"t\",\"e\",{}]"},
    {VSN_2, "[{\"set\":{\"payload.a.b\":1}}]", "[1,2,\"t\",\"e\",{}]", "[1,2,\"t\",\"e\",{}]"},
    {VSN_2, "[{\"text\":\"no json\"},{\"truncate\":4}]", "[1,2,\"t\",\"e\",{}]", "no j"},
    {VSN_2, "[{\"byte\":{\"at\":0,\"value\":65}},{\"byte\":{\"at\":-1,\"value\":66}}]", "xyz", "AyB"},
    {VSN_2, "[{\"byte\":{\"at\":9,\"value\":65}}]", "xyz", "xyz"},
};

START_TEST(messages_are_edited)
{
    acts_t acts = acted(edits[_i].actions, edits[_i].vsn, edits[_i].message);
    ck_assert_uint_eq(acts.len, 1);
    assert_span(text_span(&acts.at[0].payload), span_of(edits[_i].result));
    acts_free(&acts);
}
END_TEST

START_TEST(one_message_becomes_none_or_several)
{
    acts_t acts = acted("[{\"drop\":true}]", VSN_2, "[1,2,\"t\",\"e\",{}]");
    ck_assert_uint_eq(acts.len, 0);
    acts_free(&acts);
    acts = acted("[{\"duplicate\":true},{\"before\":[null,null,\"t\",\"b\",{}]},{\"also\":[null,null,\"t\","
                 "\"a\",{}]}]",
                 VSN_2, "[1,2,\"t\",\"e\",{}]");
    ck_assert_uint_eq(acts.len, 4);
    assert_span(text_span(&acts.at[0].payload), SPAN("[null,null,\"t\",\"b\",{}]"));
    assert_span(text_span(&acts.at[2].payload), SPAN("[1,2,\"t\",\"e\",{}]"));
    assert_span(text_span(&acts.at[3].payload), SPAN("[null,null,\"t\",\"a\",{}]"));
    acts_free(&acts);
}
END_TEST

START_TEST(a_server_of_version_1_adds_no_join_ref)
{
    acts_t acts = acted("[{\"also\":[\"1\",\"1\",\"t\",\"phx_close\",{}]}]", VSN_1, "{}");
    assert_span(text_span(&acts.at[1].payload),
                SPAN("{\"topic\":\"t\",\"event\":\"phx_close\",\"payload\":{},\"ref\":\"1\"}"));
    acts_free(&acts);
}
END_TEST

static text_t written(const char *actions)
{
    acts_t acts = acted(actions, VSN_2, "abcdef");
    text_t bytes = {0};
    piece_write(&bytes, &acts.at[0]);
    acts_free(&acts);
    return bytes;
}

START_TEST(what_is_not_altered_goes_on_as_it_came)
{
    text_t bytes = written("[{\"delay_ms\":20}]");
    assert_text(&bytes, "(as it came)");
}
END_TEST

START_TEST(frames_are_made_as_told)
{
    text_t bytes = written("[{\"opcode\":\"binary\"}]");
    assert_text(&bytes, "\x82\x06"
                        "abcdef");
    bytes = written("[{\"rsv\":4}]");
    assert_text(&bytes, "\xc1\x06"
                        "abcdef");
    bytes = written("[{\"fragments\":2}]");
    assert_text(&bytes, "\x01\x03"
                        "abc\x80\x03"
                        "def");
    bytes = written("[{\"masked\":true}]");
    ck_assert_uint_eq(bytes.len, 2 + 4 + 6);
    ck_assert_uint_eq((unsigned char)bytes.at[1], 0x86);
    text_free(&bytes);
}
END_TEST

START_TEST(what_happens_to_the_connection_is_told)
{
    acts_t acts =
        acted("[{\"swap\":true},{\"merge\":true},{\"cut\":true},{\"close\":{\"code\":1011}}]", VSN_2, "x");
    ck_assert(acts.swap && acts.merge && acts.cut && acts.close);
    ck_assert_uint_eq(acts.code, 1011);
    ck_assert_str_eq(acts.reason, "");
    acts_free(&acts);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy act");
    TCase *all = tcase_create("all");
    tcase_add_loop_test(all, messages_are_edited, 0, (int)(sizeof edits / sizeof *edits));
    tcase_add_test(all, one_message_becomes_none_or_several);
    tcase_add_test(all, a_server_of_version_1_adds_no_join_ref);
    tcase_add_test(all, what_is_not_altered_goes_on_as_it_came);
    tcase_add_test(all, frames_are_made_as_told);
    tcase_add_test(all, what_happens_to_the_connection_is_told);
    return test_run(suite, all);
}
