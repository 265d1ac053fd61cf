/* SPDX-License-Identifier: MIT */
/* What each verb of a case for clients does, and how it is seen to be done. */
#include "client_suite/play_impl.h"

#include "base/memory.h"
#include "client_suite/server_message.h"
#include "client_suite/target_query.h"
#include "vectors/template.h"
#include "vectors/view.h"

#include <stdlib.h>
#include <string.h>

static deed_t deed_now(const play_t *play)
{
    return deed_of(play->variant->c->steps[play->step].json);
}

static const json_t *member(const play_t *play, const char *key)
{
    return json_object_get(play->filled, key);
}

static const json_t *argument(const play_t *play)
{
    return member(play, deed_name(deed_now(play)));
}

static double ms_of(const json_t *time)
{
    return json_number_value(json_object_get(time, "ms"));
}

double play_limit(const play_t *play)
{
    deed_t deed = deed_now(play);
    if (deed == DEED_WAIT || deed == DEED_SILENCE) {
        return ms_of(argument(play));
    }
    return play->stage->patience_ms + ms_of(member(play, "within")) + ms_of(member(play, "after"));
}

static outcome_t wait_for(play_t *play, const char *what)
{
    return play->time_up ? play_fail(play, "%s within %.0f ms", what, play_limit(play)) : PLAY_WAITING;
}

/* The step is over, at this time; if it is about a time, it must be about that. */
static outcome_t over_at(play_t *play, double at_ms)
{
    const json_t *after = member(play, "after");
    const json_t *since = json_object_get(play->marks, json_string_value(member(play, "since"))
                                                           ? json_string_value(member(play, "since"))
                                                           : "");
    size_t from = since ? (size_t)json_integer_value(since) : play->step - 1;
    play->stamps[play->step] = at_ms;
    if (!after || play->step == 0) {
        return PLAY_DONE;
    }
    double took = at_ms - play->stamps[from], ms = ms_of(after);
    const tolerance_t *tolerance = &play->stage->tolerance;
    double least = ms - tolerance->early_ms, most = ms + tolerance->late_ms;
    if (took < least || took > most) {
        return play_fail(play, "came %.0f ms after step %zu, and is to come after %.0f ms (%.0f to %.0f)",
                         took, from + 1, ms, least, most);
    }
    return PLAY_DONE;
}

static outcome_t over_now(play_t *play)
{
    return over_at(play, transcript_now(play->transcript));
}

static void take(play_t *play, entry_t *entry)
{
    entry->taken = true;
    entry->taken_by = play->labels[play->step];
}

/* ---- peers ---- */

/* The newest peer of this name, and its index. */
static peer_t *find_peer(const play_t *play, size_t *index)
{
    const json_t *on = member(play, "on");
    const char *name = on ? json_string_value(on) : "a";
    peer_t *found = NULL, *peer;
    for (size_t i = 0; (peer = host_peer(play->host, i)); i++) {
        if (strcmp(peer_name(peer), name) == 0) {
            found = peer;
            *index = i;
        }
    }
    return found;
}

static match_context_t context_of(const play_t *play)
{
    return (match_context_t){.names = play->names, .vsn = play->variant->vsn};
}

/* In version 1.0.0 a client may send a join_ref or not (V1-05): that is not judged. */
static message_t as_judged(const play_t *play, const message_t *message)
{
    message_t judged = *message;
    if (play->variant->vsn == VSN_1) {
        judged.join_ref = NULL;
    }
    return judged;
}

/* Where none is sent, a server knows none. */
static void capture_join_ref(play_t *play, const json_t *five, const message_t *message)
{
    const char *name = json_string_value(json_object_get(json_array_get(five, 0), "$capture"));
    if (name && play->variant->vsn == VSN_1) {
        json_object_set_new(play->names, name,
                            message->join_ref ? json_incref(message->join_ref) : json_null());
    }
}

static bool matches(play_t *play, const json_t *five, const message_t *message, text_t *why)
{
    match_context_t context = context_of(play);
    message_t judged = as_judged(play, message);
    bool good = view_match(five, &judged, &context, why);
    if (good) {
        capture_join_ref(play, five, message);
    }
    return good;
}

static bool is_allowed(play_t *play, const peer_event_t *event)
{
    for (size_t i = 0; event->kind == PEER_MESSAGE && i < json_array_size(play->allowed); i++) {
        match_context_t context = context_of(play);
        message_t judged = as_judged(play, &event->entry->message);
        if (view_match(json_array_get(play->allowed, i), &judged, &context, NULL)) {
            return true;
        }
    }
    return false;
}

