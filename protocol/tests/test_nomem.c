/* SPDX-License-Identifier: MIT */
/* Every allocation of the library is made to fail in turn; the linker puts the functions below in between. */
#include <stdio.h>

#include "phx/base64.h"
#include "phx/json.h"
#include "phx/ndjson.h"
#include "test_util.h"

void *__real_malloc(size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *memory, size_t size);

static long left = -1; /* allocations until one fails; negative: none does */

static bool fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

/* Deep enough for the stack of containers, wide enough for the hashes, with escapes and equal keys
 * everywhere. */
static phx_buf_t text;

static void set_up(void)
{
    text = (phx_buf_t){0};
    phx_buf_append_text(&text, "[\"\\u0031\",\"\\u0032\",\"\\u0074\",\"\\u0065\",{");
    for (int i = 0; i < 300; i++) {
        char member[40];
        (void)snprintf(member, sizeof member, "\"\\u006b%d\":%d,", i, i);
        phx_buf_append_text(&text, member);
    }
    phx_buf_append_text(&text, "\"k0\":1,\"deep\":");
    for (int i = 0; i < 600; i++) {
        phx_buf_append_text(&text, "[{\"a\":");
    }
    phx_buf_append_text(&text, "1");
    for (int i = 0; i < 600; i++) {
        phx_buf_append_text(&text, ",\"a\":2}]");
    }
    phx_buf_append_text(&text, "}]");
}

static void tear_down(void)
{
    phx_buf_free(&text);
}

static int decode_text(phx_buf_t *out)
{
    (void)out;
    phx_message_t message = {0};
    const int error = phx_decode_from_client(PHX_V2, PHX_TEXT, phx_buf_slice(&text), &message);
    if (error != PHX_OK) {
        ck_assert_uint_eq(message.topic.len, 0);
    }
    phx_message_free(&message);
    return error;
}

/* So many keys that they are sorted, and none of them twice. */
static int check_wide_object(phx_buf_t *out)
{
    (void)out;
    phx_buf_t object = {0};
    const long counted = left;
    left = -1;
    phx_buf_append_text(&object, "[{\"inner\":{\"k\":1");
    for (int i = 0; i < 120; i++) {
        char member[40];
        (void)snprintf(member, sizeof member, ",\"k%d\":%d", i, i);
        phx_buf_append_text(&object, member);
    }
    phx_buf_append_text(&object, "}},{}]");
    left = counted;
    phx_slice_t value;
    bool repeated = true;
    const int error = phx_json_check(phx_buf_slice(&object), &value, &repeated);
    left = -1; /* check allocates, too */
    ck_assert(error != PHX_OK || !repeated);
    phx_buf_free(&object);
    return error;
}

static int decode_binary(phx_buf_t *out)
{
    (void)out;
    phx_message_t message = {0};
    const int error = phx_decode_from_client(PHX_V2, PHX_BINARY,
                                             PHX_SLICE("\0\1\1\1\1"
                                                       "12te"),
                                             &message);
    phx_message_free(&message);
    return error;
}

static int unique_keys(phx_buf_t *out)
{
    return phx_json_unique_keys(phx_buf_slice(&text), out);
}

static int string(phx_buf_t *out)
{
    (void)out;
    phx_buf_t scratch = {0};
    phx_slice_t characters;
    const int error = phx_json_string(PHX_SLICE("\"\\u0061\""), &scratch, &characters);
    phx_buf_free(&scratch);
    return error;
}

static int encode_text(phx_buf_t *out)
{
    phx_form_t form;
    return phx_encode_push(PHX_V2, out, &form, PHX_SLICE("1"), PHX_SLICE("a topic"), PHX_SLICE("e\n"),
                           PHX_JSON_PAYLOAD("{\"longer\":\"than what is kept\"}"));
}

static int encode_binary(phx_buf_t *out)
{
    phx_form_t form;
    return phx_encode_push(PHX_V2, out, &form, PHX_SLICE("1"), PHX_SLICE("a topic"), PHX_SLICE("e\n"),
                           (phx_payload_t){PHX_BINARY, PHX_SLICE("longer than what is kept")});
}

static int decode_base64(phx_buf_t *out)
{
    return phx_base64_decode(out, PHX_SLICE("Zm9vYmFyZm9vYmFyZm9vYmFy"), PHX_BASE64_PADDED);
}

static int line(phx_buf_t *out)
{
    (void)out;
    phx_buf_t scratch = {0};
    phx_form_t form;
    phx_slice_t bytes;
    const int error = phx_ndjson_message(PHX_SLICE("Zm9v"), &scratch, &form, &bytes);
    phx_buf_free(&scratch);
    return error;
}

static int (*const actions[])(phx_buf_t *out) = {decode_text, check_wide_object, decode_binary, unique_keys,
                                                 string,      encode_text,       encode_binary, decode_base64,
                                                 line};

START_TEST(test_each_allocation_fails_once)
{
    long failures = 0;
    for (;; failures++) {
        phx_buf_t out = {0};
        phx_buf_append_text(&out, "kept");
        left = failures;
        const int error = actions[_i](&out);
        left = -1;
        if (error == PHX_OK) {
            phx_buf_free(&out);
            break;
        }
        assert_error(error, PHX_ENOMEM);
        assert_slice(phx_buf_slice(&out), PHX_SLICE("kept"));
        phx_buf_free(&out);
    }
    ck_assert_int_gt(failures, 0);
}
END_TEST

START_TEST(test_append_fails)
{
    phx_buf_t out = {0};
    phx_buf_append_text(&out, "dropped");
    left = 0;
    phx_json_quote(&out, PHX_SLICE("a string that does not fit any more"));
    left = -1;
    ck_assert(out.failed);
    phx_base64_encode(&out, PHX_SLICE("ignored"));
    ck_assert_uint_eq(out.len, 0);
    phx_buf_free(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nomem");
    TCase *tcase = tcase_create("nomem");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, test_each_allocation_fails_once, 0, COUNT(actions));
    tcase_add_test(tcase, test_append_fails);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
