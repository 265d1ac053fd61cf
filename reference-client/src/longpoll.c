/* SPDX-License-Identifier: MIT */
#include "longpoll.h"

#include "endpoint.h"

#include "phx/json.h"
#include "phx/ndjson.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_LINES = 100, /* LP-POST-12: Phoenix drops what is beyond */
    CLOSE_MS = 3000,  /* for what is still to be sent */
    CLOSE_NORMAL = 1000,
    CLOSE_TIMEOUT = 1005,
    CLOSE_FORBIDDEN = 1008,
    CLOSE_ERROR = 1011,
    CLOSE_GONE = 3410,
};

typedef enum state {
    CONNECTING,
    OPEN,
    CLOSING, /* polls no more, sends what it has */
    FINISHED,
} state_t;

typedef struct queued {
    struct queued *next;
    phx_form_t form;
    size_t len;
    char bytes[];
} queued_t;

/*
 * One poll hangs at the server; what it brings is told, and the next one begins. Messages to send wait until
 * no POST is under way, and leave together.
 *
 * `owner` NULL: disposed. It then goes on alone until what it has is sent.
 */
typedef struct longpoll {
    phxc_transport_t base;
    phxc_longpoll_settings_t settings;
    phx_vsn_t vsn;
    state_t state;
    char *url;
    phx_buf_t bearer; /* `has_bearer` */
    bool has_bearer;
    phx_buf_t token; /* of the session; empty: none yet */
    void *poll;
    void *post;
    queued_t *first;
    queued_t **last;
    phxc_timer_t batch;   /* ends the turn in which messages are collected */
    phxc_timer_t closing; /* ends the closing */
    int close_code;
    phx_buf_t close_reason;
    unsigned in_event;
#ifdef PHXC_FAULTS
    phxc_fault_t fault;
#endif
} longpoll_t;

static void poll_again(longpoll_t *longpoll);

static void free_longpoll(longpoll_t *longpoll)
{
    phxc_timer_stop(longpoll->settings.timers, &longpoll->batch);
    phxc_timer_stop(longpoll->settings.timers, &longpoll->closing);
    if (longpoll->poll != NULL) {
        longpoll->settings.http.cancel(longpoll->poll);
    }
    if (longpoll->post != NULL) {
        longpoll->settings.http.cancel(longpoll->post);
    }
    while (longpoll->first != NULL) {
        queued_t *queued = longpoll->first;
        longpoll->first = queued->next;
        free(queued);
    }
    free(longpoll->url);
    phx_buf_free(&longpoll->bearer);
    phx_buf_free(&longpoll->token);
    phx_buf_free(&longpoll->close_reason);
    const phxc_longpoll_settings_t settings = longpoll->settings;
    free(longpoll);
    if (settings.release != NULL) {
        settings.release(settings.context);
    }
}

/* ---- telling ---- */

#define TELL(longpoll, event, ...)                                                                           \
    do {                                                                                                     \
        if ((longpoll)->base.owner != NULL) {                                                                \
            (longpoll)->base.events->event(__VA_ARGS__);                                                     \
        }                                                                                                    \
    } while (0)

static void enter(longpoll_t *longpoll)
{
    longpoll->in_event++;
}

static void leave(longpoll_t *longpoll)
{
    if (--longpoll->in_event == 0 && longpoll->base.owner == NULL && longpoll->state == FINISHED) {
        free_longpoll(longpoll);
    }
}

static void finish(longpoll_t *longpoll, int code, phx_slice_t reason, bool clean)
{
    if (longpoll->state == FINISHED) {
        return;
    }
    longpoll->state = FINISHED;
    phxc_timer_stop(longpoll->settings.timers, &longpoll->batch);
    phxc_timer_stop(longpoll->settings.timers, &longpoll->closing);
    TELL(longpoll, closed, longpoll->base.owner, code, reason, clean);
}

static void fail(longpoll_t *longpoll, const char *text, int status, int code, const char *reason)
{
    TELL(longpoll, failed, longpoll->base.owner, text, status);
    finish(longpoll, code, phx_slice_of(reason), false);
}

/* ---- requests ---- */