static size_t *read_of(play_t *play, size_t index)
{
    if (index >= play->peers_known) {
        size_t known = index + 8;
        play->peers_read = mem_grow(play->peers_read, known * sizeof *play->peers_read);
        memset(play->peers_read + play->peers_known, 0,
               (known - play->peers_known) * sizeof *play->peers_read);
        play->peers_known = known;
    }
    return &play->peers_read[index];
}

/* The next event of a peer that is not merely allowed. */
static const peer_event_t *next_event(play_t *play, const peer_t *peer, size_t index)
{
    size_t *read = read_of(play, index);
    const peer_event_t *event;
    while ((event = peer_event(peer, *read)) && is_allowed(play, event)) {
        event->entry->taken = true;
        ++*read;
    }
    return event;
}

static void describe(text_t *out, const peer_event_t *event)
{
    switch (event->kind) {
    case PEER_MESSAGE:
        message_write(out, &event->entry->message);
        break;
    case PEER_CLOSE:
        text_puts(out, "a close frame ");
        text_printf(out, event->entry->has_code ? "with code %u" : "without a code", event->entry->code);
        break;
    case PEER_END:
        text_puts(out, "the end of TCP");
        break;
    case PEER_TROUBLE:
        text_puts(out, event->text);
        break;
    }
}

static outcome_t unexpected(play_t *play, const peer_t *peer, const peer_event_t *event, const char *wanted)
{
    text_t what = {0};
    describe(&what, event);
    play_fail(play, "%s on %s, instead came: %s", wanted, peer_name(peer), text_str(&what));
    text_free(&what);
    return PLAY_FAILED;
}

static void set_diff(play_t *play, const json_t *five, const message_t *message)
{
    match_context_t context = context_of(play);
    text_t expected = {0}, got = {0};
    message_t judged = {0};
    if (message) {
        judged = as_judged(play, message);
    }
    view_diff(five, message ? &judged : NULL, &context, &expected, &got);
    free(play->result.expected);
    free(play->result.got);
    play->result.expected = text_take(&expected);
    play->result.got = text_take(&got);
}

static outcome_t expect_poll(play_t *play)
{
    const json_t *five = argument(play);
    size_t index = 0;
    peer_t *peer = find_peer(play, &index);
    const peer_event_t *event = peer_event(peer, *read_of(play, index));
    if (!(event && event->kind == PEER_MESSAGE && matches(play, five, &event->entry->message, NULL))) {
        event = next_event(play, peer, index); /* an expectation goes before what is merely allowed */
        if (!event) {
            if (play->time_up) {
                set_diff(play, five, NULL);
            }
            return wait_for(play, "nothing came");
        }
        text_t why = {0};
        if (event->kind != PEER_MESSAGE) {
            set_diff(play, five, NULL);
            return unexpected(play, peer, event, "a message is expected");
        }
        if (!matches(play, five, &event->entry->message, &why)) {
            play_fail(play, "another message came on %s: %s", peer_name(peer), text_str(&why));
            set_diff(play, five, &event->entry->message);
            text_free(&why);
            return PLAY_FAILED;
        }
        text_free(&why);
    }
    ++*read_of(play, index);
    take(play, event->entry);
    return over_at(play, event->entry->at_ms);
}

static outcome_t close_poll(play_t *play)
{
    const json_t *codes = json_object_get(argument(play), "codes");
    size_t index = 0;
    peer_t *peer = find_peer(play, &index);
    const peer_event_t *event = next_event(play, peer, index);
    if (!event) {
        return wait_for(play, "the client did not end the connection");
    }
    if (event->kind != PEER_CLOSE && event->kind != PEER_END) {
        return unexpected(play, peer, event, "the end is expected");
    }
    ++*read_of(play, index);
    take(play, event->entry);
    if (event->kind == PEER_CLOSE && codes) {
        json_t *code = event->entry->has_code ? json_integer(event->entry->code) : json_null();
        bool known = false;
        for (size_t i = 0; i < json_array_size(codes); i++) {
            known = known || json_equal(json_array_get(codes, i), code);
        }
        json_decref(code);
        if (!known) {
            return unexpected(play, peer, event, "a close with another code is expected");
        }
    }
    return over_at(play, event->entry->at_ms);
}

/* ---- offers ---- */

