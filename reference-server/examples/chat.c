/* SPDX-License-Identifier: MIT */
/*
 * A chat: rooms `room:NAME`, joined with {"name": …}. `say` with {"text": …} reaches everyone in the room as
 * `said`; who comes and goes is told to the others. chat.html is its page. With the library installed:
 *
 *     cc chat.c -o chat $(pkg-config --cflags --libs phxspec-server) && ./chat 4000
 */
#include <phx/json.h>
#include <phxspec/server.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Tells the room {"name": NAME, KEY: VALUE}; `name` and `value` are JSON. */
static int tell(phxs_channel_t *channel, bool others, const char *event, const char *name, phx_slice_t value)
{
    phx_buf_t json = {0};
    phx_buf_append_text(&json, "{\"name\":");
    phx_buf_append_text(&json, name);
    phx_buf_append_text(&json, ",\"text\":");
    phx_buf_append_slice(&json, value);
    phx_buf_append_text(&json, "}");
    const phx_payload_t payload = {PHX_TEXT, phx_buf_slice(&json)};
    int error = PHX_ENOMEM;
    if (!json.failed) {
        error = others ? phxs_broadcast_from(channel, phx_slice_of(event), payload)
                       : phxs_broadcast(channel, phx_slice_of(event), payload);
    }
    phx_buf_free(&json);
    return error;
}

/* Runs behind the join: only who has joined may speak. */
static phxs_outcome_t handle_info(phxs_channel_t *channel, void *message)
{
    (void)message;
    tell(channel, true, "came", phxs_channel_assigns(channel), PHX_SLICE("null"));
    return PHXS_CONTINUE;
}

static phxs_outcome_t join(phxs_channel_t *channel, phx_payload_t payload)
{
    phx_slice_t name;
    if (payload.form != PHX_TEXT || !phx_json_member(payload.data, "name", &name) ||
        phx_json_kind(name) != PHX_JSON_STRING) {
        phxs_join_response(channel, PHX_JSON_PAYLOAD("{\"reason\":\"a name is needed\"}"));
        return PHXS_REFUSE;
    }
    phx_buf_t kept = {0};
    phx_buf_append_slice(&kept, name);
    phx_buf_append_byte(&kept, '\0');
    if (kept.failed) {
        phx_buf_free(&kept);
        return PHXS_FAIL;
    }
    phxs_channel_assign(channel, kept.data);
    return phxs_post(channel, NULL, NULL) == 0 ? PHXS_CONTINUE : PHXS_FAIL;
}

static phxs_outcome_t handle_in(phxs_channel_t *channel, phx_slice_t event, phx_payload_t payload)
{
    phx_slice_t text;
    if (!phx_slice_equals(event, "say") || payload.form != PHX_TEXT ||
        !phx_json_member(payload.data, "text", &text)) {
        phxs_reply(channel, "error", PHX_JSON_PAYLOAD("{\"reason\":\"say {\\\"text\\\": …}\"}"));
        return PHXS_CONTINUE;
    }
    if (tell(channel, false, "said", phxs_channel_assigns(channel), text) != 0) {
        return PHXS_FAIL;
    }
    phxs_reply(channel, "ok", PHX_JSON_PAYLOAD("{}"));
    return PHXS_CONTINUE;
}

static void terminate(phxs_channel_t *channel, phxs_end_t why)
{
    (void)why;
    tell(channel, true, "went", phxs_channel_assigns(channel), PHX_SLICE("null"));
}

static void ended(phxs_channel_t *channel)
{
    free(phxs_channel_assigns(channel));
}

static const phxs_channel_handler_t ROOM = {
    .join = join,
    .handle_in = handle_in,
    .handle_info = handle_info,
    .terminate = terminate,
    .ended = ended,
};
static const phxs_route_t ROUTES[] = {{"room:*", &ROOM}};
static const phxs_socket_handler_t SOCKET = {.routes = ROUTES, .route_count = 1};

/* The first signal frees the server: the loop then ends by itself. */
static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    phxs_server_free(signal->data);
    uv_close((uv_handle_t *)signal, NULL);
}

int main(int argc, char **argv)
{
    static const char *const ORIGINS[] = {"//localhost", "//127.0.0.1", NULL};
    uv_loop_t *loop = uv_default_loop();
    uv_signal_t stop;
    phxs_config_t config = {.port = (uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0)};
    phxs_mount_config_t mount;
    char error[256];

    signal(SIGPIPE, SIG_IGN);
    phxs_mount_defaults(&mount);
    mount.origins = ORIGINS; /* the page may come from another port */
    phxs_server_t *server = phxs_server_new(loop, &config, error, sizeof error);
    if (server == NULL || phxs_server_mount(server, "/socket", &mount, &SOCKET, NULL) != 0) {
        fprintf(stderr, "chat: %s\n", server == NULL ? error : "memory ran out");
        return 3;
    }
    stop.data = server;
    uv_signal_init(loop, &stop);
    uv_signal_start(&stop, on_signal, SIGTERM);
    printf("ready http://127.0.0.1:%u\n", (unsigned)phxs_server_port(server));
    fflush(stdout);
    uv_run(loop, UV_RUN_DEFAULT);
    return uv_loop_close(loop) == 0 ? 0 : 3;
}
