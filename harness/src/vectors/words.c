/* SPDX-License-Identifier: MIT */
#include "vectors/words.h"

#include <string.h>

/* A step being written. */
typedef struct sentence {
    text_t *out;
    const json_t *step;
    const char *client;
    double patience_ms;
} sentence_t;

static const json_t *member(const sentence_t *s, const char *key)
{
    return json_object_get(s->step, key);
}

/* Appends "INTRODUCTION VALUE" when there is a value. */
static void phrase(const sentence_t *s, const char *introduction, const json_t *value)
{
    if (value) {
        text_puts(s->out, introduction);
        words_value(s->out, value);
    }
}

/* A string as it is, without quotes. */
static void name_phrase(const sentence_t *s, const char *introduction, const json_t *value)
{
    if (json_is_string(value)) {
        text_printf(s->out, "%s%s", introduction, json_string_value(value));
    } else {
        phrase(s, introduction, value);
    }
}

static void time_phrase(text_t *out, const json_t *time)
{
    const json_t *times = json_object_get(time, "times"), *ms = json_object_get(time, "ms");
    if (ms) {
        text_printf(out, "%g ms", json_number_value(ms));
        return;
    }
    if (times) {
        text_printf(out, "%g × ", json_number_value(times));
    }
    text_puts(out, json_string_value(json_object_get(time, "timer")));
}

static void when(const sentence_t *s)
{
    const json_t *within = member(s, "within"), *not_before = member(s, "not_before");
    text_printf(s->out, ", within %g s", s->patience_ms / 1000);
    if (within) {
        text_puts(s->out, " + ");
        time_phrase(s->out, within);
    }
    if (not_before) {
        text_puts(s->out, ", but not before ");
        time_phrase(s->out, not_before);
    }
}

static void messages(text_t *out, const json_t *list, const char *between)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        text_puts(out, i > 0 ? between : "");
        words_message(out, json_array_get(list, i));
    }
}

static void bytes_phrase(text_t *out, const json_t *parts)
{
    text_puts(out, json_array_size(parts) == 0 ? "none" : "");
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i), *hex = json_object_get(part, "hex"),
                     *length = json_object_get(part, "length");
        text_puts(out, i > 0 ? " " : "");
        if (json_is_integer(part)) {
            text_printf(out, "%02x", (unsigned)json_integer_value(part));
        } else if (hex) {
            text_puts(out, json_string_value(hex));
        } else if (length) {
            text_puts(out, "<length of ");
            words_value(out, length);
            text_putc(out, '>');
        } else {
            words_value(out, part);
        }
    }
}

/* ---- connecting and closing ---- */

static void refusal(const sentence_t *s, const json_t *status)
{
    const char *key, *between = "";
    json_t *value;
    text_puts(s->out, "; it must be refused with HTTP status ");
    if (json_is_array(status)) {
        for (size_t i = 0; i < json_array_size(status); i++) {
            phrase(s, i > 0 ? " or " : "", json_array_get(status, i));
        }
    } else if (json_is_object(status)) {
        json_object_foreach((json_t *)status, key, value)
        {
            phrase(s, between, value);
            text_printf(s->out, " over %s", key);
            between = ", ";
        }
    } else {
        words_value(s->out, status);
    }
}

static void connect_words(const sentence_t *s)
{
    const json_t *vsn = member(s, "vsn"), *refused = member(s, "refused");
    text_printf(s->out, "%s connects", json_string_value(member(s, "connect")));
    name_phrase(s, " over ", member(s, "transport"));
    if (json_is_null(vsn)) {
        text_puts(s->out, " without a vsn");
    } else {
        name_phrase(s, " with vsn ", vsn);
    }
    name_phrase(s, " to the mount ", member(s, "mount"));
    name_phrase(s, " of the node ", member(s, "node"));
    name_phrase(s, " at ", member(s, "path"));
    phrase(s, ", asking for the subprotocols ", member(s, "subprotocols"));
    phrase(s, ", params ", member(s, "params"));
    phrase(s, ", query ", member(s, "query"));
    phrase(s, ", headers ", member(s, "headers"));
    if (refused) {
        refusal(s, refused);
        phrase(s, " and the body ", member(s, "body"));
    }
    phrase(s, "; the answer must have the headers ", json_object_get(member(s, "expect"), "headers"));
}