static outcome_t check_offer(play_t *play, const offer_t *offer)
{
    json_t *actual = offer_json(offer_target(offer), &offer_entry(offer)->headers);
    match_context_t context = context_of(play);
    const char *key;
    json_t *value;
    text_t why = {0};
    bool good = true;
    json_object_foreach((json_t *)member(play, "expect"), key, value)
    {
        bool plain = json_is_object(value) && !matcher_is(value);
        json_t *expected = plain ? json_pack("{s:O}", "$partial", value) : json_incref(value);
        good = good && matcher_match(expected, json_object_get(actual, key), &context, key, &why);
        json_decref(expected);
    }
    json_decref(actual);
    if (!good) {
        play_fail(play, "the request is not as expected: %s", text_str(&why));
    }
    text_free(&why);
    return good ? PLAY_DONE : PLAY_FAILED;
}

static outcome_t offer_poll(play_t *play)
{
    offer_t *offer = host_offer(play->host, play->offers_read);
    const json_t *over = member(play, "transport");
    if (!offer) {
        return wait_for(play, "the client did not try to connect");
    }
    play->offers_read++;
    entry_t *entry = (entry_t *)offer_entry(offer);
    take(play, entry);
    const char *wanted = over ? json_string_value(over) : transport_name(play->variant->transport);
    if (strcmp(wanted, transport_name(offer_transport(offer))) != 0) {
        return play_fail(play, "the client tried to connect over %s", transport_name(offer_transport(offer)));
    }
    if (check_offer(play, offer) == PLAY_FAILED) {
        return PLAY_FAILED;
    }
    if (deed_now(play) == DEED_REFUSE) {
        outcome_t outcome = over_at(play, entry->at_ms);
        offer_refuse(offer, (int)json_integer_value(argument(play)), json_string_value(member(play, "body")));
        return outcome;
    }
    outcome_t outcome = over_at(play, entry->at_ms);
    peer_t *peer = offer_accept(offer, json_string_value(argument(play)));
    json_object_set_new(play->names, "token", json_string(peer_token(peer)));
    return outcome;
}

