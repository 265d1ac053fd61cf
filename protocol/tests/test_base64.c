/* SPDX-License-Identifier: MIT */
#include "phx/base64.h"

#include "test_util.h"

/* RFC 4648, section 10, and bytes that need the last two digits of the alphabet. */
static const struct {
    phx_slice_t bytes;
    phx_slice_t text;
} pairs[] = {
    {{"", 0}, {"", 0}},
    {{"f", 1}, {"Zg==", 4}},
    {{"fo", 2}, {"Zm8=", 4}},
    {{"foo", 3}, {"Zm9v", 4}},
    {{"foob", 4}, {"Zm9vYg==", 8}},
    {{"fooba", 5}, {"Zm9vYmE=", 8}},
    {{"foobar", 6}, {"Zm9vYmFy", 8}},
    {{"\0\xff\xfb\xf0", 4}, {"AP/78A==", 8}},
    {{"\xfb\xef\xbe\xff\xff\xff", 6}, {"++++////", 8}},
};

START_TEST(test_vectors)
{
    const phx_slice_t bytes = pairs[_i].bytes;
    const phx_slice_t text = pairs[_i].text;
    phx_buf_t buf = {0};
    phx_buf_append_text(&buf, "-");
    phx_base64_encode(&buf, bytes);
    assert_slice(((phx_slice_t){buf.data + 1, buf.len - 1}), text);

    phx_buf_clear(&buf);
    assert_ok(phx_base64_decode(&buf, text, PHX_BASE64_PADDED));
    assert_slice(phx_buf_slice(&buf), bytes);

    phx_slice_t bare = text;
    while (bare.len > 0 && bare.data[bare.len - 1] == '=') {
        bare.len--;
    }
    phx_buf_clear(&buf);
    assert_ok(phx_base64_decode(&buf, bare, PHX_BASE64_OPTIONAL));
    assert_slice(phx_buf_slice(&buf), bytes);
    phx_buf_clear(&buf);
    assert_ok(phx_base64_decode(&buf, text, PHX_BASE64_OPTIONAL));
    assert_slice(phx_buf_slice(&buf), bytes);
    phx_buf_clear(&buf);
    assert_error(phx_base64_decode(&buf, bare, PHX_BASE64_PADDED),
                 bare.len == text.len ? PHX_OK : PHX_EBASE64);
    phx_buf_free(&buf);
}
END_TEST

static const char *const broken[] = {
    "=",     "==",    "===",      "====",     "A",    "A=",   "A==",     "A===",      "AA=",
    "AAA==", "AA=A",  "A=AA",     "=AAA",     "AAA-", "AA_A", "AA A",    "AAAA\n",    "\nAAAA",
    "AAAAA", "AAAA=", "AAAA====", "AA==AAAA", "AAé",  "?",    "[\"1\"]", "AAAAAAAA=", "AA==AA==",
};

START_TEST(test_broken)
{
    phx_buf_t buf = {0};
    phx_buf_append_text(&buf, "kept");
    assert_error(phx_base64_decode(&buf, phx_slice_of(broken[_i]), PHX_BASE64_PADDED), PHX_EBASE64);
    assert_error(phx_base64_decode(&buf, phx_slice_of(broken[_i]), PHX_BASE64_OPTIONAL), PHX_EBASE64);
    assert_buf(&buf, "kept");
    phx_buf_free(&buf);
}
END_TEST

START_TEST(test_all_bytes_in_all_places)
{
    phx_buf_t text = {0};
    phx_buf_t back = {0};
    char bytes[3 + 256];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i * 7);
    }
    for (size_t len = 0; len <= sizeof bytes; len++) {
        phx_buf_clear(&text);
        phx_buf_clear(&back);
        phx_base64_encode(&text, (phx_slice_t){bytes, len});
        assert_ok(phx_base64_decode(&back, phx_buf_slice(&text), PHX_BASE64_PADDED));
        assert_slice(phx_buf_slice(&back), ((phx_slice_t){bytes, len}));
    }
    phx_buf_free(&text);
    phx_buf_free(&back);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base64");
    TCase *tcase = tcase_create("base64");
    tcase_add_loop_test(tcase, test_vectors, 0, COUNT(pairs));
    tcase_add_loop_test(tcase, test_broken, 0, COUNT(broken));
    tcase_add_test(tcase, test_all_bytes_in_all_places);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
