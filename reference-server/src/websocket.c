/* SPDX-License-Identifier: MIT */
#include "websocket.h"

#include <stdlib.h>

#include "connect_info.h"
#include "container.h"
#include "handshake.h"
#include "socket.h"
#include "ws_frame.h"

enum { CLOSE_LINGER_MS = 2000 };

typedef struct websocket {
    mount_t *mount;
    carrier_conn_t *conn;
    ws_reader_t *reader;
    phxs_socket_t *socket; /* NULL once it is closing */
    uint64_t last_received_ms;
    loop_timer_t idle;
} websocket_t;

static void idle_due(loop_timer_t *timer);

static bool has(const websocket_t *websocket, fault_t fault)
{
    return has_fault(websocket->mount->core, fault);
}

static void watch_idle(websocket_t *websocket, uint64_t delay_ms)
{
    if (has(websocket, FAULT_IDLE_NEVER)) {
        return;
    }
    timers_start(websocket->mount->core->timers, &websocket->idle, delay_ms, idle_due);
}

static void send_buf(websocket_t *websocket, phx_buf_t *out)
{
    if (out->failed) {
        carrier_abort(websocket->conn);
    } else {
        connection_send(websocket->conn, phx_buf_slice(out));
        core_check_queued(websocket->mount->core);
    }
    phx_buf_free(out);
}

static void send_close(websocket_t *websocket, int code)
{
    phx_buf_t out = {0};
    ws_close_append(&out, code, (phx_slice_t){0});
    send_buf(websocket, &out);
}

/* Under a fault only: its channels live on. */
static void leave_behind(phxs_socket_t *socket)
{
    socket->over = true;
    pubsub_unsubscribe(socket->mount->core->pubsub, &socket->id);
}

static void let_go(phxs_socket_t *socket)
{
    if (socket != NULL && has_fault(socket->mount->core, FAULT_DEAD_SOCKETS_STAY)) {
        leave_behind(socket);
    } else {
        socket_free(socket);
    }
}

/* Under a fault only: the connection does not end. */
static void stay(carrier_conn_t *conn, uint64_t linger_ms)
{
    (void)conn;
    (void)linger_ms;
}

/* The channels end with the socket. How the connection ends is one of the carrier's two ways: at once where
 * the peer's Close has come or cannot (RFC 6455, 7.1.1 and 7.1.7), or with the peer's. */
static void close_by(websocket_t *websocket, int code, void (*end)(carrier_conn_t *conn, uint64_t linger_ms))
{
    phxs_socket_t *socket = websocket->socket;
    websocket->socket = NULL;
    timers_stop(websocket->mount->core->timers, &websocket->idle);
    send_close(websocket, code);
    end(websocket->conn, CLOSE_LINGER_MS);
    let_go(socket);
}

/* The connection ends with the peer's answer, or without it after a while. */
static void close_with(websocket_t *websocket, int code)
{
    close_by(websocket, code, carrier_end_after_peer);
}

static void idle_due(loop_timer_t *timer)
{
    websocket_t *websocket = CONTAINER_OF(timer, websocket_t, idle);
    core_t *core = websocket->mount->core;
    uint64_t timeout = websocket->mount->config.websocket_timeout_ms;
    uint64_t silent = timers_now(core->timers) - websocket->last_received_ms;
    if (silent < timeout) {
        watch_idle(websocket,
                   timeout - silent); /* received bytes just note the time: no timer is moved for them */
    } else {
        close_with(websocket, 1002); /* WS-IDLE-02: a client must not take it for a normal end */
    }
    tasks_run(&core->tasks);
}

/* ---- what the socket asks ---- */

static void transport_send(void *transport, frame_t frame)
{
    websocket_t *websocket = transport;
    if (has(websocket, FAULT_IDLE_OWN_FRAMES)) {
        websocket->last_received_ms = timers_now(websocket->mount->core->timers);
    }
    if (!carrier_send(websocket->conn, frame.bytes) && websocket->socket != NULL) {
        socket_fail(websocket->socket);
    }
    core_check_queued(websocket->mount->core);
}

static void transport_pause(void *transport, bool pause)
{
    websocket_t *websocket = transport;
    if (pause) {
        carrier_pause(websocket->conn);
    } else {
        carrier_resume(websocket->conn);
    }
}

static void transport_end(void *transport, socket_end_t why)
{
    websocket_t *websocket = transport;
    const int codes[] = {
        [SOCKET_DISCONNECTED] = websocket->mount->core->rules.disconnect_code, /* WS-CLOSE-02 */
        [SOCKET_FAILED] = 1011,                                                /* WS-CLOSE-01 */
    };
    close_with(websocket, codes[why]);
}

