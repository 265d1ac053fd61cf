/* SPDX-License-Identifier: MIT */
/* The WebSocket side of the scripted server. */
#include "client_suite/host_impl.h"

#include "base/base64.h"
#include "base/sha1.h"

#include <string.h>

enum { MESSAGE_MAX = 32 << 20 };

static void write_accept(text_t *out, const char *key)
{
    text_t joined = {0};
    uint8_t digest[20];
    text_printf(&joined, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    sha1(text_span(&joined), digest);
    base64_encode(out, (span_t){(const char *)digest, sizeof digest});
    text_free(&joined);
}

void websocket_upgrade(caller_t *caller, offer_t *offer)
{
    text_t out = {0};
    text_puts(&out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: ");
    write_accept(&out, offer->key);
    text_puts(&out, offer->phoenix ? "\r\nSec-WebSocket-Protocol: phoenix\r\n\r\n" : "\r\n\r\n");
    http_response_t response = {.status = 101, .minor_version = 1};
    transcript_handshake(caller->host->transcript, caller->peer->name, &response);
    caller_write(caller, text_span(&out));
    text_free(&out);
    raw_request_free(&caller->request);
    caller->busy = false;
    caller->offer = NULL;
    caller->decoder = ws_decoder_new(MESSAGE_MAX);
    ws_decoder_feed(caller->decoder, text_span(&caller->in));
    text_clear(&caller->in);
}

/* Logs a frame of ours; `whole`: it is a whole message. */
static void log_out(peer_t *peer, const ws_frame_t *frame)
{
    bool data = frame->opcode == WS_TEXT || frame->opcode == WS_BINARY;
    ws_incoming_t shown = {
        .frame = *frame, .completes = frame->fin && data, .opcode = frame->opcode, .message = frame->payload};
    if (frame->opcode == WS_CLOSE && frame->payload.len >= 2) {
        shown.has_code = true;
        shown.code = (unsigned)(uint8_t)frame->payload.at[0] << 8 | (uint8_t)frame->payload.at[1];
    }
    transcript_frame_in(peer->host->transcript, peer->name, peer->host->vsn, &shown);
}

void websocket_frame_out(peer_t *peer, uint8_t opcode, span_t payload)
{
    if (!peer->caller || !peer->caller->stream) {
        return;
    }
    ws_frame_t frame = {.fin = true, .opcode = opcode, .payload = payload};
    text_t bytes = {0};
    ws_encode(&bytes, &frame);
    log_out(peer, &frame);
    caller_write(peer->caller, text_span(&bytes));
    text_free(&bytes);
}

static void on_close(caller_t *caller, entry_t *entry)
{
    peer_t *peer = caller->peer;
    if (peer->hold[REQUEST_CLOSE]) {
        peer->closed = true;
        peer_add_event(peer, PEER_CLOSE, entry, NULL);
        return;
    }
    if (!peer->closed && !peer->closing) {
        text_t payload = {0};
        ws_close_payload(&payload, entry->has_code ? entry->code : 0, (span_t){0});
        websocket_frame_out(peer, WS_CLOSE, text_span(&payload));
        text_free(&payload);
        peer_add_event(peer, PEER_CLOSE, entry, NULL);
    }
    peer->closed = true;
    stream_half_close(caller->stream);
}

static void take_frame(caller_t *caller, const ws_incoming_t *incoming)
{
    peer_t *peer = caller->peer;
    host_t *host = caller->host;
    host_reads_on(host);
    ws_frame_t shown = incoming->frame;
    unsigned faults = incoming->faults ^ WS_FAULT_MASKED; /* a client masks, always */
    if (incoming->completes) {
        shown = (ws_frame_t){.fin = true, .opcode = incoming->opcode, .payload = incoming->message};
    }
    entry_t *entry = transcript_frame_out(host->transcript, peer->name, host->vsn, &shown);
    if (faults) {
        text_t what = {0};
        text_puts(&what, "a frame no client may send: ");
        ws_faults_write(&what, faults & ~(unsigned)WS_FAULT_MASKED);
        text_puts(&what, faults & WS_FAULT_MASKED ? "not masked" : "");
        peer_add_event(peer, PEER_TROUBLE, entry, text_str(&what));
        text_free(&what);
    }
    if (incoming->completes) {
        peer_add_event(peer, entry->has_message ? PEER_MESSAGE : PEER_TROUBLE, entry,
                       entry->has_message ? NULL : "what came is not one message of this version");
    } else if (shown.opcode == WS_CLOSE) {
        on_close(caller, entry);
    } else if (shown.opcode == WS_PING) {
        websocket_frame_out(peer, WS_PONG, shown.payload);
    } else if (shown.opcode == WS_PONG) {
        peer->pongs++;
    }
}

void websocket_received(caller_t *caller)
{
    ws_incoming_t incoming;
    int got;
    while (caller->peer && caller->stream && (got = ws_decoder_next(caller->decoder, &incoming)) != 0) {
        if (got < 0) {
            entry_t *entry = transcript_end(caller->host->transcript, caller->peer->name, FROM_SERVER,
                                            ws_decoder_error(caller->decoder));
            peer_add_event(caller->peer, PEER_TROUBLE, entry, ws_decoder_error(caller->decoder));
            caller_drop(caller);
            return;
        }
        take_frame(caller, &incoming);
    }
}

void peer_send_raw(peer_t *peer, span_t bytes)
{
    if (peer->caller && peer->caller->stream) {
        transcript_note(peer->host->transcript, peer->name, "%zu raw bytes are sent", bytes.len);
        caller_write(peer->caller, bytes);
    }
}
