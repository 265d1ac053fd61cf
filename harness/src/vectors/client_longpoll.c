/* SPDX-License-Identifier: MIT */
/* A session as phoenix.js runs it: one GET waits all the time, POSTs go one at a time and collect what is
 * due. */
#include "vectors/client_impl.h"

#include "base/base64.h"
#include "base/memory.h"
#include "net/deadline.h"
#include "net/http_client.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 100 };               /* LP-POST-12 */
static const double EMPTY_POLL_MS = 20; /* polls that bring nothing begin at least this far apart */

/* A message that waits for its POST. */
typedef struct due {
    char *body;
    size_t len;
    bool line; /* may stand in a batch */
} due_t;

typedef struct longpoll {
    char *target;
    http_headers_t headers;
    char *token; /* NULL until the session is open */
    http_client_t *polls, *posts;
    http_exchange_t *poll, *post;
    const entry_t *poll_entry, *post_entry;
    double polled_at;
    bool batches;
    deadline_t *pause;
    due_t *due;
    size_t len, cap;
} longpoll_t;

static void poll_start(void *ctx);
static void post_next(client_t *client);

/* The target, with the token in the query. */
static char *target_of(const longpoll_t *longpoll)
{
    text_t target = {0};
    text_puts(&target, longpoll->target);
    if (longpoll->token) {
        text_putc(&target, strchr(longpoll->target, '?') ? '&' : '?');
        text_puts(&target, "token=");
        for (const char *c = longpoll->token; *c; c++) {
            bool plain = strchr("-_.~", *c) || (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
                         (*c >= 'a' && *c <= 'z');
            text_printf(&target, plain ? "%c" : "%%%02X", (unsigned char)*c); /* LP-HTTP-08 */
        }
    }
    return text_take(&target);
}

static http_exchange_t *request(client_t *client, http_client_t *connection, const char *method,
                                const char *content_type, span_t body, http_done_cb *done,
                                const entry_t **entry)
{
    longpoll_t *longpoll = client->link;
    char *target = target_of(longpoll);
    http_request_t request = {.method = method, .target = target, .body = body, .keep_alive = true};
    for (size_t i = 0; i < longpoll->headers.len; i++) {
        http_headers_add(&request.headers, longpoll->headers.at[i].name, longpoll->headers.at[i].value);
    }
    if (content_type) {
        http_headers_add(&request.headers, "content-type", content_type);
        request.has_body = true;
    }
    *entry = transcript_request(client->setup.transcript, client->name, &request);
    client_note_headers(client->setup.transcript, *entry, &longpoll->headers);
    http_exchange_t *exchange = http_client_start(connection, &request, done, client);
    http_headers_free(&request.headers);
    free(target);
    return exchange;
}

/* The body as a JSON object with a status; NULL and a message in `why` when the answer is no such thing. */
static json_t *answer_object(const http_response_t *response, const char *error, text_t *why)
{
    if (!response) {
        text_puts(why, error);
        return NULL;
    }
    if (response->status != 200) {
        text_printf(why, "HTTP status %d", response->status);
        return NULL;
    }
    json_t *body = jvalue_parse(text_span(&response->body), NULL);
    if (!json_is_integer(json_object_get(body, "status"))) {
        text_puts(why, "the body is no JSON object with a status: ");
        text_show(why, text_span(&response->body), 80);
        json_decref(body);
        return NULL;
    }
    return body;
}

static void poll_failed(client_t *client, entry_t *entry, const char *why)
{
    text_t text = {0};
    text_printf(&text, "the poll failed: %s", why);
    client->gone = true;
    client_add_event(client, EVENT_END, entry, text_str(&text));
    text_free(&text);
}

static void deliver(client_t *client, entry_t *response, const json_t *messages)
{
    if (json_array_size(messages) == 0) {
        client_add_event(client, EVENT_TROUBLE, response,
                         "a poll was answered with status 200 and no message");
    }
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *string = json_array_get(messages, i);
        span_t bytes = {json_string_value(string), json_string_length(string)};
        entry_t *entry =
            transcript_message(client->setup.transcript, response, client->setup.vsn, false, bytes);
        if (entry->has_message) {
            client_add_event(client, EVENT_MESSAGE, entry, NULL);
        } else {
            client_add_no_message(client, entry, false, bytes);
        }
    }
}

