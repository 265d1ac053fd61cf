/* SPDX-License-Identifier: MIT */
#include "net/spawn.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUTPUT_MAX = 64 * 1024, PIPES = 2 };

struct spawn {
    uv_process_t process;
    uv_pipe_t pipes[PIPES]; /* its stdout and stderr */
    const spawn_events_t *events;
    void *ctx;
    text_t output; /* both, in the order they came */
    text_t line;   /* of stdout, until it was ready */
    bool running, ready, freed;
    int failed;
    unsigned open;      /* handles not closed yet */
    uv_timer_t failure; /* reports a start that failed from the loop */
};

static void on_closed(uv_handle_t *handle)
{
    spawn_t *spawn = handle->data;
    if (--spawn->open == 0 && spawn->freed) {
        text_free(&spawn->output);
        text_free(&spawn->line);
        free(spawn);
    }
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_closed);
    }
}

static void keep_output(spawn_t *spawn, span_t bytes)
{
    text_span_add(&spawn->output, bytes);
    if (spawn->output.len > OUTPUT_MAX) {
        text_drop(&spawn->output, spawn->output.len - OUTPUT_MAX);
    }
}

static void look_for_ready(spawn_t *spawn, span_t bytes)
{
    text_span_add(&spawn->line, bytes);
    span_t rest = text_span(&spawn->line), line;
    while (!spawn->ready && rest.len > 0 && memchr(rest.at, '\n', rest.len) != NULL) {
        span_next(&rest, '\n', &line);
        line = span_trim(line);
        if (span_starts(line, "ready ")) {
            spawn->ready = true;
            line = span_from(line, strlen("ready "));
            char *url = mem_string_n(line.at, line.len);
            spawn->events->ready(spawn->ctx, url);
            free(url);
        }
    }
    if (spawn->ready || spawn->line.len - rest.len > 0) {
        text_drop(&spawn->line, spawn->ready ? spawn->line.len : spawn->line.len - rest.len);
    }
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    buffer->base = mem_grow(NULL, suggested);
    buffer->len = suggested;
}

static void on_read(uv_stream_t *pipe, ssize_t got, const uv_buf_t *buffer)
{
    spawn_t *spawn = pipe->data;
    if (got > 0) {
        span_t bytes = {buffer->base, (size_t)got};
        keep_output(spawn, bytes);
        if (pipe == (uv_stream_t *)&spawn->pipes[0] && !spawn->ready && !spawn->freed) {
            look_for_ready(spawn, bytes);
        }
    } else if (got < 0) {
        close_handle((uv_handle_t *)pipe);
    }
    free(buffer->base);
}

static void on_exit(uv_process_t *process, int64_t status, int signal_number)
{
    spawn_t *spawn = process->data;
    spawn->running = false;
    close_handle((uv_handle_t *)process);
    if (!spawn->freed) {
        spawn->events->exited(spawn->ctx, status, signal_number, NULL);
    }
}

static void on_failure(uv_timer_t *timer)
{
    spawn_t *spawn = timer->data;
    spawn->events->exited(spawn->ctx, -1, 0, uv_strerror(spawn->failed));
}

spawn_t *spawn_start(uv_loop_t *loop, const char *command, const spawn_events_t *events, void *ctx)
{
    spawn_t *spawn = mem_new(1, sizeof *spawn);
    spawn->events = events;
    spawn->ctx = ctx;
    uv_stdio_container_t stdio[1 + PIPES] = {{.flags = UV_IGNORE}};
    for (size_t i = 0; i < PIPES; i++) {
        uv_pipe_init(loop, &spawn->pipes[i], 0);
        spawn->pipes[i].data = spawn;
        stdio[1 + i].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
        stdio[1 + i].data.stream = (uv_stream_t *)&spawn->pipes[i];
    }
    /* a simple command is not run by a shell in between: signals reach the program itself */
    text_t line = {0};
    text_printf(&line, "exec %s", command);
    char shell[] = "/bin/sh", flag[] = "-c";
    char *arguments[] = {shell, flag, line.at, NULL};
    uv_process_options_t options = {
        .exit_cb = on_exit,
        .file = shell,
        .args = arguments,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 1 + PIPES,
        .stdio = stdio,
    };
    spawn->failed = uv_spawn(loop, &spawn->process, &options);
    text_free(&line);
    spawn->process.data = spawn;
    uv_timer_init(loop, &spawn->failure);
    spawn->failure.data = spawn;
    spawn->open = 2 + PIPES;
    if (spawn->failed) {
        uv_timer_start(&spawn->failure, on_failure, 0, 0);
        return spawn;
    }
    spawn->running = true;
    for (size_t i = 0; i < PIPES; i++) {
        uv_read_start((uv_stream_t *)&spawn->pipes[i], on_allocate, on_read);
    }
    return spawn;
}

void spawn_signal(spawn_t *spawn, int signal_number)
{
    if (spawn->running) {
        kill(-spawn->process.pid, signal_number);
    }
}

span_t spawn_output(const spawn_t *spawn)
{
    return text_span(&spawn->output);
}

void spawn_free(spawn_t *spawn)
{
    if (spawn == NULL) {
        return;
    }
    spawn_signal(spawn, SIGKILL);
    spawn->freed = true;
    for (size_t i = 0; i < PIPES; i++) {
        close_handle((uv_handle_t *)&spawn->pipes[i]);
    }
    close_handle((uv_handle_t *)&spawn->failure);
    /* a killed program is still waited for, so that it leaves no zombie: on_exit closes the handle */
    if (!spawn->running) {
        close_handle((uv_handle_t *)&spawn->process);
    }
}

int spawn_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0), port = 0;
    if (fd >= 0) {
        if (bind(fd, (struct sockaddr *)&address, len) == 0 &&
            getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
            port = ntohs(address.sin_port);
        }
        close(fd);
    }
    return port;
}
