/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <string.h>

#include "conformance.h"

enum { MAX_WAIT_MS = 200000 };

static void look_for_token(stage_t *stage, phx_slice_t answer)
{
    static const char MARK[] = "\"token\":\"";
    for (size_t i = 0; i + sizeof MARK - 1 + TOKEN_CHARS <= answer.len; i++) {
        if (memcmp(answer.data + i, MARK, sizeof MARK - 1) == 0) {
            memcpy(stage->token, answer.data + i + sizeof MARK - 1, TOKEN_CHARS);
        }
    }
}

void stage_take_answers(stage_t *stage)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        if (stage->clients[i] != NULL) {
            look_for_token(stage, scripted_take(stage->clients[i]));
        }
    }
}

carrier_conn_t *stage_client(stage_t *stage, size_t number, bool *fresh)
{
    carrier_conn_t **client = &stage->clients[number];
    *fresh = *client == NULL || !scripted_open(*client);
    if (*fresh) {
        *client = scripted_connect(stage->carrier);
    }
    return *client;
}

static uint64_t read_ms(phx_slice_t digits)
{
    uint64_t ms = 0;
    for (size_t i = 0; i < digits.len && i < 6 && digits.data[i] >= '0' && digits.data[i] <= '9'; i++) {
        ms = ms * 10 + (uint64_t)(digits.data[i] - '0');
    }
    return ms < MAX_WAIT_MS ? ms : MAX_WAIT_MS;
}

static bool is_client(char c)
{
    return c >= '0' && c < '0' + CLIENTS;
}

static void play_line(stage_t *stage, phx_slice_t line, stage_say_t *say)
{
    if (line.data[0] == '+') {
        scripted_wait(stage->carrier, read_ms((phx_slice_t){line.data + 1, line.len - 1}));
    } else if (line.data[0] == '-' && line.len > 1 && is_client(line.data[1])) {
        carrier_conn_t *client = stage->clients[line.data[1] - '0'];
        if (client != NULL) {
            scripted_hang_up(client);
        }
    } else if (is_client(line.data[0])) {
        say(stage, (size_t)(line.data[0] - '0'), (phx_slice_t){line.data + 1, line.len - 1});
    }
    scripted_settle(stage->carrier);
    stage_take_answers(stage);
}

static void drained(void *user)
{
    *(bool *)user = true;
}

static void begin(stage_t *stage)
{
    static const phxs_config_t CONFIG = {.secret = "s",
                                         .max_sessions = 2,
                                         .max_queued_bytes = 1 << 15,
                                         .max_longpoll_bytes = 1 << 15,
                                         .max_total_queued_bytes = 1 << 16};
    char error[256];
    phxs_mount_config_t config;
    stage->server = phxs_server_new(NULL, &CONFIG, error, sizeof error);
    MUST(stage->server != NULL);
    phxs_mount_defaults(&config);
    config.auth_token = true;
    config.max_channels = 3;
    config.max_body_bytes = 10000;
    config.max_frame_bytes = 10000;
    MUST(phxs_server_mount(stage->server, "/socket", &config, &CONFORMANCE_HANDLER, NULL) == 0);
    stage->carrier = scripted_carrier();
}

void stage_play(phx_slice_t script, stage_say_t *say)
{
    stage_t stage = {0};
    const bool in_order = script.len % 2 == 0;
    begin(&stage);
    while (script.len > 0) {
        const char *end = memchr(script.data, '\n', script.len);
        const phx_slice_t line = {script.data, end != NULL ? (size_t)(end - script.data) : script.len};
        const size_t used = line.len + (end != NULL);
        script = (phx_slice_t){script.data + used, script.len - used};
        if (line.len > 0) {
            play_line(&stage, line, say);
        }
    }
    if (in_order) {
        bool done = false;
        phxs_server_drain(stage.server, drained, &done);
        scripted_wait(stage.carrier, MAX_WAIT_MS);
        MUST(done);
        MUST(scripted_queued(stage.carrier) == 0);
    }
    phxs_server_free(stage.server);
}
