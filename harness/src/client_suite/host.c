/* SPDX-License-Identifier: MIT */
#include "client_suite/host_impl.h"

#include "base/memory.h"
#include "net/deadline.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BACKLOG = 64, SHOWN_MAX = 2000 };

/* ---- requests and answers ---- */

static void on_received(void *ctx, span_t bytes);
static void on_ended(void *ctx, stream_end_t how, const char *detail);
static const stream_events_t caller_events = {.received = on_received, .ended = on_ended};

void host_reads_on(host_t *host)
{
    host->newest = NULL;
}

static void changed(host_t *host)
{
    host->changed(host->ctx);
}

void peer_add_event(peer_t *peer, peer_event_kind_t kind, entry_t *entry, const char *text)
{
    MEM_ROOM(peer->events, peer->len, peer->cap);
    peer->events[peer->len++] = (peer_event_t){kind, entry, text ? mem_string(text) : NULL, peer->host->came};
    peer->host->newest = &peer->events[peer->len - 1].came;
}

void caller_write(caller_t *caller, span_t bytes)
{
    stream_write(caller->stream, bytes);
    caller->host->written = caller;
}

double host_sent_at(const host_t *host)
{
    return host->written && host->written->stream ? stream_sent_at(host->written->stream) : 0;
}

static const char *caller_name(const caller_t *caller)
{
    return caller->peer ? caller->peer->name : "-";
}

static void log_answer(caller_t *caller, int status, span_t body)
{
    http_response_t response = {.status = status, .minor_version = 1};
    text_span_add(&response.body, body);
    transcript_response(caller->host->transcript, caller->asked, &response, NULL);
    http_response_free(&response);
}

static void request_over(caller_t *caller)
{
    raw_request_free(&caller->request);
    caller->busy = false;
    caller->peer = NULL;
    caller->offer = NULL;
}

void caller_answer(caller_t *caller, int status, span_t body)
{
    bool json = body.len > 0 && (body.at[0] == '{' || body.at[0] == '[');
    text_t out = {0};
    text_printf(&out,
                "HTTP/1.1 %d Scripted\r\n"
                "content-type: %s\r\n"
                "cache-control: no-store\r\n"
                "access-control-allow-origin: *\r\n"
                "access-control-allow-headers: *, content-type, x-phoenix-authtoken, "
                "x-phoenix-longpoll-token\r\n"
                "access-control-allow-methods: GET, POST, OPTIONS\r\n"
                "content-length: %zu\r\n\r\n",
                status, json ? "application/json" : "text/html", body.len);
    text_span_add(&out, body);
    log_answer(caller, status, body);
    host_t *host = caller->host;
    double late = host->reading ? clock_ms() - host->came.earliest : 0;
    host->late_ms = late > host->late_ms ? late : host->late_ms;
    caller_write(caller, text_span(&out));
    text_free(&out);
    request_over(caller);
}

void caller_drop(caller_t *caller)
{
    transcript_end(caller->host->transcript, caller_name(caller), FROM_SERVER, "by the script");
    if (caller->offer) {
        caller->offer->caller = NULL;
    }
    request_over(caller);
    stream_free(caller->stream);
    caller->stream = NULL;
}

static const char *header(const caller_t *caller, const char *name)
{
    return http_headers_get(&caller->request.headers, name);
}

/* Whether a header that is a list has the item. */
static bool lists(const char *list, const char *item)
{
    span_t rest = span_of(list ? list : ""), piece;
    while (span_next(&rest, ',', &piece)) {
        if (span_is(span_trim(piece), item)) {
            return true;
        }
    }
    return false;
}

static void add_offer(caller_t *caller, transport_t transport)
{
    host_t *host = caller->host;
    const char *key = header(caller, "sec-websocket-key");
    const char *protocols = header(caller, "sec-websocket-protocol");
    offer_t *offer = mem_new(1, sizeof *offer);
    *offer = (offer_t){.host = host,
                       .caller = caller,
                       .transport = transport,
                       .entry = caller->asked,
                       .came = host->came,
                       .target = mem_string(caller->request.target),
                       .key = mem_string(key ? key : ""),
                       .phoenix = lists(protocols, "phoenix")};
    caller->offer = offer;
    MEM_ROOM(host->offers, host->offer_count, host->offer_cap);
    host->offers[host->offer_count++] = offer;
    host->newest = &offer->came;
}

