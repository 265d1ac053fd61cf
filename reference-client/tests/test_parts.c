/* SPDX-License-Identifier: MIT */
/* The small parts: timers, URLs, HTTP responses. */
#include "http_response.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

/* ---- timers ---- */

typedef struct bell {
    phxc_timer_t timer;
    rig_t *rig;
    const char *name;
    uint64_t again_ms; /* UINT64_MAX: once */
} bell_t;

static void ring(void *data)
{
    bell_t *bell = data;
    rig_line(bell->rig, "%s %u", bell->name, (unsigned)bell->rig->now);
    if (bell->again_ms != UINT64_MAX) {
        const uint64_t ms = bell->again_ms;
        bell->again_ms = UINT64_MAX;
        phxc_timer_start(&bell->rig->timers, &bell->timer, ms, ring, bell);
    }
}

START_TEST(timers_fire_in_order)
{
    rig_t rig;
    rig_start(&rig, NULL);
    bell_t bells[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}, {.name = "e"}};
    static const uint64_t delays[] = {30, 10, 20, 10, 0};
    for (size_t i = 0; i < COUNT(bells); i++) {
        bells[i].rig = &rig;
        bells[i].again_ms = i == 4 ? 0 : UINT64_MAX;
        phxc_timer_start(&rig.timers, &bells[i].timer, delays[i], ring, &bells[i]);
    }
    phxc_timer_stop(&rig.timers, &bells[2].timer);
    phxc_timer_stop(&rig.timers, &bells[2].timer);
    phxc_timer_start(&rig.timers, &bells[1].timer, 15, ring, &bells[1]); /* moves it */
    phxc_timers_run(&rig.timers);
    rig_expect(&rig, "e 1000\n"); /* what it started itself waits for the next run */
    rig_advance(&rig, 100);
    rig_expect(&rig, "e 1000\nd 1010\nb 1015\na 1030\n");
    rig_end(&rig);
}
END_TEST

/* ---- URLs ---- */

static void assert_url(const char *text, bool tls, const char *host, unsigned port, const char *target)
{
    char error[200] = "";
    phxc_url_t url;
    ck_assert_msg(phxc_url_parse(&url, text, error, sizeof error), "%s", error);
    ck_assert_int_eq(url.tls, tls);
    ck_assert_str_eq(url.host, host);
    ck_assert_uint_eq(url.port, port);
    ck_assert_str_eq(url.target, target);
    phxc_url_free(&url);
}

START_TEST(urls)
{
    assert_url("ws://h", false, "h", 80, "/");
    assert_url("wss://h/a?b", true, "h", 443, "/a?b");
    assert_url("WSS://h/", true, "h", 443, "/");
    assert_url("http://h:4000/s", false, "h", 4000, "/s");
    assert_url("https://[::1]:8443?q", true, "::1", 8443, "/?q");
    assert_url("http://[::1]/", false, "::1", 80, "/");
}
END_TEST

START_TEST(bad_urls)
{
    static const char *const texts[] = {
        "",
        "h",
        "ftp://h",
        "ws://",
        "ws:///x",
        "ws://h:",
        "ws://h:0",
        "ws://h:65536",
        "ws://h:x",
        "ws://h:1x/",
        "ws://u@h",
        "ws://h/#f",
        "ws://h/a b",
        "ws://h/\r\nX",
        "ws://h/\xc3\xa4",
        "ws://[::1",
        "ws://[::1]x/",
        "ws://[]/",
        "ws://h:123456/",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        char error[200] = "";
        phxc_url_t url;
        ck_assert_msg(!phxc_url_parse(&url, texts[i], error, sizeof error), "%s", texts[i]);
        ck_assert_msg(strlen(error) > strlen(texts[i]), "%s", error);
    }
}
END_TEST

static void assert_connection(const char *endpoint, phxc_carriage_t carriage, const char *params,
                              const char *expected)
{
    char error[200] = "";
    phxc_url_t url;
    phx_buf_t out = {0};
    ck_assert_msg(phxc_endpoint_parse(&url, endpoint, error, sizeof error), "%s", error);
    ck_assert_int_eq(phxc_endpoint_url(&url, carriage, PHX_V2, phx_slice_of(params), &out), 0);
    ck_assert_str_eq(out.data, expected);
    phx_buf_free(&out);
    phxc_url_free(&url);
}