static void codes(const sentence_t *s, const char *introduction, const json_t *list)
{
    size_t len = json_array_size(list);
    for (size_t i = 0; i < len; i++) {
        const json_t *code = json_array_get(list, i);
        text_puts(s->out, i == 0 ? introduction : " or ");
        if (json_is_null(code)) {
            text_puts(s->out, "no code");
        } else {
            words_value(s->out, code);
        }
    }
}

static void expect_close_words(const sentence_t *s, const json_t *end)
{
    text_printf(s->out, "the server must close the connection of %s", s->client);
    codes(s, " with ", json_object_get(end, "codes"));
    codes(s, ", not with ", json_object_get(end, "not_codes"));
    if (json_is_true(json_object_get(end, "tcp"))) {
        text_puts(s->out, ", or just end TCP");
    }
    when(s);
}

static void close_words(const sentence_t *s, const json_t *close)
{
    text_printf(s->out, "%s begins to close", s->client);
    phrase(s, " with the code ", json_object_get(close, "code"));
    phrase(s, " and the reason ", json_object_get(close, "reason"));
}

/* ---- frames ---- */

static void frame_words(const sentence_t *s, const json_t *frame)
{
    const json_t *raw = json_object_get(frame, "raw"), *bytes = json_object_get(frame, "bytes");
    static const char *const unusual[] = {"fin", "rsv", "masked", "length_form", "declared_length"};
    if (raw) {
        text_puts(s->out, "the raw bytes ");
        bytes_phrase(s->out, raw);
        return;
    }
    name_phrase(s, "a frame ", json_object_get(frame, "opcode"));
    for (size_t i = 0; i < sizeof unusual / sizeof *unusual; i++) {
        const json_t *value = json_object_get(frame, unusual[i]);
        if (value) {
            text_printf(s->out, ", %s ", unusual[i]);
            words_value(s->out, value);
        }
    }
    if (json_array_size(bytes) > 0) {
        text_puts(s->out, ": ");
        bytes_phrase(s->out, bytes);
    }
}

static void frames_words(const sentence_t *s, const json_t *frames)
{
    text_printf(s->out, "%s sends, in one write, ", s->client);
    for (size_t i = 0; i < json_array_size(frames); i++) {
        text_puts(s->out, i > 0 ? "; then " : "");
        frame_words(s, json_array_get(frames, i));
    }
}

/* ---- HTTP ---- */

static void answer_words(const sentence_t *s, const json_t *expect)
{
    const char *key;
    json_t *value;
    bool first = true;
    json_object_foreach((json_t *)expect, key, value)
    {
        text_printf(s->out, "%s%s ", first ? " with the " : " and the ", key);
        words_value(s->out, value);
        first = false;
    }
    when(s);
}

static void http_words(const sentence_t *s, const json_t *request)
{
    const json_t *body = json_object_get(request, "body"), *raw = json_object_get(body, "$bytes");
    name_phrase(s, "", json_object_get(request, "method"));
    name_phrase(s, " ", json_object_get(request, "path"));
    name_phrase(s, " of the node ", member(s, "node"));
    phrase(s, ", query ", json_object_get(request, "query"));
    phrase(s, ", headers ", json_object_get(request, "headers"));
    if (raw) {
        text_puts(s->out, ", body ");
        bytes_phrase(s->out, raw);
    } else {
        phrase(s, ", body ", body);
    }
    if (json_is_true(json_object_get(request, "chunked"))) {
        text_puts(s->out, ", in chunks");
    }
    name_phrase(s, "; its answer is looked at later, as ", member(s, "as"));
    if (member(s, "expect")) {
        text_puts(s->out, "; it must be answered");
        answer_words(s, member(s, "expect"));
    }
}

/* ---- all steps ---- */

