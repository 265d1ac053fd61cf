/* SPDX-License-Identifier: MIT */
/* What the scripted server and its driver are told to do by a step. */
#include "client_suite/play_impl.h"

#include "client_suite/server_message.h"
#include "vectors/template.h"

#include <string.h>

static outcome_t send_message(play_t *play, peer_t *peer, const json_t *five)
{
    text_t bytes = {0}, error = {0};
    bool binary;
    outcome_t outcome = PLAY_DONE;
    if (server_message_encode(five, play->variant->vsn, &bytes, &binary, &error)) {
        peer_send(peer, binary, text_span(&bytes));
    } else {
        outcome = play_broken(play, "%s", text_str(&error));
    }
    text_free(&bytes);
    text_free(&error);
    return outcome;
}

static outcome_t bytes_begin(play_t *play, peer_t *peer)
{
    text_t bytes = {0}, error = {0};
    outcome_t outcome = PLAY_DONE;
    const json_t *parts = play_argument(play);
    for (size_t i = 0; outcome == PLAY_DONE && i < json_array_size(parts); i++) {
        if (!template_bytes(json_array_get(parts, i), &bytes, &error)) {
            outcome = play_broken(play, "%s", text_str(&error));
        }
    }
    if (outcome == PLAY_DONE && play_deed(play) == DEED_SEND_RAW) {
        peer_send_raw(peer, text_span(&bytes));
    } else if (outcome == PLAY_DONE) {
        peer_send(peer, true, text_span(&bytes));
    }
    text_free(&bytes);
    text_free(&error);
    return outcome;
}

static outcome_t close_begin(play_t *play, peer_t *peer)
{
    const json_t *code = json_object_get(play_argument(play), "code");
    peer_close(peer, (unsigned)json_integer_value(code),
               span_of(json_string_value(json_object_get(play_argument(play), "reason"))));
    return PLAY_DONE;
}

static request_kind_t kind_of(const json_t *name)
{
    const char *string = json_string_value(name);
    return strcmp(string, "poll") == 0   ? REQUEST_POLL
           : strcmp(string, "post") == 0 ? REQUEST_POST
                                         : REQUEST_CLOSE;
}

/* "answer": what waits may not be there yet. */
outcome_t play_answer_poll(play_t *play)
{
    size_t index = 0;
    const json_t *with = play_member(play, "with"), *body = json_object_get(with, "body");
    const json_t *status = json_object_get(with, "status");
    text_t text = {0};
    if (json_is_string(body)) {
        text_puts(&text, json_string_value(body));
    } else if (body) {
        jvalue_write(&text, body);
    }
    bool answered = peer_answer(play_peer(play, &index), kind_of(play_argument(play)),
                                status ? (int)json_integer_value(status) : 200, text_span(&text));
    text_free(&text);
    return answered ? play_over_now(play) : play_wait(play, "no such request came");
}

/* "await": over WebSocket there is nothing to wait for. */
outcome_t play_await_poll(play_t *play)
{
    size_t index = 0;
    const peer_t *peer = play_peer(play, &index);
    json_t *asked = peer_asked(peer, kind_of(play_argument(play)));
    if (!asked && peer_transport(peer) == LONGPOLL) {
        return play_wait(play, "no such request came");
    }
    bool failed = asked && play_check_request(play, asked) == PLAY_FAILED;
    return failed ? PLAY_FAILED : play_over_now(play);
}

/* Where the client finds the server. */
static int server_port(const play_t *play)
{
    return play->detour ? detour_port(play->detour) : host_port(play->host);
}

static outcome_t tell(play_t *play)
{
    const char *what = json_string_value(play_argument(play));
    json_t *command = play_member(play, "with") ? json_deep_copy(play_member(play, "with")) : json_object();
    json_object_set_new(command, "do", json_string(what));
    if (strcmp(what, "connect") == 0) {
        json_t *defaults =
            json_pack("{s:o s:s s:s s:o}", "url", json_sprintf("ws://127.0.0.1:%d/socket", server_port(play)),
                      "transport", transport_name(play->variant->transport), "vsn",
                      vsn_name(play->variant->vsn), "options", json_object());
        json_object_update_missing(command, defaults);
        json_decref(defaults);
    }
    play_tell(play, command);
    json_decref(command);
    return PLAY_DONE;
}

outcome_t play_begin(play_t *play)
{
    size_t index = 0;
    deed_t deed = play_deed(play);
    peer_t *peer = play_peer(play, &index);
    outcome_t outcome = PLAY_DONE;
    double begun = clock_ms();
    switch (deed) {
    case DEED_DO:
        outcome = tell(play);
        break;
    case DEED_SEND:
        outcome = send_message(play, peer, play_argument(play));
        break;
    case DEED_PIPELINE:
        for (size_t i = 0; outcome == PLAY_DONE && i < json_array_size(play_argument(play)); i++) {
            outcome = send_message(play, peer, json_array_get(play_argument(play), i));
        }
        break;
    case DEED_SEND_TEXT:
        peer_send(peer, false, span_of(json_string_value(play_argument(play))));
        break;
    case DEED_SEND_BINARY:
    case DEED_SEND_RAW:
        outcome = bytes_begin(play, peer);
        break;
    case DEED_CLOSE:
        outcome = close_begin(play, peer);
        break;
    case DEED_DROP:
        peer_drop(peer);
        break;
    case DEED_HOLD:
    case DEED_RELEASE:
        peer_hold(peer, kind_of(play_argument(play)), deed == DEED_HOLD);
        break;
    case DEED_ALLOW:
        json_array_append(play->allowed, (json_t *)play_argument(play));
        break;
    default:
        return PLAY_WAITING;
    }
    moment_t done =
        moment_done(begun, deed == DEED_DO ? driver_told_at(play->driver) : host_sent_at(play->host));
    return outcome == PLAY_DONE ? play_over(play, done, done) : outcome;
}
