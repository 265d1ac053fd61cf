/* SPDX-License-Identifier: MIT */
/*
 * The HTTP parser: where the input is cut makes no difference; and the checks of a handshake on what it
 * reads. Input: a byte for the size of the pieces; then what a client sends on one connection.
 */
#include "connect_info.h"
#include "fuzz.h"
#include "handshake.h"
#include "http.h"

static const http_limits_t LIMITS = {.max_head_bytes = 4096, .max_headers = 20, .max_body_bytes = 1000};
static const char *const ORIGINS[] = {"//localhost", "https://*.example.com:8443", "http://[::1]", NULL};
static const char *const SUBPROTOCOLS[] = {"conf.a", "phoenix", NULL};

/* Hands the request to whoever looks at its headers. */
static void shake_hands(const http_request_t *request)
{
    phxs_mount_config_t config = {.check_origin = true};
    for (int i = 0; i < 4; i++) {
        subprotocol_t subprotocol = {0};
        config.origins = i & 1 ? ORIGINS : NULL;
        config.subprotocols = i & 1 ? SUBPROTOCOLS : NULL;
        config.auth_token = i & 2;
        config.same_connection = i == 2;
        (void)handshake_origin_allowed(&config, request, i & 2);
        (void)handshake_subprotocol(&config, request, &subprotocol);
        phx_buf_free(&subprotocol.token);
    }
    (void)handshake_upgrade_error(request);
    connect_info_t info;
    (void)connect_info_init(&info, request);
    connect_info_free(&info);
}

static void put_number(phx_buf_t *log, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu,", (unsigned long long)number);
    phx_buf_append_text(log, text);
}

static void put_slice(phx_buf_t *log, phx_slice_t slice)
{
    put_number(log, slice.len);
    phx_buf_append_slice(log, slice);
}

static void put_request(phx_buf_t *log, const http_request_t *request, bool too_large)
{
    put_slice(log, request->method);
    put_slice(log, request->path);
    put_slice(log, request->query);
    for (size_t i = 0; i < request->header_count; i++) {
        put_slice(log, request->headers[i].name);
        put_slice(log, request->headers[i].value);
    }
    put_slice(log, request->body);
    put_number(log, request->keep_alive);
    put_number(log, too_large);
    MUST(request->header_count <= LIMITS.max_headers && request->body.len <= LIMITS.max_body_bytes);
}

/* Writes down what the parser makes of the input, given `step` bytes at a time. */
static void parse(phx_slice_t input, size_t step, bool look, phx_buf_t *log)
{
    http_parser_t *parser = http_parser_new(&LIMITS);
    size_t at = 0;
    http_progress_t progress = HTTP_MORE;
    MUST(parser != NULL);
    while (progress != HTTP_BROKEN && (at < input.len || progress != HTTP_MORE)) {
        const size_t left = input.len - at;
        size_t used = 0;
        progress = http_parser_feed(parser, (phx_slice_t){input.data + at, left < step ? left : step}, &used);
        MUST(used <= left);
        at += used;
        if (progress == HTTP_MORE) {
            continue;
        }
        put_number(log, progress);
        if (progress == HTTP_BROKEN) {
            put_number(log, (uint64_t)http_parser_status(parser));
        } else if (progress == HTTP_COMPLETE) {
            put_request(log, http_parser_request(parser), http_parser_too_large(parser));
            if (look) {
                shake_hands(http_parser_request(parser));
            }
            http_parser_next(parser);
            progress = HTTP_MORE;
        }
    }
    http_parser_free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    phx_slice_t input = {(const char *)data, size};
    const size_t step = 1 + fuzz_byte(&input) % 50;
    phx_buf_t whole = {0};
    phx_buf_t pieces = {0};
    parse(input, SIZE_MAX, true, &whole);
    parse(input, step, false, &pieces);
    MUST(phx_slice_equal(phx_buf_slice(&whole), phx_buf_slice(&pieces)));
    phx_buf_free(&whole);
    phx_buf_free(&pieces);
    return 0;
}
