/* SPDX-License-Identifier: MIT */
#include "vectors/client_impl.h"

#include "base/memory.h"
#include "net/deadline.h"

#include <stdlib.h>

/* What an event costs beside its bytes, about. */
enum { EVENT_BYTES = 256 };

client_t *client_open(const client_setup_t *setup)
{
    client_t *client = mem_new(1, sizeof *client);
    client->setup = *setup;
    client->name = mem_string(setup->name);
    client->kind = setup->transport == WEBSOCKET ? &client_websocket : &client_longpoll;
    client->last_sent.earliest = clock_ms();
    client->kind->open(client, setup);
    client->last_sent.latest = clock_ms();
    return client;
}

void client_free(client_t *client)
{
    if (!client) {
        return;
    }
    client->kind->free(client);
    for (size_t i = 0; i < client->len; i++) {
        free(client->events[i].text);
    }
    free(client->events);
    free(client->name);
    free(client);
}

const char *client_name(const client_t *client)
{
    return client->name;
}

transport_t client_transport(const client_t *client)
{
    return client->setup.transport;
}

vsn_t client_vsn(const client_t *client)
{
    return client->setup.vsn;
}

client_state_t client_state(const client_t *client)
{
    return client->state;
}

const entry_t *client_answer(const client_t *client)
{
    return client->answer;
}

int client_body_status(const client_t *client)
{
    return client->body_status;
}

const char *client_accept_expected(const client_t *client)
{
    return client->setup.transport == WEBSOCKET ? client_websocket_accept(client) : "";
}

const client_event_t *client_event(const client_t *client, size_t index)
{
    return index < client->len ? &client->events[index] : NULL;
}

moment_t client_last_sent(const client_t *client)
{
    moment_t sent = client->last_sent;
    double left = client->kind->sent_at ? client->kind->sent_at(client) : 0;
    sent.latest = left > sent.latest ? left : sent.latest;
    return sent;
}

bool client_gone(const client_t *client)
{
    return client->gone;
}

bool client_over(const client_t *client)
{
    return client->over;
}

bool client_flooded(const client_t *client)
{
    return client->flooded;
}

bool client_send(client_t *client, const message_t *messages, size_t count, text_t *error)
{
    client->last_sent.earliest = clock_ms();
    bool good = client->kind->send(client, messages, count, error);
    client->last_sent.latest = clock_ms();
    return good;
}

void client_send_text(client_t *client, span_t text)
{
    client->last_sent.earliest = clock_ms();
    client->kind->send_text(client, text);
    client->last_sent.latest = clock_ms();
}

void client_send_frames(client_t *client, const ws_frame_t *frames, size_t count)
{
    client->last_sent.earliest = clock_ms();
    client_websocket_send_frames(client, frames, count);
    client->last_sent.latest = clock_ms();
}

void client_close(client_t *client, unsigned code, span_t reason)
{
    client->last_sent.earliest = clock_ms();
    client->kind->close(client, code, reason);
    client->last_sent.latest = clock_ms();
}

void client_drop(client_t *client)
{
    client->kind->drop(client);
    client->gone = true;
}

void client_add_event(client_t *client, event_kind_t kind, entry_t *entry, const char *text)
{
    MEM_ROOM(client->events, client->len, client->cap);
    client->events[client->len++] =
        (client_event_t){kind, entry, text ? mem_string(text) : NULL, moment_now(client->setup.pace)};
    client->setup.changed(client->setup.ctx);
}

void client_add_no_message(client_t *client, entry_t *entry, bool binary, span_t bytes)
{
    text_t why = {0};
    message_t message;
    text_puts(&why, "this is no message: ");
    if (message_decode(&message, client->setup.vsn, FROM_SERVER, binary, bytes, &why)) {
        message_free(&message);
    }
    client_add_event(client, EVENT_TROUBLE, entry, text_str(&why));
    text_free(&why);
}

void client_answered(client_t *client, client_state_t state, const entry_t *answer)
{
    client->state = state;
    client->answer = answer;
    client->gone = state == CLIENT_REFUSED;
    client->setup.changed(client->setup.ctx);
}

void client_note_headers(transcript_t *transcript, const entry_t *request, const http_headers_t *headers)
{
    for (size_t i = 0; i < headers->len; i++) {
        transcript_note(transcript, request->conn, "with %s: %s", headers->at[i].name, headers->at[i].value);
    }
}

bool client_received(client_t *client, size_t bytes)
{
    client->received += bytes + EVENT_BYTES;
    if (!client->flooded && client->received > client->setup.room) {
        client->flooded = true;
        client_drop(client);
        client->setup.changed(client->setup.ctx);
    }
    return !client->flooded;
}
