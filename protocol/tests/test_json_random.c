/* SPDX-License-Identifier: MIT */
/* Random texts, whole and damaged, against jansson as an independent judge. */
#include <jansson.h>
#include <string.h>

#include "phx/json.h"
#include "test_util.h"

enum { TEXTS = 5000, DAMAGES = 8 };

static rng_t seeded;

static json_t *parsed(phx_slice_t text, json_error_t *error)
{
    return json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
}

/* What jansson refuses for its own limits says nothing about the text. */
static bool beyond_jansson(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_numeric_overflow:
    case json_error_null_byte_in_key:
    case json_error_stack_overflow:
        return true;
    default:
        return false;
    }
}

static void assert_same_judgement(phx_slice_t text)
{
    json_error_t why;
    phx_slice_t value = {0};
    bool repeated;
    const int error = phx_json_check(text, &value, &repeated);
    json_t *theirs = parsed(text, &why);
    if ((error == PHX_OK) != (theirs != NULL) && (theirs != NULL || !beyond_jansson(&why))) {
        ck_abort_msg("%s: %s; jansson: %s", printable(text), phx_strerror(error),
                     theirs ? "valid" : why.text);
    }
    if (error == PHX_OK && theirs != NULL) {
        json_t *unique =
            json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &why);
        if (repeated != (unique == NULL)) {
            ck_abort_msg("%s: repeated keys: %d, jansson: %d", printable(text), repeated, unique == NULL);
        }
        json_decref(unique);
    }
    json_decref(theirs);
}

static void damage(rng_t *rng, phx_buf_t *text)
{
    static const char odd[] = "\"\\{}[],:0-.eEu \n\x80\xc3\xff";
    const size_t at = rng_below(rng, text->len);
    switch (rng_below(rng, 3)) {
    case 0:
        text->data[at] = odd[rng_below(rng, sizeof odd - 1)];
        break;
    case 1:
        memmove(text->data + at, text->data + at + 1, text->len - at - 1);
        text->len--;
        break;
    default:
        text->data[at] = text->data[rng_below(rng, text->len)];
        break;
    }
}

START_TEST(test_same_judgement)
{
    rng_t rng = seeded;
    guard_t guard = guard_new(1 << 20);
    phx_buf_t text = {0};
    for (int i = 0; i < TEXTS; i++) {
        phx_buf_clear(&text);
        random_json(&rng, &text, NULL, 4);
        assert_same_judgement(phx_buf_slice(&text));
        for (int j = 0; j < DAMAGES && text.len > 0; j++) {
            damage(&rng, &text);
            if (text.len <= guard.size) {
                assert_same_judgement(guard_put(&guard, phx_buf_slice(&text)));
            }
        }
    }
    phx_buf_free(&text);
    guard_free(&guard);
}
END_TEST

START_TEST(test_first_of_equal_keys)
{
    rng_t rng = seeded;
    phx_buf_t text = {0};
    phx_buf_t twin = {0};
    phx_buf_t unique = {0};
    for (int i = 0; i < TEXTS; i++) {
        phx_buf_clear(&text);
        phx_buf_clear(&twin);
        phx_buf_clear(&unique);
        random_json(&rng, &text, &twin, 4);
        phx_slice_t value;
        bool repeated;
        assert_ok(phx_json_check(phx_buf_slice(&text), &value, &repeated));
        assert_ok(phx_json_unique_keys(value, &unique));
        assert_ok(phx_json_check(phx_buf_slice(&unique), &value, &repeated));
        ck_assert(!repeated);

        json_error_t why;
        json_t *expected = parsed(phx_buf_slice(&twin), &why);
        json_t *actual = parsed(phx_buf_slice(&unique), &why);
        if (!json_equal(expected, actual)) {
            ck_abort_msg("%s became %s", printable(phx_buf_slice(&text)), printable(phx_buf_slice(&unique)));
        }
        json_decref(expected);
        json_decref(actual);
    }
    phx_buf_free(&text);
    phx_buf_free(&twin);
    phx_buf_free(&unique);
}
END_TEST

START_TEST(test_strings_as_jansson_reads_them)
{
    rng_t rng = seeded;
    phx_buf_t characters = {0};
    phx_buf_t quoted = {0};
    phx_buf_t scratch = {0};
    for (int i = 0; i < TEXTS; i++) {
        random_utf8(&rng, &characters, 40);
        phx_buf_clear(&quoted);
        phx_json_quote(&quoted, phx_buf_slice(&characters));
        json_error_t why;
        json_t *theirs = parsed(phx_buf_slice(&quoted), &why);
        ck_assert_ptr_nonnull(theirs);
        const phx_slice_t read = {json_string_value(theirs), json_string_length(theirs)};
        assert_slice(read, phx_buf_slice(&characters));

        /* And a spelling with as many escapes as there can be. */
        char *ascii = json_dumps(theirs, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        phx_slice_t back;
        assert_ok(phx_json_string(phx_slice_of(ascii), &scratch, &back));
        assert_slice(back, phx_buf_slice(&characters));
        free(ascii);
        json_decref(theirs);
    }
    phx_buf_free(&characters);
    phx_buf_free(&quoted);
    phx_buf_free(&scratch);
}
END_TEST

int main(void)
{
    seeded = rng_new();
    Suite *suite = suite_create("json random");
    TCase *tcase = tcase_create("json random");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_same_judgement);
    tcase_add_test(tcase, test_first_of_equal_keys);
    tcase_add_test(tcase, test_strings_as_jansson_reads_them);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
