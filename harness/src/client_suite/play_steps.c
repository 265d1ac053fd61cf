/* SPDX-License-Identifier: MIT */
/* How the steps of a case for clients are seen to be done. */
#include "client_suite/play_impl.h"

#include "base/memory.h"
#include "client_suite/target_query.h"
#include "vectors/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

deed_t play_deed(const play_t *play)
{
    return deed_of(play->variant->c->steps[play->step].json);
}

const json_t *play_member(const play_t *play, const char *key)
{
    return json_object_get(play->filled, key);
}

const json_t *play_argument(const play_t *play)
{
    return play_member(play, deed_name(play_deed(play)));
}

static double ms_of(const json_t *time)
{
    return json_number_value(json_object_get(time, "ms"));
}

double play_limit(const play_t *play)
{
    deed_t deed = play_deed(play);
    if (deed == DEED_WAIT || deed == DEED_SILENCE) {
        return ms_of(play_argument(play));
    }
    return play->stage->patience_ms + ms_of(play_member(play, "within")) + ms_of(play_member(play, "after"));
}

outcome_t play_wait(play_t *play, const char *what)
{
    return play->time_up ? play_fail(play, "%s within %.0f ms", what, play_limit(play)) : PLAY_WAITING;
}

/* Where the harness kept its turns, what came was read as it came. */
static moment_t sharp(moment_t moment)
{
    bool kept = moment.latest - moment.earliest <= PACE_USUAL_MS;
    return (moment_t){kept ? moment.latest : moment.earliest, moment.latest};
}

/* What came must have come at its time. Neither moment is known exactly where the harness stood still: what
 * could have come in time or not proves nothing. */
static outcome_t check_time(play_t *play, moment_t came, size_t from, double ms)
{
    moment_t since = sharp(play->stamps[from]);
    came = sharp(came);
    double shortest = came.earliest - since.latest, longest = came.latest - since.earliest;
    double least = ms - play->stage->tolerance.early_ms, most = ms + play->stage->tolerance.late_ms;
    if (shortest >= least && longest <= most) {
        return PLAY_DONE;
    }
    if (longest < least || shortest > most) {
        return play_fail(play, "came %.0f ms after step %zu, and is to come after %.0f ms (%.0f to %.0f)",
                         longest, from + 1, ms, least, most);
    }
    return play_broken(play,
                       "this machine stood still: it came between %.0f and %.0f ms after step %zu, and is to "
                       "come after %.0f ms (%.0f to %.0f); the case proves nothing",
                       shortest > 0 ? shortest : 0, longest, from + 1, ms, least, most);
}

/* How prompt the harness was: from the moment at which it could do its part to that at which it had. */
static void note_lateness(play_t *play, moment_t came, moment_t done)
{
    deed_t deed = play_deed(play);
    bool waits = deed == DEED_WAIT || deed == DEED_SILENCE;
    bool offer = deed == DEED_ACCEPT || deed == DEED_REFUSE;
    bool comes = deed == DEED_EVENT || deed == DEED_EXPECT || deed == DEED_EXPECT_CLOSE ||
                 deed == DEED_AWAIT || deed == DEED_ANSWER;
    if (offer || comes) {
        play->ready = fmax(play->ready, came.earliest);
    } else if (waits) {
        play->ready += ms_of(play_argument(play));
    }
    if (!comes && !waits) {
        play->late_ms = fmax(play->late_ms, done.latest - play->ready);
        play->ready = done.latest;
    }
}

outcome_t play_over(play_t *play, moment_t came, moment_t done)
{
    const json_t *after = play_member(play, "after");
    const json_t *since = json_object_get(play->marks, json_string_value(play_member(play, "since"))
                                                           ? json_string_value(play_member(play, "since"))
                                                           : "");
    size_t from = since ? (size_t)json_integer_value(since) : play->step - 1;
    play->stamps[play->step] = done;
    note_lateness(play, came, done);
    return after && play->step > 0 ? check_time(play, came, from, ms_of(after)) : PLAY_DONE;
}

outcome_t play_over_now(play_t *play)
{
    moment_t now = moment_now(play->stage->pace);
    return play_over(play, now, now);
}

static void take(play_t *play, entry_t *entry)
{
    entry->taken = true;
    entry->taken_by = play->labels[play->step];
}

/* ---- peers ---- */

