/* SPDX-License-Identifier: MIT */
#include "vectors/client_impl.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct websocket {
    ws_client_t *connection; /* NULL once it has ended */
    bool close_sent;
    char *accept; /* as it must be; the connection may be gone when it is asked for */
} websocket_t;

ws_frame_t client_frame(uint8_t opcode, span_t payload)
{
    static const uint8_t mask[4] = {0x5a, 0xc3, 0x0f, 0x96};
    ws_frame_t frame = ws_frame(opcode, payload);
    memcpy(frame.mask, mask, sizeof mask);
    return frame;
}

static void send_frame(client_t *client, uint8_t opcode, span_t payload)
{
    websocket_t *websocket = client->link;
    ws_frame_t frame = client_frame(opcode, payload);
    transcript_frame_out(client->setup.transcript, client->name, client->setup.vsn, &frame);
    if (websocket->connection) {
        ws_client_send(websocket->connection, &frame, 1);
    }
}

static void on_answered(void *ctx, const http_response_t *response)
{
    client_t *client = ctx;
    websocket_t *websocket = client->link;
    entry_t *entry = transcript_handshake(client->setup.transcript, client->name, response);
    websocket->accept = mem_string(ws_client_accept_expected(websocket->connection));
    client_answered(client, response->status == 101 ? CLIENT_OPEN : CLIENT_REFUSED, entry);
}

static void on_control(client_t *client, entry_t *entry, const ws_incoming_t *incoming)
{
    websocket_t *websocket = client->link;
    if (incoming->frame.opcode == WS_CLOSE) {
        if (!websocket->close_sent) {
            websocket->close_sent = true;
            send_frame(client, WS_CLOSE, incoming->frame.payload);
        }
        client->gone = true;
        client_add_event(client, EVENT_CLOSE, entry, NULL);
        return;
    }
    if (incoming->frame.opcode == WS_PING && !websocket->close_sent) {
        send_frame(client, WS_PONG, incoming->frame.payload);
    }
    client_add_event(client, EVENT_CONTROL, entry, NULL);
}

static void on_frame(void *ctx, const ws_incoming_t *incoming)
{
    client_t *client = ctx;
    if (!client_received(client, incoming->frame.payload.len)) {
        return;
    }
    entry_t *entry = transcript_frame_in(client->setup.transcript, client->name, client->setup.vsn, incoming);
    if (incoming->faults) {
        text_t faults = {0};
        text_puts(&faults, "a frame no server may send: ");
        ws_faults_write(&faults, incoming->faults);
        client_add_event(client, EVENT_TROUBLE, entry, text_str(&faults));
        text_free(&faults);
    } else if (incoming->frame.opcode >= WS_CLOSE) {
        on_control(client, entry, incoming);
    } else if (incoming->completes && entry->has_message) {
        client_add_event(client, EVENT_MESSAGE, entry, NULL);
    } else if (incoming->completes) {
        client_add_no_message(client, entry, incoming->opcode == WS_BINARY, incoming->message);
    }
}

static void on_ended(void *ctx, ws_end_t how, const char *detail)
{
    static const char *const words[] = {[WS_END_UNREACHABLE] = "no TCP connection",
                                        [WS_END_PEER] = "the server ended the TCP connection",
                                        [WS_END_RESET] = "the server reset the TCP connection",
                                        [WS_END_BROKEN] = "what came is not the protocol"};
    client_t *client = ctx;
    websocket_t *websocket = client->link;
    text_t text = {0};
    text_puts(&text, words[how]);
    if (detail && *detail) {
        text_printf(&text, ": %s", detail);
    }
    entry_t *entry = transcript_end(client->setup.transcript, client->name, FROM_SERVER, text_str(&text));
    ws_client_free(websocket->connection);
    websocket->connection = NULL;
    client->gone = client->over = true;
    if (client->state == CLIENT_CONNECTING) {
        client_answered(client, CLIENT_REFUSED, entry);
    } else if (client->state == CLIENT_OPEN) {
        client_add_event(client, EVENT_END, entry, text_str(&text));
    }
    text_free(&text);
}