static const transport_ops_t TRANSPORT_OPS = {
    .send = transport_send,
    .pause = transport_pause,
    .end = transport_end,
};

/* ---- what the client sends ---- */

static void handle_event(websocket_t *websocket, const ws_event_t *event)
{
    phx_buf_t out = {0};
    const bool message = event->opcode == WS_TEXT || event->opcode == WS_BINARY;
    if (has(websocket, FAULT_IDLE_MESSAGES_ONLY) && message) {
        websocket->last_received_ms = timers_now(websocket->mount->core->timers);
    }
    switch (event->opcode) {
    case WS_TEXT:
    case WS_BINARY:
        socket_receive(websocket->socket, event->opcode == WS_TEXT ? PHX_TEXT : PHX_BINARY, event->payload,
                       NULL);
        break;
    case WS_PING:
        ws_frame_append(&out, WS_PONG, event->payload); /* WS-FRAME-03 */
        send_buf(websocket, &out);
        break;
    case WS_CLOSE:
        close_by(websocket, event->close_code,
                 has(websocket, FAULT_TCP_STAYS) ? stay : carrier_end); /* WS-CLOSE-05 */
        break;
    case WS_PONG:
    case WS_CONTINUATION:
        break;
    }
}

static void received(void *upgraded, uint8_t *bytes, size_t len)
{
    websocket_t *websocket = upgraded;
    if (!has(websocket, FAULT_IDLE_FROM_START) && !has(websocket, FAULT_IDLE_MESSAGES_ONLY)) {
        websocket->last_received_ms = timers_now(websocket->mount->core->timers);
    }
    while (websocket->socket != NULL) { /* also at the end: the reader lets go of what it gathered */
        size_t used = 0;
        ws_event_t event;
        ws_progress_t progress = ws_reader_feed(websocket->reader, bytes, len, &used, &event);
        bytes += used;
        len -= used;
        if (progress == WS_MESSAGE) {
            handle_event(websocket, &event);
            len = has(websocket, FAULT_SECOND_FRAME_LOST) ? 0 : len;
        } else if (progress == WS_BROKEN) {
            /* WS-FRAME-05, WS-FRAME-06: nothing more can be read, so there is no answer to wait for. */
            close_by(websocket, ws_reader_close_code(websocket->reader), carrier_end);
        } else {
            break;
        }
    }
    if (websocket->socket != NULL || len == 0) {
        return;
    }
    /* Closing: all that is still read for is the peer's Close (or its end); it needs no answer. */
    carrier_end(websocket->conn, CLOSE_LINGER_MS);
}

static void closed(void *upgraded)
{
    websocket_t *websocket = upgraded;
    timers_stop(websocket->mount->core->timers, &websocket->idle);
    let_go(websocket->socket);
    ws_reader_free(websocket->reader);
    free(websocket);
}

static void drain(void *upgraded)
{
    websocket_t *websocket = upgraded;
    if (websocket->socket == NULL) {
        return;
    }
    const phxs_socket_t *socket = websocket->socket;
    bool joined = socket->channel_count > 0 || socket->joining != NULL || socket->waiting != NULL;
    joined = (joined && !has(websocket, FAULT_DRAIN_NORMAL)) || has(websocket, FAULT_DRAIN_ALL);
    if (has(websocket, FAULT_DRAIN_CUT)) {
        carrier_abort(websocket->conn);
        return;
    }
    close_with(websocket,
               joined ? websocket->mount->core->rules.drain_code : 1000); /* DRAIN-01, WS-CLOSE-04 */
}

static size_t held(const void *upgraded)
{
    const websocket_t *websocket = upgraded;
    return websocket->reader != NULL ? ws_reader_held(websocket->reader) : 0;
}

static void overloaded(void *upgraded)
{
    websocket_t *websocket = upgraded;
    if (websocket->socket != NULL) {
        close_with(websocket, 1013);
    }
    ws_reader_free(websocket->reader); /* nothing is read any more but the end */
    websocket->reader = NULL;
}

static const upgraded_ops_t UPGRADED_OPS = {
    .received = received, .closed = closed, .drain = drain, .held = held, .overloaded = overloaded};

/* ---- handshake ---- */

