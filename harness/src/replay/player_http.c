/* SPDX-License-Identifier: MIT */
#include "replay/player_impl.h"

#include <string.h>
#include <strings.h>

static const double DEFAULT_WINDOW_MS = 10000;

static const recorded_exchange_t *recorded_of(const exchange_t *exchange)
{
    return &player_recorded(exchange->player, exchange->event)->http;
}

static const char *scenario_of(const exchange_t *exchange)
{
    return exchange->player->setup.recording->scenario;
}

static bool brings_messages(const exchange_t *exchange)
{
    return recorded_of(exchange)->messages_len > 0;
}

/* Whether all that this poll brought has come, be it with this one or with another. */
static bool messages_came(const exchange_t *exchange)
{
    for (size_t i = 0; i < recorded_of(exchange)->messages_len; i++) {
        const expected_t *expected = wire_expected(exchange->wire, exchange->event, i);
        if (!expected->arrived && !expected->optional) {
            return false;
        }
    }
    return true;
}

/* ---- requests ---- */

static char *replaced(const identities_t *identities, const char *text)
{
    text_t out = {0};
    identities_replace(identities, &out, span_of(text));
    return text_take(&out);
}

/* The recorded request with the target's tokens; `target` is owned by the caller, the headers, too. */
static http_request_t request_of(const exchange_t *exchange, char **target)
{
    const recorded_exchange_t *recorded = recorded_of(exchange);
    const identities_t *identities = &exchange->player->identities;
    text_t line = {0};
    text_puts(&line, recorded->path);
    if (recorded->query[0] != '\0') {
        text_putc(&line, '?');
        identities_replace(identities, &line, span_of(recorded->query));
    }
    *target = text_take(&line);
    http_request_t request = {.method = recorded->method,
                              .target = *target,
                              .body = text_span(&recorded->body),
                              .has_body = recorded->has_body};
    for (size_t i = 0; i < recorded->headers.len; i++) {
        char *value = replaced(identities, recorded->headers.at[i].value);
        http_headers_add(&request.headers, recorded->headers.at[i].name, value);
        free(value);
    }
    return request;
}

/* A request written by hand, for another host. */
static void add_raw(text_t *out, span_t raw, const char *authority)
{
    span_t line;
    bool first = true;
    while (span_next(&raw, '\n', &line)) {
        text_puts(out, first ? "" : "\n");
        first = false;
        if (line.len >= 5 && strncasecmp(line.at, "host:", 5) == 0) {
            text_printf(out, "Host: %s%s", authority, line.at[line.len - 1] == '\r' ? "\r" : "");
        } else {
            text_span_add(out, line);
        }
    }
}

static void on_done(void *ctx, const http_response_t *response, const char *error);

static void start(exchange_t *exchange)
{
    player_t *player = exchange->player;
    const recorded_exchange_t *recorded = recorded_of(exchange);
    const player_setup_t *setup = &player->setup;
    http_request_t request = {0};
    text_t raw = {0};
    char *target = NULL;
    if (recorded->raw.len > 0) {
        add_raw(&raw, text_span(&recorded->raw), setup->authority);
        request.raw = text_span(&raw);
    } else {
        request = request_of(exchange, &target);
    }
    http_client_free(exchange->client);
    exchange->client = http_client_new(setup->loop, setup->address, setup->authority);
    exchange->request = transcript_request(player->transcript, exchange->wire->recorded->name, &request);
    exchange->http = http_client_start(exchange->client, &request, on_done, exchange);
    http_headers_free(&request.headers);
    text_free(&raw);
    free(target);
}

void exchange_request(exchange_t *exchange)
{
    const char *method = recorded_of(exchange)->method;
    bool post = method != NULL && strcmp(method, "POST") == 0;
    exchange->wire->posts_over = exchange->wire->posts_over && post;
    exchange->skipped = (brings_messages(exchange) && messages_came(exchange)) || exchange->wire->posts_over;
    if (!exchange->skipped) {
        start(exchange);
    }
}

void exchange_abort(exchange_t *exchange)
{
    if (exchange->http != NULL) {
        transcript_note(exchange->player->transcript, exchange->wire->recorded->name, "the poll is given up");
        http_exchange_abort(exchange->http, false);
        exchange->http = NULL;
    }
}

bool exchange_complete(exchange_t *exchange)
{
    if (exchange->skipped || exchange->done) {
        return true;
    }
    if (!brings_messages(exchange) || exchange->http != NULL) {
        return false;
    }
    if (messages_came(exchange)) {
        return true;
    }
    start(exchange);
    return false;
}

void exchange_close(exchange_t *exchange)
{
    deadline_cancel(&exchange->again);
    http_client_free(exchange->client);
    exchange->client = NULL;
    exchange->http = NULL;
}

/* ---- answers ---- */

static bool in_time(exchange_t *exchange, const entry_t *entry)
{
    const recorded_exchange_t *recorded = recorded_of(exchange);
    player_t *player = exchange->player;
    double recorded_ms = recorded->done_ms - player_recorded(player, exchange->event)->t_ms;
    /* a window is a time asked for, too; how soon a server notices that a session is dead is its own affair,
     * and so is what a rule says */
    double earliest_ms = recorded_ms < 250 || recorded->poll_status == 0 || recorded->poll_status == 410 ||
                                 rules_empty_polls_free(player->setup.rules, scenario_of(exchange))
                             ? 0
                             : recorded_ms / 2;
    return player_in_time(player, exchange->event, earliest_ms,
                          entry->at_ms - player->sent_ms[exchange->event]);
}