START_TEST(connection_urls) /* WS-CONN-11, WS-CONN-12, LP-HTTP-09 */
{
    assert_connection("ws://h/s", PHXC_WEBSOCKET, "", "ws://h/s/websocket?vsn=2.0.0");
    assert_connection("ws://h/s", PHXC_LONGPOLL, "", "http://h/s/longpoll?vsn=2.0.0");
    assert_connection("https://h:444/s/", PHXC_WEBSOCKET, "", "wss://h:444/s/websocket?vsn=2.0.0");
    assert_connection("wss://h/s/websocket", PHXC_LONGPOLL, "", "https://h/s/longpoll?vsn=2.0.0");
    assert_connection("ws://h/s/longpoll", PHXC_WEBSOCKET, "", "ws://h/s/websocket?vsn=2.0.0");
    assert_connection("ws://[::1]:81", PHXC_WEBSOCKET, "{}", "ws://[::1]:81/websocket?vsn=2.0.0");
    assert_connection(
        "ws://h/s", PHXC_WEBSOCKET,
        "{\"a\":\"x y&\\u00e4\",\"n\":1.5,\"t\":true,\"nil\":null,\"m\":{\"k\":{\"l\":\"v\"},\"e\":{}},"
        "\"list\":[\"p\",2]}",
        "ws://h/s/websocket?a=x%20y%26%C3%A4&n=1.5&t=true&m%5Bk%5D%5Bl%5D=v&list%5B0%5D=p&list%5B1%5D=2"
        "&vsn=2.0.0");
}
END_TEST

START_TEST(bad_params)
{
    static const char *const texts[] = {"[1]", "7", "{", "x"};
    char error[200] = "";
    phxc_url_t url;
    ck_assert(!phxc_endpoint_parse(&url, "ws://h/s?a=b", error, sizeof error));
    ck_assert(phxc_endpoint_parse(&url, "ws://h/s", error, sizeof error));
    for (size_t i = 0; i < COUNT(texts); i++) {
        phx_buf_t out = {0};
        ck_assert_int_eq(phxc_endpoint_url(&url, PHXC_WEBSOCKET, PHX_V2, phx_slice_of(texts[i]), &out),
                         PHX_EJSON);
        phx_buf_free(&out);
    }
    phxc_url_free(&url);
}
END_TEST

/* ---- HTTP responses ---- */

/* Reads `text` in pieces of `size`; says what came of it. */
static void read_response(const char *text, size_t size, bool ends, phx_buf_t *told)
{
    phxc_response_t response = {.max_bytes = 20};
    const phx_slice_t all = phx_slice_of(text);
    phxc_progress_t progress = PHXC_HTTP_MORE;
    size_t at = 0;
    guard_t guard = guard_new(size);
    while (at < all.len && progress == PHXC_HTTP_MORE) {
        const size_t len = all.len - at < size ? all.len - at : size;
        size_t used = 0;
        progress = phxc_response_feed(&response, guard_put(&guard, (phx_slice_t){all.data + at, len}), &used);
        ck_assert(used == len || progress != PHXC_HTTP_MORE);
        at += used;
    }
    if (ends && progress == PHXC_HTTP_MORE) {
        progress = phxc_response_end(&response);
    }
    char line[200];
    static const char *const names[] = {"more", "done", "broken"};
    (void)snprintf(line, sizeof line, "%s %d %.*s", names[progress],
                   progress == PHXC_HTTP_DONE ? response.status : 0,
                   progress == PHXC_HTTP_DONE ? (int)response.body.len : 0,
                   response.body.data != NULL ? response.body.data : "");
    phx_buf_append_text(told, line);
    if (progress == PHXC_HTTP_DONE && at < all.len) {
        phx_buf_append_text(told, "|");
        phx_buf_append(told, all.data + at, all.len - at);
    }
    if (progress == PHXC_HTTP_BROKEN) {
        ck_assert_ptr_nonnull(response.error);
    }
    guard_free(&guard);
    phxc_response_free(&response);
}