static void barrier_words(const sentence_t *s, const json_t *barrier)
{
    if (json_is_string(barrier)) {
        text_printf(s->out, "%s sends a heartbeat and must get its reply", s->client);
    } else {
        text_printf(s->out, "%s sends an echo on ", s->client);
        words_value(s->out, json_array_get(barrier, 1));
        phrase(s, " (join_ref ", json_array_get(barrier, 0));
        text_puts(s->out, ") and must get its reply");
    }
    text_puts(s->out, ", and nothing before that");
    when(s);
}

static void unordered_words(const sentence_t *s, const json_t *lists)
{
    text_printf(s->out, "%s must get, in any order of the lists, ", s->client);
    for (size_t i = 0; i < json_array_size(lists); i++) {
        text_printf(s->out, "%s%zu: ", i > 0 ? "; " : "", i + 1);
        messages(s->out, json_array_get(lists, i), ", then ");
    }
    when(s);
}

static void verb_words(const sentence_t *s, verb_t verb, const json_t *value)
{
    text_t *out = s->out;
    switch (verb) {
    case VERB_CONNECT:
        connect_words(s);
        break;
    case VERB_SEND:
        text_printf(out, "%s sends ", s->client);
        words_message(out, value);
        break;
    case VERB_PIPELINE:
        text_printf(out, "%s sends, all at once, ", s->client);
        messages(out, value, "; ");
        break;
    case VERB_SEND_TEXT:
        text_printf(out, "%s sends the text ", s->client);
        words_value(out, value);
        break;
    case VERB_SEND_BINARY:
        text_printf(out, "%s sends the bytes ", s->client);
        bytes_phrase(out, value);
        break;
    case VERB_SEND_FRAMES:
        frames_words(s, value);
        break;
    case VERB_EXPECT:
        text_printf(out, "%s must get ", s->client);
        words_message(out, value);
        when(s);
        break;
    case VERB_UNORDERED:
        unordered_words(s, value);
        break;
    case VERB_ALLOW:
        text_printf(out, "from here on %s may get ", s->client);
        words_message(out, value);
        text_puts(out, ", any number of times");
        break;
    case VERB_EXPECT_CLOSE:
        expect_close_words(s, value);
        break;
    case VERB_EXPECT_FRAME:
        text_printf(out, "%s must get ", s->client);
        frame_words(s, value);
        when(s);
        break;
    case VERB_CLOSE:
        close_words(s, value);
        break;
    case VERB_DROP:
        text_printf(out, "%s is cut off without a word", json_string_value(value));
        break;
    case VERB_BARRIER:
        barrier_words(s, value);
        break;
    case VERB_HTTP:
        http_words(s, value);
        break;
    case VERB_RESPONSE:
        text_printf(out, "the request %s must be answered", json_string_value(value));
        answer_words(s, member(s, "expect"));
        break;
    case VERB_WAIT:
        text_puts(out, "wait for ");
        time_phrase(out, value);
        break;
    case VERBS:
        break;
    }
}

/* What verb_words does not know of; a language grows. */
static void add_rest(const sentence_t *s, const char *verb)
{
    static const char *const known[] = {
        "on",     "within", "not_before",   "note",    "transport", "vsn",  "mount",  "node", "path",
        "params", "query",  "subprotocols", "headers", "refused",   "body", "expect", "as"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)s->step, key, value)
    {
        bool is_known = strcmp(key, verb) == 0;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            is_known = is_known || strcmp(key, known[i]) == 0;
        }
        if (!is_known) {
            text_printf(s->out, "; %s: ", key);
            words_value(s->out, value);
        }
    }
}

void words_step(text_t *out, verb_t verb, const json_t *step, double patience_ms)
{
    const json_t *on = json_object_get(step, "on"), *note = json_object_get(step, "note");
    sentence_t sentence = {out, step, on ? json_string_value(on) : "a", patience_ms};
    verb_words(&sentence, verb, json_object_get(step, verb_name(verb)));
    add_rest(&sentence, verb_name(verb));
    if (note) {
        text_printf(out, " (%s)", json_string_value(note));
    }
}
