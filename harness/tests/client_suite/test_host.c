/* SPDX-License-Identifier: MIT */
/* What the scripted server makes of requests; what clients do with it is seen in whole runs. */
#include "client_suite/host.h"

#include "net/deadline.h"
#include "proxy/split.h"
#include "test_util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const double PATIENCE_MS = 10000;

typedef struct scene {
    uv_loop_t loop;
    pace_t *pace;
    transcript_t *transcript;
    host_t *host;
    int client; /* a socket */
    text_t got; /* by the client */
    bool ended;
} scene_t;

static void on_change(void *ctx)
{
    (void)ctx;
}

static void begin(scene_t *scene)
{
    text_t error = {0};
    *scene = (scene_t){.transcript = transcript_new()};
    ck_assert_int_eq(uv_loop_init(&scene->loop), 0);
    scene->pace = pace_new(&scene->loop);
    scene->host = host_open(&scene->loop, scene->pace, scene->transcript, VSN_2, on_change, NULL, &error);
    ck_assert_msg(scene->host != NULL, "%s", text_str(&error));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)host_port(scene->host))};
    scene->client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(scene->client, (const struct sockaddr *)&address, sizeof address), 0);
}

static void finish(scene_t *scene)
{
    close(scene->client);
    host_free(scene->host);
    pace_free(scene->pace);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&scene->loop), 0);
    transcript_free(scene->transcript);
    text_free(&scene->got);
}

static void turn(scene_t *scene)
{
    char bytes[4096];
    uv_run(&scene->loop, UV_RUN_NOWAIT);
    ssize_t count = recv(scene->client, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) {
        text_add(&scene->got, bytes, (size_t)count);
    }
    scene->ended = scene->ended || count == 0 || (count < 0 && errno == ECONNRESET);
}

/* The client writes; and no more once it was ended. */
static void send_bytes(scene_t *scene, span_t bytes)
{
    double until = clock_ms() + PATIENCE_MS;
    while (bytes.len > 0 && !scene->ended && clock_ms() < until) {
        ssize_t count = send(scene->client, bytes.at, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        bytes = span_from(bytes, count > 0 ? (size_t)count : 0);
        turn(scene);
    }
    ck_assert(bytes.len == 0 || scene->ended);
}

static void send_filler(scene_t *scene, size_t len)
{
    text_t filler = {0};
    for (size_t i = 0; i < 1 << 16; i++) {
        text_putc(&filler, 'x');
    }
    for (size_t sent = 0; sent < len && !scene->ended; sent += filler.len) {
        send_bytes(scene, text_span(&filler));
    }
    text_free(&filler);
}

static bool noted(const scene_t *scene, const char *what)
{
    text_t text = {0};
    transcript_write(&text, scene->transcript, 1000, "");
    bool found = strstr(text_str(&text), what) != NULL;
    text_free(&text);
    return found;
}

/* ---- limits ---- */

static const struct {
    const char *start;
    size_t filler;
} endless[] = {
    {"GET /socket/longpoll HTTP/1.1\r\nX: ", REQUEST_HEAD_MAX + 1},
    {"POST /socket/longpoll HTTP/1.1\r\nContent-Length: 33554433\r\n\r\n", 0},
    {"POST /socket/longpoll HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2000001\r\n", 0},
    {"GET /socket/websocket HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", REQUEST_HEAD_MAX + REQUEST_BODY_MAX + 1},
};

START_TEST(requests_without_an_end_are_ended)
{
    scene_t scene;
    begin(&scene);
    send_bytes(&scene, span_of(endless[_i].start));
    send_filler(&scene, endless[_i].filler);
    double until = clock_ms() + PATIENCE_MS;
    while (!scene.ended && clock_ms() < until) {
        turn(&scene);
    }
    ck_assert(scene.ended);
    ck_assert(noted(&scene, "too long"));
    finish(&scene);
}
END_TEST

/* ---- the subprotocol ---- */

static const struct {
    const char *offered;
    bool agreed;
} offered[] = {
    {"phoenix", true},     {"x, phoenix", true},         {"phoenix,base64url.bearer.phx.x", true},
    {"phoenixfoo", false}, {"base64.phoenix, x", false}, {"xphoenix", false},
};

START_TEST(phoenix_is_agreed_on_where_it_is_offered)
{
    scene_t scene;
    text_t request = {0};
    begin(&scene);
    text_printf(&request,
                "GET /socket/websocket HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n"
                "Sec-WebSocket-Protocol: %s\r\n\r\n",
                offered[_i].offered);
    send_bytes(&scene, text_span(&request));
    double until = clock_ms() + PATIENCE_MS;
    while (!host_offer(scene.host, 0) && clock_ms() < until) {
        turn(&scene);
    }
    ck_assert_ptr_nonnull(host_offer(scene.host, 0));
    offer_accept(host_offer(scene.host, 0), "client");
    while (!strstr(text_str(&scene.got), "\r\n\r\n") && clock_ms() < until) {
        turn(&scene);
    }
    ck_assert(strstr(text_str(&scene.got), "101 Switching") != NULL);
    ck_assert_int_eq(strstr(text_str(&scene.got), "Sec-WebSocket-Protocol: phoenix\r\n") != NULL,
                     offered[_i].agreed);
    text_free(&request);
    finish(&scene);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("host");
    tcase_add_loop_test(tcase, requests_without_an_end_are_ended, 0, sizeof endless / sizeof *endless);
    tcase_add_loop_test(tcase, phoenix_is_agreed_on_where_it_is_offered, 0, sizeof offered / sizeof *offered);
    Suite *suite = suite_create("host");
    return test_run(suite, tcase);
}
