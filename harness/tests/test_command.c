/* SPDX-License-Identifier: MIT */
#include "replay/command.h"
#include "test_util.h"

#include <string.h>

static const char template[] =
    "srv {port} --as {release} [--mount {mount}] [--subs {subprotocols} --auth {auth_token}] [-x]";

static void assert_command(const char *config_text, const char *without, const char *expected)
{
    json_t *config = jvalue_parse(span_of(config_text), NULL);
    names_t lacking = {0}, assumed = {0};
    text_t out = {0};
    const char *key = NULL;
    names_add_list(&lacking, without);
    names_add(&assumed, "known");
    const command_input_t input = {"1.8.2", config, &assumed, &lacking};
    if (command_for(&out, template, &input, &key)) {
        assert_text(&out, expected);
    } else {
        ck_assert_str_eq(key, expected);
        text_free(&out);
    }
    names_free(&lacking);
    names_free(&assumed);
    json_decref(config);
}

START_TEST(configs_become_commands)
{
    assert_command("{}", "", "srv {port} --as 1.8.2   -x");
    assert_command("{\"mount\":\"/tight\",\"known\":1}", "", "srv {port} --as 1.8.2 --mount /tight  -x");
    assert_command("{\"subprotocols\":[\"a\",\"b c\"],\"auth_token\":false}", "",
                   "srv {port} --as 1.8.2  --subs 'a,b c' --auth false -x");
    assert_command("{\"auth_token\":true}", "", "srv {port} --as 1.8.2   -x");
    assert_command("{\"deflate\":true}", "deflate", "srv {port} --as 1.8.2   -x");
    assert_command("{\"deflate\":true}", "", "deflate");
}
END_TEST

START_TEST(a_release_is_quoted)
{
    const names_t none = {0};
    json_t *config = json_object();
    const command_input_t input = {"1; rm x", config, &none, &none};
    const char *key;
    text_t out = {0};
    ck_assert(command_for(&out, "srv [-r {release}]", &input, &key));
    assert_text(&out, "srv -r '1; rm x'");
    json_decref(config);
}
END_TEST

START_TEST(ports_are_filled_in)
{
    text_t out = {0};
    command_port(&out, "a {port} b {port}", 17);
    assert_text(&out, "a 17 b 17");
}
END_TEST

START_TEST(values_are_filled_in)
{
    text_t out = {0};
    ck_assert_uint_eq(command_set(&out, "a {fault} -p {port} {fault}", "fault", "x y"), 2);
    assert_text(&out, "a 'x y' -p {port} 'x y'");
    ck_assert_uint_eq(command_set(&out, "a {faults}", "fault", "x"), 0);
    assert_text(&out, "a {faults}");
}
END_TEST

START_TEST(broken_templates)
{
    text_t error = {0};
    ck_assert(command_check(template, &error));
    ck_assert(!command_check("a [b", &error));
    assert_says(&error, "not closed");
    ck_assert(!command_check("a ] b", &error));
    assert_says(&error, "do not pair");
    ck_assert(!command_check("a [b [c]]", &error));
    assert_says(&error, "do not pair");
    ck_assert(!command_check("a {window}", &error));
    assert_says(&error, "{window} stands outside");
}
END_TEST

TEST_MAIN("command", configs_become_commands, a_release_is_quoted, ports_are_filled_in, values_are_filled_in,
          broken_templates)
