/* SPDX-License-Identifier: MIT */
/*
 * The yardstick of the bench: the least a WebSocket server on libwebsockets does, on a libuv loop as ours,
 * without a protocol. It says back each message, at once from the callback that brings it; one that begins
 * with `!` goes to all.
 */
#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

enum { RX_BYTES = 1024, TX_BYTES = 65536, MESSAGE_BYTES = 4096 };

typedef struct all {
    lws_dll2_owner_t clients;
} all_t;

typedef struct client {
    lws_dll2_t link;
    struct lws *wsi;
    unsigned char *begun; /* of a message that a read cut in two; NULL: none */
    size_t begun_len;
} client_t;

static int say(client_t *client, unsigned char *text, size_t len)
{
    if (lws_partial_buffered(client->wsi)) {
        fprintf(stderr, "yardstick: a client does not read\n"); /* the load never lets so much pile up */
        return -1;
    }
    return lws_write(client->wsi, text, len, LWS_WRITE_TEXT) < 0 ? -1 : 0;
}

static int on_message(all_t *all, client_t *client, unsigned char *text, size_t len)
{
    if (len == 0 || text[0] != '!') {
        return say(client, text, len);
    }
    for (lws_dll2_t *node = lws_dll2_get_head(&all->clients); node != NULL; node = node->next) {
        if (say(lws_container_of(node, client_t, link), text, len) != 0) {
            return -1;
        }
    }
    return 0;
}

static int on_bytes(all_t *all, client_t *client, const void *bytes, size_t len)
{
    unsigned char copy[LWS_PRE + MESSAGE_BYTES];
    const size_t begun = client->begun_len;
    if (len > MESSAGE_BYTES - begun) {
        return -1;
    }
    if (begun > 0) {
        memcpy(copy + LWS_PRE, client->begun, begun);
    }
    memcpy(copy + LWS_PRE + begun, bytes, len);
    if (lws_remaining_packet_payload(client->wsi) == 0) {
        client->begun_len = 0;
        return on_message(all, client, copy + LWS_PRE, begun + len);
    }
    if (client->begun == NULL && (client->begun = malloc(MESSAGE_BYTES)) == NULL) {
        return -1;
    }
    memcpy(client->begun, copy + LWS_PRE, begun + len);
    client->begun_len = begun + len;
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    client_t *client = user;
    all_t *all = lws_context_user(lws_get_context(wsi));
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        client->wsi = wsi;
        lws_dll2_add_tail(&client->link, &all->clients);
        return 0;
    case LWS_CALLBACK_CLOSED:
        lws_dll2_remove(&client->link);
        free(client->begun);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return on_bytes(all, client, in, len);
    default:
        return 0;
    }
}

static void quiet(int level, const char *line)
{
    (void)level;
    (void)line;
}

int main(void)
{
    static const lws_retry_bo_t no_validity = {0};
    const struct lws_protocols protocols[] = {
        {"echo", on_event, sizeof(client_t), RX_BYTES, 0, NULL, TX_BYTES}, {NULL, NULL, 0, 0, 0, NULL, 0}};
    struct rlimit descriptors;
    all_t all = {0};
    uv_loop_t loop;
    void *loops[] = {&loop};

    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    lws_set_log_level(LLL_ERR, quiet);
    if (uv_loop_init(&loop) != 0) {
        return 3;
    }
    struct lws_context_creation_info info = {0};
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.options =
        LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    info.foreign_loops = loops;
    info.retry_and_idle_policy = &no_validity;
    info.user = &all;
    struct lws_context *context = lws_create_context(&info);
    struct lws_vhost *vhost = context != NULL ? lws_create_vhost(context, &info) : NULL;
    if (vhost == NULL) {
        return 3;
    }
    printf("ready http://127.0.0.1:%d\n", lws_get_vhost_listen_port(vhost));
    fflush(stdout);
    return uv_run(&loop, UV_RUN_DEFAULT);
}