/* LP-HTTP-06, LP-HTTP-07, LP-HTTP-08 */
static void *request(longpoll_t *longpoll, const char *method, phx_slice_t more_headers, phx_slice_t body,
                     phxc_http_done done)
{
    const phxc_token_place_t place = longpoll->settings.token_place;
    phx_buf_t url = {0};
    phx_buf_t headers = {0};
    phx_buf_append_text(&url, longpoll->url);
    if (longpoll->token.len > 0 && ((phxc_fault(longpoll, POST_PARAMS_LOST) && body.len > 0) ||
                                    (phxc_fault(longpoll, POLL_PARAMS_LOST) && body.len == 0))) {
        url.len = strcspn(longpoll->url, "?") + 1;
    }
    if (longpoll->token.len > 0 && place != PHXC_TOKEN_IN_HEADER &&
        !(phxc_fault(longpoll, SESSION_TOKEN_LOST) && body.len == 0) &&
        !(phxc_fault(longpoll, POST_TOKEN_LOST) && body.len > 0)) {
        phx_buf_append_text(&url, "&token=");
        if (phxc_fault(longpoll, SESSION_TOKEN_RAW) ||
            (phxc_fault(longpoll, POST_TOKEN_RAW) && body.len > 0)) {
            phxc_fault_raw(&url, phx_buf_slice(&longpoll->token));
        } else {
            phxc_percent_encode(&url, phx_buf_slice(&longpoll->token));
        }
    }
    phx_buf_append(&url, "", 1);
    if (longpoll->token.len > 0 && place != PHXC_TOKEN_IN_QUERY) {
        phx_buf_append_text(&headers, "X-Phoenix-Longpoll-Token: ");
        phx_buf_append_slice(&headers, phx_buf_slice(&longpoll->token));
        phx_buf_append_text(&headers, "\r\n");
    }
    phx_buf_append_slice(&headers, more_headers);
    void *call = NULL;
    if (!url.failed && !headers.failed) {
        const bool untimed = (phxc_fault(longpoll, POLL_UNTIMED) && body.len == 0) ||
                             (phxc_fault(longpoll, POST_UNTIMED) && body.len > 0);
        const phxc_http_request_t http_request = {method, url.data, phx_buf_slice(&headers), body,
                                                  untimed ? 86400000 : longpoll->settings.timeout_ms};
        call = longpoll->settings.http.start(longpoll->settings.http.context, &http_request, done, longpoll);
    }
    phx_buf_free(&url);
    phx_buf_free(&headers);
    return call;
}

/* The body's `status`; 0 if it has none (CL-TRAN-06). `*body` is then checked JSON. */
static int read_status(phx_slice_t text, phx_slice_t *body)
{
    phx_slice_t value;
    uint64_t status;
    if (phx_json_check(text, body, NULL) != 0 || !phx_json_member(*body, "status", &value) ||
        !phx_json_uint(value, 999, &status)) {
        return 0;
    }
    return (int)status;
}

/* What a request came to, when that is no answer of the protocol. */
static void no_answer(longpoll_t *longpoll, const char *what, const phxc_http_result_t *result)
{
    char text[240];
    if (result->timed_out) {
        (void)snprintf(text, sizeof text, "%s: no response in time", what);
        fail(longpoll, text, 0, CLOSE_TIMEOUT, "timeout"); /* LP-GET-09, LP-POST-13 */
        return;
    }
    if (result->error != NULL) {
        (void)snprintf(text, sizeof text, "%s: %s", what, result->error);
    } else {
        (void)snprintf(text, sizeof text, "%s: HTTP %d, and no answer of the protocol in it", what,
                       result->status);
    }
    fail(longpoll, text, result->error != NULL ? 0 : result->status, CLOSE_ERROR, "internal server error");
}

static void bad_status(longpoll_t *longpoll, const char *what, int status, int code, const char *reason)
{
    char text[80];
    (void)snprintf(text, sizeof text, "%s: status %d", what, status);
    fail(longpoll, text, status, code, reason);
}

/* ---- polls ---- */

/* LP-GET-08: each is a JSON string that holds a message (LP-GET-02). */
static void tell_messages(longpoll_t *longpoll, phx_slice_t body)
{
    phx_slice_t messages;
    phx_slice_t message;
    phx_slice_t text;
    phx_buf_t scratch = {0};
    size_t cursor = 0;
    if (phx_json_member(body, "messages", &messages) && phx_json_kind(messages) == PHX_JSON_ARRAY) {
        while (longpoll->state != FINISHED && phx_json_next(messages, &cursor, NULL, &message)) {
            if (phx_json_string(message, &scratch, &text) == 0) {
                TELL(longpoll, received, longpoll->base.owner, PHX_TEXT, text);
            }
            if (phxc_fault(longpoll, POLL_FIRST_ONLY)) {
                break;
            }
        }
    }
    phx_buf_free(&scratch);
}

