/* SPDX-License-Identifier: MIT */
#include "net/stream.h"

#include "base/memory.h"
#include "net/deadline.h"

#include <stdlib.h>
#ifdef __linux__
#include <linux/tcp.h>
#include <netinet/in.h>
#endif

struct stream {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    const stream_events_t *events;
    void *ctx;
    deadline_t *failure; /* an error of the very start, reported from the loop */
    int failed;
    text_t early; /* written before the connection stood */
    bool connected, half_close, finished;
    double written_at;
    bool quiet;         /* nothing is reported any more */
    bool closed, freed; /* the handle by a reset, the stream by its owner: gone when both are true */
};

typedef struct write {
    uv_write_t request;
    char *bytes;
} write_t;

static void release(stream_t *stream)
{
    if (stream->closed && stream->freed) {
        text_free(&stream->early);
        free(stream);
    }
}

static void on_closed(uv_handle_t *handle)
{
    stream_t *stream = handle->data;
    stream->closed = true;
    release(stream);
}

static void report_end(stream_t *stream, stream_end_t how, const char *detail)
{
    if (!stream->quiet) {
        stream->quiet = true;
        stream->events->ended(stream->ctx, how, detail);
    }
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    buffer->base = mem_grow(NULL, suggested);
    buffer->len = suggested;
}

static void on_read(uv_stream_t *handle, ssize_t got, const uv_buf_t *buffer)
{
    stream_t *stream = handle->data;
    if (got > 0 && !stream->quiet) {
        stream->events->received(stream->ctx, (span_t){buffer->base, (size_t)got});
    } else if (got < 0) {
        uv_read_stop(handle);
        if (got == UV_EOF && stream->events->finished != NULL) {
            stream->finished = true;
            if (!stream->quiet) {
                stream->events->finished(stream->ctx);
            }
        } else {
            report_end(stream, got == UV_EOF ? STREAM_FIN : STREAM_ERROR, uv_strerror((int)got));
        }
    }
    free(buffer->base);
}

static void on_written(uv_write_t *request, int status)
{
    write_t *write = request->data;
    stream_t *stream = request->handle->data;
    if (status != 0 && status != UV_ECANCELED && stream->finished) { /* else it shows when reading */
        report_end(stream, STREAM_ERROR, uv_strerror(status));
    }
    free(write->bytes);
    free(write);
    if (status == 0 && stream->events->drained != NULL && stream_backlog(stream) == 0 && !stream->quiet) {
        stream->events->drained(stream->ctx);
    }
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)request;
    (void)status;
}

static void on_connected(uv_connect_t *request, int status)
{
    stream_t *stream = request->data;
    if (stream->quiet) {
        return;
    }
    if (status != 0) {
        report_end(stream, STREAM_UNREACHABLE, uv_strerror(status));
        return;
    }
    stream->connected = true;
    uv_tcp_nodelay(&stream->tcp, 1);
    if (stream->early.len > 0) {
        stream_write(stream, text_span(&stream->early));
        text_free(&stream->early);
    }
    if (stream->half_close) {
        uv_shutdown(&stream->shutdown, (uv_stream_t *)&stream->tcp, on_shutdown);
    }
    int failed = uv_read_start((uv_stream_t *)&stream->tcp, on_allocate, on_read);
    if (failed) {
        report_end(stream, STREAM_ERROR, uv_strerror(failed));
    } else if (stream->events->connected != NULL) {
        stream->events->connected(stream->ctx);
    }
}

static void on_failure(void *ctx)
{
    stream_t *stream = ctx;
    stream->failure = NULL;
    report_end(stream, STREAM_UNREACHABLE, uv_strerror(stream->failed));
}

stream_t *stream_open(uv_loop_t *loop, const address_t *address, const stream_events_t *events, void *ctx)
{
    stream_t *stream = mem_new(1, sizeof *stream);
    stream->events = events;
    stream->ctx = ctx;
    stream->tcp.data = stream;
    stream->connect.data = stream;
    uv_tcp_init(loop, &stream->tcp);
    stream->failed = uv_tcp_connect(&stream->connect, &stream->tcp,
                                    (const struct sockaddr *)&address->storage, on_connected);
    if (stream->failed) {
        stream->failure = deadline_start(loop, 0, on_failure, stream);
    }
    return stream;
}