/* The request has come whole. */
static void take_request(caller_t *caller)
{
    host_t *host = caller->host;
    host_reads_on(host);
    const raw_request_t *request = &caller->request;
    const char *upgrade = header(caller, "upgrade");
    char *token = target_parameter(request->target, "token");
    const char *token_header = header(caller, "x-phoenix-longpoll-token");
    const char *given = token_header ? token_header : token;
    caller->kind = strcmp(request->method, "POST") == 0 ? REQUEST_POST : REQUEST_POLL;
    for (size_t i = 0; given && *given && i < host->peer_count; i++) {
        if (host->peers[i]->token && strcmp(host->peers[i]->token, given) == 0) {
            caller->peer = host->peers[i];
        }
    }
    http_request_t shown = {.method = request->method,
                            .target = request->target,
                            .headers = request->headers,
                            .body = text_span(&request->body)};
    caller->asked = transcript_request(host->transcript, caller_name(caller), &shown);
    caller->busy = true;
    if (strcmp(request->method, "OPTIONS") == 0) {
        caller_answer(caller, 204, (span_t){0});
    } else if (upgrade && strcasecmp(upgrade, "websocket") == 0) {
        add_offer(caller, WEBSOCKET);
    } else if (caller->peer) {
        longpoll_request(caller);
    } else if (caller->kind == REQUEST_POLL && !(given && *given)) {
        add_offer(caller, LONGPOLL);
    } else {
        caller_answer(caller, 200, SPAN("{\"status\":410,\"token\":\"of a session nobody asked for\"}"));
    }
    free(token);
}

static void note_too_long(const caller_t *caller)
{
    transcript_note(caller->host->transcript, caller_name(caller),
                    "this request is too long: a head has %d bytes at the most, a body %d", REQUEST_HEAD_MAX,
                    REQUEST_BODY_MAX);
}

static void take_requests(caller_t *caller)
{
    while (caller->stream && !caller->busy && !caller->decoder && caller->in.len > 0) {
        split_t split = split_request(text_span(&caller->in), &caller->request);
        if (split == SPLIT_WHOLE) {
            text_drop(&caller->in, caller->request.total);
            take_request(caller);
            continue;
        }
        raw_request_free(&caller->request);
        if (split == SPLIT_BROKEN) {
            text_t start = {0};
            text_show(&start, text_span(&caller->in), SHOWN_MAX);
            transcript_note(caller->host->transcript, "-", "this is no HTTP: %s", text_str(&start));
            text_free(&start);
        } else if (split == SPLIT_TOO_LONG) {
            note_too_long(caller);
        }
        if (split != SPLIT_MORE) {
            stream_free(caller->stream);
            caller->stream = NULL;
        }
        return;
    }
}

static void on_received(void *ctx, span_t bytes)
{
    caller_t *caller = ctx;
    host_t *host = caller->host;
    double looked = caller->looked > 0 ? caller->looked : pace_looked(host->pace);
    moment_t last = moment_last(looked, stream_arrived_at(caller->stream));
    host->came = (moment_t){looked, last.latest};
    caller->looked = 0;
    host->newest = NULL;
    host->reading = true;
    if (caller->decoder) {
        ws_decoder_feed(caller->decoder, bytes);
        websocket_received(caller);
    } else {
        text_span_add(&caller->in, bytes);
        take_requests(caller);
        /* behind a request that is not answered yet */
        if (caller->busy && caller->in.len > REQUEST_HEAD_MAX + REQUEST_BODY_MAX) {
            note_too_long(caller);
            caller_drop(caller);
        }
    }
    host->reading = false;
    if (host->newest) {
        *host->newest = last;
    }
    changed(host);
}

static void on_ended(void *ctx, stream_end_t how, const char *detail)
{
    caller_t *caller = ctx;
    peer_t *peer = caller->peer;
    (void)how;
    caller->host->came = moment_now(caller->host->pace);
    bool counts = caller->decoder || caller->busy;
    entry_t *entry =
        counts ? transcript_end(caller->host->transcript, caller_name(caller), FROM_CLIENT, detail) : NULL;
    if (caller->offer) {
        caller->offer->caller = NULL;
    } else if (peer && counts && !peer->ended && (caller->decoder || caller->kind == REQUEST_POLL)) {
        bool ordered = peer->closing || peer->closed;
        peer->ended = caller->decoder != NULL;
        if (!(caller->decoder && ordered)) {
            peer_add_event(peer, PEER_END, entry, NULL);
        }
    }
    if (peer && peer->caller == caller) {
        peer->caller = NULL;
    }
    request_over(caller);
    stream_free(caller->stream);
    caller->stream = NULL;
    changed(caller->host);
}

/* ---- the listener ---- */

static void on_connection(uv_stream_t *listener, int status)
{
    host_t *host = listener->data;
    caller_t *caller = mem_new(1, sizeof *caller);
    caller->host = host;
    caller->looked = pace_looked(host->pace);
    caller->stream = status == 0 ? stream_accept(listener, &caller_events, caller) : NULL;
    MEM_ROOM(host->callers, host->caller_count, host->caller_cap);
    host->callers[host->caller_count++] = caller;
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle);
}