static bool store_token(longpoll_t *longpoll, phx_slice_t body)
{
    phx_buf_t scratch = {0};
    phx_slice_t value;
    phx_slice_t token;
    const bool good = phx_json_member(body, "token", &value) &&
                      phx_json_string(value, &scratch, &token) == 0 && token.len > 0 &&
                      memchr(token.data, '\r', token.len) == NULL &&
                      memchr(token.data, '\n', token.len) == NULL;
    if (good) {
        phx_buf_clear(&longpoll->token);
        phx_buf_append_slice(&longpoll->token, token);
    }
    phx_buf_free(&scratch);
    return good && !longpoll->token.failed;
}

static void session_begins(longpoll_t *longpoll, phx_slice_t body)
{
    if (longpoll->token.len > 0 && phxc_fault(longpoll, SESSION_GOES_ON)) {
        (void)store_token(longpoll, body);
    } else if (longpoll->token.len > 0) { /* LP-OPEN-06: ours is lost; the new one has none of our channels */
        bad_status(longpoll, "poll", 410, CLOSE_GONE, "session_gone");
    } else if (!store_token(longpoll, body)) {
        bad_status(longpoll, "poll without a token", 410, CLOSE_ERROR, "internal server error");
    } else { /* LP-OPEN-05 */
        longpoll->state = OPEN;
        TELL(longpoll, opened, longpoll->base.owner);
    }
}

static void on_polled(void *owner, const phxc_http_result_t *result)
{
    longpoll_t *longpoll = owner;
    phx_slice_t body = {0};
    int status = result->error == NULL ? read_status(result->body, &body) : 0;
    longpoll->poll = NULL;
    enter(longpoll);
    if (phxc_fault(longpoll, POLL_EMPTY_IS_204) && status == 0 && result->error == NULL &&
        result->body.len == 0 && longpoll->state == OPEN) {
        status = 204;
    }
    if (phxc_fault(longpoll, POLL_ERRORS_IGNORED) && status != 200 && status != 410 &&
        longpoll->state == OPEN) {
        status = 204;
    }
    switch (status) {
    case 0:
        no_answer(longpoll, "poll", result);
        break;
    case 200:
    case 204:
        (void)store_token(longpoll, body);
        tell_messages(longpoll, body);
        break;
    case 410:
        session_begins(longpoll, body);
        break;
    case 403: /* LP-GET-10 */
        bad_status(longpoll, "poll", status, CLOSE_FORBIDDEN, "forbidden");
        break;
    default:
        bad_status(longpoll, "poll", status, CLOSE_ERROR, "internal server error");
        break;
    }
    if (longpoll->state == OPEN && !(phxc_fault(longpoll, POLL_ENDS_AT_204) && status == 204)) {
        poll_again(longpoll);
    }
    leave(longpoll);
}

static void on_other(void *owner, const phxc_http_result_t *result)
{
    (void)owner;
    (void)result;
}

static void poll_again(longpoll_t *longpoll)
{
    phx_buf_t headers = {0};
    phx_buf_append_text(&headers, "Accept: application/json\r\n");
    if (longpoll->has_bearer && !phxc_fault(longpoll, BEARER_LOST)) { /* TOK-07 */
        phx_buf_append_text(&headers, "X-Phoenix-AuthToken: ");
        phx_buf_append_slice(&headers, phx_buf_slice(&longpoll->bearer));
        phx_buf_append_text(&headers, "\r\n");
    }
    longpoll->poll = headers.failed
                         ? NULL
                         : request(longpoll, "GET", phx_buf_slice(&headers), (phx_slice_t){0}, on_polled);
    if (phxc_fault(longpoll, POLL_TWICE) && longpoll->state == OPEN) {
        (void)request(longpoll, "GET", phx_buf_slice(&headers), (phx_slice_t){0}, on_other);
    }
    phx_buf_free(&headers);
    if (longpoll->poll == NULL && longpoll->in_event > 0) {
        fail(longpoll, phxc_strerror(PHX_ENOMEM), 0, CLOSE_ERROR, "internal server error");
    }
}

