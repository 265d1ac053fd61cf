/* SPDX-License-Identifier: MIT */
#include "replay/player_impl.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Appends the leave that belongs to a join, in a line of its own. */
static void add_leave(text_t *body, const message_t *join, vsn_t vsn)
{
    json_t *ref = json_string("farewell"), *event = json_string("phx_leave"), *payload = json_object();
    message_t leave = message_of(join->join_ref, ref, join->topic, event, payload);
    bool binary;
    text_puts(body, body->len > 0 ? "\n" : "");
    message_encode(&leave, vsn, body, &binary, NULL);
    message_free(&leave);
    json_decref(ref);
    json_decref(event);
    json_decref(payload);
}

/* The leaves for all joins this session's client has sent. */
static void add_leaves(text_t *body, const player_t *player, size_t conn, vsn_t vsn)
{
    const recording_t *recording = player->setup.recording;
    for (size_t i = 0; i < recording->events_len; i++) {
        const recorded_event_t *event = &recording->events[i];
        if (event->conn != conn || event->kind != EVENT_HTTP || player->sent_ms[i] < 0) {
            continue;
        }
        span_t rest = text_span(&event->http.body), line;
        while (rest.len > 0 && span_next(&rest, '\n', &line)) {
            message_t message;
            if (message_decode(&message, vsn, FROM_CLIENT, false, line, NULL)) {
                if (strcmp(message_event(&message), "phx_join") == 0) {
                    add_leave(body, &message, vsn);
                }
                message_free(&message);
            }
        }
    }
}

static void on_left(void *ctx, const http_response_t *response, const char *error)
{
    player_t *player = ctx;
    (void)response;
    (void)error;
    if (--player->farewells_left == 0) {
        player_farewell_over(player);
    }
}

static void post(player_t *player, const recorded_conn_t *conn, const char *token, span_t body,
                 const char *type)
{
    text_t target = {0};
    const player_setup_t *setup = &player->setup;
    text_printf(&target, "%s%stoken=%s", conn->url, strchr(conn->url, '?') ? "&" : "?", token);
    http_request_t request = {.method = "POST", .target = target.at, .body = body, .has_body = true};
    http_headers_add(&request.headers, "content-type", type);
    http_client_t *client = http_client_new(setup->loop, setup->address, setup->authority);
    http_client_start(client, &request, on_left, player);
    MEM_ROOM(player->farewells, player->farewells_len, player->farewells_cap);
    player->farewells[player->farewells_len++] = client;
    player->farewells_left++;
    http_headers_free(&request.headers);
    text_free(&target);
}

/* A batch, where the version knows batches; else a POST for each line. */
static void leave_session(player_t *player, size_t conn, const char *token)
{
    const recorded_conn_t *recorded = player->wires[conn].recorded;
    text_t body = {0};
    add_leaves(&body, player, conn, recorded->vsn);
    if (body.len > 0 && recorded->vsn == VSN_2) {
        post(player, recorded, token, text_span(&body), "application/x-ndjson");
    } else {
        span_t rest = text_span(&body), line;
        while (rest.len > 0 && span_next(&rest, '\n', &line)) {
            post(player, recorded, token, line, "application/json");
        }
    }
    text_free(&body);
}

void farewell_start(player_t *player)
{
    for (size_t i = 0; i < player->setup.recording->conns_len; i++) {
        const wire_t *wire = &player->wires[i];
        for (size_t j = 0; wire->recorded->transport == CONN_LONGPOLL && j < wire->tokens.len; j++) {
            leave_session(player, i, wire->tokens.at[j]);
        }
    }
}

void farewell_free(player_t *player)
{
    for (size_t i = 0; i < player->farewells_len; i++) {
        http_client_free(player->farewells[i]);
    }
    free(player->farewells);
    player->farewells = NULL;
    player->farewells_len = 0;
}