/* The messages in a poll's answer, one by one. */
static void take_messages(exchange_t *exchange, const entry_t *entry, const json_t *answer)
{
    player_t *player = exchange->player;
    vsn_t vsn = exchange->wire->recorded->vsn;
    const json_t *messages = json_object_get(answer, "messages");
    if (json_array_size(messages) == 0) {
        player_fail_with(player, exchange->event, "a poll answered with status 200 and without a message");
    }
    player->holding = true;
    for (size_t i = 0; i < json_array_size(messages) && !player->over; i++) {
        const json_t *text = json_array_get(messages, i);
        span_t bytes = jvalue_bytes(text);
        bool binary = vsn == VSN_2 && bytes.len > 0 && (unsigned char)bytes.at[0] <= 2;
        if (json_is_string(text)) {
            wire_arrived(exchange->wire, transcript_message(player->transcript, entry, vsn, binary, bytes));
        } else {
            player_fail_with(player, exchange->event, "a message in a poll's answer that is no string");
        }
    }
    player->holding = false;
}

static double window_ms(const exchange_t *exchange)
{
    const json_t *window = json_object_get(exchange->player->setup.recording->config, "longpoll_window_ms");
    return json_is_number(window) ? json_number_value(window) : DEFAULT_WINDOW_MS;
}

static void on_again(void *ctx)
{
    exchange_t *exchange = ctx;
    exchange->again = NULL;
    exchange->player->sent_ms[exchange->event] = transcript_now(exchange->player->transcript);
    start(exchange);
}

/*
 * The rule "posts": a run of POSTs ends with the first one that is answered `until`, so many windows after
 * the last poll; how many come before is free. True when the rule has decided what becomes of this answer.
 */
static bool judge_run(exchange_t *exchange, const entry_t *entry, const json_t *answer)
{
    player_t *player = exchange->player;
    wire_t *wire = exchange->wire;
    const recorded_exchange_t *recorded = recorded_of(exchange);
    int until, status = (int)json_integer_value(json_object_get(answer, "status"));
    double first, last, window = window_ms(exchange), sent_ms = player->sent_ms[exchange->event];
    /* since when the server has had no poll is between these two */
    double least = sent_ms - wire->polled_ms, most = sent_ms - wire->poll_sent_ms;
    if (recorded->method == NULL || strcmp(recorded->method, "POST") != 0 ||
        !rules_posts(player->setup.rules, scenario_of(exchange), &until, &first, &last) ||
        entry->status != 200 || json_object_size(answer) != 1 || (status != 200 && status != until)) {
        return false;
    }
    if (status == until && most < first * window) {
        player_fail_with(player, exchange->event,
                         "status %d %.0f ms after the last poll, before %.1f windows", until, most, first);
    } else if (status == 200 && least > last * window) {
        player_fail_with(player, exchange->event,
                         "still status 200 %.0f ms after the last poll, more than %.1f windows", least, last);
    } else if (status == 200 && recorded->poll_status == until) {
        exchange->again = deadline_start(player->setup.loop, window / 3, on_again, exchange);
        return true;
    }
    wire->posts_over = status == until;
    exchange->done = true;
    return true;
}

static void judge_answer(exchange_t *exchange, const entry_t *entry, const json_t *answer)
{
    player_t *player = exchange->player;
    const recorded_exchange_t *recorded = recorded_of(exchange);
    json_int_t status = json_integer_value(json_object_get(answer, "status"));
    bool brings = brings_messages(exchange);
    if (brings && entry->status == 200 && status == 204) {
        return; /* the window was over before the messages came: asked again, as long as patience lasts */
    }
    if (!in_time(exchange, entry)) {
        return;
    }
    bool instead = !brings && recorded->poll_status == 204 && status == 200 &&
                   rules_empty_polls_free(player->setup.rules, scenario_of(exchange));
    if (!instead && !compare_answer(recorded, entry, !brings, &player->identities, &player->finding)) {
        player_fail(player, exchange->event);
        return;
    }
    exchange->done = !brings;
    if (brings || instead) {
        take_messages(exchange, entry, answer);
    }
}

static void remember_token(wire_t *wire, const json_t *answer)
{
    const char *token = json_string_value(json_object_get(answer, "token"));
    if (token != NULL && !names_have(&wire->tokens, token)) {
        names_add(&wire->tokens, token);
    }
}

static void on_done(void *ctx, const http_response_t *response, const char *error)
{
    exchange_t *exchange = ctx;
    player_t *player = exchange->player;
    const recorded_exchange_t *recorded = recorded_of(exchange);
    entry_t *entry = transcript_response(player->transcript, exchange->request, response, error);
    exchange->http = NULL;
    if (recorded->method != NULL && strcmp(recorded->method, "GET") == 0) {
        exchange->wire->poll_sent_ms = exchange->request->at_ms;
        exchange->wire->polled_ms = entry->at_ms;
    }
    json_t *answer = response ? jvalue_parse(text_span(&response->body), NULL) : NULL;
    remember_token(exchange->wire, answer);
    if (response == NULL && recorded->status == 0) {
        exchange->done = true;
    } else if (response == NULL) {
        player_fail_with(player, exchange->event, "no answer: %s", error);
    } else if (recorded->status == 0) {
        player_fail_with(player, exchange->event, "an answer with HTTP status %d; recorded was none (%s)",
                         response->status, recorded->error);
    } else if (!judge_run(exchange, entry, answer)) {
        judge_answer(exchange, entry, answer);
    }
    json_decref(answer);
    if (!player->over) {
        player_advance(player);
    }
}