/* ---- POSTs ---- */

static void send_batch(longpoll_t *longpoll);

static void closing_is_over(void *data)
{
    longpoll_t *longpoll = data;
    const bool all_sent = longpoll->post == NULL && longpoll->first == NULL;
    enter(longpoll);
    finish(longpoll, longpoll->close_code, phx_buf_slice(&longpoll->close_reason), all_sent);
    leave(longpoll);
}

/* LP-POST-13 */
static void on_posted(void *owner, const phxc_http_result_t *result)
{
    longpoll_t *longpoll = owner;
    phx_slice_t body;
    const int status = result->error == NULL ? read_status(result->body, &body) : 0;
    longpoll->post = NULL;
    enter(longpoll);
    if (status == 0) {
        no_answer(longpoll, "POST", result);
    } else if (status != 200 && !phxc_fault(longpoll, POST_STATUS_IGNORED)) {
        bad_status(longpoll, "POST", status, CLOSE_ERROR, "internal server error");
    } else if (longpoll->first != NULL) {
        send_batch(longpoll);
    } else if (longpoll->state == CLOSING) {
        closing_is_over(longpoll);
    }
    leave(longpoll);
}

/* LP-POST-06, LP-POST-07: lines without a break at the end; a message of 1.0.0 is a body of its own. */
static void take_batch(longpoll_t *longpoll, phx_buf_t *body)
{
    int most = longpoll->vsn == PHX_V1 ? 1 : MOST_LINES;
    if (phxc_fault(longpoll, POST_BATCH_IN_V1)) {
        most = MOST_LINES;
    }
    if (phxc_fault(longpoll, POST_UNLIMITED)) {
        most = longpoll->vsn == PHX_V1 ? 1 : INT_MAX;
    }
    for (int lines = 0; lines < most && longpoll->first != NULL; lines++) {
        queued_t *queued = longpoll->first;
        longpoll->first = queued->next;
        if (longpoll->first == NULL) {
            longpoll->last = &longpoll->first;
        }
        const phx_slice_t bytes = {queued->bytes, queued->len};
        if (longpoll->vsn == PHX_V1) {
            phx_buf_append_text(body, body->len > 0 ? "\n" : "");
            phx_buf_append_slice(body, bytes);
        } else if (phxc_fault(longpoll, POST_BINARY_RAW) && queued->form == PHX_BINARY) {
            phx_buf_append_slice(body, bytes);
        } else {
            phx_ndjson_append(body, queued->form, bytes);
        }
        free(queued);
    }
    if (phxc_fault(longpoll, POST_LAST_BREAK)) {
        phx_buf_append_text(body, "\n");
    }
}

static void send_batch(longpoll_t *longpoll)
{
    phx_buf_t body = {0};
    const phx_slice_t type = longpoll->vsn == PHX_V1 ? PHX_SLICE("Content-Type: application/json\r\n")
                                                     : PHX_SLICE("Content-Type: application/x-ndjson\r\n");
    take_batch(longpoll, &body);
    if (phxc_fault(longpoll, POST_TWO) && longpoll->post != NULL) {
        (void)request(longpoll, "POST", type, phx_buf_slice(&body), on_other);
    } else {
        longpoll->post =
            body.failed ? NULL : request(longpoll, "POST", type, phx_buf_slice(&body), on_posted);
    }
    phx_buf_free(&body);
    if (longpoll->post == NULL) {
        fail(longpoll, phxc_strerror(PHX_ENOMEM), 0, CLOSE_ERROR, "internal server error");
    }
}

static void turn_is_over(void *data)
{
    longpoll_t *longpoll = data;
    enter(longpoll);
    if ((longpoll->post == NULL || phxc_fault(longpoll, POST_TWO)) && longpoll->first != NULL) {
        send_batch(longpoll);
    }
    leave(longpoll);
}

static void out_of_memory(void *data)
{
    longpoll_t *longpoll = data;
    enter(longpoll);
    fail(longpoll, phxc_strerror(PHX_ENOMEM), 0, CLOSE_ERROR, "internal server error");
    leave(longpoll);
}

/* ---- as a transport ---- */

