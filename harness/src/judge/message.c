/* SPDX-License-Identifier: MIT */
#include "judge/message.h"

#include "base/base64.h"

#include <string.h>

bool vsn_parse(const char *string, vsn_t *vsn)
{
    *vsn = strcmp(string, "1.0.0") == 0 ? VSN_1 : VSN_2;
    return *vsn == VSN_1 || strcmp(string, "2.0.0") == 0;
}

const char *vsn_name(vsn_t vsn)
{
    return vsn == VSN_1 ? "1.0.0" : "2.0.0";
}

void message_free(message_t *message)
{
    json_decref(message->join_ref);
    json_decref(message->ref);
    json_decref(message->topic);
    json_decref(message->event);
    json_decref(message->payload);
    *message = (message_t){0};
}

static json_t *counted(json_t *value)
{
    return value ? json_incref(value) : json_null();
}

message_t message_of(json_t *join_ref, json_t *ref, json_t *topic, json_t *event, json_t *payload)
{
    return (message_t){counted(join_ref), counted(ref),     counted(topic),
                       counted(event),    counted(payload), false};
}

static bool refuse(text_t *error, const char *why)
{
    if (error != NULL) {
        text_puts(error, why);
    }
    return false;
}

/* ---- reading ---- */

static bool read_object(message_t *message, direction_t from, const json_t *object, text_t *error)
{
    json_t *topic = json_object_get(object, "topic"), *event = json_object_get(object, "event");
    json_t *payload = json_object_get(object, "payload"), *ref = json_object_get(object, "ref");
    json_t *join_ref = json_object_get(object, "join_ref");
    if (topic == NULL || event == NULL || payload == NULL || ref == NULL) {
        return refuse(error, "an object without one of the keys topic, event, payload, ref");
    }
    if (from == FROM_SERVER && json_object_size(object) != 4U + (join_ref != NULL)) {
        return refuse(error, "an object with keys that no message has");
    }
    *message = message_of(NULL, ref, topic, event, payload);
    json_decref(message->join_ref);
    message->join_ref = json_incref(join_ref);
    return true;
}

static bool read_array(message_t *message, direction_t from, const json_t *array, text_t *error)
{
    if (json_array_size(array) < 5 || (from == FROM_SERVER && json_array_size(array) > 5)) {
        return refuse(error, "an array that has not five elements");
    }
    *message = message_of(json_array_get(array, 0), json_array_get(array, 1), json_array_get(array, 2),
                          json_array_get(array, 3), json_array_get(array, 4));
    return true;
}

static bool read_text(message_t *message, vsn_t vsn, direction_t from, span_t bytes, text_t *error)
{
    json_t *value = jvalue_parse(bytes, error);
    if (value == NULL) {
        return false;
    }
    bool ok;
    if (vsn == VSN_1) {
        ok = json_is_object(value) ? read_object(message, from, value, error)
                                   : refuse(error, "no object, as messages of version 1.0.0 are");
    } else {
        ok = json_is_array(value) ? read_array(message, from, value, error)
                                  : refuse(error, "no array, as messages of version 2.0.0 are");
    }
    json_decref(value);
    return ok;
}

static json_t *bytes_value(span_t bytes)
{
    text_t base64 = {0};
    base64_encode(&base64, bytes);
    json_t *value = json_pack("{s:s}", "$base64", text_str(&base64));
    text_free(&base64);
    return value;
}

/* A string of a binary header; bytes that are not UTF-8 must still be told apart. */
static json_t *string_value(span_t bytes)
{
    json_t *value = jvalue_string(bytes);
    return value ? value : bytes_value(bytes);
}

static json_t *ref_value(span_t bytes)
{
    return bytes.len > 0 ? string_value(bytes) : json_null();
}

enum { KIND_PUSH = 0, KIND_REPLY = 1, KIND_BROADCAST = 2 };

/* BIN-02 to BIN-05: a kind, one size byte for each string, the strings, the payload. */
static bool read_binary(message_t *message, direction_t from, span_t bytes, text_t *error)
{
    const unsigned char *at = (const unsigned char *)bytes.at;
    if (bytes.len == 0) {
        return refuse(error, "an empty binary message");
    }
    unsigned kind = at[0];
    size_t count;
    if (kind == KIND_PUSH) {
        count = from == FROM_CLIENT ? 4 : 3;
    } else if (from == FROM_SERVER && kind <= KIND_BROADCAST) {
        count = kind == KIND_REPLY ? 4 : 2;
    } else {
        return refuse(error, "a binary message of unknown kind");
    }
    span_t strings[4] = {{0}}, rest = span_from(bytes, 1 + count);
    for (size_t i = 0; i < count; i++) {
        if (bytes.len < 1 + count || rest.len < at[1 + i]) {
            return refuse(error, "a binary message shorter than its sizes say");
        }
        strings[i] = (span_t){rest.at, at[1 + i]};
        rest = span_from(rest, at[1 + i]);
    }
    message->binary = true;
    message->payload = bytes_value(rest);
    if (kind == KIND_BROADCAST) {
        message->join_ref = json_null();
        message->ref = json_null();
        message->topic = string_value(strings[0]);
        message->event = string_value(strings[1]);
    } else if (kind == KIND_REPLY) {
        message->join_ref = ref_value(strings[0]);
        message->ref = ref_value(strings[1]);
        message->topic = string_value(strings[2]);
        message->event = json_string("phx_reply");
        message->payload =
            json_pack("{s:o, s:o}", "status", string_value(strings[3]), "response", message->payload);
    } else {
        message->join_ref = ref_value(strings[0]);
        message->ref = from == FROM_CLIENT ? ref_value(strings[1]) : json_null();
        message->topic = string_value(strings[count - 2]);
        message->event = string_value(strings[count - 1]);
    }
    return true;
}