host_t *host_open(uv_loop_t *loop, const pace_t *pace, transcript_t *transcript, vsn_t vsn,
                  void (*on_change)(void *ctx), void *ctx, text_t *error)
{
    host_t *host = mem_new(1, sizeof *host);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int len = sizeof address;
    *host = (host_t){
        .loop = loop, .pace = pace, .transcript = transcript, .vsn = vsn, .changed = on_change, .ctx = ctx};
    host->listener = mem_new(1, sizeof *host->listener);
    uv_tcp_init(loop, host->listener);
    host->listener->data = host;
    int failed = uv_tcp_bind(host->listener, (const struct sockaddr *)&address, 0);
    failed = failed ? failed : uv_listen((uv_stream_t *)host->listener, BACKLOG, on_connection);
    failed = failed ? failed : uv_tcp_getsockname(host->listener, (struct sockaddr *)&address, &len);
    if (failed) {
        text_printf(error, "no port to listen on: %s", uv_strerror(failed));
        host_free(host);
        return NULL;
    }
    host->port = ntohs(address.sin_port);
    return host;
}

double host_late_ms(const host_t *host)
{
    return host ? host->late_ms : 0;
}

int host_port(const host_t *host)
{
    return host->port;
}

static void free_peer(peer_t *peer)
{
    for (size_t i = 0; i < peer->len; i++) {
        free(peer->events[i].text);
    }
    free(peer->events);
    free(peer->name);
    free(peer->token);
    json_decref(peer->queue);
    free(peer);
}

void host_free(host_t *host)
{
    if (!host) {
        return;
    }
    for (size_t i = 0; i < host->caller_count; i++) {
        caller_t *caller = host->callers[i];
        if (caller->stream) {
            stream_free(caller->stream);
        }
        raw_request_free(&caller->request);
        if (caller->decoder) {
            ws_decoder_free(caller->decoder);
        }
        text_free(&caller->in);
        free(caller);
    }
    free(host->callers);
    for (size_t i = 0; i < host->offer_count; i++) {
        free(host->offers[i]->target);
        free(host->offers[i]->key);
        free(host->offers[i]);
    }
    free(host->offers);
    for (size_t i = 0; i < host->peer_count; i++) {
        free_peer(host->peers[i]);
    }
    free(host->peers);
    uv_close((uv_handle_t *)host->listener, on_listener_closed);
    free(host);
}

/* ---- offers ---- */

offer_t *host_offer(const host_t *host, size_t index)
{
    return index < host->offer_count ? host->offers[index] : NULL;
}

peer_t *host_peer(const host_t *host, size_t index)
{
    return index < host->peer_count ? host->peers[index] : NULL;
}

transport_t offer_transport(const offer_t *offer)
{
    return offer->transport;
}

const entry_t *offer_entry(const offer_t *offer)
{
    return offer->entry;
}

moment_t offer_came(const offer_t *offer)
{
    return offer->came;
}

const char *offer_target(const offer_t *offer)
{
    return offer->target;
}

peer_t *offer_accept(offer_t *offer, const char *name)
{
    host_t *host = offer->host;
    caller_t *caller = offer->caller;
    peer_t *peer = mem_new(1, sizeof *peer);
    *peer = (peer_t){.host = host, .name = mem_string(name), .transport = offer->transport};
    MEM_ROOM(host->peers, host->peer_count, host->peer_cap);
    host->peers[host->peer_count++] = peer;
    if (!caller) {
        peer->ended = true;
        return peer;
    }
    offer->caller = NULL;
    if (offer->transport == WEBSOCKET) {
        peer->caller = caller;
        caller->peer = peer;
        websocket_upgrade(caller, offer);
        websocket_received(caller);
    } else {
        /* the worst a token may look like: a client keeps it as it is and percent-encodes it (LP-HTTP-08) */
        text_t token = {0};
        text_printf(&token, "t%u+/=&%%41 x", ++host->tokens);
        peer->token = text_take(&token);
        peer->queue = json_array();
        longpoll_open(caller, peer);
        take_requests(caller);
    }
    return peer;
}

void offer_refuse(offer_t *offer, int status, const char *body)
{
    caller_t *caller = offer->caller;
    if (!caller) {
        return;
    }
    offer->caller = NULL;
    if (status == 0) {
        caller->offer = NULL;
        caller_drop(caller);
        return;
    }
    if (offer->transport == LONGPOLL && !body) {
        text_t text = {0};
        text_printf(&text, "{\"status\":%d}", status);
        caller_answer(caller, 200, text_span(&text));
        text_free(&text);
    } else {
        caller_answer(caller, status, span_of(body));
    }
    take_requests(caller);
}

/* ---- peers ---- */

const char *peer_name(const peer_t *peer)
{
    return peer->name;
}

transport_t peer_transport(const peer_t *peer)
{
    return peer->transport;
}

const char *peer_token(const peer_t *peer)
{
    return peer->token ? peer->token : "";
}

const peer_event_t *peer_event(const peer_t *peer, size_t index)
{
    return index < peer->len ? &peer->events[index] : NULL;
}

bool peer_gone(const peer_t *peer)
{
    return peer->ended || peer->closing || peer->closed || peer->lost;
}

void peer_drop(peer_t *peer)
{
    host_t *host = peer->host;
    peer->ended = peer->transport == WEBSOCKET;
    for (size_t i = 0; i < host->caller_count; i++) {
        caller_t *caller = host->callers[i];
        if (caller->stream && caller->peer == peer) {
            caller_drop(caller);
        }
    }
    peer->caller = NULL;
}