/* LP-POST-12 */
static void longpoll_send(phxc_transport_t *transport, phx_form_t form, phx_slice_t bytes)
{
    longpoll_t *longpoll = (longpoll_t *)transport;
    if (longpoll->state != OPEN) {
        return;
    }
    queued_t *queued = malloc(sizeof *queued + bytes.len);
    if (queued == NULL) {
        phxc_timer_start(longpoll->settings.timers, &longpoll->batch, 0, out_of_memory, longpoll);
        return;
    }
    *queued = (queued_t){.form = form, .len = bytes.len};
    memcpy(queued->bytes, bytes.data, bytes.len);
    if (phxc_fault(longpoll, POST_REVERSED) && longpoll->first != NULL) {
        queued->next = longpoll->first;
        longpoll->first = queued;
    } else {
        *longpoll->last = queued;
        longpoll->last = &queued->next;
    }
    if ((longpoll->post == NULL || phxc_fault(longpoll, POST_TWO)) && !longpoll->batch.running) {
        phxc_timer_start(longpoll->settings.timers, &longpoll->batch, 0, turn_is_over, longpoll);
    }
}

/* LP-END-03: the session ends by not being polled any more. */
static void start_closing(longpoll_t *longpoll)
{
    const bool idle = longpoll->post == NULL && longpoll->first == NULL;
    if (longpoll->poll != NULL) {
        longpoll->settings.http.cancel(longpoll->poll);
        longpoll->poll = NULL;
    }
    longpoll->state = CLOSING;
    phxc_timer_start(longpoll->settings.timers, &longpoll->closing, idle ? 0 : CLOSE_MS, closing_is_over,
                     longpoll);
}

static void longpoll_close(phxc_transport_t *transport, int code, phx_slice_t reason)
{
    longpoll_t *longpoll = (longpoll_t *)transport;
    if (longpoll->state == CLOSING || longpoll->state == FINISHED) {
        return;
    }
    longpoll->close_code = code != 0 ? code : CLOSE_NORMAL;
    phx_buf_append_slice(&longpoll->close_reason, reason);
    start_closing(longpoll);
}

static void longpoll_dispose(phxc_transport_t *transport)
{
    longpoll_t *longpoll = (longpoll_t *)transport;
    longpoll->base.owner = NULL;
    if (longpoll->state == OPEN && (longpoll->post != NULL || longpoll->first != NULL)) {
        start_closing(longpoll);
    } else if (longpoll->state != CLOSING) {
        longpoll->state = FINISHED;
    }
    if (longpoll->state == FINISHED && longpoll->in_event == 0) {
        free_longpoll(longpoll);
    }
}

static const phxc_transport_ops_t OPS = {longpoll_send, longpoll_close, longpoll_dispose, false};

static bool copy_bearer(longpoll_t *longpoll, phx_slice_t token, char *error, size_t error_size)
{
    if (token.data == NULL) {
        return true;
    }
    longpoll->has_bearer = true;
    if (memchr(token.data, '\r', token.len) != NULL || memchr(token.data, '\n', token.len) != NULL) {
        (void)snprintf(error, error_size, "a token with a line break cannot travel in a header");
        return false;
    }
    phx_buf_append_slice(&longpoll->bearer, token);
    return !longpoll->bearer.failed;
}

phxc_transport_t *phxc_longpoll_open(const phxc_longpoll_settings_t *settings, const phxc_request_t *request,
                                     const phxc_transport_events_t *events, void *owner, char *error,
                                     size_t error_size)
{
    (void)snprintf(error, error_size, "%s", phxc_strerror(PHX_ENOMEM));
    longpoll_t *longpoll = calloc(1, sizeof *longpoll);
    if (longpoll == NULL) {
        return NULL;
    }
    longpoll->base = (phxc_transport_t){&OPS, events, owner};
    longpoll->settings = *settings;
    longpoll->settings.release = NULL; /* not before all has gone well */
    longpoll->vsn = request->vsn;
    phxc_fault_pass(request, longpoll);
    longpoll->last = &longpoll->first;
    longpoll->url = strdup(request->url);
    if (longpoll->url != NULL && copy_bearer(longpoll, request->token, error, error_size)) {
        poll_again(longpoll);
    }
    if (longpoll->poll == NULL) {
        free_longpoll(longpoll);
        return NULL;
    }
    longpoll->settings.release = settings->release;
    return &longpoll->base;
}
