/* SPDX-License-Identifier: MIT */
#include "websocket.h"

#include "http_request.h"
#include "http_response.h"
#include "stream.h"
#include "ws_frame.h"

#include "phx/base64.h"
#include "phx/json.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLOSE_NO_CODE = 1005,
    CLOSE_ABNORMAL = 1006,
    CLOSE_TOO_BIG = 1009,
    CLOSE_MS = 3000, /* for the peer's Close */
    MAX_REFUSAL_BYTES = 65536,
};

typedef enum state {
    CONNECTING,
    OPEN,
    CLOSING,  /* our Close is sent */
    FINISHED, /* nothing is sent or listened to any more */
} state_t;

/*
 * `owner` NULL: disposed. It then goes on alone until the close handshake is over. What is disposed of within
 * one of its own events is freed when that returns.
 */
typedef struct websocket {
    phxc_transport_t base;
    phxc_net_t *net;
    phxc_stream_t *stream;
    state_t state;
    phxc_url_t url;
    phx_buf_t request;
    phx_buf_t accept; /* what Sec-WebSocket-Accept must be */
    bool offered;     /* subprotocols */
    phxc_response_t response;
    ws_reader_t *reader;
    phxc_timer_t timer;
    unsigned in_event;
#ifdef PHXC_FAULTS
    phxc_fault_t fault;
    phx_buf_t joined; /* what one frame is to carry */
    phxc_timer_t joining;
#endif
} websocket_t;

static void free_websocket(websocket_t *websocket)
{
    phxc_timer_stop(&websocket->net->timers, &websocket->timer);
#ifdef PHXC_FAULTS
    phxc_timer_stop(&websocket->net->timers, &websocket->joining);
    phx_buf_free(&websocket->joined);
#endif
    if (websocket->stream != NULL) {
        phxc_stream_close(websocket->stream);
    }
    ws_reader_free(websocket->reader);
    phxc_response_free(&websocket->response);
    phx_buf_free(&websocket->request);
    phx_buf_free(&websocket->accept);
    phxc_url_free(&websocket->url);
    phxc_net_release(websocket->net);
    free(websocket);
}

/* ---- telling ---- */

#define TELL(websocket, event, ...)                                                                          \
    do {                                                                                                     \
        if ((websocket)->base.owner != NULL) {                                                               \
            (websocket)->base.events->event(__VA_ARGS__);                                                    \
        }                                                                                                    \
    } while (0)

/* Brackets whatever may call the owner. */
static void enter(websocket_t *websocket)
{
    websocket->in_event++;
}

static void leave(websocket_t *websocket)
{
    if (--websocket->in_event == 0 && websocket->base.owner == NULL && websocket->state == FINISHED) {
        free_websocket(websocket);
    }
}

static void finish(websocket_t *websocket, int code, phx_slice_t reason, bool clean)
{
    if (websocket->state == FINISHED) {
        return;
    }
    websocket->state = FINISHED;
    phxc_timer_stop(&websocket->net->timers, &websocket->timer);
    if (websocket->stream != NULL) {
        phxc_stream_close(websocket->stream);
        websocket->stream = NULL;
    }
    TELL(websocket, closed, websocket->base.owner, code, reason, clean);
}

static void fail(websocket_t *websocket, const char *text, int http_status)
{
    TELL(websocket, failed, websocket->base.owner, text, http_status);
    finish(websocket, CLOSE_ABNORMAL, (phx_slice_t){0}, false);
}

/* ---- sending ---- */

/* RFC 6455, section 5.3: nobody else can guess the mask. */
static bool make_mask(uint8_t mask[4])
{
    return RAND_bytes(mask, 4) == 1;
}

static void send_frame(websocket_t *websocket, ws_opcode_t opcode, phx_slice_t payload)
{
    uint8_t mask[4];
    phx_buf_t frame = {0};
    if (websocket->stream != NULL && make_mask(mask)) {
        ws_masked_frame_append(&frame, opcode, payload, mask);
        phxc_stream_send(websocket->stream, phx_buf_slice(&frame));
    }
    phx_buf_free(&frame);
}

