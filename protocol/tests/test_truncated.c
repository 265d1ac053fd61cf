/* SPDX-License-Identifier: MIT */
/* Every beginning of a valid message, put where reading one byte too many is a crash. */
#include "phx/message.h"
#include "test_util.h"

/* A slice as a constant. */
#define S(literal)                                                                                           \
    {                                                                                                        \
        literal, sizeof(literal) - 1                                                                         \
    }

static const struct {
    phx_slice_t bytes;
    size_t header; /* what must be there of a binary message; the rest is payload, of any length */
} binaries[] = {
    {S("\x00\x01\x02\x06\x03"
       "123room:pnew\x00\xff\x01"),
     5 + 12},
    {S("\x00\x02\x06\x03"
       "12room:pnew\x00\xff\x01"),
     4 + 11},
    {S("\x01\x01\x02\x06\x05"
       "123room:perror\x00\xff"),
     5 + 14},
    {S("\x02\x06\x03"
       "room:pnew\x00\xff"),
     3 + 9},
};

static const phx_slice_t texts[] = {
    S("[\"1\",2,\"room:1\",\"new\",{\"a\":[1.5e-3,true,null],\"ü\":\"日🎉\\ud83c\\udf89\\n and more\"}]"),
    S("{\"topic\":\"room:1\",\"event\":\"a long name of an "
      "event\",\"payload\":{\"a\":{},\"a\":[]},\"ref\":-10,\"\\u0061\":\"\"}"),
};

static guard_t guard;
static phx_message_t message;

static void set_up(void)
{
    guard = guard_new(4096);
    message = (phx_message_t){0};
}

static void tear_down(void)
{
    phx_message_free(&message);
    guard_free(&guard);
}

/* The length `len` of `bytes`, which then must not be looked at. */
static phx_slice_t beginning(phx_slice_t bytes, size_t len)
{
    return guard_put(&guard, (phx_slice_t){bytes.data, len});
}

START_TEST(test_binary)
{
    const bool from_client = _i == 0;
    for (size_t len = 0; len <= binaries[_i].bytes.len; len++) {
        const phx_slice_t bytes = beginning(binaries[_i].bytes, len);
        assert_error(from_client ? phx_decode_from_client(PHX_V2, PHX_BINARY, bytes, &message)
                                 : phx_decode_from_server(PHX_V2, PHX_BINARY, bytes, &message),
                     len < binaries[_i].header ? PHX_ETRUNCATED : PHX_OK);
    }
}
END_TEST

START_TEST(test_text)
{
    const phx_vsn_t vsn = _i == 0 ? PHX_V2 : PHX_V1;
    for (size_t len = 0; len <= texts[_i].len; len++) {
        const phx_slice_t text = beginning(texts[_i], len);
        const int expected = len < texts[_i].len ? PHX_EJSON : PHX_OK;
        assert_error(phx_decode_from_client(vsn, PHX_TEXT, text, &message), expected);
        assert_error(phx_decode_from_server(vsn, PHX_TEXT, text, &message), expected);
    }
}
END_TEST

/* A binary message of every length byte being too large by one. */
START_TEST(test_lengths_too_large)
{
    const bool from_client = _i == 0;
    const size_t strings = _i == 3 ? 2 : _i == 1 ? 3 : 4;
    for (size_t i = 0; i < strings; i++) {
        const phx_slice_t bytes = beginning(binaries[_i].bytes, binaries[_i].header);
        char *length = guard.pages + guard.size - bytes.len + 1 + i;
        for (*length = (char)(*length + 1); *length != 0; *length = (char)(*length + 1)) {
            assert_error(from_client ? phx_decode_from_client(PHX_V2, PHX_BINARY, bytes, &message)
                                     : phx_decode_from_server(PHX_V2, PHX_BINARY, bytes, &message),
                         PHX_ETRUNCATED);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("truncated");
    TCase *tcase = tcase_create("truncated");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, test_binary, 0, COUNT(binaries));
    tcase_add_loop_test(tcase, test_text, 0, COUNT(texts));
    tcase_add_loop_test(tcase, test_lengths_too_large, 0, COUNT(binaries));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