static void websocket_open(client_t *client, const client_setup_t *setup)
{
    static const ws_events_t events = {on_answered, on_frame, on_ended};
    websocket_t *websocket = mem_new(1, sizeof *websocket);
    client->link = websocket;
    ws_request_t request = {.address = setup->address,
                            .authority = setup->authority,
                            .target = setup->target,
                            .headers = setup->headers,
                            .payload_max = setup->room};
    http_request_t shown = {.method = "GET", .target = setup->target, .headers = setup->headers};
    client_note_headers(setup->transcript, transcript_request(setup->transcript, client->name, &shown),
                        &setup->headers);
    websocket->connection = ws_client_open(setup->loop, &request, &events, client);
}

static void websocket_free(client_t *client)
{
    websocket_t *websocket = client->link;
    if (websocket->connection) {
        ws_client_free(websocket->connection);
    }
    free(websocket->accept);
    free(websocket);
}

static bool websocket_send(client_t *client, const message_t *messages, size_t count, text_t *error)
{
    websocket_t *websocket = client->link;
    text_t *texts = mem_new(count, sizeof *texts);
    ws_frame_t *frames = mem_new(count, sizeof *frames);
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        bool binary;
        good = message_encode(&messages[i], client->setup.vsn, &texts[i], &binary, error);
        frames[i] = client_frame(binary ? WS_BINARY : WS_TEXT, text_span(&texts[i]));
    }
    if (good) {
        for (size_t i = 0; i < count; i++) {
            transcript_frame_out(client->setup.transcript, client->name, client->setup.vsn, &frames[i]);
        }
        if (websocket->connection) {
            ws_client_send(websocket->connection, frames, count);
        }
    }
    for (size_t i = 0; i < count; i++) {
        text_free(&texts[i]);
    }
    free(texts);
    free(frames);
    return good;
}

static void websocket_send_text(client_t *client, span_t text)
{
    send_frame(client, WS_TEXT, text);
}

/* One write for all: a fault that stands between two frames must arrive with them. */
void client_websocket_send_frames(client_t *client, const ws_frame_t *frames, size_t count)
{
    websocket_t *websocket = client->link;
    text_t bytes = {0};
    for (size_t i = 0; i < count; i++) {
        if (frames[i].opcode == CLIENT_RAW) {
            transcript_raw_out(client->setup.transcript, client->name, frames[i].payload);
            text_span_add(&bytes, frames[i].payload);
        } else {
            transcript_frame_out(client->setup.transcript, client->name, client->setup.vsn, &frames[i]);
            ws_encode(&bytes, &frames[i]);
            websocket->close_sent = websocket->close_sent || frames[i].opcode == WS_CLOSE;
        }
    }
    if (websocket->connection) {
        ws_client_send_raw(websocket->connection, text_span(&bytes));
    }
    text_free(&bytes);
}

static void websocket_close(client_t *client, unsigned code, span_t reason)
{
    websocket_t *websocket = client->link;
    text_t payload = {0};
    ws_close_payload(&payload, code, reason);
    websocket->close_sent = true;
    send_frame(client, WS_CLOSE, text_span(&payload));
    text_free(&payload);
}

static void websocket_drop(client_t *client)
{
    websocket_t *websocket = client->link;
    if (websocket->connection) {
        transcript_end(client->setup.transcript, client->name, FROM_CLIENT,
                       "the client ends TCP without a close");
        ws_client_free(websocket->connection);
        websocket->connection = NULL;
        client->over = true;
    }
}

const char *client_websocket_accept(const client_t *client)
{
    const websocket_t *websocket = client->link;
    return websocket->accept ? websocket->accept : "";
}

const client_kind_t client_websocket = {websocket_open,
                                        websocket_free,
                                        websocket_send,
                                        websocket_send_text,
                                        websocket_close,
                                        websocket_drop,
                                        NULL};
