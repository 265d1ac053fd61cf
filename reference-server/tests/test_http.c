/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <stdio.h>
#include <string.h>

#include "test_util.h"

static const http_limits_t LIMITS = {.max_head_bytes = 300, .max_headers = 8, .max_body_bytes = 20};

/* ---- what the parser makes of its input, as text ---- */

static void tell_request(phx_buf_t *told, const http_parser_t *parser)
{
    const http_request_t *request = http_parser_request(parser);
    char line[60];
    (void)snprintf(line, sizeof line, " 1.%d %s%s", request->minor_version,
                   request->keep_alive ? "keep" : "close", http_parser_too_large(parser) ? " large" : "");
    phx_buf_append_slice(told, request->method);
    phx_buf_append_text(told, " ");
    phx_buf_append_slice(told, request->path);
    phx_buf_append_text(told, "?");
    phx_buf_append_slice(told, request->query);
    phx_buf_append_text(told, line);
    for (size_t i = 0; i < request->header_count; i++) {
        if (phx_slice_equals(request->headers[i].name, "host")) {
            continue;
        }
        phx_buf_append_text(told, " ");
        phx_buf_append_slice(told, request->headers[i].name);
        phx_buf_append_text(told, "=");
        phx_buf_append_slice(told, request->headers[i].value);
    }
    phx_buf_append_text(told, " [");
    phx_buf_append_slice(told, request->body);
    phx_buf_append_text(told, "];");
}

/* Feeds one piece from memory that ends where it ends. Returns false when the parser is broken. */
static bool feed(http_parser_t *parser, const guard_t *guard, phx_slice_t piece, phx_buf_t *told)
{
    phx_slice_t rest = guard_put(guard, piece);
    for (;;) {
        size_t used = 0;
        const http_progress_t progress = http_parser_feed(parser, rest, &used);
        ck_assert_uint_le(used, rest.len);
        rest.data += used;
        rest.len -= used;
        char line[40];
        switch (progress) {
        case HTTP_MORE:
            ck_assert_uint_eq(rest.len, 0);
            return true;
        case HTTP_HEAD:
            phx_buf_append_text(told, http_parser_too_large(parser) ? "head large;" : "head;");
            ck_assert_uint_eq(http_parser_request(parser)->body.len, 0);
            break;
        case HTTP_TOO_LARGE:
            phx_buf_append_text(told, "too large;");
            break;
        case HTTP_COMPLETE:
            tell_request(told, parser);
            ck_assert_int_eq(http_parser_feed(parser, rest, &used), HTTP_COMPLETE);
            ck_assert_uint_eq(used, 0);
            http_parser_next(parser);
            ck_assert(http_parser_idle(parser));
            break;
        case HTTP_BROKEN:
            (void)snprintf(line, sizeof line, "broken %d;", http_parser_status(parser));
            phx_buf_append_text(told, line);
            ck_assert_int_eq(http_parser_feed(parser, rest, &used), HTTP_BROKEN);
            return false;
        }
    }
}

/* Pieces of `first` bytes, then of `step` bytes each. */
static phx_buf_t read_in_pieces(const http_limits_t *limits, phx_slice_t input, size_t first, size_t step)
{
    guard_t guard = guard_new(input.len + 1);
    http_parser_t *parser = http_parser_new(limits);
    phx_buf_t told = {0};
    bool going = feed(parser, &guard, (phx_slice_t){input.data, first}, &told);
    for (size_t at = first; going && at < input.len; at += step) {
        const size_t len = step < input.len - at ? step : input.len - at;
        going = feed(parser, &guard, (phx_slice_t){input.data + at, len}, &told);
    }
    http_parser_free(parser);
    guard_free(&guard);
    return told;
}

static void assert_read_in_pieces(const http_limits_t *limits, phx_slice_t input, size_t first, size_t step,
                                  const char *expected)
{
    phx_buf_t told = read_in_pieces(limits, input, first, step);
    if (!phx_slice_equals(phx_buf_slice(&told), expected)) {
        ck_abort_msg("%s\ncut after %zu, then every %zu: got %s, expected %s", printable(input), first, step,
                     printable(phx_buf_slice(&told)), expected);
    }
    phx_buf_free(&told);
}