static void on_polled(void *ctx, const http_response_t *response, const char *error)
{
    client_t *client = ctx;
    longpoll_t *longpoll = client->link;
    entry_t *entry = transcript_response(client->setup.transcript, longpoll->poll_entry, response, error);
    longpoll->poll = NULL;
    if (!client_received(client, response ? response->body.len : 0)) {
        return;
    }
    text_t why = {0};
    json_t *body = answer_object(response, error, &why);
    json_int_t status = json_integer_value(json_object_get(body, "status"));
    const char *token = json_string_value(json_object_get(body, "token"));
    bool same = token && strcmp(token, longpoll->token) == 0;

    if (!body) {
        poll_failed(client, entry, text_str(&why));
    } else if (status == 410) {
        client->gone = true;
        client_add_event(client, EVENT_CLOSE, entry, NULL);
    } else if (status != 200 && status != 204) {
        text_printf(&why, "status %d in the body", (int)status);
        poll_failed(client, entry, text_str(&why));
    } else {
        if (!same) {
            client_add_event(client, EVENT_TROUBLE, entry,
                             "a poll was answered under another token than its own");
        }
        if (status == 200) {
            deliver(client, entry, json_object_get(body, "messages"));
        }
        double since = clock_ms() - longpoll->polled_at;
        if (!client->gone && status == 204 && since < EMPTY_POLL_MS) {
            longpoll->pause = deadline_start(client->setup.loop, EMPTY_POLL_MS - since, poll_start, client);
        } else if (!client->gone) {
            poll_start(client);
        }
    }
    json_decref(body);
    text_free(&why);
}

static void poll_start(void *ctx)
{
    client_t *client = ctx;
    longpoll_t *longpoll = client->link;
    longpoll->pause = NULL;
    longpoll->polled_at = clock_ms();
    longpoll->poll =
        request(client, longpoll->polls, "GET", NULL, (span_t){0}, on_polled, &longpoll->poll_entry);
}

static void on_opened(void *ctx, const http_response_t *response, const char *error)
{
    client_t *client = ctx;
    longpoll_t *longpoll = client->link;
    entry_t *entry = transcript_response(client->setup.transcript, longpoll->poll_entry, response, error);
    longpoll->poll = NULL;
    if (!client_received(client, response ? response->body.len : 0)) {
        return;
    }
    text_t why = {0};
    json_t *body = answer_object(response, error, &why);
    const json_t *token = json_object_get(body, "token");
    client->body_status = (int)json_integer_value(json_object_get(body, "status"));
    if (client->body_status == 410 && json_is_string(token)) { /* LP-OPEN-01 */
        longpoll->token = mem_string(json_string_value(token));
        poll_start(client);
        client_answered(client, CLIENT_OPEN, entry);
    } else {
        client_answered(client, CLIENT_REFUSED, entry);
    }
    json_decref(body);
    text_free(&why);
}

static void on_posted(void *ctx, const http_response_t *response, const char *error)
{
    client_t *client = ctx;
    longpoll_t *longpoll = client->link;
    entry_t *entry = transcript_response(client->setup.transcript, longpoll->post_entry, response, error);
    longpoll->post = NULL;
    if (!client_received(client, response ? response->body.len : 0)) {
        return;
    }
    text_t why = {0};
    json_t *body = answer_object(response, error, &why);
    json_int_t status = json_integer_value(json_object_get(body, "status"));
    if (body && status == 200) {
        post_next(client);
    } else {
        text_t text = {0};
        text_puts(&text, "a POST was not taken: ");
        if (body) {
            text_printf(&text, "status %d in the body", (int)status);
        } else {
            text_puts(&text, text_str(&why));
        }
        client_add_event(client, EVENT_TROUBLE, entry, text_str(&text));
        text_free(&text);
    }
    json_decref(body);
    text_free(&why);
}