static void assert_response(const char *text, bool ends, const char *expected)
{
    static const size_t sizes[] = {1, 2, 7, 4096};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        phx_buf_t told = {0};
        read_response(text, sizes[i], ends, &told);
        assert_slice(phx_buf_slice(&told), phx_slice_of(expected));
        phx_buf_free(&told);
    }
}

START_TEST(responses)
{
    assert_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, "done 200 hello");
    assert_response("HTTP/1.1 200 OK\nContent-Length:5\n\nhelloX", false, "done 200 hello|X");
    assert_response("HTTP/1.0 404 \r\ncontent-length: 0\r\n\r\n", false, "done 404 ");
    assert_response("HTTP/1.1 200\r\n\r\nto the end", true, "done 200 to the end");
    assert_response("HTTP/1.1 200\r\n\r\nto the end", false, "more 0 ");
    assert_response("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
                    false, "done 204 ");
    assert_response("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81", false, "done 101 |\x81");
    assert_response(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5\r\nhello\r\nA;x=\"y\"\r\n0123456789\r\n"
        "0\r\nTrailer: t\r\n\r\n",
        false, "done 200 hello0123456789");
    assert_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, "done 200 ");
}
END_TEST

START_TEST(bad_responses)
{
    assert_response("SSH-2.0-OpenSSH\r\n\r\n", false, "broken 0 ");
    assert_response("HTTP/2 200\r\n\r\n", false, "broken 0 ");
    assert_response("HTTP/1.1 20x OK\r\n\r\n", false, "broken 0 ");
    assert_response("HTTP/1.1 099 OK\r\n\r\n", false, "broken 0 ");
    assert_response("\r\n\r\n", false, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n", false, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", false, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\n\r\n0123456789012345678901234", true, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", false, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", false, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab", false, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", false,
                    "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n15\r\n012345678901234567890\r\n",
                    false, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true, "broken 0 ");
    assert_response("HTTP/1.1 200 OK\r\nA: b", true, "broken 0 ");
}
END_TEST

START_TEST(an_endless_head)
{
    phxc_response_t response = {.max_bytes = 20};
    const phx_slice_t piece = PHX_SLICE("X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
    size_t used;
    int pieces = 0;
    ck_assert_int_eq(phxc_response_feed(&response, PHX_SLICE("HTTP/1.1 200 OK\r\n"), &used), PHXC_HTTP_MORE);
    while (phxc_response_feed(&response, piece, &used) == PHXC_HTTP_MORE) {
        ck_assert_int_lt(++pieces, 2000);
    }
    phxc_response_free(&response);
}
END_TEST

START_TEST(headers_of_a_response)
{
    phxc_response_t response = {.max_bytes = 20};
    const phx_slice_t text =
        PHX_SLICE("HTTP/1.1 101 X\r\nUPGRADE:\t WebSocket \r\nConnection: keep-alive , upgrade\r\n"
                  "Empty:\r\nno colon\r\n\r\n");
    size_t used;
    phx_slice_t value;
    ck_assert_int_eq(phxc_response_feed(&response, text, &used), PHXC_HTTP_DONE);
    ck_assert(phxc_response_header(&response, "upgrade", &value));
    assert_slice(value, PHX_SLICE("WebSocket"));
    ck_assert(phxc_response_header(&response, "empty", &value));
    assert_slice(value, PHX_SLICE(""));
    ck_assert(!phxc_response_header(&response, "HTTP/1.1 101 X", &value));
    ck_assert(phxc_response_has_token(&response, "connection", "Upgrade"));
    ck_assert(phxc_response_has_token(&response, "connection", "keep-alive"));
    ck_assert(!phxc_response_has_token(&response, "connection", "keep"));
    ck_assert(!phxc_response_has_token(&response, "nothing", "x"));
    phxc_response_free(&response);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        timers_fire_in_order,
        urls,
        bad_urls,
        connection_urls,
        bad_params,
        responses,
        bad_responses,
        an_endless_head,
        headers_of_a_response,
    };
    TCase *tcase = tcase_create("parts");
    for (size_t i = 0; i < COUNT(tests); i++) {
        tcase_add_test(tcase, tests[i]);
    }
    Suite *suite = suite_create("parts");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
