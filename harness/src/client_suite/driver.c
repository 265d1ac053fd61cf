/* SPDX-License-Identifier: MIT */
#include "client_suite/driver.h"

#include "base/memory.h"
#include "client_suite/outlet.h"
#include "net/deadline.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IN, OUT, ERR, PIPES };
/* What a driver may say in a line, and while one case is played. */
static const double FAREWELL_MS = 500; /* to end, for who has closed its stdout */
enum { LINE_MAX_BYTES = 16 << 20, SAID_MAX_BYTES = 48 << 20, SAID_MAX_LINES = 20000 };

struct driver {
    uv_process_t process;
    uv_pipe_t pipes[PIPES];
    char *program;
    const driver_events_t *events;
    void *ctx;
    text_t lines[PIPES];           /* what is not a whole line yet */
    double written_at;             /* when stdout was last written to, as of what was read last */
    bool last_line;                /* what is being said is all that was written by then */
    size_t said_bytes, said_lines; /* to who listens now */
    bool running, ended, freed;
    bool exited;    /* the process is gone, maybe with words of it still in the pipe */
    int end[PIPES]; /* of its stdin and stdout, as used here; -1: one without times */
    int failed;
    unsigned open; /* handles not closed yet */
    deadline_t *failure, *farewell;
    char *how; /* it ended */
};

typedef struct line_write {
    uv_write_t request;
    text_t text;
} line_write_t;

static void on_closed(uv_handle_t *handle)
{
    driver_t *driver = handle->data;
    if (--driver->open == 0 && driver->freed) {
        for (size_t i = 0; i < PIPES; i++) {
            text_free(&driver->lines[i]);
        }
        free(driver->how);
        free(driver->program);
        free(driver);
    }
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_closed);
    }
}

static void end(driver_t *driver, const char *how)
{
    if (!driver->ended && !driver->freed) {
        driver->ended = true;
        driver->events->ended(driver->ctx, how);
    }
}

static void take_line(driver_t *driver, int pipe, span_t line)
{
    if (driver->ended || driver->freed || span_trim(line).len == 0) {
        return;
    }
    if (pipe == ERR) {
        driver->events->noise(driver->ctx, line);
        return;
    }
    if (++driver->said_lines > SAID_MAX_LINES) {
        end(driver, "the driver flooded: it said more than 20000 lines in one case");
        return;
    }
    text_t why = {0};
    json_t *json = jvalue_parse(line, &why);
    if (json_is_object(json) && json_is_string(json_object_get(json, "event"))) {
        driver->events->said(driver->ctx, json);
    } else {
        text_t how = {0};
        text_puts(&how, "the driver wrote to stdout what is no event: ");
        text_show(&how, line, 200);
        end(driver, text_str(&how));
        text_free(&how);
    }
    json_decref(json);
    text_free(&why);
}

/* Takes the lines that end with what was read now; at the end of the pipe, what is left without an end. */
static void take_lines(driver_t *driver, int pipe, span_t read, bool at_the_end)
{
    text_t *begun = &driver->lines[pipe];
    span_t line;
    while (read.len > 0 && memchr(read.at, '\n', read.len)) {
        span_next(&read, '\n', &line);
        text_t whole = *begun;
        *begun = (text_t){0};
        text_span_add(&whole, line);
        driver->last_line = read.len == 0;
        take_line(driver, pipe, text_span(&whole));
        text_free(&whole);
    }
    text_span_add(begun, read);
    if (at_the_end) {
        text_t whole = *begun;
        *begun = (text_t){0};
        take_line(driver, pipe, text_span(&whole));
        text_free(&whole);
    }
}

/* A driver that says too much is not listened to any more. */
static bool says_too_much(driver_t *driver, int pipe, size_t got)
{
    driver->said_bytes += got;
    if (driver->said_bytes > SAID_MAX_BYTES) {
        end(driver, "the driver flooded: it wrote more than 48 MB in one case");
    } else if (driver->lines[pipe].len > LINE_MAX_BYTES) {
        end(driver, pipe == OUT ? "the driver wrote a line of more than 16 MB to stdout"
                                : "the driver wrote a line of more than 16 MB to stderr");
    }
    return driver->ended;
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    buffer->base = mem_grow(NULL, suggested);
    buffer->len = suggested;
}

/* It has ended and everything it said was read. */
static void check_ended(driver_t *driver)
{
    if (driver->exited && uv_is_closing((uv_handle_t *)&driver->pipes[OUT])) {
        end(driver, driver->how);
    }
}

/* Nothing can come from it any more, and it still runs. */
static void on_farewell(void *ctx)
{
    driver_t *driver = ctx;
    driver->farewell = NULL;
    end(driver, "the driver closed its stdout");
}

static void on_read(uv_stream_t *pipe, ssize_t got, const uv_buf_t *buffer)
{
    driver_t *driver = pipe->data;
    int which = pipe == (uv_stream_t *)&driver->pipes[OUT] ? OUT : ERR;
    if (got > 0 && !driver->freed && !driver->ended) {
        span_t read = {buffer->base, (size_t)got};
        if (which == OUT) {
            driver->written_at = outlet_written_at(driver->end[OUT]);
        }
        if (says_too_much(driver, which, read.len)) {
            text_clear(&driver->lines[which]);
        } else {
            take_lines(driver, which, read, false);
        }
    } else if (got < 0) {
        close_handle((uv_handle_t *)pipe);
        take_lines(driver, which, (span_t){0}, true);
        check_ended(driver);
        if (which == OUT && !driver->exited && !driver->ended && !driver->freed) {
            driver->farewell = deadline_start(pipe->loop, FAREWELL_MS, on_farewell, driver);
        }
    }
    free(buffer->base);
}

