/* SPDX-License-Identifier: MIT */
/* The clients against a scripted server on the same loop: it answers every request head with fixed bytes. */
#include "net/deadline.h"
#include "net/http_client.h"
#include "net/spawn.h"
#include "net/ws_client.h"
#include "test_util.h"

#include <netinet/in.h>
#include <signal.h>
#include <string.h>

typedef struct server {
    uv_loop_t loop;
    uv_tcp_t listener, peer;
    bool has_peer, closes; /* ends the connection behind the answer */
    bool answered;
    span_t answer;
    text_t got; /* all it received */
    address_t address;
    text_t log; /* what the client reported, in words */
    ws_client_t *ws;
    http_client_t *http;
    deadline_t *limit;
    int expected; /* how many things are to happen before the loop stops */
} server_t;

static void happened(server_t *server, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void happened(server_t *server, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_vprintf(&server->log, format, arguments);
    va_end(arguments);
    text_putc(&server->log, '\n');
    if (--server->expected == 0) {
        uv_stop(&server->loop);
    }
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    *buffer = uv_buf_init(malloc(suggested), (unsigned)suggested);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    server_t *server = stream->data;
    if (count > 0) {
        text_add(&server->got, buffer->base, (size_t)count);
    }
    free(buffer->base);
    if (count < 0) {
        uv_read_stop(stream);
        text_puts(&server->got, count == UV_EOF ? "<FIN>" : "<RST>");
    } else if (!server->answered && server->got.at && strstr(server->got.at, "\r\n\r\n") != NULL) {
        uv_buf_t answer = uv_buf_init((char *)(uintptr_t)server->answer.at, (unsigned)server->answer.len);
        server->answered = true;
        uv_write(malloc(sizeof(uv_write_t)), stream, &answer, 1, on_written);
        if (server->closes) {
            uv_close((uv_handle_t *)stream, NULL);
            server->has_peer = false;
        }
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    server_t *server = listener->data;
    ck_assert_int_eq(status, 0);
    uv_tcp_init(&server->loop, &server->peer);
    server->peer.data = server;
    server->has_peer = true;
    server->answered = false;
    uv_accept(listener, (uv_stream_t *)&server->peer);
    uv_read_start((uv_stream_t *)&server->peer, on_allocate, on_read);
}

static void on_limit(void *ctx)
{
    server_t *server = ctx;
    server->limit = NULL;
    ck_abort_msg("nothing happened any more; so far: %s", text_str(&server->log));
}

static void server_start(server_t *server, span_t answer, bool closes)
{
    struct sockaddr_in any;
    int len = sizeof server->address.storage;
    *server = (server_t){.answer = answer, .closes = closes};
    uv_loop_init(&server->loop);
    uv_ip4_addr("127.0.0.1", 0, &any);
    uv_tcp_init(&server->loop, &server->listener);
    server->listener.data = server;
    uv_tcp_bind(&server->listener, (struct sockaddr *)&any, 0);
    ck_assert_int_eq(uv_listen((uv_stream_t *)&server->listener, 8, on_connection), 0);
    uv_tcp_getsockname(&server->listener, (struct sockaddr *)&server->address.storage, &len);
}

/* Until so many things have been reported. */
static void server_run(server_t *server, int expected)
{
    server->expected = expected;
    server->limit = deadline_start(&server->loop, 5000, on_limit, server);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    deadline_cancel(&server->limit);
}

static void server_stop(server_t *server)
{
    ws_client_free(server->ws);
    http_client_free(server->http);
    uv_close((uv_handle_t *)&server->listener, NULL);
    if (server->has_peer) {
        uv_close((uv_handle_t *)&server->peer, NULL);
    }
    uv_run(&server->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&server->loop), 0);
    text_free(&server->got);
    text_free(&server->log);
}

/* ---- WebSocket ---- */

#define UPGRADED "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

static void on_answered(void *ctx, const http_response_t *response)
{
    happened(ctx, "answered %d %s", response->status, text_str(&response->body));
}

static void on_frame(void *ctx, const ws_incoming_t *incoming)
{
    happened(ctx, "frame %u %.*s", incoming->frame.opcode, (int)incoming->frame.payload.len,
             incoming->frame.payload.at ? incoming->frame.payload.at : "");
}

static void on_ended(void *ctx, ws_end_t how, const char *detail)
{
    static const char *const names[] = {"unreachable", "peer", "reset", "broken"};
    happened(ctx, "ended %s%s%s", names[how], how == WS_END_BROKEN ? ": " : "",
             how == WS_END_BROKEN ? detail : "");
}

static const ws_events_t events = {on_answered, on_frame, on_ended};

static void open_ws(server_t *server, const char *key)
{
    ws_request_t request = {.address = &server->address, .authority = "h", .target = "/x?y", .key = key};
    http_headers_add(&request.headers, "Sec-WebSocket-Protocol", "a, b");
    server->ws = ws_client_open(&server->loop, &request, &events, server);
    http_headers_free(&request.headers);
}

START_TEST(a_handshake_and_frames_in_one_read)
{
    server_t server;
    server_start(&server, SPAN(UPGRADED "\x81\x02hi\x89\x00\x88\x02\x03\xe8"), true);
    open_ws(&server, "dGhlIHNhbXBsZSBub25jZQ==");
    ck_assert_str_eq(ws_client_accept_expected(server.ws), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    server_run(&server, 5);
    assert_text(&server.log, "answered 101 \nframe 1 hi\nframe 9 \nframe 8 \x03\xe8\nended peer\n");
    assert_text(&server.got, "GET /x?y HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                             "Sec-WebSocket-Protocol: a, b\r\n\r\n");
    server_stop(&server);
}
END_TEST

START_TEST(refusals_come_with_their_body)
{
    server_t server;
    server_start(&server, SPAN("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"), true);
    open_ws(&server, NULL);
    server_run(&server, 2);
    assert_text(&server.log, "answered 403 no\nended peer\n");
    server_stop(&server);
}
END_TEST

START_TEST(what_is_no_websocket)
{
    server_t server;
    server_start(&server, SPAN("SSH-2.0\r\n"), false);
    open_ws(&server, NULL);
    server_run(&server, 1);
    assert_text(&server.log, "ended broken: not the first line of an HTTP/1.1 answer: SSH-2.0\n");
    server_stop(&server);
    server_start(&server, SPAN(UPGRADED "\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), false);
    open_ws(&server, NULL);
    server_run(&server, 2);
    assert_text(&server.log, "answered 101 \nended broken: a frame of 18446744073709551615 bytes\n");
    server_stop(&server);
}
END_TEST

START_TEST(a_frame_cut_short)
{
    server_t server;
    server_start(&server, SPAN(UPGRADED "\x81\x05hal"), true);
    open_ws(&server, NULL);
    server_run(&server, 2);
    assert_text(&server.log, "answered 101 \nended broken: the connection ended inside a frame\n");
    server_stop(&server);
}
END_TEST

START_TEST(nobody_listens)
{
    server_t server;
    server_start(&server, SPAN(""), false);
    uv_close((uv_handle_t *)&server.listener, NULL);
    uv_run(&server.loop, UV_RUN_NOWAIT);
    open_ws(&server, NULL);
    server_run(&server, 1);
    assert_text(&server.log, "ended unreachable\n");
    ws_client_free(server.ws);
    uv_run(&server.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&server.loop), 0);
}
END_TEST

static void stop_soon(void *ctx)
{
    happened(ctx, "later");
}

START_TEST(frames_are_sent_and_the_end_is_ours)
{
    server_t server;
    server_start(&server, SPAN(UPGRADED), false);
    open_ws(&server, NULL);
    server_run(&server, 1);
    text_clear(&server.got);
    ws_frame_t frames[2] = {ws_frame(WS_TEXT, SPAN("a")), {.fin = true, .opcode = WS_PING}};
    ws_client_send(server.ws, frames, 2);
    ws_client_half_close(server.ws);
    deadline_t *later = deadline_start(&server.loop, 50, stop_soon, &server);
    (void)later;
    server_run(&server, 1);
    assert_span(text_span(&server.got), SPAN("\x81\x81\0\0\0\0a\x89\x00<FIN>"));
    server_stop(&server);
}
END_TEST

START_TEST(a_reset_is_one)
{
    server_t server;
    server_start(&server, SPAN(UPGRADED), false);
    open_ws(&server, NULL);
    server_run(&server, 1);
    text_clear(&server.got);
    ws_client_reset(server.ws);
    deadline_t *later = deadline_start(&server.loop, 50, stop_soon, &server);
    (void)later;
    server_run(&server, 1);
    assert_text(&server.got, "<RST>");
    server_stop(&server);
}
END_TEST

static void on_frame_free(void *ctx, const ws_incoming_t *incoming)
{
    server_t *server = ctx;
    (void)incoming;
    ws_client_free(server->ws);
    server->ws = NULL;
    happened(server, "freed");
}

START_TEST(a_client_may_be_freed_in_its_callback)
{
    static const ws_events_t freeing = {on_answered, on_frame_free, on_ended};
    server_t server;
    server_start(&server,
                 SPAN(UPGRADED "\x81\x01"
                               "a\x81\x01"
                               "b"),
                 false);
    ws_request_t request = {.address = &server.address, .authority = "h", .target = "/"};
    server.ws = ws_client_open(&server.loop, &request, &freeing, &server);
    server_run(&server, 2);
    assert_text(&server.log, "answered 101 \nfreed\n");
    server_stop(&server);
}
END_TEST

/* ---- HTTP ---- */

static void on_done(void *ctx, const http_response_t *response, const char *error)
{
    happened(ctx, "%d %s", response ? response->status : 0, response ? text_str(&response->body) : error);
}

static http_exchange_t *start(server_t *server, bool keep_alive)
{
    http_request_t request = {.method = "GET", .target = "/", .keep_alive = keep_alive};
    if (server->http == NULL) {
        server->http = http_client_new(&server->loop, &server->address, "h");
    }
    return http_client_start(server->http, &request, on_done, server);
}

START_TEST(exchanges_one_after_the_other)
{
    server_t server;
    server_start(&server, SPAN("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), false);
    ck_assert(start(&server, true) != NULL);
    ck_assert(start(&server, true) == NULL);
    server_run(&server, 1);
    server.answered = false;
    ck_assert(start(&server, true) != NULL);
    server_run(&server, 1);
    assert_text(&server.log, "200 ok\n200 ok\n");
    server_stop(&server);
}
END_TEST

START_TEST(answers_that_are_none)
{
    server_t server;
    server_start(&server, SPAN("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"), true);
    start(&server, false);
    server_run(&server, 1);
    assert_text(&server.log, "0 the connection ended before the answer was whole\n");
    server_stop(&server);
    server_start(&server, SPAN("what?\r\n"), true);
    start(&server, false);
    server_run(&server, 1);
    assert_text(&server.log, "0 not the first line of an HTTP/1.1 answer: what?\n");
    server_stop(&server);
}
END_TEST

START_TEST(an_exchange_given_up)
{
    server_t server;
    server_start(&server, SPAN(""), false);
    http_exchange_t *exchange = start(&server, false);
    deadline_start(&server.loop, 50, stop_soon, &server);
    server_run(&server, 1);
    http_exchange_abort(exchange, false);
    deadline_start(&server.loop, 50, stop_soon, &server);
    server_run(&server, 1);
    assert_text(&server.log, "later\nlater\n");
    ck_assert(strstr(server.got.at, "<FIN>") != NULL);
    server_stop(&server);
}
END_TEST

/* ---- programs ---- */

typedef struct program {
    uv_loop_t loop;
    text_t log;
    spawn_t *spawn;
} program_t;

static void on_ready(void *ctx, const char *url)
{
    program_t *program = ctx;
    text_printf(&program->log, "ready %s\n", url);
    spawn_signal(program->spawn, SIGTERM);
}

static void on_exited(void *ctx, int64_t status, int signal_number, const char *error)
{
    program_t *program = ctx;
    text_printf(&program->log, "exited %d %d %s\n", (int)status, signal_number, error ? error : "");
    uv_stop(&program->loop);
}

static const spawn_events_t program_events = {on_ready, on_exited};

static void run_program(program_t *program, const char *command)
{
    *program = (program_t){0};
    uv_loop_init(&program->loop);
    program->spawn = spawn_start(&program->loop, command, &program_events, program);
    uv_run(&program->loop, UV_RUN_DEFAULT);
    uv_run(&program->loop, UV_RUN_NOWAIT); /* what it wrote last */
}

static void end_program(program_t *program)
{
    spawn_free(program->spawn);
    uv_run(&program->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&program->loop), 0);
    text_free(&program->log);
}

START_TEST(programs_are_started_and_stopped)
{
    program_t program;
    run_program(&program, "sh -c 'echo noise; echo ready http://127.0.0.1:1; while :; do sleep 1; done'");
    assert_text(&program.log, "ready http://127.0.0.1:1\nexited 0 15 \n");
    end_program(&program);
    run_program(&program, "sh -c 'echo oops >&2; exit 7'");
    assert_text(&program.log, "exited 7 0 \n");
    assert_span(spawn_output(program.spawn), SPAN("oops\n"));
    end_program(&program);
    run_program(&program, "/no/such/program");
    assert_text(&program.log, "exited 127 0 \n");
    end_program(&program);
}
END_TEST

static void on_ready_free(void *ctx, const char *url)
{
    program_t *program = ctx;
    text_puts(&program->log, url);
    spawn_free(program->spawn);
}

START_TEST(a_program_dies_with_its_owner)
{
    static const spawn_events_t freeing = {on_ready_free, on_exited};
    program_t program = {0};
    uv_loop_init(&program.loop);
    program.spawn = spawn_start(&program.loop, "sh -c 'echo ready $$; sleep 100'", &freeing, &program);
    uv_run(&program.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&program.loop), 0);
    long pid = strtol(text_str(&program.log), NULL, 10);
    ck_assert_int_gt(pid, 0);
    ck_assert_int_ne(kill((pid_t)pid, 0), 0);
    text_free(&program.log);
}
END_TEST

TEST_MAIN("client", a_handshake_and_frames_in_one_read, refusals_come_with_their_body, what_is_no_websocket,
          a_frame_cut_short, nobody_listens, frames_are_sent_and_the_end_is_ours, a_reset_is_one,
          a_client_may_be_freed_in_its_callback, exchanges_one_after_the_other, answers_that_are_none,
          an_exchange_given_up, programs_are_started_and_stopped, a_program_dies_with_its_owner)
