/* SPDX-License-Identifier: MIT */
#include "vectors/view.h"

#include <string.h>

enum { JOIN_REF, REF, TOPIC, EVENT, PAYLOAD, FIELDS };
static const char *const field_names[FIELDS] = {"join_ref", "ref", "topic", "event", "payload"};

message_t view_to_send(const json_t *five, vsn_t vsn, bool v1_join_ref)
{
    json_t *join_ref = vsn == VSN_1 && !v1_join_ref ? NULL : json_array_get(five, JOIN_REF);
    message_t message = message_of(join_ref, json_array_get(five, REF), json_array_get(five, TOPIC),
                                   json_array_get(five, EVENT), json_array_get(five, PAYLOAD));
    message.binary = json_is_string(json_object_get(message.payload, "$base64"));
    return message;
}

/* The expected fields as this connection would show them; NULL: no expectation. */
static void expected_fields(const json_t *five, const match_context_t *context, const json_t *fields[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        fields[i] = json_array_get(five, i);
    }
    if (context->vsn == VSN_1) {
        const char *event = json_string_value(fields[EVENT]);
        bool end = event && (strcmp(event, "phx_close") == 0 || strcmp(event, "phx_error") == 0);
        fields[JOIN_REF] = NULL;
        if (end && !context->v1_join_ref) {
            fields[REF] = json_null(); /* V1-06 */
        }
    }
}

static void actual_fields(const message_t *message, const json_t *fields[FIELDS])
{
    fields[JOIN_REF] = message->join_ref;
    fields[REF] = message->ref;
    fields[TOPIC] = message->topic;
    fields[EVENT] = message->event;
    fields[PAYLOAD] = message->payload;
}

bool view_match(const json_t *five, const message_t *message, const match_context_t *context, text_t *why)
{
    const json_t *expected[FIELDS], *actual[FIELDS];
    expected_fields(five, context, expected);
    actual_fields(message, actual);
    match_context_t trial = *context;
    trial.names = json_copy(context->names);
    bool good = context->vsn == VSN_2 || !message->join_ref || context->v1_any_join_ref; /* V1-03 */
    if (!good && why) {
        text_puts(why, "join_ref: version 1.0.0 has no such key, got ");
        jvalue_write(why, message->join_ref);
    }
    for (size_t i = 0; i < FIELDS && good; i++) {
        good = !expected[i] || matcher_match(expected[i], actual[i], &trial, field_names[i], why);
    }
    if (good) {
        json_object_update(context->names, trial.names);
    }
    json_decref(trial.names);
    return good;
}

void view_diff(const json_t *five, const message_t *message, const match_context_t *context, text_t *expected,
               text_t *got)
{
    const json_t *wanted[FIELDS], *came[FIELDS] = {NULL};
    expected_fields(five, context, wanted);
    if (message) {
        actual_fields(message, came);
    }
    for (size_t i = 0; i < FIELDS; i++) {
        if (wanted[i]) {
            json_t *explained =
                message ? matcher_explain(wanted[i], came[i], context) : json_incref((json_t *)wanted[i]);
            text_printf(expected, "%-8s ", field_names[i]);
            jvalue_pretty(expected, explained, 80);
            text_putc(expected, '\n');
            json_decref(explained);
        }
        if (message && (wanted[i] || came[i])) {
            text_printf(got, "%-8s ", field_names[i]);
            jvalue_pretty(got, came[i], 80);
            text_putc(got, '\n');
        }
    }
}