/* Whole, byte by byte and cut in two at every place. */
static void assert_read(phx_slice_t input, const char *expected)
{
    assert_read_in_pieces(&LIMITS, input, 0, 1, expected);
    for (size_t cut = 0; cut <= input.len; cut++) {
        assert_read_in_pieces(&LIMITS, input, cut, input.len + 1, expected);
    }
}

typedef struct sample {
    const char *input;
    const char *expected;
} sample_t;

static void assert_samples(const sample_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_read(phx_slice_of(samples[i].input), samples[i].expected);
    }
}

#define ASSERT_SAMPLES(samples) assert_samples(samples, COUNT(samples))

/* ---- requests ---- */

#define HOST "Host: h\r\n"

START_TEST(heads)
{
    static const sample_t samples[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", "GET /? 1.1 keep [];"},
        {"GET / HTTP/1.1\n" HOST "\n", "GET /? 1.1 keep [];"},
        {"\r\n\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "GET /? 1.1 keep [];"},
        {"GET /a/b?c=d?e&f HTTP/1.1\r\n" HOST "\r\n", "GET /a/b?c=d?e&f 1.1 keep [];"},
        {"GET http://x:1/a?b HTTP/1.1\r\n" HOST "\r\n", "GET /a?b 1.1 keep [];"},
        {"GET HTTP://x HTTP/1.1\r\n" HOST "\r\n", "GET /? 1.1 keep [];"},
        {"GET https://x?b HTTP/1.1\r\n" HOST "\r\n", "GET /?b 1.1 keep [];"},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS *? 1.1 keep [];"},
        {"CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n", "CONNECT h:80? 1.1 keep [];"},
        {"GET / HTTP/1.0\r\n\r\n", "GET /? 1.0 close [];"},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET /? 1.0 keep connection=Keep-Alive [];"},
        {"GET / HTTP/1.1\r\n" HOST "connection: x, CLOSE\r\n\r\n",
         "GET /? 1.1 close connection=x, CLOSE [];"},
        {"GET / HTTP/1.1\r\n" HOST "X-A_b: \t v  w\t \r\nE:\r\n\r\n", "GET /? 1.1 keep x-a_b=v  w e= [];"},
        {"GET / HTTP/1.1\r\n" HOST "n: \xc3\xa9\r\n\r\n", "GET /? 1.1 keep n=\xc3\xa9 [];"},
        {"DELETE / HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n",
         "DELETE /? 1.1 keep [];GET /2? 1.1 keep [];"},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "POST /? 1.1 keep content-length=0 [];"},
    };
    ASSERT_SAMPLES(samples);
}
END_TEST

START_TEST(broken_heads)
{
    static const sample_t samples[] = {
        {"GET /\r\n\r\n", "broken 400;"},
        {"GET / HTTP/1.1 \r\n" HOST "\r\n", "broken 400;"},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", "broken 400;"},
        {" GET / HTTP/1.1\r\n" HOST "\r\n", "broken 400;"},
        {"G@T / HTTP/1.1\r\n" HOST "\r\n", "broken 400;"},
        {"GET x HTTP/1.1\r\n" HOST "\r\n", "broken 400;"},
        {"GET http:/// HTTP/1.1\r\n" HOST "\r\n", "broken 400;"},
        {"GET http://?x HTTP/1.1\r\n" HOST "\r\n", "broken 400;"},
        {"GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", "broken 400;"},
        {"GET /#f HTTP/1.1\r\n" HOST "\r\n", "broken 400;"},
        {"GET / HTTP/1\r\n" HOST "\r\n", "broken 400;"},
        {"GET / http/1.1\r\n" HOST "\r\n", "broken 400;"},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", "broken 505;"},
        {"GET / HTTP/1.2\r\n" HOST "\r\n", "broken 505;"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "broken 505;"},
        {"GET / HTTP/1.1\r\n\r\n", "broken 400;"}, /* no Host */
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", "broken 400;"},
        {"GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", "broken 400;"},
        {"GET / HTTP/1.1\r\n" HOST "\tfolded: x\r\n\r\n", "broken 400;"},
        {"GET / HTTP/1.1\r\n" HOST "a : b\r\n\r\n", "broken 400;"},
        {"GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", "broken 400;"},
        {"GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n", "broken 400;"},
        {"GET / HTTP/1.1\r\n" HOST "a: b\rc\r\n\r\n", "broken 400;"},
        {"GET / HTTP/1.1\r\n" HOST "a: b\x01\r\n\r\n", "broken 400;"},
        {"GET / HTTP/1.1\r\n" HOST "a: b\x7f\r\n\r\n", "broken 400;"},
        {"\x16\x03\x01\x02", "broken 400;"}, /* TLS: at once, not at the end of a line that never comes */
    };
    ASSERT_SAMPLES(samples);
    assert_read(PHX_SLICE("GET / HTTP/1.1\r\n" HOST "a: b\0c\r\n\r\n"), "broken 400;");
}
END_TEST