static void switch_protocols(connection_t *connection, const http_request_t *request, const char *subprotocol,
                             websocket_t *websocket)
{
    phx_buf_t head = {0};
    phx_buf_append_text(&head,
                        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
                        "sec-websocket-accept: ");
    ws_accept_append(&head, http_request_header(request, "sec-websocket-key")->value);
    if (subprotocol != NULL) {
        phx_buf_append_text(&head, "\r\nsec-websocket-protocol: ");
        phx_buf_append_text(&head, subprotocol);
    }
    phx_buf_append_text(&head, "\r\n\r\n");
    websocket->conn = connection_upgrade(connection, phx_buf_slice(&head), &UPGRADED_OPS, websocket);
    phx_buf_free(&head);
    if (has(websocket, FAULT_GREETS)) {
        ws_frame_append(&head, WS_TEXT, PHX_SLICE("[null,null,\"phoenix\",\"hello\",{}]"));
        send_buf(websocket, &head);
    }
    websocket->last_received_ms = timers_now(websocket->mount->core->timers);
    watch_idle(websocket, websocket->mount->config.websocket_timeout_ms);
}

/* The application decides; then the request must be an upgrade after all (WS-CONN-08, WS-CONN-09). */
static void ask_application(connection_t *connection, mount_t *mount, const connect_info_t *info,
                            phx_vsn_t vsn, const char *subprotocol)
{
    const http_request_t *request = connection_request(connection);
    phxs_refusal_t refusal = {403, ""};
    websocket_t *websocket = calloc(1, sizeof(*websocket));
    phxs_connect_outcome_t outcome = PHXS_CONNECT_FAILED;
    if (websocket != NULL) {
        websocket->mount = mount;
        websocket->reader = ws_reader_new(WS_FROM_CLIENT, mount->config.max_frame_bytes);
        if (websocket->reader != NULL) {
            faults_relax_reader(mount->core, websocket->reader);
            outcome = socket_connect(mount, vsn, &info->info, &TRANSPORT_OPS, websocket, &websocket->socket,
                                     &refusal);
        }
    }
    const char *error = handshake_upgrade_error(request);
    if (outcome == PHXS_CONNECT_OK && error == NULL) {
        switch_protocols(connection, request, subprotocol, websocket);
        return;
    }
    if (websocket != NULL) {
        socket_free(websocket->socket);
        ws_reader_free(websocket->reader);
        free(websocket);
    }
    if (outcome == PHXS_CONNECT_OK) {
        connection_answer_text(connection, mount->core->rules.bad_upgrade_status, error); /* WS-CONN-07 */
    } else if (outcome == PHXS_CONNECT_REFUSED_WITH_REASON) {
        connection_answer_text(connection, refusal.status, refusal.body); /* WS-AUTH-02 */
    } else if (outcome == PHXS_CONNECT_REFUSED) {
        connection_answer_text(connection, 403, ""); /* WS-AUTH-01 */
    } else {
        connection_answer_error(connection, 500); /* WS-AUTH-04 */
    }
}

static void check_and_connect(connection_t *connection, mount_t *mount, connect_info_t *info,
                              subprotocol_t *subprotocol)
{
    const http_request_t *request = connection_request(connection);
    phx_vsn_t vsn;
    int refusal = connect_info_serializer(info, &mount->core->rules, &vsn);
    if (!handshake_origin_allowed(&mount->config, request, mount->core->secure)) {
        connection_answer_text(connection, 403, ""); /* ORIG-02 */
        return;
    }
    subprotocol_outcome_t outcome = handshake_subprotocol(&mount->config, request, subprotocol);
    if (outcome == SUBPROTOCOL_BAD_TOKEN) {
        connection_answer_error(connection, 500); /* TOK-06 */
    } else if (outcome == SUBPROTOCOL_REFUSED || refusal == 403) {
        connection_answer_text(connection, 403, ""); /* SUBP-03, WS-VSN-02 */
    } else if (refusal != 0) {
        connection_answer_error(connection, refusal); /* WS-VSN-05 */
    } else {
        if (subprotocol->has_token) {
            phx_slice_t token = phx_buf_slice(&subprotocol->token);
            info->info.auth_token = token.data != NULL ? token : PHX_SLICE("");
        }
        ask_application(connection, mount, info, vsn, subprotocol->chosen);
    }
}

void websocket_request(connection_t *connection, mount_t *mount)
{
    const http_request_t *request = connection_request(connection);
    if (!phx_slice_equals(request->method, "GET")) {
        connection_answer_text(connection, 400, ""); /* WS-CONN-06 */
        return;
    }
    if (has_fault(mount->core, FAULT_UPGRADE_FIRST) && handshake_upgrade_error(request) != NULL) {
        connection_answer_text(connection, 400, handshake_upgrade_error(request));
        return;
    }
    connect_info_t info;
    subprotocol_t subprotocol = {0};
    if (connect_info_init(&info, request) != 0) {
        connection_answer_error(connection, 400); /* WS-CONN-14 */
    } else {
        check_and_connect(connection, mount, &info, &subprotocol);
    }
    connect_info_free(&info);
    phx_buf_free(&subprotocol.token);
}