bool message_decode(message_t *message, vsn_t vsn, direction_t from, bool binary, span_t bytes, text_t *error)
{
    *message = (message_t){0};
    if (binary && vsn == VSN_2) {
        return read_binary(message, from, bytes, error);
    }
    return read_text(message, vsn, from, bytes, error);
}

/* ---- writing ---- */

static void add_key(text_t *out, const char *key, const json_t *value)
{
    text_printf(out, "%s\"%s\":", out->len > 0 && out->at[out->len - 1] != '{' ? "," : "", key);
    jvalue_write(out, value);
}

static void write_object(text_t *out, const message_t *message)
{
    text_putc(out, '{');
    add_key(out, "topic", message->topic);
    add_key(out, "event", message->event);
    add_key(out, "payload", message->payload);
    add_key(out, "ref", message->ref);
    if (message->join_ref != NULL && !json_is_null(message->join_ref)) {
        add_key(out, "join_ref", message->join_ref);
    }
    text_putc(out, '}');
}

static void write_array(text_t *out, const message_t *message)
{
    const json_t *fields[] = {message->join_ref, message->ref, message->topic, message->event,
                              message->payload};
    text_putc(out, '[');
    for (size_t i = 0; i < 5; i++) {
        text_puts(out, i > 0 ? "," : "");
        jvalue_write(out, fields[i]);
    }
    text_putc(out, ']');
}

/* Appends the bytes of a {"$base64": …}. */
static bool add_bytes(text_t *out, const json_t *value)
{
    const char *base64 = json_string_value(json_object_get(value, "$base64"));
    return base64 != NULL && json_object_size(value) == 1 && base64_decode(out, span_of(base64));
}

/* A string of a binary header: its size goes to `sizes`, its bytes to `strings`. */
static bool add_header_string(text_t *sizes, text_t *strings, const json_t *value, text_t *error)
{
    size_t before = strings->len;
    if (json_is_string(value)) {
        text_add(strings, json_string_value(value), json_string_length(value));
    } else if (value != NULL && !json_is_null(value) && !add_bytes(strings, value)) {
        return refuse(error, "a binary message has strings or null around its payload, nothing else");
    }
    if (strings->len - before > 255) {
        return refuse(error, "a string over 255 bytes does not fit a binary message (BIN-09)");
    }
    text_putc(sizes, (char)(strings->len - before));
    return true;
}

/* BIN-02 */
static bool write_binary(const message_t *message, text_t *out, text_t *error)
{
    const json_t *strings[] = {message->join_ref, message->ref, message->topic, message->event};
    text_t sizes = {0}, joined = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < 4; i++) {
        ok = add_header_string(&sizes, &joined, strings[i], error);
    }
    if (ok && !add_bytes(&joined, message->payload)) {
        ok = refuse(error, "the payload of a binary message is written {\"$base64\": \"…\"}");
    }
    if (ok) {
        text_putc(out, KIND_PUSH);
        text_span_add(out, text_span(&sizes));
        text_span_add(out, text_span(&joined));
    }
    text_free(&sizes);
    text_free(&joined);
    return ok;
}

bool message_encode(const message_t *message, vsn_t vsn, text_t *out, bool *binary, text_t *error)
{
    *binary = message->binary;
    if (message->binary) {
        return vsn == VSN_2 ? write_binary(message, out, error)
                            : refuse(error, "version 1.0.0 has no binary messages");
    }
    if (vsn == VSN_1) {
        write_object(out, message);
    } else {
        write_array(out, message);
    }
    return true;
}

void message_write(text_t *out, const message_t *message)
{
    text_puts(out, message->binary ? "binary " : "");
    write_array(out, message);
}

void message_pretty(text_t *out, const message_t *message)
{
    const struct {
        const char *name;
        const json_t *value;
    } fields[] = {
        {"join_ref", message->join_ref}, {"ref", message->ref},         {"topic", message->topic},
        {"event", message->event},       {"payload", message->payload},
    };
    text_puts(out, message->binary ? "binary message\n" : "");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        text_printf(out, "%-9s", fields[i].name);
        jvalue_pretty(out, fields[i].value, 90);
        text_putc(out, '\n');
    }
}

const char *message_topic(const message_t *message)
{
    const char *topic = json_string_value(message->topic);
    return topic ? topic : "";
}

const char *message_event(const message_t *message)
{
    const char *event = json_string_value(message->event);
    return event ? event : "";
}