/* The newest peer of this name, and its index. */
peer_t *play_peer(const play_t *play, size_t *index)
{
    const json_t *on = play_member(play, "on");
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
    const json_t *five = play_argument(play);
    size_t index = 0;
    peer_t *peer = play_peer(play, &index);
    const peer_event_t *event = peer_event(peer, *read_of(play, index));
    if (!(event && event->kind == PEER_MESSAGE && matches(play, five, &event->entry->message, NULL))) {
        event = next_event(play, peer, index); /* an expectation goes before what is merely allowed */
        if (!event) {
            if (play->time_up) {
                set_diff(play, five, NULL);
            }
            return play_wait(play, "nothing came");
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
    return play_over(play, event->came, event->came);
}

static outcome_t close_poll(play_t *play)
{
    const json_t *codes = json_object_get(play_argument(play), "codes");
    size_t index = 0;
    peer_t *peer = play_peer(play, &index);
    const peer_event_t *event = next_event(play, peer, index);
    if (!event) {
        return play_wait(play, "the client did not end the connection");
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
    return play_over(play, event->came, event->came);
}

/* ---- offers ---- */

outcome_t play_check_request(play_t *play, json_t *actual)
{
    match_context_t context = context_of(play);
    const char *key;
    json_t *value;
    text_t why = {0};
    bool good = true;
    json_object_foreach((json_t *)play_member(play, "expect"), key, value)
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
    const json_t *over = play_member(play, "transport");
    if (!offer) {
        return play_wait(play, "the client did not try to connect");
    }
    play->offers_read++;
    entry_t *entry = (entry_t *)offer_entry(offer);
    take(play, entry);
    const char *wanted = over ? json_string_value(over) : transport_name(play->variant->transport);
    if (strcmp(wanted, transport_name(offer_transport(offer))) != 0) {
        return play_fail(play, "the client tried to connect over %s", transport_name(offer_transport(offer)));
    }
    if (play_check_request(play, offer_json(offer_target(offer), &entry->headers)) == PLAY_FAILED) {
        return PLAY_FAILED;
    }
    double begun = clock_ms();
    if (play_deed(play) == DEED_REFUSE) {
        offer_refuse(offer, (int)json_integer_value(play_argument(play)),
                     json_string_value(play_member(play, "body")));
    } else {
        peer_t *peer = offer_accept(offer, json_string_value(play_argument(play)));
        json_object_set_new(play->names, "token", json_string(peer_token(peer)));
    }
    return play_over(play, offer_came(offer), moment_done(begun, host_sent_at(play->host)));
}

/* ---- what the driver says ---- */

static bool event_matches(play_t *play, const heard_t *heard, text_t *why)
{
    match_context_t context = context_of(play);
    const json_t *with = play_member(play, "with");
    if (!json_equal(play_argument(play), json_object_get(heard->line, "event"))) {
        text_puts(why, "it is another event");
        return false;
    }
    json_t *expected = json_pack("{s:o}", "$partial", with ? json_incref((json_t *)with) : json_object());
    bool good = matcher_match(expected, heard->line, &context, "event", why);
    json_decref(expected);
    return good;
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
    bool strict = play_strict(json_string_value(play_argument(play)), play_member(play, "with"));
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
        text_t what = {0};
        text_printf(&what, "the driver did not report this \"%s\"", json_string_value(play_argument(play)));
        outcome_t outcome = play_wait(play, text_str(&what));
        text_free(&what);
        return outcome;
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
    return play_over(play, found->came, found->came);
}

outcome_t play_check_silence(play_t *play, bool at_the_end, moment_t *came)
{
    const heard_t *heard = first_strict(play);
    const offer_t *offer = host_offer(play->host, play->offers_read);
    peer_t *peer;
    bool open = false;
    if (heard) {
        text_t line = {0};
        *came = heard->came;
        jvalue_write(&line, heard->line);
        play_fail(play, "no step expects this of the driver: %s", text_str(&line));
        text_free(&line);
        return PLAY_FAILED;
    }
    for (size_t i = 0; (peer = host_peer(play->host, i)); i++) {
        const peer_event_t *event = next_event(play, peer, i);
        open = open || !peer_gone(peer);
        if (event && !(at_the_end && event->kind == PEER_END)) {
            *came = event->came;
            return unexpected(play, peer, event, "nothing is expected");
        }
    }
    if (offer && (open || !at_the_end)) {
        *came = offer_came(offer);
        return play_fail(play, "no step expects the client to connect%s", open ? " once more" : "");
    }
    return PLAY_DONE;
}

/* What comes behind the end of a silence, which the harness may have slept through, is no breach of it. */
static outcome_t silence_poll(play_t *play)
{
    moment_t came;
    double end = play->step_began + ms_of(play_argument(play));
    if (play_check_silence(play, false, &came) == PLAY_DONE) {
        return play->time_up ? play_over_now(play) : PLAY_WAITING;
    }
    came = sharp(came);
    if (came.latest <= end) {
        return PLAY_FAILED;
    }
    if (came.earliest <= end) {
        return play_broken(play, "this machine stood still at the end of the silence, when something came; "
                                 "the case proves nothing");
    }
    play_pardon(play);
    return play_over_now(play);
}

outcome_t play_poll(play_t *play)
{
    switch (play_deed(play)) {
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
        return play_await_poll(play);
    case DEED_ANSWER:
        return play_answer_poll(play);
    case DEED_SILENCE:
        return silence_poll(play);
    case DEED_WAIT:
        return play->time_up ? play_over_now(play) : PLAY_WAITING;
    default:
        return PLAY_DONE;
    }
}
