/* SPDX-License-Identifier: MIT */
#include "proxy/fault.h"

#include "base/memory.h"
#include "vectors/matcher.h"
#include "vectors/template.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct faults {
    json_t *list;
    json_t **states; /* one for each fault: {KEY: {"seen": N, "names": {…}, "armed": bool, "over": bool}} */
    size_t hits;
};

faults_t *faults_new(json_t *list)
{
    faults_t *faults = mem_new(1, sizeof *faults);
    faults->list = json_incref(list);
    faults->states = mem_new(json_array_size(list), sizeof *faults->states);
    for (size_t i = 0; i < json_array_size(list); i++) {
        faults->states[i] = json_object();
    }
    return faults;
}

void faults_free(faults_t *faults)
{
    for (size_t i = 0; i < json_array_size(faults->list); i++) {
        json_decref(faults->states[i]);
    }
    free(faults->states);
    json_decref(faults->list);
    free(faults);
}

size_t faults_hits(const faults_t *faults)
{
    return faults->hits;
}

static bool from_is(const json_t *match, direction_t from)
{
    const char *name = json_string_value(json_object_get(match, "from"));
    return name && strcmp(name, from == FROM_CLIENT ? "client" : "server") == 0;
}

bool faults_read_messages(const faults_t *faults, direction_t from)
{
    static const char *const matches[] = {"match", "after", "until"};
    for (size_t i = 0; i < json_array_size(faults->list); i++) {
        for (size_t m = 0; m < sizeof matches / sizeof *matches; m++) {
            const json_t *match = json_object_get(json_array_get(faults->list, i), matches[m]);
            if (from_is(match, from) &&
                (json_object_get(match, "message") || json_object_get(match, "unreadable"))) {
                return true;
            }
        }
    }
    return false;
}

/* A pattern that is absent asks for nothing. */
static bool string_is(const json_t *match, const char *key, const char *actual)
{
    const char *wanted = json_string_value(json_object_get(match, key));
    return !wanted || (actual && fnmatch(wanted, actual, 0) == 0);
}

static bool message_is(const json_t *five, const message_t *message, const match_context_t *context)
{
    const json_t *actual[] = {message->join_ref, message->ref, message->topic, message->event,
                              message->payload};
    for (size_t i = 0; i < 5; i++) {
        const json_t *wanted = json_array_get(five, i);
        bool absent_in_v1 = i == 0 && context->vsn == VSN_1 && !actual[0];
        if (!absent_in_v1 && !matcher_match(wanted, actual[i], context, "", NULL)) {
            return false;
        }
    }
    return true;
}

/* Every member named must be there and match; headers and query are compared member by member. */
static bool http_is(const json_t *wanted, const json_t *http, const match_context_t *context)
{
    const char *key, *name;
    json_t *value, *member;
    json_object_foreach((json_t *)wanted, key, value)
    {
        const json_t *actual = json_object_get(http, key);
        if (strcmp(key, "method") == 0 || strcmp(key, "path") == 0) {
            if (!string_is(wanted, key, json_string_value(actual))) {
                return false;
            }
        } else if (strcmp(key, "headers") == 0 || strcmp(key, "query") == 0) {
            json_object_foreach(value, name, member)
            {
                if (!matcher_match(member, json_object_get(actual, name), context, "", NULL)) {
                    return false;
                }
            }
        } else if (!matcher_match(value, actual, context, "", NULL)) {
            return false;
        }
    }
    return true;
}

static bool unit_is(const json_t *match, const unit_t *unit, json_t *names)
{
    match_context_t context = {.names = names, .vsn = unit->vsn};
    const json_t *message = json_object_get(match, "message"), *http = json_object_get(match, "http");
    if (!from_is(match, unit->from) ||
        !string_is(match, "transport", unit->websocket ? "websocket" : "longpoll") ||
        !string_is(match, "vsn", vsn_name(unit->vsn))) {
        return false;
    }
    if (message) {
        const json_t *binary = json_object_get(match, "binary");
        return unit->message && (!binary || json_is_true(binary) == unit->message->binary) &&
               message_is(message, unit->message, &context);
    }
    if (http) {
        return unit->http && http_is(http, unit->http, &context);
    }
    if (json_is_true(json_object_get(match, "unreadable"))) {
        return !unit->message && !unit->http && (!unit->frame || string_is(match, "frame", unit->frame));
    }
    const json_t *code = json_object_get(match, "code");
    return unit->frame && string_is(match, "frame", unit->frame) &&
           (!code || json_integer_value(code) == (json_int_t)unit->code);
}