static void send_close(websocket_t *websocket, int code, phx_slice_t reason)
{
    uint8_t mask[4];
    phx_buf_t frame = {0};
    if (websocket->stream != NULL && make_mask(mask)) {
        ws_masked_close_append(&frame, code, reason, mask);
        phxc_stream_send(websocket->stream, phx_buf_slice(&frame));
    }
    phx_buf_free(&frame);
}

static void peer_is_late(void *data)
{
    websocket_t *websocket = data;
    enter(websocket);
    finish(websocket, CLOSE_ABNORMAL, (phx_slice_t){0}, false);
    leave(websocket);
}

static void start_closing(websocket_t *websocket, int code, phx_slice_t reason)
{
    websocket->state = CLOSING;
    send_close(websocket, code, reason);
    phxc_timer_start(&websocket->net->timers, &websocket->timer, CLOSE_MS, peer_is_late, websocket);
}

/* ---- frames ---- */

/* Both sides have said Close then: that is the end, whoever ends TCP first. */
static void on_close_frame(websocket_t *websocket, const ws_event_t *event)
{
    if (websocket->state == OPEN) {
        send_close(websocket, event->close_code, (phx_slice_t){0});
    }
    finish(websocket, event->close_code != 0 ? event->close_code : CLOSE_NO_CODE, event->payload, true);
}

static void broken_by_peer(websocket_t *websocket)
{
    const int code = ws_reader_close_code(websocket->reader);
    char text[80];
    if (code == CLOSE_TOO_BIG) {
        (void)snprintf(text, sizeof text, "the server sent a message of more than %zu bytes",
                       websocket->net->max_message_bytes);
    } else {
        (void)snprintf(text, sizeof text, "the server broke the WebSocket protocol (%d)", code);
    }
    if (websocket->state == OPEN) {
        send_close(websocket, code, (phx_slice_t){0});
    }
    fail(websocket, text, 0);
}

static void on_frames(websocket_t *websocket, uint8_t *bytes, size_t len)
{
    while (websocket->state != FINISHED) {
        size_t used = 0;
        ws_event_t event;
        const ws_progress_t progress = ws_reader_feed(websocket->reader, bytes, len, &used, &event);
        bytes += used;
        len -= used;
        if (progress == WS_MORE) {
            return;
        }
        if (progress == WS_BROKEN) {
            broken_by_peer(websocket);
        } else if (event.opcode == WS_CLOSE) {
            on_close_frame(websocket, &event);
        } else if (event.opcode == WS_PING) {
            send_frame(websocket, WS_PONG, event.payload);
        } else if (event.opcode != WS_PONG) {
            /* One message each (WS-FRAME-01); also while our Close is on its way. */
            TELL(websocket, received, websocket->base.owner, event.opcode == WS_TEXT ? PHX_TEXT : PHX_BINARY,
                 event.payload);
        }
    }
}

/* ---- the handshake ---- */

/* TOK-01: standard base64 without its padding, whatever the prefix's name. */
static void append_subprotocols(const websocket_t *websocket, phx_buf_t *out, phx_slice_t token)
{
    phx_buf_append_text(out, "Sec-WebSocket-Protocol: ");
    phx_buf_append_text(out, phxc_fault(websocket, BEARER_ALONE) ? "" : "phoenix, ");
    phx_buf_append_text(out, "base64url.bearer.phx.");
    phx_base64_encode(out, token);
    while (out->len > 0 && out->data[out->len - 1] == '=' && !phxc_fault(websocket, BEARER_PADDED)) {
        out->len--;
    }
    if (phxc_fault(websocket, BEARER_BASE64URL)) {
        phxc_fault_base64url(out);
    }
    phx_buf_append_text(out, "\r\n");
}

