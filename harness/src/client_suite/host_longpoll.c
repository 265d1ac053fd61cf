/* SPDX-License-Identifier: MIT */
/* The long-poll side of the scripted server. */
#include "client_suite/host_impl.h"

#include "base/base64.h"
#include "base/memory.h"
#include "client_suite/target_query.h"

#include <string.h>

static void answer_json(caller_t *caller, json_t *body)
{
    text_t text = {0};
    jvalue_write(&text, body);
    json_decref(body);
    caller_answer(caller, 200, text_span(&text));
    text_free(&text);
}

void longpoll_open(caller_t *caller, peer_t *peer)
{
    answer_json(caller, json_pack("{s:i s:s s:[]}", "status", 410, "token", peer->token, "messages"));
}

static void answer_poll(caller_t *caller)
{
    peer_t *peer = caller->peer;
    if (peer->lost) {
        answer_json(caller,
                    json_pack("{s:i s:s s:[]}", "status", 410, "token", "of a new session", "messages"));
    } else if (json_array_size(peer->queue) > 0) {
        json_t *queue = peer->queue;
        peer->queue = json_array();
        answer_json(caller,
                    json_pack("{s:i s:s s:o}", "status", 200, "token", peer->token, "messages", queue));
    }
}

static caller_t *waiting(const peer_t *peer, request_kind_t kind)
{
    const host_t *host = peer->host;
    for (size_t i = 0; i < host->caller_count; i++) {
        caller_t *caller = host->callers[i];
        if (caller->stream && caller->busy && caller->peer == peer && caller->kind == kind) {
            return caller;
        }
    }
    return NULL;
}

void longpoll_flush(peer_t *peer)
{
    caller_t *caller = waiting(peer, REQUEST_POLL);
    if (caller && !peer->hold[REQUEST_POLL]) {
        answer_poll(caller);
    }
}

/* One line of a POST. */
static void take_line(peer_t *peer, span_t line)
{
    host_t *host = peer->host;
    bool json = line.len > 0 && (line.at[0] == '[' || line.at[0] == '{');
    text_t bytes = {0};
    const char *wrong = NULL;
    if (json) {
        text_span_add(&bytes, line);
    } else if (line.len == 0 || host->vsn == VSN_1 || !base64_decode(&bytes, line)) {
        wrong = line.len == 0 ? "an empty line in a batch (LP-POST-07)"
                              : "a line that is neither a message nor base64 (LP-POST-06)";
        text_clear(&bytes);
        text_span_add(&bytes, line);
    }
    ws_frame_t shown = {
        .fin = true, .opcode = json || wrong ? WS_TEXT : WS_BINARY, .payload = text_span(&bytes)};
    entry_t *entry = transcript_frame_out(host->transcript, peer->name, host->vsn, &shown);
    wrong = wrong || entry->has_message ? wrong : "what came is not one message of this version";
    peer_add_event(peer, wrong ? PEER_TROUBLE : PEER_MESSAGE, entry, wrong);
    text_free(&bytes);
}

static void take_post(caller_t *caller)
{
    peer_t *peer = caller->peer;
    span_t body = text_span(&caller->request.body), line;
    if (peer->host->vsn == VSN_1) {
        take_line(peer, body);
        return;
    }
    do {
        if (!span_next(&body, '\n', &line)) {
            line = (span_t){0};
        }
        take_line(peer, line);
    } while (body.at);
}

void longpoll_request(caller_t *caller)
{
    peer_t *peer = caller->peer;
    if (caller->kind == REQUEST_POLL) {
        if (!peer->hold[REQUEST_POLL] || peer->lost) {
            answer_poll(caller);
        }
        return;
    }
    if (peer->lost) {
        caller_answer(caller, 200, SPAN("{\"status\":410}"));
        return;
    }
    take_post(caller);
    if (!peer->hold[REQUEST_POST]) {
        caller_answer(caller, 200, SPAN("{\"status\":200}"));
    }
}

void peer_send(peer_t *peer, bool binary, span_t bytes)
{
    if (peer->transport == WEBSOCKET) {
        websocket_frame_out(peer, binary ? WS_BINARY : WS_TEXT, bytes);
        return;
    }
    ws_incoming_t shown = {.frame = {.fin = true, .opcode = WS_TEXT, .payload = bytes},
                           .completes = true,
                           .opcode = WS_TEXT,
                           .message = bytes};
    transcript_frame_in(peer->host->transcript, peer->name, peer->host->vsn, &shown);
    json_array_append_new(peer->queue, jvalue_string(bytes));
    longpoll_flush(peer);
}

void peer_ask(peer_t *peer)
{
    if (peer->transport == WEBSOCKET && !peer_gone(peer)) {
        peer->pings++;
        websocket_frame_out(peer, WS_PING, (span_t){0});
    }
}

bool peer_settled(const peer_t *peer)
{
    if (peer_gone(peer)) {
        return true;
    }
    if (peer->transport == WEBSOCKET) {
        return !peer->caller || peer->pongs >= peer->pings;
    }
    return peer->hold[REQUEST_POLL] || peer_waiting(peer, REQUEST_POLL) > 0;
}

void peer_close(peer_t *peer, unsigned code, span_t reason)
{
    if (peer->transport == LONGPOLL) {
        peer->lost = true;
        caller_t *caller;
        while ((caller = waiting(peer, REQUEST_POLL))) {
            answer_poll(caller);
        }
        return;
    }
    text_t payload = {0};
    ws_close_payload(&payload, code, reason);
    peer->closing = true;
    websocket_frame_out(peer, WS_CLOSE, text_span(&payload));
    text_free(&payload);
}

void peer_hold(peer_t *peer, request_kind_t kind, bool hold)
{
    peer->hold[kind] = hold;
    if (!hold && kind == REQUEST_POLL && peer->transport == LONGPOLL) {
        longpoll_flush(peer);
    }
}

bool peer_answer(peer_t *peer, request_kind_t kind, int status, span_t body)
{
    caller_t *caller = waiting(peer, kind);
    if (caller && status == 0) {
        caller_drop(caller);
    } else if (caller) {
        caller_answer(caller, status, body);
    }
    return caller != NULL;
}

json_t *peer_asked(const peer_t *peer, request_kind_t kind)
{
    const caller_t *caller = waiting(peer, kind);
    return caller ? offer_json(caller->request.target, &caller->request.headers) : NULL;
}

size_t peer_waiting(const peer_t *peer, request_kind_t kind)
{
    const host_t *host = peer->host;
    size_t count = 0;
    for (size_t i = 0; i < host->caller_count; i++) {
        const caller_t *caller = host->callers[i];
        count += caller->stream && caller->busy && caller->peer == peer && caller->kind == kind;
    }
    return count;
}
