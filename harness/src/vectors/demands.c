/* SPDX-License-Identifier: MIT */
#include "vectors/demands.h"

#include <string.h>

enum { REF = 1, TOPIC, EVENT, PAYLOAD, FIELDS };

/* Calls `visit` with every message a value sends: five fields, a {"$message": …}, or a text that is one. */
typedef void visit_t(void *ctx, const json_t *topic, const char *event, const json_t *payload);

static void visit_five(const json_t *five, visit_t *visit, void *ctx)
{
    const char *event = json_string_value(json_array_get(five, EVENT));
    visit(ctx, json_array_get(five, TOPIC), event ? event : "", json_array_get(five, PAYLOAD));
}

/* A text written by hand: a message of either version, or something that cannot be read. */
static void visit_text(const json_t *string, visit_t *visit, void *ctx)
{
    span_t text = {json_string_value(string), json_string_length(string)};
    json_t *json = jvalue_parse(text, NULL);
    if (json_array_size(json) >= FIELDS) {
        visit_five(json, visit, ctx);
    } else if (json_object_get(json, "topic") && json_object_get(json, "event") &&
               json_object_get(json, "payload") && json_object_get(json, "ref")) {
        const char *event = json_string_value(json_object_get(json, "event"));
        visit(ctx, json_object_get(json, "topic"), event ? event : "", json_object_get(json, "payload"));
    }
    json_decref(json);
}

/* Bytes written by hand: what talks of a topic of the case there may be anything. */
static void visit_bytes(const json_t *value, visit_t *visit, void *ctx)
{
    const json_t *five = json_object_get(value, "$message");
    if (five) {
        visit_five(five, visit, ctx);
        return;
    }
    if (json_is_string(value) && strstr(json_string_value(value), "${topic")) {
        json_t *topic = json_string("${topic}");
        visit(ctx, topic, "", NULL);
        json_decref(topic);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        visit_bytes(json_array_get(value, i), visit, ctx);
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member)
    {
        visit_bytes(member, visit, ctx);
    }
}

static void visit_body(const json_t *body, visit_t *visit, void *ctx)
{
    const json_t *five = json_object_get(body, "$message"), *lines = json_object_get(body, "$lines");
    if (five || json_array_size(body) == FIELDS) {
        visit_five(five ? five : body, visit, ctx);
    } else if (json_is_string(body)) {
        visit_text(body, visit, ctx);
    } else if (lines) {
        for (size_t i = 0; i < json_array_size(lines); i++) {
            visit_body(json_array_get(lines, i), visit, ctx);
        }
    } else {
        visit_bytes(body, visit, ctx);
    }
}

static void visit_step(const vector_step_t *step, visit_t *visit, void *ctx)
{
    const json_t *argument = json_object_get(step->json, verb_name(step->verb));
    switch (step->verb) {
    case VERB_SEND:
        visit_five(argument, visit, ctx);
        break;
    case VERB_PIPELINE:
        for (size_t i = 0; i < json_array_size(argument); i++) {
            visit_five(json_array_get(argument, i), visit, ctx);
        }
        break;
    case VERB_SEND_TEXT:
        visit_body(argument, visit, ctx);
        break;
    case VERB_SEND_BINARY:
    case VERB_SEND_FRAMES:
        visit_bytes(argument, visit, ctx);
        break;
    case VERB_HTTP:
        visit_body(json_object_get(argument, "body"), visit, ctx);
        break;
    default:
        break;
    }
}

/* What is joined in the whole case, as it is written, and what that takes. */
typedef struct walk {
    json_t *joined; /* list */
    demands_t *demands;
} walk_t;

static bool is_joined(const walk_t *walk, const json_t *topic)
{
    for (size_t i = 0; i < json_array_size(walk->joined); i++) {
        if (json_equal(json_array_get(walk->joined, i), topic)) {
            return true;
        }
    }
    return false;
}

/* Whether the topic is the case's own, or made from it: {"$repeat": {"text": "${topic}/", …}}, too. */
static bool is_of_case(const json_t *topic)
{
    const json_t *text =
        json_is_object(topic) ? json_object_get(json_object_get(topic, "$repeat"), "text") : topic;
    return json_is_string(text) && strncmp(json_string_value(text), "${topic", strlen("${topic")) == 0;
}

static bool is_of_application(const json_t *topic)
{
    return json_is_string(topic) && strncmp(json_string_value(topic), "phxspec:", strlen("phxspec:")) == 0;
}

static void note_join(void *ctx, const json_t *topic, const char *event, const json_t *payload)
{
    walk_t *walk = ctx;
    if (strcmp(event, "phx_join") != 0) {
        return;
    }
    json_array_append(walk->joined, (json_t *)topic);
    bool own = is_of_case(topic);
    bool simple = own && json_is_string(topic) && strcmp(json_string_value(topic), "${topic}") == 0;
    walk->demands->topic |= own;
    walk->demands->own_topics |= own && !simple;
    walk->demands->application |=
        is_of_application(topic) || (own && (!json_is_object(payload) || json_object_size(payload) > 0));
}

static void note_event(void *ctx, const json_t *topic, const char *event, const json_t *payload)
{
    walk_t *walk = ctx;
    (void)payload;
    if (strcmp(event, "phx_join") != 0 && strcmp(event, "phx_leave") != 0 && is_joined(walk, topic)) {
        walk->demands->application = true;
    }
}

static void note_times(const json_t *value, demands_t *demands)
{
    timer_kind_t timer;
    limit_t limit;
    const char *name = json_string_value(json_object_get(value, "timer"));
    if (name && timer_parse(name, &timer)) {
        demands->timers[timer] = true;
    }
    name = json_string_value(json_object_get(value, "limit"));
    if (name && limit_parse(name, &limit)) {
        demands->limits[limit] = true;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        note_times(json_array_get(value, i), demands);
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member)
    {
        note_times(member, demands);
    }
}

demands_t case_demands(const vector_case_t *c)
{
    demands_t demands = {0};
    walk_t walk = {json_array(), &demands};
    for (size_t i = 0; i < c->len; i++) {
        visit_step(&c->steps[i], note_join, &walk);
    }
    for (size_t i = 0; i < c->len; i++) {
        const vector_step_t *step = &c->steps[i];
        visit_step(step, note_event, &walk);
        demands.application |=
            step->verb == VERB_BARRIER && json_is_array(json_object_get(step->json, "barrier"));
        demands.pipeline |= step->verb == VERB_PIPELINE;
        note_times(step->json, &demands);
        const char *node = json_string_value(json_object_get(step->json, "node"));
        demands.node = node ? node : demands.node;
    }
    json_decref(walk.joined);
    return demands;
}
