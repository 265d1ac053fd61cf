/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance.h"
#ifdef PHXS_FAULTS
#include "faults.h"
#endif
#include "options.h"

typedef struct program {
    uv_loop_t loop;
    uv_signal_t signals[2];
    uv_async_t drained;
    phxs_server_t *server;
    bool draining;
} program_t;

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle) && (handle->type == UV_SIGNAL || handle->type == UV_ASYNC)) {
        uv_close(handle, NULL);
    }
}

/* The loop ends when its last handles have gone. */
static void stop(program_t *program)
{
    phxs_server_free(program->server);
    program->server = NULL;
    close_handle((uv_handle_t *)&program->signals[0]);
    close_handle((uv_handle_t *)&program->signals[1]);
    close_handle((uv_handle_t *)&program->drained);
}

static void on_drained(void *user)
{
    program_t *program = user;
    uv_async_send(&program->drained);
}

static void on_drained_async(uv_async_t *handle)
{
    stop(handle->data);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    program_t *program = handle->data;
    if (program->draining) {
        stop(program);
        return;
    }
    program->draining = true;
    phxs_server_drain(program->server, on_drained, program);
}

static bool watch(program_t *program)
{
    static const int NUMBERS[] = {SIGTERM, SIGINT};
    for (int i = 0; i < 2; i++) {
        program->signals[i].data = program;
        if (uv_signal_init(&program->loop, &program->signals[i]) != 0 ||
            uv_signal_start(&program->signals[i], on_signal, NUMBERS[i]) != 0) {
            return false;
        }
    }
    program->drained.data = program;
    return uv_async_init(&program->loop, &program->drained, on_drained_async) == 0;
}

static bool serve(program_t *program, const options_t *options)
{
    char error[256] = "";
    program->server = phxs_server_new(&program->loop, &options->server, error, sizeof(error));
    if (program->server == NULL) {
        fprintf(stderr, "phxspec-server: %s\n", error);
        return false;
    }
#ifdef PHXS_FAULTS
    if (options->fault != NULL) {
        phxs_server_break(program->server, options->fault);
    }
#endif
    for (size_t i = 0; i < options->mount_count; i++) {
        const option_mount_t *mount = &options->mounts[i];
        if (phxs_server_mount(program->server, mount->path, &mount->config, &CONFORMANCE_HANDLER, NULL) !=
            0) {
            fprintf(stderr, "phxspec-server: memory ran out\n");
            return false;
        }
    }
    return true;
}

static bool usable(const options_t *options)
{
    char error[256] = "";
    const bool good = phxs_config_check(&options->server, error, sizeof(error));
    if (!good) {
        fprintf(stderr, "phxspec-server: %s\n", error);
    }
    return good;
}

/* Where a standard descriptor is closed a socket would take its place, and get what is printed. */
static void hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            abort();
        }
    }
}

int main(int argc, char **argv)
{
    hold_standard_descriptors();
    options_t options;
    program_t program = {0};
    options_outcome_t outcome = options_parse(&options, argc, argv);
    if (outcome == OPTIONS_RUN && !usable(&options)) {
        outcome = OPTIONS_WRONG;
    }
    int status = outcome == OPTIONS_WRONG ? 2 : 0;
    if (outcome != OPTIONS_RUN) {
        options_free(&options);
        return status;
    }
    signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&program.loop) != 0) {
        return 3;
    }
    if (watch(&program) && serve(&program, &options)) {
        const char *address = options.server.address != NULL ? options.server.address : "127.0.0.1";
        bool v6 = strchr(address, ':') != NULL;
        printf("ready %s://%s%s%s:%u\n", options.server.tls_cert != NULL ? "https" : "http", v6 ? "[" : "",
               address, v6 ? "]" : "", (unsigned)phxs_server_port(program.server));
        fflush(stdout);
    } else {
        status = 3;
        stop(&program);
    }
    uv_run(&program.loop, UV_RUN_DEFAULT);
    uv_loop_close(&program.loop);
    options_free(&options);
    return status;
}
