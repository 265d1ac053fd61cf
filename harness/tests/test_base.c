/* SPDX-License-Identifier: MIT */
#include "base/base64.h"
#include "base/diff.h"
#include "base/files.h"
#include "base/sha1.h"
#include "base/utf8.h"
#include "net/url.h"
#include "test_util.h"

#include <string.h>

START_TEST(base64_of_rfc_4648)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        text_t out = {0}, back = {0};
        base64_encode(&out, span_of(pairs[i][0]));
        ck_assert(base64_decode(&back, text_span(&out)));
        assert_text(&out, pairs[i][1]);
        assert_text(&back, pairs[i][0]);
    }
}
END_TEST

START_TEST(base64_without_padding_and_what_is_none)
{
    text_t out = {0};
    ck_assert(base64_decode(&out, SPAN("Zm8")));
    assert_text(&out, "fo");
    static const char *const wrong[] = {"Z", "Zg=", "Zm9v=", "Zh==", "Z g=", "Zg==Zg==", "_-8="};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        text_puts(&out, "kept");
        ck_assert_msg(!base64_decode(&out, span_of(wrong[i])), "%s", wrong[i]);
        assert_text(&out, "kept");
    }
}
END_TEST

START_TEST(sha1_of_a_handshake)
{
    uint8_t digest[20];
    text_t out = {0};
    /* RFC 6455, 1.3 */
    sha1(SPAN("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), digest);
    base64_encode(&out, (span_t){(const char *)digest, sizeof digest});
    assert_text(&out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    sha1((span_t){NULL, 0}, digest);
    ck_assert_uint_eq(digest[0], 0xda);
    ck_assert_uint_eq(digest[19], 0x09);
}
END_TEST

START_TEST(utf8_at_its_borders)
{
    ck_assert(utf8_valid(SPAN("a\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf")));
    ck_assert(utf8_valid(SPAN("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
    static const char *const wrong[] = {"\x80",
                                        "\xc1\xbf",
                                        "\xc2",
                                        "\xe0\x9f\xbf",
                                        "\xed\xa0\x80",
                                        "\xf0\x8f\xbf\xbf",
                                        "\xf4\x90\x80\x80",
                                        "\xf5\x80\x80\x80",
                                        "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(!utf8_valid(span_of(wrong[i])), "%zu", i);
    }
}
END_TEST

START_TEST(text_is_shown_on_one_line)
{
    text_t out = {0};
    text_show(&out, SPAN("a\n\x00 é \xff\r\t"), 0);
    assert_text(&out, "a\\n\\x00 é \\xff\\r\\t");
    text_show(&out, SPAN("abcdef"), 3);
    assert_text(&out, "abc… (6 bytes)");
}
END_TEST

START_TEST(spans_are_split)
{
    span_t rest = SPAN("a,,b,"), piece;
    static const char *const pieces[] = {"a", "", "b", ""};
    for (size_t i = 0; i < 4; i++) {
        ck_assert(span_next(&rest, ',', &piece));
        assert_span(piece, span_of(pieces[i]));
    }
    ck_assert(!span_next(&rest, ',', &piece));
}
END_TEST

START_TEST(shell_words_are_quoted)
{
    text_t out = {0};
    text_shell_word(&out, "a/b-c");
    text_putc(&out, ' ');
    text_shell_word(&out, "it's {x} *");
    text_putc(&out, ' ');
    text_shell_word(&out, "");
    assert_text(&out, "a/b-c 'it'\\''s {x} *' ''");
}
END_TEST

START_TEST(diff_shows_what_changed)
{
    text_t out = {0};
    diff_lines(&out, SPAN("one\ntwo\nthree\n"), SPAN("one\n2\nthree\nfour\n"), "> ");
    assert_text(&out, ">   one\n> - two\n> + 2\n>   three\n> + four\n");
    diff_lines(&out, (span_t){NULL, 0}, SPAN("a"), "");
    assert_text(&out, "+ a\n");
    diff_lines(&out, SPAN("same"), SPAN("same"), "");
    assert_text(&out, "  same\n");
}
END_TEST

START_TEST(diff_shortens_what_is_common)
{
    text_t out = {0};
    diff_lines(&out, SPAN("1\n2\n3\n4\n5\n6\n7\n8\nx"), SPAN("1\n2\n3\n4\n5\n6\n7\n8\ny"), "");
    assert_text(&out, "  1\n  2\n  3\n  …\n  6\n  7\n  8\n- x\n+ y\n");
}
END_TEST

START_TEST(diff_of_long_texts_ends)
{
    text_t a = {0}, b = {0}, out = {0};
    for (int i = 0; i < 5000; i++) {
        text_printf(&a, "line %d\n", i);
        text_printf(&b, "line %d\n", i == 2500 ? -1 : i);
    }
    diff_lines(&out, text_span(&a), text_span(&b), "");
    ck_assert(strstr(out.at, "- line 2500\n+ line -1\n") != NULL);
    text_free(&a);
    text_free(&b);
    text_free(&out);
}
END_TEST

START_TEST(names_match_patterns)
{
    names_t names = {0};
    names_add_list(&names, "join.*, ,*/ws.?");
    ck_assert_uint_eq(names.len, 2);
    ck_assert(names_match(&names, "join.a/b"));
    ck_assert(names_match(&names, "x/y/ws.1"));
    ck_assert(!names_match(&names, "leave.ok"));
    names_free(&names);
}
END_TEST

START_TEST(urls)
{
    url_t url;
    text_t error = {0};
    ck_assert(url_parse("http://127.0.0.1:4000/a/", &url, &error));
    ck_assert_str_eq(url.host, "127.0.0.1");
    ck_assert_int_eq(url.port, 4000);
    ck_assert_str_eq(url.path, "/a");
    ck_assert_str_eq(url.authority, "127.0.0.1:4000");
    ck_assert(url_parse("ws://[::1]:81", &url, &error));
    ck_assert_str_eq(url.host, "::1");
    ck_assert_str_eq(url.authority, "[::1]:81");
    ck_assert(url_parse("http://localhost/", &url, &error));
    ck_assert_int_eq(url.port, 80);
    ck_assert_str_eq(url.path, "");
    static const char *const wrong[][2] = {
        {"https://a", "TLS"},   {"localhost:80", "neither"}, {"http://", "no host"},
        {"http://a:0", "port"}, {"http://a:65536", "port"},  {"http://a:8x", "port"},
        {"http://u@a", "user"}, {"http://a/?x=1", "query"},  {"http://[::1", "no host"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(!url_parse(wrong[i][0], &url, &error), "%s", wrong[i][0]);
        assert_says(&error, wrong[i][1]);
    }
}
END_TEST

TEST_MAIN("base", base64_of_rfc_4648, base64_without_padding_and_what_is_none, sha1_of_a_handshake,
          utf8_at_its_borders, text_is_shown_on_one_line, spans_are_split, shell_words_are_quoted,
          diff_shows_what_changed, diff_shortens_what_is_common, diff_of_long_texts_ends,
          names_match_patterns, urls)
