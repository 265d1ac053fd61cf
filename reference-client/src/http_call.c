/* SPDX-License-Identifier: MIT */
#include "http_call.h"

#include "http_request.h"
#include "http_response.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct call {
    phxc_net_t *net;
    phxc_stream_t *stream;
    phxc_response_t response;
    phx_buf_t request;
    phxc_timer_t timer;
    phxc_http_done done;
    void *owner;
} call_t;

static void free_call(call_t *call)
{
    phxc_timer_stop(&call->net->timers, &call->timer);
    if (call->stream != NULL) {
        phxc_stream_close(call->stream);
    }
    phxc_response_free(&call->response);
    phx_buf_free(&call->request);
    phxc_net_release(call->net);
    free(call);
}

static void finish(call_t *call, const char *error, bool timed_out)
{
    const phxc_http_result_t result = {
        .error = error,
        .timed_out = timed_out,
        .status = call->response.status,
        .body = phx_buf_slice(&call->response.body),
    };
    phxc_stream_close(call->stream);
    call->stream = NULL;
    phxc_timer_stop(&call->net->timers, &call->timer);
    call->done(call->owner, &result);
    free_call(call);
}

static void on_connected(void *owner)
{
    call_t *call = owner;
    phxc_stream_send(call->stream, phx_buf_slice(&call->request));
    phx_buf_free(&call->request);
}

static void on_received(void *owner, uint8_t *bytes, size_t len)
{
    call_t *call = owner;
    size_t used;
    const phxc_progress_t progress =
        phxc_response_feed(&call->response, (phx_slice_t){(const char *)bytes, len}, &used);
    if (progress != PHXC_HTTP_MORE) {
        finish(call, progress == PHXC_HTTP_BROKEN ? call->response.error : NULL, false);
    }
}

static void on_ended(void *owner, const char *error)
{
    call_t *call = owner;
    if (error == NULL && phxc_response_end(&call->response) == PHXC_HTTP_BROKEN) {
        error = call->response.error;
    }
    finish(call, error, false);
}

static void on_timeout(void *data)
{
    finish(data, "no response in time", true);
}

static void write_request(call_t *call, const phxc_http_request_t *request, const phxc_url_t *url)
{
    phxc_http_begin(&call->request, request->method, url, call->net->headers);
    phx_buf_append_text(&call->request, "Connection: close\r\n");
    phx_buf_append_slice(&call->request, request->headers);
    if (request->body.data != NULL) {
        char length[48];
        (void)snprintf(length, sizeof length, "Content-Length: %zu\r\n", request->body.len);
        phx_buf_append_text(&call->request, length);
    }
    phx_buf_append_text(&call->request, "\r\n");
    phx_buf_append_slice(&call->request, request->body);
}

static void *start(void *context, const phxc_http_request_t *request, phxc_http_done done, void *owner)
{
    static const phxc_stream_callbacks_t callbacks = {on_connected, on_received, on_ended};
    char error[200];
    phxc_net_t *net = context;
    phxc_url_t url;
    call_t *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return NULL;
    }
    call->net = phxc_net_hold(net);
    call->response.max_bytes = net->max_message_bytes;
    call->done = done;
    call->owner = owner;
    if (phxc_url_parse(&url, request->url, error, sizeof error)) {
        write_request(call, request, &url);
        if (!call->request.failed) {
            call->stream = phxc_stream_open(net, &url, &callbacks, call);
        }
        phxc_url_free(&url);
    }
    if (call->stream == NULL) {
        free_call(call);
        return NULL;
    }
    phxc_timer_start(&net->timers, &call->timer, request->timeout_ms, on_timeout, call);
    return call;
}

static void cancel(void *call)
{
    free_call(call);
}

phxc_http_t phxc_http_over(phxc_net_t *net)
{
    return (phxc_http_t){start, cancel, net};
}
