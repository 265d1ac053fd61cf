/* SPDX-License-Identifier: MIT */
#include "replay/target.h"

#include "base/memory.h"
#include "net/deadline.h"
#include "net/spawn.h"
#include "net/stream.h"
#include "replay/command.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const double START_MS = 10000, STOP_MS = 3000, RETRY_MS = 50;

struct target {
    uv_loop_t *loop;
    target_state_t state;
    char *command;
    spawn_t *spawn;
    url_t url;
    address_t address;
    text_t error;
    target_cb *changed;
    void *ctx;
    deadline_t *deadline; /* to be ready, or to be gone */
    deadline_t *retry;    /* READY_BY_TCP: the next attempt */
    stream_t *probe;
    bool stopping, ended_badly;
};

static void change(target_t *target, target_state_t state)
{
    target->state = state;
    deadline_cancel(&target->deadline);
    deadline_cancel(&target->retry);
    target->changed(target->ctx, target);
}

static void fail(target_t *target, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(target_t *target, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_vprintf(&target->error, format, arguments);
    va_end(arguments);
    if (target->spawn != NULL) {
        spawn_signal(target->spawn, SIGKILL); /* it may run and be of no use */
    }
    change(target, TARGET_GONE);
}

static void on_ready(void *ctx, const char *url)
{
    target_t *target = ctx;
    text_t why = {0};
    if (target->state != TARGET_STARTING) {
        return;
    }
    if (url_parse(url, &target->url, &why) && url_resolve(&target->url, &target->address, &why)) {
        change(target, TARGET_READY);
    } else {
        fail(target, "it says it is ready, but %s", why.at);
    }
    text_free(&why);
}

static void on_exited(void *ctx, int64_t status, int signal_number, const char *error)
{
    target_t *target = ctx;
    target->ended_badly = error != NULL || !target->stopping || status != 0 ||
                          (signal_number != 0 && signal_number != SIGTERM && signal_number != SIGKILL);
    if (target->state == TARGET_GONE) {
        return;
    }
    if (error != NULL) {
        fail(target, "it could not be started: %s", error);
    } else if (signal_number != 0) {
        fail(target, "it was ended by signal %d", signal_number);
    } else {
        fail(target, "it ended with status %lld", (long long)status);
    }
}

static const spawn_events_t spawn_callbacks = {on_ready, on_exited};

static void on_start_over(void *ctx)
{
    target_t *target = ctx;
    target->deadline = NULL;
    fail(target,
         "it was not ready after %.0f s (a server that prints no line \"ready URL\" needs --spawn-ready tcp)",
         START_MS / 1000);
}

/* ---- ready when it takes connections ---- */

static void try_connect(void *ctx);

static void on_probe_connected(void *ctx)
{
    target_t *target = ctx;
    change(target, TARGET_READY);
}

static void on_probe_received(void *ctx, span_t bytes)
{
    (void)ctx;
    (void)bytes;
}

static void on_probe_ended(void *ctx, stream_end_t how, const char *detail)
{
    target_t *target = ctx;
    (void)how;
    (void)detail;
    if (target->state == TARGET_STARTING) {
        target->retry = deadline_start(target->loop, RETRY_MS, try_connect, target);
    }
}

static const stream_events_t probe_callbacks = {
    .connected = on_probe_connected, .received = on_probe_received, .ended = on_probe_ended};

static void try_connect(void *ctx)
{
    target_t *target = ctx;
    target->retry = NULL;
    stream_free(target->probe);
    target->probe = stream_open(target->loop, &target->address, &probe_callbacks, target);
}

/* ---- life ---- */

target_t *target_at(const url_t *url, const address_t *address)
{
    target_t *target = mem_new(1, sizeof *target);
    target->state = TARGET_READY;
    target->url = *url;
    target->address = *address;
    return target;
}

target_t *target_spawn(uv_loop_t *loop, const char *command, ready_by_t ready, target_cb *changed, void *ctx)
{
    target_t *target = mem_new(1, sizeof *target);
    text_t line = {0}, why = {0};
    int port = ready == READY_BY_TCP ? spawn_free_port() : 0;
    target->loop = loop;
    target->changed = changed;
    target->ctx = ctx;
    command_port(&line, command, port);
    target->command = text_take(&line);
    target->spawn = spawn_start(loop, target->command, &spawn_callbacks, target);
    target->deadline = deadline_start(loop, START_MS, on_start_over, target);
    if (ready == READY_BY_TCP) {
        char url[64];
        snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
        url_parse(url, &target->url, &why);
        url_resolve(&target->url, &target->address, &why);
        target->retry = deadline_start(loop, RETRY_MS, try_connect, target);
    }
    text_free(&why);
    return target;
}

target_state_t target_state(const target_t *target)
{
    return target->state;
}

const address_t *target_address(const target_t *target)
{
    return &target->address;
}

const char *target_authority(const target_t *target)
{
    return target->url.authority;
}

const char *target_command(const target_t *target)
{
    return target->command;
}

const char *target_error(const target_t *target)
{
    return text_str(&target->error);
}

span_t target_output(const target_t *target)
{
    return target->spawn ? spawn_output(target->spawn) : (span_t){NULL, 0};
}

void target_signal(target_t *target, int signal_number)
{
    if (target->spawn != NULL) {
        target->stopping = true;
        spawn_signal(target->spawn, signal_number);
    }
}

static void on_stop_over(void *ctx)
{
    target_t *target = ctx;
    target->deadline = NULL;
    spawn_signal(target->spawn, SIGKILL);
}

void target_stop(target_t *target)
{
    if (target->state != TARGET_GONE && target->spawn != NULL) {
        target_signal(target, SIGTERM);
        deadline_cancel(&target->deadline);
        target->deadline = deadline_start(target->loop, STOP_MS, on_stop_over, target);
    }
}

bool target_ended_badly(const target_t *target)
{
    return target->ended_badly;
}

void target_free(target_t *target)
{
    if (target != NULL) {
        deadline_cancel(&target->deadline);
        deadline_cancel(&target->retry);
        stream_free(target->probe);
        spawn_free(target->spawn);
        text_free(&target->error);
        free(target->command);
        free(target);
    }
}
