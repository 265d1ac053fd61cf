/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include "phx/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 65536 };

struct lines {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tty_t tty;
        uv_idle_t file; /* a file never keeps anybody waiting */
    } in;
    int fd;
    void (*line)(void *user, char *line);
    void (*end)(void *user, int error);
    void *user;
    phx_buf_t rest;
    size_t searched; /* so much of it has no line break */
    bool freed;
    char buffer[READ_BYTES];
};

static void give_lines(lines_t *lines)
{
    char *newline;
    while (!lines->freed && lines->rest.len > lines->searched &&
           (newline = memchr(lines->rest.data + lines->searched, '\n', lines->rest.len - lines->searched)) !=
               NULL) {
        const size_t len = (size_t)(newline - lines->rest.data) + 1;
        char *line = strndup(lines->rest.data, len - 1);
        memmove(lines->rest.data, lines->rest.data + len, lines->rest.len - len);
        lines->rest.len -= len;
        lines->searched = 0;
        if (line != NULL) {
            lines->line(lines->user, line);
            free(line);
        }
    }
    lines->searched = lines->rest.len;
}

static void give_end(lines_t *lines, int error)
{
    if (lines->rest.len > 0) { /* the last line has no line break */
        phx_buf_append_byte(&lines->rest, '\n');
        give_lines(lines);
    }
    if (!lines->freed) {
        lines->end(lines->user, error);
    }
}

static void on_file(uv_idle_t *handle)
{
    lines_t *lines = handle->data;
    const ssize_t len = read(lines->fd, lines->buffer, sizeof lines->buffer);
    if (len > 0) {
        phx_buf_append(&lines->rest, lines->buffer, (size_t)len);
        give_lines(lines);
    } else {
        (void)uv_idle_stop(handle);
        give_end(lines, len < 0 ? uv_translate_sys_error(errno) : 0);
    }
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    (void)wanted;
    lines_t *lines = handle->data;
    *buffer = uv_buf_init(lines->buffer, sizeof lines->buffer);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    lines_t *lines = stream->data;
    if (len > 0) {
        phx_buf_append(&lines->rest, buffer->base, (size_t)len);
        give_lines(lines);
    } else if (len < 0) {
        (void)uv_read_stop(stream);
        give_end(lines, len == UV_EOF ? 0 : (int)len);
    }
}

lines_t *lines_new(uv_loop_t *loop, int fd, void (*line)(void *user, char *line),
                   void (*end)(void *user, int error), void *user)
{
    lines_t *lines = calloc(1, sizeof *lines);
    if (lines == NULL) {
        return NULL;
    }
    lines->fd = fd;
    lines->line = line;
    lines->end = end;
    lines->user = user;
    int status;
    switch (uv_guess_handle(fd)) {
    case UV_TTY:
        status = uv_tty_init(loop, &lines->in.tty, fd, 0);
        break;
    case UV_NAMED_PIPE:
        status = uv_pipe_init(loop, &lines->in.pipe, 0);
        if (status == 0) {
            status = uv_pipe_open(&lines->in.pipe, fd);
        }
        break;
    case UV_FILE:
        status = uv_idle_init(loop, &lines->in.file);
        lines->in.handle.data = lines;
        if (status == 0) {
            (void)uv_idle_start(&lines->in.file, on_file);
            return lines;
        }
        break;
    default:
        status = UV_EINVAL;
        break;
    }
    if (status == 0) {
        lines->in.handle.data = lines;
        status = uv_read_start(&lines->in.stream, give_buffer, on_read);
    }
    if (status != 0) {
        free(lines); /* what was begun above cannot have failed half-way in these versions of libuv */
        return NULL;
    }
    return lines;
}

static void on_closed(uv_handle_t *handle)
{
    lines_t *lines = handle->data;
    phx_buf_free(&lines->rest);
    free(lines);
}

void lines_free(lines_t *lines)
{
    if (lines != NULL && !lines->freed) {
        lines->freed = true;
        uv_close(&lines->in.handle, on_closed);
    }
}