/* What is counted together: the topic in its conversation, or the conversation. */
static json_t *state_of(faults_t *faults, size_t index, const unit_t *unit)
{
    const json_t *fault = json_array_get(faults->list, index);
    const char *per = json_string_value(json_object_get(fault, "per"));
    text_t key = {0};
    if (!per || strcmp(per, "topic") == 0) {
        text_puts(&key, unit->message ? message_topic(unit->message) : unit->conversation);
    } else if (strcmp(per, "conversation") == 0) {
        text_puts(&key, unit->conversation);
    }
    json_t *state = json_object_get(faults->states[index], text_str(&key));
    if (!state) {
        state = json_pack("{s:i s:{}}", "seen", 0, "names");
        json_object_set_new(faults->states[index], text_str(&key), state);
    }
    text_free(&key);
    return state;
}

static bool counts(const json_t *fault, json_int_t seen)
{
    const json_t *nth = json_object_get(fault, "nth"), *from = json_object_get(fault, "from_nth"),
                 *every = json_object_get(fault, "every");
    return (!nth || json_integer_value(nth) == seen) && (!from || seen >= json_integer_value(from)) &&
           (!every || seen % json_integer_value(every) == 0);
}

/* Names for the actions: what was captured, and the fields of the message. */
static json_t *names_for(const unit_t *unit, const json_t *captured)
{
    json_t *names = json_copy((json_t *)captured);
    if (unit->message) {
        json_t *null = json_null();
        json_t *join_ref = unit->message->join_ref ? unit->message->join_ref : null;
        json_object_set(names, "join_ref", join_ref);
        json_object_set(names, "ref", unit->message->ref);
        json_object_set(names, "topic", unit->message->topic);
        json_object_set(names, "event", unit->message->event);
        json_object_set(names, "payload", unit->message->payload);
    }
    return names;
}

static bool armed(const json_t *fault, const json_t *state)
{
    return (!json_object_get(fault, "after") || json_is_true(json_object_get(state, "armed"))) &&
           !json_is_true(json_object_get(state, "over"));
}

/* The actions of one fault for this unit; NULL: it is not about it. */
static json_t *match_one(faults_t *faults, size_t index, const unit_t *unit)
{
    const json_t *fault = json_array_get(faults->list, index);
    json_t *state = state_of(faults, index, unit), *names = json_object_get(state, "names");
    json_t *actions = NULL;
    if (armed(fault, state) && unit_is(json_object_get(fault, "match"), unit, names)) {
        json_int_t seen = json_integer_value(json_object_get(state, "seen")) + 1;
        json_object_set_new(state, "seen", json_integer(seen));
        if (counts(fault, seen)) {
            json_t *known = names_for(unit, names);
            static const profile_mount_t no_limits;
            text_t error = {0};
            actions = template_fill(json_object_get(fault, "do"), known, &no_limits, &error);
            text_free(&error);
            json_decref(known);
        }
    }
    const json_t *after = json_object_get(fault, "after"), *until = json_object_get(fault, "until");
    if (after && unit_is(after, unit, names)) {
        json_object_set_new(state, "armed", json_true());
    }
    if (until && unit_is(until, unit, names)) {
        json_object_set_new(state, "over", json_true());
    }
    return actions;
}

json_t *faults_match(faults_t *faults, const unit_t *unit)
{
    json_t *all = NULL;
    for (size_t i = 0; i < json_array_size(faults->list); i++) {
        json_t *actions = match_one(faults, i, unit);
        if (actions) {
            faults->hits++;
            all = all ? all : json_array();
            json_array_extend(all, actions);
            json_decref(actions);
        }
    }
    return all;
}