/* ---- speaking ---- */

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
    const json_t *parts = argument(play);
    for (size_t i = 0; outcome == PLAY_DONE && i < json_array_size(parts); i++) {
        if (!template_bytes(json_array_get(parts, i), &bytes, &error)) {
            outcome = play_broken(play, "%s", text_str(&error));
        }
    }
    if (outcome == PLAY_DONE && deed_now(play) == DEED_SEND_RAW) {
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
    const json_t *code = json_object_get(argument(play), "code");
    peer_close(peer, (unsigned)json_integer_value(code),
               span_of(json_string_value(json_object_get(argument(play), "reason"))));
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
static outcome_t answer_poll(play_t *play)
{
    size_t index = 0;
    const json_t *with = member(play, "with"), *body = json_object_get(with, "body");
    const json_t *status = json_object_get(with, "status");
    text_t text = {0};
    if (json_is_string(body)) {
        text_puts(&text, json_string_value(body));
    } else if (body) {
        jvalue_write(&text, body);
    }
    bool answered = peer_answer(find_peer(play, &index), kind_of(argument(play)),
                                status ? (int)json_integer_value(status) : 200, text_span(&text));
    text_free(&text);
    return answered ? over_now(play) : wait_for(play, "no such request came");
}

/* "await": over WebSocket there is nothing to wait for. */
static outcome_t await_poll(play_t *play)
{
    size_t index = 0;
    const peer_t *peer = find_peer(play, &index);
    bool there = peer_transport(peer) == WEBSOCKET || peer_waiting(peer, kind_of(argument(play))) > 0;
    return there ? over_now(play) : wait_for(play, "no such request came");
}

static outcome_t tell(play_t *play)
{
    const char *what = json_string_value(argument(play));
    json_t *command = member(play, "with") ? json_deep_copy(member(play, "with")) : json_object();
    json_object_set_new(command, "do", json_string(what));
    if (strcmp(what, "connect") == 0) {
        json_t *defaults = json_pack("{s:o s:s s:s s:o}", "url",
                                     json_sprintf("ws://127.0.0.1:%d/socket", host_port(play->host)),
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
    deed_t deed = deed_now(play);
    peer_t *peer = find_peer(play, &index);
    outcome_t outcome = PLAY_DONE;
    /* before it is done: whatever the client does for it comes later */
    double begun_at = transcript_now(play->transcript);
    switch (deed) {
    case DEED_DO:
        outcome = tell(play);
        break;
    case DEED_SEND:
        outcome = send_message(play, peer, argument(play));
        break;
    case DEED_PIPELINE:
        for (size_t i = 0; outcome == PLAY_DONE && i < json_array_size(argument(play)); i++) {
            outcome = send_message(play, peer, json_array_get(argument(play), i));
        }
        break;
    case DEED_SEND_TEXT:
        peer_send(peer, false, span_of(json_string_value(argument(play))));
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
        peer_hold(peer, kind_of(argument(play)), deed == DEED_HOLD);
        break;
    case DEED_ALLOW:
        json_array_append(play->allowed, (json_t *)argument(play));
        break;
    default:
        return PLAY_WAITING;
    }
    return outcome == PLAY_DONE ? over_at(play, begun_at) : outcome;
}

/* ---- what the driver says ---- */

static bool event_matches(play_t *play, const heard_t *heard, text_t *why)
{
    match_context_t context = context_of(play);
    const json_t *with = member(play, "with");
    if (!json_equal(argument(play), json_object_get(heard->line, "event"))) {
        text_puts(why, "it is another event");
        return false;
    }
    json_t *expected = json_pack("{s:o}", "$partial", with ? json_incref((json_t *)with) : json_object());
    bool good = matcher_match(expected, heard->line, &context, "event", why);
    json_decref(expected);
    return good;
}

static bool expects_strict(const play_t *play)
{
    static const char *const strict[] = {"message", "reply", "presence", NULL};
    const char *name = json_string_value(argument(play));
    for (const char *const *at = strict; *at; at++) {
        if (strcmp(*at, name) == 0 && !json_object_get(member(play, "with"), "to")) {
            return true;
        }
    }
    return false;
}

static heard_t *first_strict(const play_t *play)
{
    for (size_t i = 0; i < play->heard_count; i++) {
        if (play->heard[i].strict && !play->heard[i].taken) {
            return &play->heard[i];
        }
    }
    return NULL;
}

static outcome_t event_poll(play_t *play)
{
    bool strict = expects_strict(play);
    heard_t *found = strict ? first_strict(play) : NULL;
    for (size_t i = 0; !strict && !found && i < play->heard_count; i++) {
        heard_t *heard = &play->heard[i];
        text_t why = {0};
        if (!heard->strict && !heard->taken && event_matches(play, heard, &why)) {
            found = heard;
            for (size_t j = 0; j < i; j++) { /* the events before it are passed over */
                play->heard[j].taken = play->heard[j].taken || !play->heard[j].strict;
            }
        }
        text_free(&why);
    }
    if (!found) {
        return wait_for(play, "the driver said nothing of the kind");
    }
    text_t why = {0}, line = {0};
    bool good = !strict || event_matches(play, found, &why);
    if (!good) {
        jvalue_write(&line, found->line);
        play_fail(play, "the driver said something else: %s: %s", text_str(&line), text_str(&why));
    }
    text_free(&why);
    text_free(&line);
    if (!good) {
        return PLAY_FAILED;
    }
    found->taken = true;
    take(play, found->entry);
    return over_at(play, found->entry->at_ms);
}

outcome_t play_check_silence(play_t *play, bool at_the_end)
{
    const heard_t *heard = first_strict(play);
    peer_t *peer;
    bool open = false;
    if (heard) {
        text_t line = {0};
        jvalue_write(&line, heard->line);
        play_fail(play, "no step expects this of the driver: %s", text_str(&line));
        text_free(&line);
        return PLAY_FAILED;
    }
    for (size_t i = 0; (peer = host_peer(play->host, i)); i++) {
        const peer_event_t *event = next_event(play, peer, i);
        open = open || !peer_gone(peer);
        if (event && !(at_the_end && event->kind == PEER_END)) {
            return unexpected(play, peer, event, "nothing is expected");
        }
    }
    if (host_offer(play->host, play->offers_read) && (open || !at_the_end)) {
        return play_fail(play, "no step expects the client to connect%s", open ? " once more" : "");
    }
    return PLAY_DONE;
}

outcome_t play_poll(play_t *play)
{
    switch (deed_now(play)) {
    case DEED_ACCEPT:
    case DEED_REFUSE:
        return offer_poll(play);
    case DEED_EXPECT:
        return expect_poll(play);
    case DEED_EXPECT_CLOSE:
        return close_poll(play);
    case DEED_EVENT:
        return event_poll(play);
    case DEED_AWAIT:
        return await_poll(play);
    case DEED_ANSWER:
        return answer_poll(play);
    case DEED_SILENCE:
        if (play_check_silence(play, false) == PLAY_FAILED) {
            return PLAY_FAILED;
        }
        return play->time_up ? over_now(play) : PLAY_WAITING;
    case DEED_WAIT:
        return play->time_up ? over_now(play) : PLAY_WAITING;
    default:
        return PLAY_DONE;
    }
}
