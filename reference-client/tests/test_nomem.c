/* SPDX-License-Identifier: MIT */
/* Memory runs out at every allocation in turn: nothing crashes, nothing leaks, and with memory again the
 * client goes on. (Linked with --wrap of the functions that allocate.) */
#include "rig.h"

#include <stdio.h>
#include <string.h>

static long countdown = -1; /* allocations until one fails; below 0: none does */

static int allocations_failed;

static bool fails(void)
{
    const bool now = countdown >= 0 && countdown-- == 0;
    allocations_failed += now;
    return now;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

/* ---- a network that needs no memory ---- */

typedef struct net {
    uint64_t now;
    phxc_timers_t timers;
    phxc_transport_t conn;
    bool there;
} net_t;

static net_t the_net;

static void conn_send(phxc_transport_t *transport, phx_form_t form, phx_slice_t bytes)
{
    (void)transport;
    (void)form;
    (void)bytes;
}

static void conn_close(phxc_transport_t *transport, int code, phx_slice_t reason)
{
    (void)transport;
    (void)code;
    (void)reason;
}

static void conn_dispose(phxc_transport_t *transport)
{
    (void)transport;
    the_net.there = false;
}

static phxc_transport_t *network_open(void *context, const phxc_request_t *request,
                                      const phxc_transport_events_t *events, void *owner, char *error,
                                      size_t error_size)
{
    static const phxc_transport_ops_t ops = {conn_send, conn_close, conn_dispose, true};
    net_t *net = context;
    (void)request;
    (void)error;
    (void)error_size;
    net->there = true;
    net->conn = (phxc_transport_t){&ops, events, owner};
    return &net->conn;
}

static uint64_t clock_now(void *clock)
{
    return ((net_t *)clock)->now;
}

static void clock_changed(void *clock)
{
    (void)clock;
}

static void advance(net_t *net, uint64_t ms)
{
    const uint64_t until = net->now + ms;
    uint64_t due;
    while (phxc_timers_due(&net->timers, &due) && due <= until) {
        net->now = due > net->now ? due : net->now;
        phxc_timers_run(&net->timers);
    }
    net->now = until;
}

static void receive(net_t *net, const char *text)
{
    if (net->there) {
        net->conn.events->received(net->conn.owner, PHX_TEXT, phx_slice_of(text));
    }
}

/* ---- a life ---- */

static unsigned ends;

static void on_reply(void *user, phxc_outcome_t outcome, phx_slice_t status, phx_payload_t response)
{
    (void)user;
    (void)outcome;
    (void)status;
    (void)response;
    ends++;
}

static void on_ping(void *user, uint64_t elapsed_ms)
{
    (void)user;
    (void)elapsed_ms;
}

static void reply_to_join(net_t *net, const phxc_channel_t *channel)
{
    char text[200];
    const phx_slice_t ref = phxc_channel_join_ref(channel);
    (void)snprintf(
        text, sizeof text, "[\"%.*s\",\"%.*s\",\"c\",\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]",
        (int)ref.len, ref.data != NULL ? ref.data : "", (int)ref.len, ref.data != NULL ? ref.data : "");
    receive(net, text);
}

/* Returns false when even the beginning failed. */
static bool live(long fail_at)
{
    static const char state[] =
        "[null,null,\"c\",\"presence_state\",{\"a\":{\"metas\":[{\"phx_ref\":\"1\"}],\"x\":1},"
        "\"\\u00e4\":{\"metas\":[{\"phx_ref\":\"2\"}]}}]";
    static const char diff[] =
        "[null,null,\"c\",\"presence_diff\",{\"joins\":{\"a\":{\"metas\":[{\"phx_ref\":\"3\"}]}},"
        "\"leaves\":{\"a\":{\"metas\":[{\"phx_ref\":\"1\"}]}}}]";
    char error[200];
    net_t *net = &the_net;
    unsigned pushes = 0;
    *net = (net_t){.now = 1000};
    net->timers = (phxc_timers_t){.now = clock_now, .changed = clock_changed, .clock = net};
    ends = 0;
    phxc_config_t config;
    phxc_config_defaults(&config);
    config.endpoint = "ws://host/s";
    config.params = "{\"a\":{\"b\":\"\\u00e4\"}}";
    config.auth_token = "t";
    const phxc_network_t network = {network_open, net};

    countdown = fail_at;
    phxc_socket_t *socket =
        phxc__socket_new(&net->timers, network, NULL, &config, NULL, NULL, error, sizeof error);
    phxc_channel_t *channel =
        socket != NULL ? phxc_channel_new(socket, PHX_SLICE("c"), PHX_JSON_PAYLOAD("{}"), NULL, NULL) : NULL;
    if (channel == NULL) {
        countdown = -1;
        phxc_socket_free(socket);
        return false;
    }
    (void)phxc_presence_new(channel, NULL, NULL, NULL, NULL);
    (void)phxc_socket_send(socket, PHX_SLICE("t"), PHX_SLICE("e"), PHX_JSON_PAYLOAD("{}"));
    bool joins = phxc_channel_join(channel, 0) == 0;
    pushes += phxc_channel_push(channel, PHX_SLICE("e"), PHX_JSON_PAYLOAD("{}"), 0, on_reply, NULL) == 0;
    phxc_socket_connect(socket);
    for (int i = 0; i < 2; i++) {
        advance(net, 100);
        if (net->there) {
            net->conn.events->opened(net->conn.owner);
        }
        reply_to_join(net, channel);
        receive(net, diff);
        receive(net, state);
        receive(net, diff);
        (void)phxc_socket_ping(socket, on_ping, NULL);
        pushes += phxc_channel_push(channel, PHX_SLICE("e"), PHX_JSON_PAYLOAD("[1]"), 0, on_reply, NULL) == 0;
        advance(net, 30001);
        if (net->there) {
            net->conn.events->closed(net->conn.owner, 1006, (phx_slice_t){0}, false);
        }
    }
    countdown = -1; /* memory again */
    joins = joins || phxc_channel_join(channel, 0) == 0;
    advance(net, 100);
    phxc_socket_connect(socket);
    if (net->there && phxc_socket_state(socket) == PHXC_CONNECTING) {
        net->conn.events->opened(net->conn.owner);
    }
    advance(net, 25000);
    reply_to_join(net, channel);
    ck_assert_msg(joins && phxc_channel_state(channel) == PHXC_CHANNEL_JOINED,
                  "allocation %ld: state %d, socket %d", fail_at, (int)phxc_channel_state(channel),
                  (int)phxc_socket_state(socket));
    phxc_socket_free(socket);
    ck_assert_uint_eq(ends, pushes);
    return true;
}

START_TEST(at_every_allocation)
{
    int lived = 0;
    bool failed = true;
    for (long fail_at = 0; failed; fail_at++) {
        allocations_failed = 0;
        lived += live(fail_at);
        failed = allocations_failed > 0;
    }
    ck_assert_int_gt(lived, 100);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("nomem");
    tcase_add_test(tcase, at_every_allocation);
    tcase_set_timeout(tcase, 30);
    Suite *suite = suite_create("nomem");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
