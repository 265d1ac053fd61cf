/* SPDX-License-Identifier: MIT */
#include "phx/bytes.h"

#include <string.h>

#include "test_util.h"

START_TEST(test_slices)
{
    const phx_slice_t empty = phx_slice_of(NULL);
    ck_assert_uint_eq(empty.len, 0);
    ck_assert(phx_slice_equal(empty, PHX_SLICE("")));
    ck_assert(phx_slice_equals(empty, NULL));
    ck_assert(phx_slice_equals(PHX_SLICE("room"), "room"));
    ck_assert(!phx_slice_equals(PHX_SLICE("room"), "rooms"));
    ck_assert(!phx_slice_equal(PHX_SLICE("a\0b"), PHX_SLICE("a\0c")));
    ck_assert(phx_slice_starts_with(PHX_SLICE("room:1"), "room:"));
    ck_assert(phx_slice_starts_with(empty, ""));
    ck_assert(!phx_slice_starts_with(PHX_SLICE("roo"), "room"));
}
END_TEST

START_TEST(test_appends)
{
    phx_buf_t buf = {0};
    assert_slice(phx_buf_slice(&buf), PHX_SLICE(""));
    phx_buf_append(&buf, "a\0b", 3);
    phx_buf_append_text(&buf, "cd");
    phx_buf_append_slice(&buf, phx_slice_of(NULL));
    phx_buf_append_slice(&buf, PHX_SLICE("ef"));
    phx_buf_append_byte(&buf, 0xFF);
    assert_buf(&buf, "a\0bcdef\xff");
    for (size_t i = 0; i < 100000; i++) {
        phx_buf_append_byte(&buf, (uint8_t)i);
    }
    ck_assert_uint_eq(buf.len, 100000);
    ck_assert_uint_le(buf.cap, 200000);
    for (size_t i = 0; i < buf.len; i++) {
        ck_assert_uint_eq((uint8_t)buf.data[i], (uint8_t)i);
    }
    phx_buf_free(&buf);
    ck_assert_ptr_null(buf.data);
}
END_TEST

START_TEST(test_reserve_that_cannot_be_met_keeps_the_contents)
{
    phx_buf_t buf = {0};
    phx_buf_append_text(&buf, "kept");
    ck_assert(!phx_buf_reserve(&buf, SIZE_MAX));
    ck_assert(!phx_buf_reserve(&buf, SIZE_MAX / 2));
    ck_assert(!buf.failed);
    assert_slice(phx_buf_slice(&buf), PHX_SLICE("kept"));
    ck_assert(phx_buf_reserve(&buf, 0));
    phx_buf_free(&buf);
}
END_TEST

START_TEST(test_failed_append_drops_the_contents_until_cleared)
{
    phx_buf_t buf = {0};
    phx_buf_append_text(&buf, "dropped");
    phx_buf_append(&buf, "x", SIZE_MAX);
    ck_assert(buf.failed);
    phx_buf_append_text(&buf, "ignored");
    ck_assert(!phx_buf_reserve(&buf, 1));
    ck_assert_uint_eq(buf.len, 0);
    phx_buf_clear(&buf);
    phx_buf_append_text(&buf, "again");
    assert_buf(&buf, "again");
    phx_buf_free(&buf);
}
END_TEST

START_TEST(test_every_error_says_something)
{
    for (int error = -11; error <= 1; error++) {
        ck_assert_uint_gt(strlen(phx_strerror(error)), 0);
    }
    ck_assert_str_eq(phx_strerror(1), "unknown error");
    ck_assert_str_ne(phx_strerror(PHX_EUTF8), "unknown error");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bytes");
    TCase *tcase = tcase_create("bytes");
    tcase_add_test(tcase, test_slices);
    tcase_add_test(tcase, test_appends);
    tcase_add_test(tcase, test_reserve_that_cannot_be_met_keeps_the_contents);
    tcase_add_test(tcase, test_failed_append_drops_the_contents_until_cleared);
    tcase_add_test(tcase, test_every_error_says_something);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
