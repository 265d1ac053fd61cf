/* SPDX-License-Identifier: MIT */
#include "client_suite/server_message.h"

#include "base/base64.h"

#include <string.h>

enum { JOIN_REF, REF, TOPIC, EVENT, PAYLOAD, FIELDS };
enum { KIND_PUSH = 0, KIND_REPLY = 1, KIND_BROADCAST = 2, LONGEST = 255 };

static bool is_event(const json_t *five, const char *event)
{
    const char *name = json_string_value(json_array_get(five, EVENT));
    return name && strcmp(name, event) == 0;
}

static void write_v1(const json_t *five, text_t *out)
{
    bool end = is_event(five, "phx_close") || is_event(five, "phx_error");
    const json_t *ref = json_array_get(five, end ? JOIN_REF : REF);
    text_puts(out, "{\"topic\":");
    jvalue_write(out, json_array_get(five, TOPIC));
    text_puts(out, ",\"event\":");
    jvalue_write(out, json_array_get(five, EVENT));
    text_puts(out, ",\"payload\":");
    jvalue_write(out, json_array_get(five, PAYLOAD));
    text_puts(out, ",\"ref\":");
    jvalue_write(out, ref);
    text_putc(out, '}');
}

static bool write_binary(const json_t *five, const char *base64, text_t *out, text_t *error)
{
    const json_t *payload = json_array_get(five, PAYLOAD);
    const json_t *fields[4] = {json_array_get(five, JOIN_REF)};
    size_t count = 1;
    char kind = KIND_PUSH;
    if (is_event(five, "phx_reply")) {
        kind = KIND_REPLY;
        fields[count++] = json_array_get(five, REF);
        fields[count++] = json_array_get(five, TOPIC);
        fields[count++] = json_object_get(payload, "status");
    } else {
        if (!json_is_string(fields[0])) {
            kind = KIND_BROADCAST;
            count = 0;
        }
        fields[count++] = json_array_get(five, TOPIC);
        fields[count++] = json_array_get(five, EVENT);
    }
    text_putc(out, kind);
    for (size_t i = 0; i < count; i++) {
        if (json_string_length(fields[i]) > LONGEST) {
            text_puts(error, "a string over 255 bytes does not fit a binary message (BIN-09)");
            return false;
        }
        text_putc(out, (char)json_string_length(fields[i]));
    }
    for (size_t i = 0; i < count; i++) {
        text_add(out, json_string_value(fields[i]), json_string_length(fields[i]));
    }
    if (!base64_decode(out, span_of(base64))) {
        text_puts(error, "$base64: this is no base64");
        return false;
    }
    return true;
}

bool server_message_encode(const json_t *five, vsn_t vsn, text_t *out, bool *binary, text_t *error)
{
    const json_t *payload = json_array_get(five, PAYLOAD);
    const json_t *bytes = is_event(five, "phx_reply") ? json_object_get(payload, "response") : payload;
    const char *base64 = json_string_value(json_object_get(bytes, "$base64"));
    *binary = base64 != NULL;
    if (base64) {
        if (vsn == VSN_1) {
            text_puts(error, "version 1.0.0 has no binary messages");
            return false;
        }
        return write_binary(five, base64, out, error);
    }
    if (vsn == VSN_1) {
        write_v1(five, out);
    } else {
        jvalue_write(out, five);
    }
    return true;
}