static void post_next(client_t *client)
{
    longpoll_t *longpoll = client->link;
    if (longpoll->post || longpoll->len == 0) {
        return;
    }
    text_t body = {0};
    size_t taken = 0;
    bool lines = longpoll->due[0].line && longpoll->batches;
    do {
        if (taken > 0) {
            text_putc(&body, '\n');
        }
        text_add(&body, longpoll->due[taken].body, longpoll->due[taken].len);
        free(longpoll->due[taken].body);
        taken++;
    } while (lines && taken < longpoll->len && taken < BATCH_MAX && longpoll->due[taken].line);
    longpoll->len -= taken;
    memmove(longpoll->due, longpoll->due + taken, longpoll->len * sizeof *longpoll->due);
    longpoll->post =
        request(client, longpoll->posts, "POST", lines ? "application/x-ndjson" : "application/json",
                text_span(&body), on_posted, &longpoll->post_entry);
    text_free(&body);
}

static void add_due(longpoll_t *longpoll, span_t body, bool line)
{
    MEM_ROOM(longpoll->due, longpoll->len, longpoll->cap);
    longpoll->due[longpoll->len++] = (due_t){mem_string_n(body.at, body.len), body.len, line};
}

static void longpoll_open(client_t *client, const client_setup_t *setup)
{
    longpoll_t *longpoll = mem_new(1, sizeof *longpoll);
    client->link = longpoll;
    longpoll->target = mem_string(setup->target);
    longpoll->batches = setup->batches;
    for (size_t i = 0; i < setup->headers.len; i++) {
        http_headers_add(&longpoll->headers, setup->headers.at[i].name, setup->headers.at[i].value);
    }
    longpoll->polls = http_client_new(setup->loop, setup->address, setup->authority);
    longpoll->posts = http_client_new(setup->loop, setup->address, setup->authority);
    http_client_limit(longpoll->polls, setup->room);
    http_client_limit(longpoll->posts, setup->room);
    longpoll->poll =
        request(client, longpoll->polls, "GET", NULL, (span_t){0}, on_opened, &longpoll->poll_entry);
}

static void longpoll_free(client_t *client)
{
    longpoll_t *longpoll = client->link;
    deadline_cancel(&longpoll->pause);
    http_client_free(longpoll->polls);
    http_client_free(longpoll->posts);
    for (size_t i = 0; i < longpoll->len; i++) {
        free(longpoll->due[i].body);
    }
    free(longpoll->due);
    http_headers_free(&longpoll->headers);
    free(longpoll->token);
    free(longpoll->target);
    free(longpoll);
}

static bool longpoll_send(client_t *client, const message_t *messages, size_t count, text_t *error)
{
    longpoll_t *longpoll = client->link;
    for (size_t i = 0; i < count; i++) {
        text_t bytes = {0}, line = {0};
        bool binary;
        bool good = message_encode(&messages[i], client->setup.vsn, &bytes, &binary, error);
        if (good && binary) {
            base64_encode(&line, text_span(&bytes)); /* LP-POST-06 */
        }
        if (good) {
            add_due(longpoll, binary ? text_span(&line) : text_span(&bytes),
                    client->setup.vsn == VSN_2); /* LP-POST-07 */
        }
        text_free(&bytes);
        text_free(&line);
        if (!good) {
            return false;
        }
    }
    post_next(client);
    return true;
}

static void longpoll_send_text(client_t *client, span_t text)
{
    add_due(client->link, text, false);
    post_next(client);
}

static void longpoll_drop(client_t *client)
{
    longpoll_t *longpoll = client->link;
    deadline_cancel(&longpoll->pause);
    if (longpoll->poll) {
        transcript_note(client->setup.transcript, client->name, "the client gives up its poll");
        http_exchange_abort(longpoll->poll, false);
        longpoll->poll = NULL;
    }
}

static void longpoll_close(client_t *client, unsigned code, span_t reason)
{
    (void)code; /* LP-END-03: there is no closing handshake */
    (void)reason;
    client->gone = client->over = true;
    longpoll_drop(client);
}

static double longpoll_sent_at(const client_t *client)
{
    const longpoll_t *longpoll = client->link;
    return http_client_sent_at(longpoll->posts);
}

const client_kind_t client_longpoll = {longpoll_open,  longpoll_free, longpoll_send,   longpoll_send_text,
                                       longpoll_close, longpoll_drop, longpoll_sent_at};
