/* SPDX-License-Identifier: MIT */
#include "net/ws_client.h"

#include "base/base64.h"
#include "base/memory.h"
#include "base/sha1.h"
#include "net/stream.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BODY_MAX = 1 << 20, PAYLOAD_MAX = 1 << 26 };

struct ws_client {
    stream_t *stream;
    const ws_events_t *events;
    void *ctx;
    http_parser_t *parser; /* until the handshake is answered */
    ws_decoder_t *decoder; /* after a 101 */
    size_t payload_max;
    text_t accept; /* what Sec-WebSocket-Accept should be */
    bool answered; /* the handshake was */
    bool over;     /* nothing more is reported: ended, refused or freed */
    bool freed;
    unsigned inside; /* callbacks that are running; the client outlives them */
};

static void release(ws_client_t *client)
{
    if (client->freed && client->inside == 0) {
        http_parser_free(client->parser);
        ws_decoder_free(client->decoder);
        text_free(&client->accept);
        free(client);
    }
}

static void report_end(ws_client_t *client, ws_end_t how, const char *detail)
{
    if (client->over) {
        return;
    }
    client->over = true;
    if (client->events->ended != NULL) {
        client->events->ended(client->ctx, how, detail);
    }
}

static void read_frames(ws_client_t *client)
{
    ws_incoming_t incoming;
    int found = 0;
    while (!client->over && (found = ws_decoder_next(client->decoder, &incoming)) == 1) {
        if (client->events->frame != NULL) {
            client->events->frame(client->ctx, &incoming);
        }
    }
    if (found < 0) {
        report_end(client, WS_END_BROKEN, ws_decoder_error(client->decoder));
    }
}

static void take_answer(ws_client_t *client, span_t rest)
{
    const http_response_t *response = http_parser_response(client->parser);
    client->answered = true;
    if (response->status == 101) {
        client->decoder = ws_decoder_new(client->payload_max);
        const char *extensions = http_headers_get(&response->headers, "sec-websocket-extensions");
        if (extensions != NULL && strstr(extensions, "permessage-deflate") != NULL) {
            ws_decoder_allow_deflate(client->decoder);
        }
        ws_decoder_feed(client->decoder, rest);
    }
    if (client->events->answered != NULL) {
        client->events->answered(client->ctx, response);
    }
    if (client->decoder != NULL) {
        read_frames(client);
    }
}

static void read_handshake(ws_client_t *client, span_t bytes)
{
    size_t used;
    switch (http_parser_feed(client->parser, bytes, &used)) {
    case HTTP_DONE:
        take_answer(client, span_from(bytes, used));
        break;
    case HTTP_BROKEN:
        report_end(client, WS_END_BROKEN, http_parser_error(client->parser));
        break;
    case HTTP_MORE:
        break;
    }
}

static void on_received(void *ctx, span_t bytes)
{
    ws_client_t *client = ctx;
    client->inside++;
    if (client->decoder != NULL) {
        ws_decoder_feed(client->decoder, bytes);
        read_frames(client);
    } else if (!client->over && !client->answered) {
        read_handshake(client, bytes);
    }
    client->inside--;
    release(client);
}

static void on_ended(void *ctx, stream_end_t how, const char *detail)
{
    ws_client_t *client = ctx;
    client->inside++;
    if (how != STREAM_UNREACHABLE && !client->answered) {
        if (http_parser_end(client->parser) == HTTP_DONE) {
            take_answer(client, (span_t){NULL, 0});
        } else {
            detail = http_parser_error(client->parser);
        }
    }
    if (client->decoder != NULL && how == STREAM_FIN && ws_decoder_pending(client->decoder) > 0) {
        report_end(client, WS_END_BROKEN, "the connection ended inside a frame");
    }
    report_end(client,
               how == STREAM_UNREACHABLE ? WS_END_UNREACHABLE
               : how == STREAM_FIN       ? WS_END_PEER
                                         : WS_END_RESET,
               detail);
    client->inside--;
    release(client);
}