stream_t *stream_accept(uv_stream_t *listener, const stream_events_t *events, void *ctx)
{
    stream_t *stream = mem_new(1, sizeof *stream);
    stream->events = events;
    stream->ctx = ctx;
    stream->tcp.data = stream;
    uv_tcp_init(listener->loop, &stream->tcp);
    if (uv_accept(listener, (uv_stream_t *)&stream->tcp) != 0 ||
        uv_read_start((uv_stream_t *)&stream->tcp, on_allocate, on_read) != 0) {
        stream_free(stream);
        return NULL;
    }
    stream->connected = true;
    uv_tcp_nodelay(&stream->tcp, 1);
    return stream;
}

void stream_write(stream_t *stream, span_t bytes)
{
    if (stream->quiet || bytes.len == 0) {
        return;
    }
    if (!stream->connected) {
        text_span_add(&stream->early, bytes);
        return;
    }
    write_t *write = mem_new(1, sizeof *write);
    write->bytes = mem_string_n(bytes.at, bytes.len);
    write->request.data = write;
    uv_buf_t buffer = {.base = write->bytes, .len = bytes.len};
    if (uv_write(&write->request, (uv_stream_t *)&stream->tcp, &buffer, 1, on_written) != 0) {
        free(write->bytes);
        free(write);
    }
    stream->written_at = clock_ms();
}

size_t stream_backlog(const stream_t *stream)
{
    return stream->early.len + uv_stream_get_write_queue_size((const uv_stream_t *)&stream->tcp);
}

void stream_pause(stream_t *stream, bool pause)
{
    uv_stream_t *handle = (uv_stream_t *)&stream->tcp;
    if (pause) {
        uv_read_stop(handle);
    } else if (stream->connected && !stream->finished && !stream->quiet) {
        (void)uv_read_start(handle, on_allocate, on_read); /* UV_EALREADY: it was not paused */
    }
}

double stream_written_at(const stream_t *stream)
{
    return stream->written_at;
}

#ifdef __linux__
static bool tcp_state(const stream_t *stream, struct tcp_info *info)
{
    socklen_t len = sizeof *info;
    uv_os_fd_t fd;
    return uv_fileno((const uv_handle_t *)&stream->tcp, &fd) == 0 &&
           getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

double stream_arrived_at(const stream_t *stream)
{
    struct tcp_info info;
    double now = clock_ms();
    return tcp_state(stream, &info) ? now - (double)info.tcpi_last_data_recv : 0;
}

double stream_sent_at(const stream_t *stream)
{
    struct tcp_info info;
    double now = clock_ms();
    return tcp_state(stream, &info) ? now - (double)info.tcpi_last_data_sent : 0;
}
#else
double stream_arrived_at(const stream_t *stream)
{
    (void)stream;
    return 0;
}

double stream_sent_at(const stream_t *stream)
{
    (void)stream;
    return 0;
}
#endif

void stream_half_close(stream_t *stream)
{
    if (stream->half_close || stream->quiet) {
        return;
    }
    stream->half_close = true;
    if (stream->connected) {
        uv_shutdown(&stream->shutdown, (uv_stream_t *)&stream->tcp, on_shutdown);
    }
}

void stream_reset(stream_t *stream)
{
    stream->quiet = true;
    deadline_cancel(&stream->failure);
    if (!uv_is_closing((uv_handle_t *)&stream->tcp) && uv_tcp_close_reset(&stream->tcp, on_closed) != 0) {
        uv_close((uv_handle_t *)&stream->tcp,
                 on_closed); /* it was being shut down: FIN is all that is left */
    }
}

void stream_free(stream_t *stream)
{
    if (stream == NULL) {
        return;
    }
    stream->quiet = true;
    deadline_cancel(&stream->failure);
    stream->freed = true;
    if (!uv_is_closing((uv_handle_t *)&stream->tcp)) {
        uv_close((uv_handle_t *)&stream->tcp, on_closed);
    } else {
        release(stream);
    }
}