static bool write_request(websocket_t *websocket, const phxc_request_t *request)
{
    uint8_t nonce[16];
    phx_buf_t key = {0};
    phx_buf_t *out = &websocket->request;
    if (RAND_bytes(nonce, sizeof nonce) != 1) {
        return false;
    }
    phx_base64_encode(&key, (phx_slice_t){(const char *)nonce, sizeof nonce});
    ws_accept_append(&websocket->accept, phx_buf_slice(&key));
    phxc_http_begin(out, "GET", &websocket->url, websocket->net->headers);
    phx_buf_append_text(out, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: ");
    phx_buf_append_slice(out, phx_buf_slice(&key));
    phx_buf_append_text(out, "\r\n");
    websocket->offered = request->token.data != NULL;
    if (websocket->offered) {
        append_subprotocols(websocket, out, request->token);
    }
    phx_buf_append_text(out, "\r\n");
    phx_buf_free(&key);
    return !out->failed && !websocket->accept.failed;
}

static const char *what_is_wrong(const websocket_t *websocket)
{
    const phxc_response_t *response = &websocket->response;
    phx_slice_t value;
    if (!phxc_response_has_token(response, "upgrade", "websocket") ||
        !phxc_response_has_token(response, "connection", "upgrade")) {
        return "the server's 101 does not switch to WebSocket";
    }
    if (!phxc_response_header(response, "sec-websocket-accept", &value) ||
        !phx_slice_equal(value, phx_buf_slice(&websocket->accept))) {
        return "the server's Sec-WebSocket-Accept is wrong";
    }
    if (phxc_response_header(response, "sec-websocket-extensions", &value)) {
        return "the server wants an extension that was not offered";
    }
    if (phxc_response_header(response, "sec-websocket-protocol", &value) &&
        !(websocket->offered && phx_slice_equals(value, "phoenix"))) {
        return "the server chose a subprotocol that was not offered";
    }
    return NULL;
}

static void on_response(websocket_t *websocket)
{
    const int status = websocket->response.status;
    if (status != 101) { /* WS-AUTH-05 */
        char text[160];
        const phx_slice_t body = phx_buf_slice(&websocket->response.body);
        const bool plain = body.len > 0 && body.len < 80 && memchr(body.data, '\n', body.len) == NULL &&
                           phx_utf8_valid(body);
        (void)snprintf(text, sizeof text, "the server refused the WebSocket: HTTP %d%s%.*s", status,
                       plain ? ": " : "", plain ? (int)body.len : 0, plain ? body.data : "");
        fail(websocket, text, status);
        return;
    }
    const char *wrong = what_is_wrong(websocket);
    websocket->reader = ws_reader_new(WS_FROM_SERVER, websocket->net->max_message_bytes);
    if (wrong != NULL || websocket->reader == NULL) {
        fail(websocket, wrong != NULL ? wrong : phxc_strerror(PHX_ENOMEM), wrong != NULL ? 101 : 0);
        return;
    }
    phxc_timer_stop(&websocket->net->timers, &websocket->timer);
    websocket->state = OPEN;
    TELL(websocket, opened, websocket->base.owner);
}

/* ---- the stream ---- */

static void on_connected(void *owner)
{
    websocket_t *websocket = owner;
    phxc_stream_send(websocket->stream, phx_buf_slice(&websocket->request));
    phx_buf_free(&websocket->request);
}

static void on_received(void *owner, uint8_t *bytes, size_t len)
{
    websocket_t *websocket = owner;
    size_t used = 0;
    enter(websocket);
    if (websocket->state == CONNECTING) {
        const phxc_progress_t progress =
            phxc_response_feed(&websocket->response, (phx_slice_t){(const char *)bytes, len}, &used);
        if (progress == PHXC_HTTP_BROKEN) {
            fail(websocket, websocket->response.error, websocket->response.status);
        } else if (progress == PHXC_HTTP_DONE) {
            on_response(websocket);
        }
    }
    if (websocket->state == OPEN || websocket->state == CLOSING) {
        on_frames(websocket, bytes + used, len - used);
    }
    leave(websocket);
}

static void on_ended(void *owner, const char *error)
{
    websocket_t *websocket = owner;
    enter(websocket);
    if (websocket->state == CONNECTING) {
        if (error == NULL && phxc_response_end(&websocket->response) == PHXC_HTTP_DONE) {
            on_response(websocket);
        } else {
            fail(websocket, error != NULL ? error : "the server ended the connection without an answer", 0);
        }
    } else if (error != NULL && websocket->state == OPEN) {
        fail(websocket, error, 0);
    } else {
        finish(websocket, CLOSE_ABNORMAL, (phx_slice_t){0}, false); /* TCP ended without a Close frame */
    }
    leave(websocket);
}

static const phxc_stream_callbacks_t STREAM_CALLBACKS = {on_connected, on_received, on_ended};

/* ---- as a transport ---- */

#ifdef PHXC_FAULTS

static void send_joined(void *data)
{
    websocket_t *websocket = data;
    send_frame(websocket, WS_TEXT, phx_buf_slice(&websocket->joined));
    phx_buf_clear(&websocket->joined);
}

static void join_to_others(websocket_t *websocket, phx_slice_t bytes)
{
    phx_buf_append_text(&websocket->joined, websocket->joined.len > 0 ? "\n" : "");
    phx_buf_append_slice(&websocket->joined, bytes);
    phxc_timer_start(&websocket->net->timers, &websocket->joining, 0, send_joined, websocket);
}

#else

#define join_to_others(websocket, bytes) ((void)(bytes))

#endif

static void websocket_send(phxc_transport_t *transport, phx_form_t form, phx_slice_t bytes)
{
    websocket_t *websocket = (websocket_t *)transport;
    if (phxc_fault(websocket, FRAMES_JOINED) && websocket->state == OPEN && form == PHX_TEXT) {
        join_to_others(websocket, bytes);
    } else if (websocket->state == OPEN) {
        send_frame(websocket, form == PHX_TEXT ? WS_TEXT : WS_BINARY, bytes);
    }
}

static void end_now(void *data)
{
    websocket_t *websocket = data;
    enter(websocket);
    finish(websocket, CLOSE_ABNORMAL, (phx_slice_t){0}, false);
    leave(websocket);
}

static void websocket_close(phxc_transport_t *transport, int code, phx_slice_t reason)
{
    websocket_t *websocket = (websocket_t *)transport;
    if (websocket->state == OPEN) {
        start_closing(websocket, code, reason);
    } else if (websocket->state == CONNECTING) {
        phxc_timer_start(&websocket->net->timers, &websocket->timer, 0, end_now, websocket);
    }
}

static void websocket_dispose(phxc_transport_t *transport)
{
    websocket_t *websocket = (websocket_t *)transport;
    websocket->base.owner = NULL;
    if (websocket->state == OPEN) {
        start_closing(websocket, 0, (phx_slice_t){0});
    } else if (websocket->state == CONNECTING) {
        websocket->state = FINISHED;
    }
    if (websocket->state == FINISHED && websocket->in_event == 0) {
        free_websocket(websocket);
    }
}

static const phxc_transport_ops_t OPS = {websocket_send, websocket_close, websocket_dispose, true};

static void connect_is_late(void *data)
{
    websocket_t *websocket = data;
    enter(websocket);
    fail(websocket, "the server did not answer in time", 0);
    leave(websocket);
}

phxc_transport_t *phxc_websocket_open(phxc_net_t *net, const phxc_request_t *request,
                                      const phxc_transport_events_t *events, void *owner, char *error,
                                      size_t error_size)
{
    websocket_t *websocket = calloc(1, sizeof *websocket);
    if (websocket == NULL) {
        (void)snprintf(error, error_size, "%s", phxc_strerror(PHX_ENOMEM));
        return NULL;
    }
    websocket->base = (phxc_transport_t){&OPS, events, owner};
    websocket->net = phxc_net_hold(net);
    phxc_fault_pass(request, websocket);
    websocket->response.max_bytes = MAX_REFUSAL_BYTES;
    if (!phxc_url_parse(&websocket->url, request->url, error, error_size)) {
        free_websocket(websocket);
        return NULL;
    }
    if (write_request(websocket, request)) {
        websocket->stream = phxc_stream_open(net, &websocket->url, &STREAM_CALLBACKS, websocket);
    }
    if (websocket->stream == NULL) {
        (void)snprintf(error, error_size, "%s", phxc_strerror(PHX_ENOMEM));
        free_websocket(websocket);
        return NULL;
    }
    phxc_timer_start(&net->timers, &websocket->timer, net->connect_timeout_ms, connect_is_late, websocket);
    return &websocket->base;
}
