/* SPDX-License-Identifier: MIT */
#include "vectors/adapt.h"

#include <string.h>

enum { REF = 1, TOPIC, EVENT, PAYLOAD, FIELDS };

static bool is_event(const json_t *five, const char *event)
{
    const char *name = json_string_value(json_array_get(five, EVENT));
    return json_array_size(five) == FIELDS && name && strcmp(name, event) == 0;
}

static void add_join_params(const json_t *params, json_t *five)
{
    json_t *payload = json_array_get(five, PAYLOAD);
    if (is_event(five, "phx_join") && json_is_object(payload)) {
        json_t *all = json_deep_copy(params);
        json_object_update(all, payload);
        json_array_set_new(five, PAYLOAD, all);
    }
}

/* Every message the step sends, wherever it stands. */
static void add_params_below(const json_t *params, json_t *value)
{
    add_join_params(params, value);
    size_t i;
    json_t *member;
    json_array_foreach(value, i, member)
    {
        add_params_below(params, member);
    }
    const char *key;
    json_object_foreach(value, key, member)
    {
        add_params_below(params, member);
    }
}

/* Whether a step of the case sends a join with this ref. */
static bool is_ref_of_join(const vector_case_t *c, const json_t *ref)
{
    for (size_t i = 0; i < c->len; i++) {
        const json_t *send = json_object_get(c->steps[i].json, "send");
        const json_t *pipeline = json_object_get(c->steps[i].json, "pipeline");
        if (is_event(send, "phx_join") && json_equal(json_array_get(send, REF), ref)) {
            return true;
        }
        for (size_t p = 0; p < json_array_size(pipeline); p++) {
            const json_t *five = json_array_get(pipeline, p);
            if (is_event(five, "phx_join") && json_equal(json_array_get(five, REF), ref)) {
                return true;
            }
        }
    }
    return false;
}

static void expect_response(const profile_t *profile, const vector_case_t *c, json_t *five)
{
    json_t *payload = json_array_get(five, PAYLOAD), *response = json_object_get(payload, "response");
    const char *status = json_string_value(json_object_get(payload, "status"));
    if (is_event(five, "phx_reply") && status && strcmp(status, "ok") == 0 && json_is_object(response) &&
        json_object_size(response) == 0 && is_ref_of_join(c, json_array_get(five, REF))) {
        json_object_set(payload, "response", profile->join_response);
    }
}

void adapt_step(const profile_t *profile, const vector_case_t *c, json_t *filled)
{
    static const char *const sends[] = {"send", "pipeline", "send_text", "send_frames", "http"};
    for (size_t i = 0; profile->join_params && i < sizeof sends / sizeof *sends; i++) {
        add_params_below(profile->join_params, json_object_get(filled, sends[i]));
    }
    if (profile->join_response) {
        expect_response(profile, c, json_object_get(filled, "expect"));
        size_t i, k;
        json_t *list, *five;
        json_array_foreach(json_object_get(filled, "unordered"), i, list)
        {
            json_array_foreach(list, k, five)
            {
                expect_response(profile, c, five);
            }
        }
    }
}

void query_escape(text_t *out, span_t string)
{
    for (size_t i = 0; i < string.len; i++) {
        char at = string.at[i];
        bool plain = (at >= '0' && at <= '9') || (at >= 'A' && at <= 'Z') || (at >= 'a' && at <= 'z') ||
                     (at && strchr("-_.~", at));
        text_printf(out, plain ? "%c" : "%%%02X", (unsigned char)at);
    }
}

/* Whether the query has a parameter of this name, escaped as it is written here. */
static bool has_parameter(const text_t *target, span_t name)
{
    const char *query = strchr(text_str(target), '?');
    span_t rest = span_of(query ? query + 1 : ""), parameter;
    while (span_next(&rest, '&', &parameter)) {
        if (parameter.len > name.len && parameter.at[name.len] == '=' &&
            memcmp(parameter.at, name.at, name.len) == 0) {
            return true;
        }
    }
    return false;
}

void adapt_target(const profile_t *profile, text_t *target)
{
    const char *name;
    json_t *value;
    json_object_foreach(profile->connect_params, name, value)
    {
        text_t key = {0};
        query_escape(&key, span_of(name));
        if (!has_parameter(target, text_span(&key))) {
            text_putc(target, strchr(text_str(target), '?') ? '&' : '?');
            text_span_add(target, text_span(&key));
            text_putc(target, '=');
            query_escape(target, (span_t){json_string_value(value), json_string_length(value)});
        }
        text_free(&key);
    }
}

void adapt_headers(const profile_t *profile, http_headers_t *headers)
{
    const char *name;
    json_t *value;
    json_object_foreach(profile->connect_headers, name, value)
    {
        if (!http_headers_get(headers, name)) {
            http_headers_add(headers, name, json_string_value(value));
        }
    }
}