START_TEST(bodies_by_length)
{
    static const sample_t samples[] = {
        {"POST / HTTP/1.1\r\n" HOST "content-length: 5\r\n\r\nhello",
         "head;POST /? 1.1 keep content-length=5 [hello];"},
        {"POST / HTTP/1.1\r\n" HOST "content-length:\t005 \r\n\r\nhelloGET /next HTTP/1.1\r\n" HOST "\r\n",
         "head;POST /? 1.1 keep content-length=005 [hello];GET /next? 1.1 keep [];"},
        {"POST / HTTP/1.1\r\n" HOST "content-length: 21\r\n\r\n012345678901234567890GET / HTTP/1.0\n\n",
         "head large;too large;POST /? 1.1 keep large content-length=21 [];GET /? 1.0 close [];"},
        {"POST / HTTP/1.0\r\ncontent-length: 2\r\n\r\nab", "head;POST /? 1.0 close content-length=2 [ab];"},
        {"POST / HTTP/1.1\r\n" HOST "content-length: 5, 5\r\n\r\nhello", "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "content-length: 5\r\ncontent-length: 5\r\n\r\nhello", "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "content-length: 5\r\ncontent-length: 6\r\n\r\nhello", "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
         "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n0\r\n\r\n",
         "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "content-length:\r\n\r\n", "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "content-length: -1\r\n\r\n", "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "content-length: +1\r\n\r\n", "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "content-length: 0x1\r\n\r\n", "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "content-length: 18446744073709551616\r\n\r\n", "broken 413;"},
        {"POST / HTTP/1.1\r\n" HOST "content-length: 18446744073709551615\r\n\r\nxx",
         "head large;too large;"},
    };
    ASSERT_SAMPLES(samples);
}
END_TEST

#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
#define CHUNKED_TOLD "POST /? 1.1 keep transfer-encoding=Chunked "
#define CHUNKED_LARGE_TOLD "POST /? 1.1 keep large transfer-encoding=Chunked "

START_TEST(chunked_bodies)
{
    static const sample_t samples[] = {
        {CHUNKED "0\r\n\r\n", "head;" CHUNKED_TOLD "[];"},
        {CHUNKED "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "head;" CHUNKED_TOLD "[hello world];"},
        {CHUNKED "5\nhello\n0\n\n", "head;" CHUNKED_TOLD "[hello];"},
        {CHUNKED "00A;x=\"y\"\r\n0123456789\r\n000 ; a\r\n\r\n", "head;" CHUNKED_TOLD "[0123456789];"},
        {CHUNKED "1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", "head;" CHUNKED_TOLD "[\r\n];"},
        {CHUNKED "1\r\na\r\n0\r\nX-T: v\r\nY:\r\n\r\nGET / HTTP/1.0\n\n",
         "head;" CHUNKED_TOLD "[a];GET /? 1.0 close [];"},
        {CHUNKED "14\r\n01234567890123456789\r\n0\r\n\r\n", "head;" CHUNKED_TOLD "[01234567890123456789];"},
        {CHUNKED "a\r\n0123456789\r\nb\r\n01234567890\r\n1\r\n-\r\n0\r\n\r\nGET / HTTP/1.0\n\n",
         "head;too large;" CHUNKED_LARGE_TOLD "[];GET /? 1.0 close [];"},
        {CHUNKED "ffffffffffffffff\r\nabc", "head;too large;"},
        {CHUNKED "00000000000000001\r\na", "head;broken 413;"},
        {CHUNKED "\r\n", "head;broken 400;"},
        {CHUNKED "g\r\n", "head;broken 400;"},
        {CHUNKED ";x\r\n", "head;broken 400;"},
        {CHUNKED "0x5\r\n", "head;broken 400;"},
        {CHUNKED "-5\r\n", "head;broken 400;"},
        {CHUNKED "1\r2\r\n", "head;broken 400;"},
        {CHUNKED "2;a\x01\r\n", "head;broken 400;"},
        {CHUNKED "1\r\nab", "head;broken 400;"},
        {CHUNKED "0\r\n: v\r\n\r\n", "head;broken 400;"},
        {CHUNKED "0\r\nx\r\n\r\n", "head;broken 400;"},
        {CHUNKED "0\r\nx: y\r\n folded\r\n\r\n", "head;broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: gzip\r\n\r\n", "broken 501;"},
        {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: gzip, chunked\r\n\r\n", "broken 501;"},
        {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: chunked, gzip\r\n\r\n", "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: chunked, chunked\r\n\r\n", "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "transfer-encoding:\r\n\r\n", "broken 400;"},
        {"POST / HTTP/1.1\r\n" HOST "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
         "broken 400;"},
        {"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "broken 400;"},
    };
    ASSERT_SAMPLES(samples);
}
END_TEST

/* ---- limits ---- */

static void append_fill(phx_buf_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        phx_buf_append_byte(out, 'x');
    }
}

START_TEST(size_of_the_head)
{
    const char *begin = "GET / HTTP/1.1\r\n" HOST "a: ";
    const size_t fill = LIMITS.max_head_bytes - strlen(begin) - 4;
    for (size_t over = 0; over < 2; over++) {
        phx_buf_t input = {0};
        phx_buf_append_text(&input, begin);
        append_fill(&input, fill + over);
        phx_buf_append_text(&input, "\r\n\r\n");
        phx_buf_t told = read_in_pieces(&LIMITS, phx_buf_slice(&input), 10, 7);
        ck_assert_int_eq(phx_slice_equals(phx_buf_slice(&told), "broken 431;"), over == 1);
        phx_buf_free(&told);
        phx_buf_free(&input);
    }

    phx_buf_t input = {0};
    phx_buf_append_text(&input, "GET /");
    append_fill(&input, LIMITS.max_head_bytes);
    assert_read(phx_buf_slice(&input), "broken 414;");
    phx_buf_clear(&input);
    for (size_t i = 0; i <= LIMITS.max_head_bytes; i++) {
        phx_buf_append_byte(&input, '\n');
    }
    assert_read(phx_buf_slice(&input), "broken 400;"); /* no request ever begins */
    phx_buf_free(&input);
}
END_TEST

START_TEST(number_of_headers)
{
    for (size_t count = 8; count <= 9; count++) {
        phx_buf_t input = {0};
        phx_buf_append_text(&input, "GET / HTTP/1.1\r\n" HOST);
        for (size_t i = 1; i < count; i++) {
            phx_buf_append_text(&input, "a: b\r\n");
        }
        phx_buf_append_text(&input, "\r\n");
        assert_read(phx_buf_slice(&input),
                    count == 8 ? "GET /? 1.1 keep a=b a=b a=b a=b a=b a=b a=b [];" : "broken 431;");
        phx_buf_free(&input);
    }
}
END_TEST

START_TEST(size_of_extensions_and_trailers)
{
    static const char *const begins[] = {CHUNKED "1;", CHUNKED "0\r\na:", CHUNKED "0\r\n"};
    for (size_t i = 0; i < COUNT(begins); i++) {
        phx_buf_t input = {0};
        phx_buf_append_text(&input, begins[i]);
        append_fill(&input, LIMITS.max_head_bytes + 1);
        phx_buf_t told = read_in_pieces(&LIMITS, phx_buf_slice(&input), 5, 11);
        assert_slice(phx_buf_slice(&told), PHX_SLICE("head;broken 431;"));
        phx_buf_free(&told);
        phx_buf_free(&input);
    }
}
END_TEST

START_TEST(many_small_chunks)
{
    enum { CHUNKS = 5000 };
    const http_limits_t limits = {.max_head_bytes = 300, .max_headers = 8, .max_body_bytes = CHUNKS};
    phx_buf_t input = {0};
    phx_buf_append_text(&input, CHUNKED);
    for (int i = 0; i < CHUNKS; i++) {
        phx_buf_append_text(&input, "1\r\nx\r\n");
    }
    phx_buf_append_text(&input, "0\r\n\r\n");
    phx_buf_t told = read_in_pieces(&limits, phx_buf_slice(&input), 0, 1000);
    ck_assert_uint_eq(told.len, strlen("head;" CHUNKED_TOLD "[];") + CHUNKS);
    phx_buf_free(&told);
    phx_buf_free(&input);
}
END_TEST

START_TEST(idle_between_requests)
{
    http_parser_t *parser = http_parser_new(&LIMITS);
    size_t used;
    ck_assert(http_parser_idle(parser));
    ck_assert_int_eq(http_parser_feed(parser, PHX_SLICE("\r\n"), &used), HTTP_MORE);
    ck_assert(http_parser_idle(parser));
    ck_assert_int_eq(http_parser_feed(parser, PHX_SLICE("G"), &used), HTTP_MORE);
    ck_assert(!http_parser_idle(parser));
    ck_assert_int_eq(http_parser_feed(parser, PHX_SLICE("ET / HTTP/1.0\n\n"), &used), HTTP_COMPLETE);
    ck_assert(!http_parser_idle(parser));
    http_parser_next(parser);
    ck_assert(http_parser_idle(parser));
    http_parser_free(parser);
    http_parser_free(NULL);
}
END_TEST

/* ---- headers and lists ---- */

START_TEST(header_access)
{
    http_parser_t *parser = http_parser_new(&LIMITS);
    size_t used;
    const phx_slice_t input =
        PHX_SLICE("GET / HTTP/1.1\r\nA: 1\r\nHOST: h\r\nb: x\r\na: 2\r\nA:\r\n\r\nrest");
    ck_assert_int_eq(http_parser_feed(parser, input, &used), HTTP_COMPLETE);
    ck_assert_uint_eq(used, input.len - 4);
    const http_request_t *request = http_parser_request(parser);
    assert_slice(http_request_header(request, "a")->value, PHX_SLICE("1"));
    assert_slice(http_request_header(request, "host")->value, PHX_SLICE("h"));
    ck_assert_ptr_null(http_request_header(request, "c"));
    phx_buf_t out = {0};
    ck_assert_uint_eq(http_request_header_values(request, "a", &out), 3);
    assert_buf(&out, "1, 2, ");
    ck_assert_uint_eq(http_request_header_values(request, "b", &out), 1);
    assert_buf(&out, "x");
    ck_assert_uint_eq(http_request_header_values(request, "c", &out), 0);
    assert_buf(&out, "");
    phx_buf_free(&out);
    http_parser_free(parser);
}
END_TEST

START_TEST(lists)
{
    ck_assert(http_list_has_token(PHX_SLICE("keep-alive, Upgrade"), "upgrade")); /* WS-CONN-05 */
    ck_assert(http_list_has_token(PHX_SLICE("UPGRADE"), "upgrade"));
    ck_assert(http_list_has_token(PHX_SLICE(",\t ,x ,  upgrade\t,"), "upgrade"));
    ck_assert(!http_list_has_token(PHX_SLICE("upgrade2, up grade, xupgrade"), "upgrade"));
    ck_assert(!http_list_has_token(PHX_SLICE(""), "upgrade"));
    ck_assert(!http_list_has_token((phx_slice_t){0}, "upgrade"));
    size_t cursor = 0;
    phx_slice_t element;
    const phx_slice_t list = PHX_SLICE(" phoenix ,, base64url.bearer.phx.abc,");
    ck_assert(http_list_next(list, &cursor, &element));
    assert_slice(element, PHX_SLICE("phoenix"));
    ck_assert(http_list_next(list, &cursor, &element));
    assert_slice(element, PHX_SLICE("base64url.bearer.phx.abc"));
    ck_assert(!http_list_next(list, &cursor, &element));
    ck_assert(!http_list_next(list, &cursor, &element));
}
END_TEST

/* ---- answers ---- */

START_TEST(responses)
{
    phx_buf_t out = {0};
    http_response_begin(&out, 200);
    ck_assert(phx_slice_starts_with(phx_buf_slice(&out), "HTTP/1.1 200 OK\r\ndate: "));
    int day, year, hour, minute, second;
    char weekday[4], month[4], zone[4];
    ck_assert_int_eq(sscanf(out.data + strlen("HTTP/1.1 200 OK\r\ndate: "),
                            "%3s, %2d %3s %4d %2d:%2d:%2d %3s", weekday, &day, month, &year, &hour, &minute,
                            &second, zone),
                     8);
    ck_assert_str_eq(zone, "GMT");
    ck_assert_int_ge(year, 2024);
    phx_buf_clear(&out);
    http_response_header(&out, "x-a", PHX_SLICE("b"));
    http_response_finish(&out, PHX_SLICE("body"), true, false);
    assert_buf(&out, "x-a: b\r\ncontent-length: 4\r\n\r\nbody");
    http_response_finish(&out, PHX_SLICE("body"), false, true);
    assert_buf(&out, "content-length: 4\r\nconnection: close\r\n\r\n");
    http_response_begin(&out, 799);
    ck_assert(phx_slice_starts_with(phx_buf_slice(&out), "HTTP/1.1 799 \r\n"));
    phx_buf_free(&out);
}
END_TEST

/* ---- anything at all ---- */

/* Sound requests with some bytes changed: never a crash, and never another reading when cut elsewhere. */
START_TEST(mutations)
{
    static const char *const seeds[] = {
        "GET /a?b HTTP/1.1\r\n" HOST "a: b\r\n\r\nPOST / HTTP/1.1\r\n" HOST "content-length: 3\r\n\r\nabcGET",
        CHUNKED "5;x=y\r\nhello\r\n0\r\nt: u\r\n\r\n" CHUNKED "15\r\n012345678901234567890\r\n0\r\n\r\n",
        "\r\nPOST http://a/ HTTP/1.0\nconnection: keep-alive, close\ncontent-length: 2\n\nab\n\n",
    };
    static const char letters[] = "\r\n\t :;,0123456789abcdefGHTP/1.\x7f\xff";
    rng_t rng = rng_new();
    for (int round = 0; round < 5000; round++) {
        phx_buf_t input = {0};
        phx_buf_append_text(&input, seeds[rng_below(&rng, COUNT(seeds))]);
        for (size_t changes = rng_below(&rng, 4); changes > 0; changes--) {
            input.data[rng_below(&rng, input.len)] = letters[rng_below(&rng, sizeof letters)];
        }
        const phx_slice_t bytes = phx_buf_slice(&input);
        phx_buf_t whole = read_in_pieces(&LIMITS, bytes, bytes.len, 1);
        phx_buf_t cut = read_in_pieces(&LIMITS, bytes, rng_below(&rng, bytes.len), 1 + rng_below(&rng, 20));
        assert_slice(phx_buf_slice(&cut), phx_buf_slice(&whole));
        phx_buf_free(&whole);
        phx_buf_free(&cut);
        phx_buf_free(&input);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("http");
    tcase_add_test(tcase, heads);
    tcase_add_test(tcase, broken_heads);
    tcase_add_test(tcase, bodies_by_length);
    tcase_add_test(tcase, chunked_bodies);
    tcase_add_test(tcase, size_of_the_head);
    tcase_add_test(tcase, number_of_headers);
    tcase_add_test(tcase, size_of_extensions_and_trailers);
    tcase_add_test(tcase, many_small_chunks);
    tcase_add_test(tcase, idle_between_requests);
    tcase_add_test(tcase, header_access);
    tcase_add_test(tcase, lists);
    tcase_add_test(tcase, responses);
    tcase_add_test(tcase, mutations);
    tcase_set_timeout(tcase, 20);
    Suite *suite = suite_create("http");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