static void on_exit(uv_process_t *process, int64_t status, int signal_number)
{
    driver_t *driver = process->data;
    text_t how = {0};
    if (signal_number) {
        text_printf(&how, "the driver was ended by signal %d", signal_number);
    } else {
        text_printf(&how, "the driver ended with exit code %d", (int)status);
    }
    driver->running = false;
    driver->exited = true;
    driver->how = text_take(&how);
    close_handle((uv_handle_t *)process);
    check_ended(driver);
}

static void on_failure(void *ctx)
{
    driver_t *driver = ctx;
    text_t how = {0};
    driver->failure = NULL;
    text_printf(&how, "the driver %s could not be started: %s", driver->program, uv_strerror(driver->failed));
    end(driver, text_str(&how));
    text_free(&how);
}

static void take_outlet(driver_t *driver, int pipe, bool opened, const int *its_end,
                        uv_stdio_container_t *stdio)
{
    if (opened) {
        stdio[pipe].flags = UV_INHERIT_FD;
        stdio[pipe].data.fd = its_end[pipe];
        uv_pipe_open(&driver->pipes[pipe], driver->end[pipe]);
    } else {
        driver->end[pipe] = -1;
    }
}

driver_t *driver_start(uv_loop_t *loop, char *const *arguments, const driver_events_t *events, void *ctx)
{
    driver_t *driver = mem_new(1, sizeof *driver);
    driver->events = events;
    driver->ctx = ctx;
    driver->program = mem_string(arguments[0]);
    uv_stdio_container_t stdio[PIPES];
    for (size_t i = 0; i < PIPES; i++) {
        uv_pipe_init(loop, &driver->pipes[i], 0);
        driver->pipes[i].data = driver;
        stdio[i].flags = UV_CREATE_PIPE | (i == IN ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
        stdio[i].data.stream = (uv_stream_t *)&driver->pipes[i];
    }
    int its_end[PIPES] = {-1, -1, -1};
    take_outlet(driver, IN, outlet_open(&its_end[IN], &driver->end[IN]), its_end, stdio);
    take_outlet(driver, OUT, outlet_open(&driver->end[OUT], &its_end[OUT]), its_end, stdio);
    uv_process_options_t options = {.exit_cb = on_exit,
                                    .file = arguments[0],
                                    .args = (char **)arguments,
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio_count = PIPES,
                                    .stdio = stdio};
    driver->failed = uv_spawn(loop, &driver->process, &options);
    driver->process.data = driver;
    for (size_t i = 0; i < PIPES; i++) {
        if (its_end[i] >= 0) {
            close(its_end[i]);
        }
    }
    driver->open = 1 + PIPES;
    if (driver->failed) {
        driver->failure = deadline_start(loop, 0, on_failure, driver);
        return driver;
    }
    driver->running = true;
    uv_read_start((uv_stream_t *)&driver->pipes[OUT], on_allocate, on_read);
    uv_read_start((uv_stream_t *)&driver->pipes[ERR], on_allocate, on_read);
    return driver;
}

void driver_listen(driver_t *driver, const driver_events_t *events, void *ctx)
{
    driver->events = events;
    driver->ctx = ctx;
    driver->said_bytes = driver->said_lines = 0;
}

moment_t driver_moment(const driver_t *driver, const pace_t *pace)
{
    moment_t moment = moment_last(pace_looked(pace), driver->written_at);
    moment.earliest = driver->last_line ? moment.earliest : pace_looked(pace);
    return moment;
}

static void on_written(uv_write_t *request, int status)
{
    line_write_t *write = request->data;
    (void)status; /* a driver that does not read is seen to have ended */
    text_free(&write->text);
    free(write);
}

void driver_tell(driver_t *driver, const json_t *command)
{
    if (!driver->running || driver->ended) {
        return;
    }
    line_write_t *write = mem_new(1, sizeof *write);
    jvalue_write(&write->text, command);
    text_putc(&write->text, '\n');
    write->request.data = write;
    uv_buf_t buffer = {.base = write->text.at, .len = write->text.len};
    if (uv_write(&write->request, (uv_stream_t *)&driver->pipes[IN], &buffer, 1, on_written) != 0) {
        on_written(&write->request, -1);
    }
}

double driver_told_at(const driver_t *driver)
{
    return driver_running(driver) ? outlet_written_at(driver->end[IN]) : 0;
}

bool driver_running(const driver_t *driver)
{
    return driver->running && !driver->ended;
}

void driver_free(driver_t *driver)
{
    if (!driver) {
        return;
    }
    driver->freed = true;
    deadline_cancel(&driver->failure);
    deadline_cancel(&driver->farewell);
    if (driver->running) {
        kill(-driver->process.pid, SIGKILL);
    }
    for (size_t i = 0; i < PIPES; i++) {
        close_handle((uv_handle_t *)&driver->pipes[i]);
    }
    /* a killed program is still waited for, so that it leaves no zombie: on_exit closes the handle */
    if (!driver->running) {
        close_handle((uv_handle_t *)&driver->process);
    }
}
