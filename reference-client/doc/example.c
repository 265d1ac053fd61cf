/* SPDX-License-Identifier: MIT */
/*
 * Joins a topic, pushes an event, prints what comes, and leaves.
 *
 *     cc example.c $(pkg-config --cflags --static --libs phxspec-client) -o example
 *     ./example ws://localhost:4000/socket room:lobby
 */
#include <stdio.h>

#include <phxspec/client.h>

typedef struct program {
    phxc_socket_t *socket;
    int status;
} program_t;

static void on_message(void *user, phxc_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    (void)user;
    (void)channel;
    printf("%.*s: %.*s\n", (int)event.len, event.data, (int)payload.data.len, payload.data.data);
}

static void on_reply(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response)
{
    program_t *program = user;
    if (outcome == PHXC_REPLIED) {
        printf("%.*s %.*s\n", (int)status.len, status.data, (int)response.data.len, response.data.data);
        program->status = 0;
    }
    phxc_socket_disconnect(program->socket, 1000, (phx_slice_t){0});
}

static void on_joined(void *user, phxc_channel_t *channel, phx_payload_t response)
{
    (void)response;
    phxc_channel_push(channel, PHX_SLICE("echo"), PHX_JSON_PAYLOAD("{\"body\":\"hello\"}"), 0, on_reply,
                      user);
}

static void on_failed(void *user, const char *text, int http_status)
{
    program_t *program = user;
    (void)http_status;
    fprintf(stderr, "%s\n", text);
    phxc_socket_disconnect(program->socket, 0, (phx_slice_t){0});
}

static const phxc_socket_callbacks_t SOCKET_CALLBACKS = {.failed = on_failed};
static const phxc_channel_callbacks_t CHANNEL_CALLBACKS = {.joined = on_joined, .message = on_message};

int main(int argc, char **argv)
{
    char error[256];
    program_t program = {.status = 1};
    phxc_config_t config;
    uv_loop_t loop;
    if (argc != 3 || uv_loop_init(&loop) != 0) {
        fprintf(stderr, "usage: example URL TOPIC\n");
        return 2;
    }
    phxc_config_defaults(&config);
    config.endpoint = argv[1];
    program.socket = phxc_socket_new(&loop, &config, &SOCKET_CALLBACKS, &program, error, sizeof error);
    if (program.socket == NULL) {
        fprintf(stderr, "%s\n", error);
    } else {
        phxc_channel_t *channel = phxc_channel_new(program.socket, phx_slice_of(argv[2]),
                                                   PHX_JSON_PAYLOAD("{}"), &CHANNEL_CALLBACKS, &program);
        phxc_channel_join(channel, 0);
        phxc_socket_connect(program.socket);
        uv_run(&loop, UV_RUN_DEFAULT); /* until the socket is disconnected */
        phxc_socket_free(program.socket);
    }
    uv_run(&loop, UV_RUN_DEFAULT); /* the last handles go */
    uv_loop_close(&loop);
    return program.status;
}