static void expect_accept(ws_client_t *client, const char *key)
{
    uint8_t digest[20];
    text_t seed = {0};
    text_printf(&seed, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key); /* RFC 6455, 1.3 */
    sha1(text_span(&seed), digest);
    base64_encode(&client->accept, (span_t){(const char *)digest, sizeof digest});
    text_free(&seed);
}

static void write_request(const ws_request_t *request, const char *key, text_t *out)
{
    const struct {
        const char *name, *value;
    } own[] = {
        {"Host", request->authority},    {"Connection", "Upgrade"},  {"Upgrade", "websocket"},
        {"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", key},
    };
    text_printf(out, "GET %s HTTP/1.1\r\n", request->target);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (http_headers_get(&request->headers, own[i].name) == NULL) {
            text_printf(out, "%s: %s\r\n", own[i].name, own[i].value);
        }
    }
    for (size_t i = 0; i < request->headers.len; i++) {
        text_printf(out, "%s: %s\r\n", request->headers.at[i].name, request->headers.at[i].value);
    }
    text_puts(out, "\r\n");
}

/* 16 bytes no other connection has; RFC 6455 asks for random ones against caching proxies, which are not
 * here. */
static void make_key(const ws_client_t *client, text_t *key)
{
    uint8_t digest[20];
    text_t seed = {0};
    text_printf(&seed, "%p %llu", (const void *)client, (unsigned long long)uv_hrtime());
    sha1(text_span(&seed), digest);
    base64_encode(key, (span_t){(const char *)digest, 16});
    text_free(&seed);
}

static const stream_events_t stream_callbacks = {
    .connected = NULL, .received = on_received, .ended = on_ended};

ws_client_t *ws_client_open(uv_loop_t *loop, const ws_request_t *request, const ws_events_t *events,
                            void *ctx)
{
    ws_client_t *client = mem_new(1, sizeof *client);
    text_t key = {0}, bytes = {0};
    client->events = events;
    client->ctx = ctx;
    client->parser = http_parser_new(false, BODY_MAX);
    client->payload_max = request->payload_max > 0 ? request->payload_max : PAYLOAD_MAX;
    if (request->raw.len > 0) {
        text_puts(&key, request->raw_key ? request->raw_key : "");
        text_span_add(&bytes, request->raw);
    } else {
        const char *given = http_headers_get(&request->headers, "sec-websocket-key");
        given = given ? given : request->key;
        if (given != NULL) {
            text_puts(&key, given);
        } else {
            make_key(client, &key);
        }
        write_request(request, key.at, &bytes);
    }
    if (key.len > 0) {
        expect_accept(client, key.at);
    }
    client->stream = stream_open(loop, request->address, &stream_callbacks, client);
    stream_write(client->stream, text_span(&bytes));
    text_free(&key);
    text_free(&bytes);
    return client;
}

const char *ws_client_accept_expected(const ws_client_t *client)
{
    return text_str(&client->accept);
}

void ws_client_send(ws_client_t *client, const ws_frame_t *frames, size_t count)
{
    text_t bytes = {0};
    for (size_t i = 0; i < count; i++) {
        ws_encode(&bytes, &frames[i]);
    }
    stream_write(client->stream, text_span(&bytes));
    text_free(&bytes);
}

void ws_client_send_raw(ws_client_t *client, span_t bytes)
{
    stream_write(client->stream, bytes);
}

void ws_client_half_close(ws_client_t *client)
{
    stream_half_close(client->stream);
}

void ws_client_reset(ws_client_t *client)
{
    client->over = true;
    stream_reset(client->stream);
}

void ws_client_free(ws_client_t *client)
{
    if (client != NULL) {
        client->over = true;
        client->freed = true;
        stream_free(client->stream);
        client->stream = NULL;
        release(client);
    }
}
