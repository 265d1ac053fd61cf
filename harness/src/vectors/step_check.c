/* SPDX-License-Identifier: MIT */
#include "vectors/step_check.h"

#include "base/memory.h"
#include "vectors/matcher.h"
#include "vectors/template.h"

#include <stdlib.h>
#include <string.h>

/* What one step is checked with. */
typedef struct checker {
    const vector_case_t *c;
    text_t flaws;    /* of this step, one a line, without the prefix */
    json_t *names;   /* usable as "${…}" at this step */
    json_t *clients; /* connected so far: name -> transport, null: the variant's */
    json_t *exchanges;
    verb_t verb;
    const json_t *step;
} checker_t;

static void flaw(checker_t *checker, const jpath_t *path, const char *what)
{
    if (path) {
        jpath_write(&checker->flaws, path);
        text_puts(&checker->flaws, ": ");
    }
    text_printf(&checker->flaws, "%s\n", what);
}

static bool is_message(const json_t *value)
{
    return json_array_size(value) == 5;
}

/* Whether a message has bytes as its payload, or, as a reply, as its response. */
static bool is_binary(const json_t *five, bool reply)
{
    const json_t *payload = json_array_get(five, 4);
    const json_t *response = reply ? json_object_get(payload, "response") : NULL;
    return json_object_get(payload, "$base64") || json_object_get(response, "$base64");
}

static bool client_is_websocket(const checker_t *checker, const char *name)
{
    const json_t *transport = json_object_get(checker->clients, name);
    return json_is_string(transport) ? strcmp(json_string_value(transport), "websocket") == 0
                                     : !checker->c->transports[LONGPOLL];
}

static const char *client_of(const json_t *step)
{
    const json_t *on = json_object_get(step, "on");
    return on ? json_string_value(on) : "a";
}

static void check_message(checker_t *checker, const json_t *five, bool expected, const jpath_t *path)
{
    if (!is_message(five)) {
        flaw(checker, path, "a message is a list of join_ref, ref, topic, event and payload");
        return;
    }
    if (expected) {
        matcher_check(five, path, &checker->flaws);
    }
    if (is_binary(five, expected) &&
        (checker->c->vsns[VSN_1] || !client_is_websocket(checker, client_of(checker->step)))) {
        bool base64_line = !expected && !checker->c->vsns[VSN_1]; /* LP-BIN-01 */
        if (!base64_line) {
            flaw(checker, path,
                 "a binary payload needs \"vsn\": [\"2.0.0\"] and \"transports\": [\"websocket\"]");
        }
    }
}

static void check_messages(checker_t *checker, const json_t *list, bool expected, const jpath_t *path)
{
    if (json_array_size(list) == 0) {
        flaw(checker, path, "a list of messages is needed here");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        jpath_t inner = {path, NULL, i};
        check_message(checker, json_array_get(list, i), expected, &inner);
    }
}

/* A text to be sent: a string, generated or not, or an encoded message. */
static void check_text(checker_t *checker, const json_t *value, const jpath_t *path)
{
    const json_t *message = json_object_get(value, "$message");
    if (message) {
        check_message(checker, message, false, path);
    } else if (!json_is_string(value) && !json_object_get(value, "$repeat")) {
        flaw(checker, path, "a string, {\"$repeat\": …} or {\"$message\": …} is needed here");
    }
}

static void check_bytes(checker_t *checker, const json_t *parts, const jpath_t *path)
{
    if (!json_is_array(parts)) {
        flaw(checker, path, "a list of bytes, strings, {\"hex\": …} and {\"length\": …} is needed here");
    }
    for (size_t i = 0; i < json_array_size(parts); i++) {
        jpath_t inner = {path, NULL, i};
        const json_t *part = json_array_get(parts, i);
        json_t *length = json_object_get(part, "length");
        text_t bytes = {0}, error = {0};
        /* what is generated is a string later on; its length is known only then */
        bool generated = json_object_get(part, "$repeat") || json_object_get(part, "$message") ||
                         json_object_get(length, "$repeat");
        if (!generated && !template_bytes(part, &bytes, &error)) {
            flaw(checker, &inner, text_str(&error));
        }
        text_free(&bytes);
        text_free(&error);
    }
}

static void only(checker_t *checker, const json_t *object, const char *const *known, const jpath_t *path)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object)) {
        flaw(checker, path, "an object is needed here");
    }
    json_object_foreach((json_t *)object, key, value)
    {
        const char *const *name = known;
        while (*name && strcmp(*name, key) != 0) {
            name++;
        }
        if (!*name) {
            jpath_t inner = {path, key, 0};
            text_t what = {0};
            text_puts(&what, "no such member here; known are");
            for (name = known; *name; name++) {
                text_printf(&what, " %s", *name);
            }
            flaw(checker, &inner, text_str(&what));
            text_free(&what);
        }
    }
}

static void check_frames(checker_t *checker, const json_t *frames, const jpath_t *path)
{
    static const char *const members[] = {"opcode",      "bytes",           "fin", "rsv", "masked",
                                          "length_form", "declared_length", "raw", NULL};
    if (json_array_size(frames) == 0) {
        flaw(checker, path, "a list of frames is needed here");
    }
    for (size_t i = 0; i < json_array_size(frames); i++) {
        jpath_t inner = {path, NULL, i};
        const json_t *frame = json_array_get(frames, i);
        const json_t *raw = json_object_get(frame, "raw"), *bytes = json_object_get(frame, "bytes");
        only(checker, frame, members, &inner);
        if (raw) {
            check_bytes(checker, raw, &inner);
        } else if (!json_object_get(frame, "opcode")) {
            flaw(checker, &inner, "a frame has an opcode, or is raw");
        }
        if (bytes) {
            check_bytes(checker, bytes, &inner);
        }
    }
}

static void check_time(checker_t *checker, const json_t *time, bool timer_only, const jpath_t *path)
{
    const json_t *ms = json_object_get(time, "ms");
    if (time_check(time)) {
        return;
    }
    if (!timer_only && json_integer_value(ms) > 0 && json_object_size(time) == 1) {
        return;
    }
    flaw(checker, path,
         timer_only ? "a timer of the profile is needed here, such as {\"timer\": \"longpoll.window_ms\", "
                      "\"times\": 2}; "
                      "silence is proven by a barrier, not by waiting"
                    : "{\"timer\": NAME, \"times\": X} with a timer of the profile, or {\"ms\": N}");
}

static void check_string_map(checker_t *checker, const json_t *map, const jpath_t *path)
{
    const char *key;
    json_t *value;
    if (!json_is_object(map)) {
        flaw(checker, path, "an object of strings is needed here");
    }
    json_object_foreach((json_t *)map, key, value)
    {
        jpath_t inner = {path, key, 0};
        if (!json_is_string(value)) {
            flaw(checker, &inner, "a string is needed here");
        }
    }
}

static bool is_status(const json_t *value)
{
    if (json_is_integer(value)) {
        return true;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!json_is_integer(json_array_get(value, i))) {
            return false;
        }
    }
    return json_array_size(value) > 0;
}

static void check_answer(checker_t *checker, const json_t *answer, const jpath_t *path)
{
    static const char *const http[] = {"status", "headers", "body", "text", NULL};
    static const char *const handshake[] = {"headers", NULL};
    only(checker, answer, checker->verb == VERB_CONNECT ? handshake : http, path);
    if (json_object_get(answer, "status") && !is_status(json_object_get(answer, "status"))) {
        flaw(checker, path, "status: a number or a list of numbers");
    }
    matcher_check(json_object_get(answer, "headers"), path, &checker->flaws);
    matcher_check(json_object_get(answer, "body"), path, &checker->flaws);
    matcher_check(json_object_get(answer, "text"), path, &checker->flaws);
}

static void check_request(checker_t *checker, const json_t *request, const jpath_t *path)
{
    static const char *const members[] = {"method", "path", "query", "headers", "body", "chunked", NULL};
    only(checker, request, members, path);
    if (!json_is_string(json_object_get(request, "method")) ||
        !json_is_string(json_object_get(request, "path"))) {
        flaw(checker, path, "a request has a method and a path");
    }
    if (json_object_get(request, "query")) {
        check_string_map(checker, json_object_get(request, "query"), path);
    }
    if (json_object_get(request, "headers")) {
        check_string_map(checker, json_object_get(request, "headers"), path);
    }
    const json_t *body = json_object_get(request, "body");
    const json_t *lines = json_object_get(body, "$lines"), *bytes = json_object_get(body, "$bytes");
    if (bytes) {
        check_bytes(checker, bytes, path);
    } else if (lines) {
        for (size_t i = 0; i < json_array_size(lines); i++) {
            jpath_t inner = {path, NULL, i};
            if (!is_message(json_array_get(lines, i))) {
                check_text(checker, json_array_get(lines, i), &inner);
            }
        }
    } else if (body) {
        check_text(checker, body, path);
    }
}

static void check_refused(checker_t *checker, const json_t *refused, const jpath_t *path)
{
    bool each = json_is_object(refused);
    if (!is_status(each ? json_object_get(refused, "websocket") : refused) ||
        (each && !is_status(json_object_get(refused, "longpoll")))) {
        flaw(checker, path, "a status, a list of them, or one of these for each of websocket and longpoll");
    }
}

static void check_new_name(checker_t *checker, const json_t *name, const jpath_t *path)
{
    const char *string = json_string_value(name);
    if (!string || !*string) {
        flaw(checker, path, "a name is needed here");
    } else if (json_object_get(checker->clients, string) || json_object_get(checker->exchanges, string)) {
        flaw(checker, path, "this name is in use already; connections and exchanges need names of their own");
    }
}

/* The argument of the verb itself. */
static void check_argument(checker_t *checker, const json_t *value, const jpath_t *path)
{
    static const char *const close_members[] = {"code", "reason", NULL};
    static const char *const end_members[] = {"codes", "not_codes", "tcp", NULL};
    static const char *const frame_members[] = {"opcode", "bytes", NULL};
    const char *name = json_string_value(value);

    switch (checker->verb) {
    case VERB_CONNECT:
        check_new_name(checker, value, path);
        break;
    case VERB_SEND:
        check_message(checker, value, false, path);
        break;
    case VERB_EXPECT:
    case VERB_ALLOW:
        check_message(checker, value, true, path);
        break;
    case VERB_PIPELINE:
        check_messages(checker, value, false, path);
        break;
    case VERB_SEND_TEXT:
        check_text(checker, value, path);
        break;
    case VERB_SEND_BINARY:
        check_bytes(checker, value, path);
        break;
    case VERB_SEND_FRAMES:
        check_frames(checker, value, path);
        break;
    case VERB_UNORDERED:
        if (json_array_size(value) < 2) {
            flaw(checker, path, "at least two lists of messages are needed here");
        }
        for (size_t i = 0; i < json_array_size(value); i++) {
            jpath_t inner = {path, NULL, i};
            check_messages(checker, json_array_get(value, i), true, &inner);
        }
        break;
    case VERB_EXPECT_CLOSE:
        only(checker, value, end_members, path);
        break;
    case VERB_EXPECT_FRAME:
        only(checker, value, frame_members, path);
        if (json_object_get(value, "bytes")) {
            check_bytes(checker, json_object_get(value, "bytes"), path);
        }
        break;
    case VERB_CLOSE:
        only(checker, value, close_members, path);
        break;
    case VERB_DROP:
        if (!name ||
            !(json_object_get(checker->clients, name) || json_object_get(checker->exchanges, name))) {
            flaw(checker, path, "no connection and no exchange of this name is there at this point");
        }
        break;
    case VERB_BARRIER:
        if (!(name && strcmp(name, "heartbeat") == 0) &&
            !(json_array_size(value) == 2 && json_is_string(json_array_get(value, 1)))) {
            flaw(checker, path, "\"heartbeat\", or the join_ref and the topic for an echo");
        }
        break;
    case VERB_HTTP:
        check_request(checker, value, path);
        if (!json_object_get(checker->step, "expect") == !json_object_get(checker->step, "as")) {
            flaw(checker, path,
                 "an exchange is either expected to be answered (\"expect\") or read later (\"as\")");
        }
        break;
    case VERB_RESPONSE:
        if (!name || !json_object_get(checker->exchanges, name)) {
            flaw(checker, path, "no exchange was begun under this name (\"as\")");
        }
        if (!json_object_get(checker->step, "expect")) {
            flaw(checker, path, "what is expected of the answer (\"expect\")?");
        }
        break;
    case VERB_WAIT:
        check_time(checker, value, true, path);
        break;
    case VERBS:
        break;
    }
}

/* Of a connect step. */
static void check_subprotocols(checker_t *checker, const json_t *list, const jpath_t *path)
{
    bool strings = json_array_size(list) > 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        strings = strings && json_is_string(json_array_get(list, i));
    }
    if (!strings) {
        flaw(checker, path, "a list of subprotocols to offer is needed here, such as [\"phoenix\"]");
    }
    if (json_object_get(json_object_get(checker->step, "headers"), "sec-websocket-protocol")) {
        flaw(checker, path, "the header sec-websocket-protocol says the same; leave one of them out");
    }
    const char *transport = json_string_value(json_object_get(checker->step, "transport"));
    if (transport ? strcmp(transport, "websocket") != 0 : checker->c->transports[LONGPOLL]) {
        flaw(checker, path, "long-poll has no subprotocols; add \"transports\": [\"websocket\"] to the case");
    }
}

static void check_boolean(checker_t *checker, const json_t *value, const jpath_t *path)
{
    if (!json_is_boolean(value)) {
        flaw(checker, path, "true or false");
    }
}

/* A member beside the verb; they mean the same in every step that has them. */
static void check_member(checker_t *checker, const char *key, const json_t *value, const jpath_t *path)
{
    mount_t mount;
    transport_t transport;
    const char *string = json_string_value(value);
    if (strcmp(key, "on") == 0) {
        if (!string || !json_object_get(checker->clients, string)) {
            flaw(checker, path, "no such client is connected at this point");
        }
    } else if (strcmp(key, "within") == 0 || strcmp(key, "not_before") == 0) {
        check_time(checker, value, false, path);
    } else if (strcmp(key, "v1_join_ref") == 0) {
        check_boolean(checker, value, path);
    } else if (strcmp(key, "transport") == 0) {
        if (!string || !transport_parse(string, &transport)) {
            flaw(checker, path, "websocket or longpoll");
        }
    } else if (strcmp(key, "vsn") == 0) {
        if (!string && !json_is_null(value)) {
            flaw(checker, path, "a string, or null to leave the parameter out");
        }
    } else if (strcmp(key, "mount") == 0) {
        if (!string || !mount_parse(string, &mount)) {
            flaw(checker, path, "main, tight or sub");
        }
    } else if (strcmp(key, "params") == 0 || strcmp(key, "headers") == 0) {
        check_string_map(checker, value, path);
    } else if (strcmp(key, "subprotocols") == 0) {
        check_subprotocols(checker, value, path);
    } else if (strcmp(key, "expect") == 0) {
        check_answer(checker, value, path);
    } else if (strcmp(key, "refused") == 0) {
        check_refused(checker, value, path);
    } else if (strcmp(key, "body") == 0) {
        matcher_check(value, path, &checker->flaws);
    } else if (strcmp(key, "as") == 0) {
        check_new_name(checker, value, path);
    } else if (!string) { /* note, query, path */
        flaw(checker, path, "a string is needed here");
    }
}

/* The verbs, and what may stand beside each. */
static const struct {
    const char *name;
    bool on_client, websocket_only;
    const char *members[16]; /* ends with NULL */
} rules[VERBS] = {
    [VERB_CONNECT] = {"connect",
                      false,
                      false,
                      {"transport", "vsn", "mount", "params", "query", "path", "headers", "subprotocols",
                       "expect", "refused", "body", "node"}},
    [VERB_SEND] = {"send", true, false, {"on", "v1_join_ref"}},
    [VERB_PIPELINE] = {"pipeline", true, false, {"on", "v1_join_ref"}},
    [VERB_SEND_TEXT] = {"send_text", true, false, {"on"}},
    [VERB_SEND_BINARY] = {"send_binary", true, true, {"on"}},
    [VERB_SEND_FRAMES] = {"send_frames", true, true, {"on"}},
    [VERB_EXPECT] = {"expect", true, false, {"on", "within", "not_before", "v1_join_ref"}},
    [VERB_UNORDERED] = {"unordered", true, false, {"on", "within", "v1_join_ref"}},
    [VERB_ALLOW] = {"allow", true, false, {"on", "v1_join_ref"}},
    [VERB_EXPECT_CLOSE] = {"expect_close", true, false, {"on", "within", "not_before"}},
    [VERB_EXPECT_FRAME] = {"expect_frame", true, true, {"on", "within"}},
    [VERB_CLOSE] = {"close", true, false, {"on"}},
    [VERB_DROP] = {"drop", false, false, {NULL}},
    [VERB_BARRIER] = {"barrier", true, false, {"on"}},
    [VERB_HTTP] = {"http", false, false, {"expect", "as", "within", "not_before", "node"}},
    [VERB_RESPONSE] = {"response", false, false, {"expect", "within", "not_before"}},
    [VERB_WAIT] = {"wait", false, false, {NULL}},
};

const char *verb_name(verb_t verb)
{
    return rules[verb].name;
}

static bool may_have(verb_t verb, const char *key)
{
    for (const char *const *member = rules[verb].members; *member; member++) {
        if (strcmp(*member, key) == 0) {
            return true;
        }
    }
    return strcmp(key, "note") == 0;
}

/* The one verb of a step. An http or response step has "expect" beside it, which is then no verb. */
static bool find_verb(const json_t *step, verb_t *verb)
{
    static const verb_t order[] = {VERB_HTTP, VERB_RESPONSE, VERB_CONNECT};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (json_object_get(step, rules[order[i]].name)) {
            *verb = order[i];
            return true;
        }
    }
    int found = 0;
    for (int i = 0; i < VERBS; i++) {
        if (json_object_get(step, rules[i].name)) {
            *verb = (verb_t)i;
            found++;
        }
    }
    return found == 1;
}

static void check_step(checker_t *checker)
{
    const char *key;
    json_t *value;
    if (rules[checker->verb].on_client && !json_object_get(checker->step, "on") &&
        !json_object_get(checker->clients, "a")) {
        flaw(checker, NULL,
             "no client \"a\" is connected at this point; say which one (\"on\"), or connect it");
    }
    if (rules[checker->verb].websocket_only && !client_is_websocket(checker, client_of(checker->step))) {
        flaw(checker, NULL, "long-poll has no frames; add \"transports\": [\"websocket\"] to the case");
    }
    json_object_foreach((json_t *)checker->step, key, value)
    {
        jpath_t path = {NULL, key, 0};
        template_check(value, checker->names, &path, &checker->flaws);
        matcher_equals_known(value, checker->names, &path, &checker->flaws);
        if (strcmp(key, rules[checker->verb].name) == 0) {
            check_argument(checker, value, &path);
        } else if (may_have(checker->verb, key)) {
            check_member(checker, key, value, &path);
        } else {
            flaw(checker, &path, "this step has no such member");
        }
    }
    if (checker->verb == VERB_CONNECT && !json_object_get(checker->step, "refused")) {
        json_t *transport = json_object_get(checker->step, "transport");
        json_object_set(checker->clients, json_string_value(json_object_get(checker->step, "connect")),
                        transport ? transport : json_null());
    }
    const json_t *as = json_object_get(checker->step, "as");
    if (json_is_string(as)) {
        json_object_set_new(checker->exchanges, json_string_value(as), json_true());
    }
    matcher_captures(checker->step, checker->names);
}

static void builtin_names(json_t *names)
{
    static const char *const builtins[] = {
        "unique", "unmatched", "topic255", "topic",          "vsn",
        "mount",  "websocket", "longpoll", "origin_allowed", "origin_forbidden"};
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
        json_object_set_new(names, builtins[i], json_true());
    }
}

/* Every flaw of the step behind "FILE: case ID, step N (verb): ". */
static void report(const checker_t *checker, size_t number, const char *verb, text_t *error)
{
    span_t rest = text_span(&checker->flaws), line;
    while (span_next(&rest, '\n', &line)) {
        if (line.len > 0) {
            text_printf(error, "%s: case %s, step %zu%s%s%s: %.*s\n", checker->c->file, checker->c->id,
                        number, verb ? " (" : "", verb ? verb : "", verb ? ")" : "", (int)line.len, line.at);
        }
    }
}

bool steps_check(vector_case_t *c, const json_t *steps, text_t *error)
{
    checker_t checker = {
        .c = c, .names = json_object(), .clients = json_object(), .exchanges = json_object()};
    bool good = json_array_size(steps) > 0;
    if (!good) {
        text_printf(error, "%s: case %s: steps: a list with at least one step is needed here\n", c->file,
                    c->id);
    }
    builtin_names(checker.names);
    c->steps = mem_new(json_array_size(steps), sizeof *c->steps);
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const char *verb = NULL;
        checker.step = json_array_get(steps, i);
        if (find_verb(checker.step, &checker.verb)) {
            verb = rules[checker.verb].name;
            check_step(&checker);
        } else {
            text_puts(&checker.flaws, "a step has one verb, of:");
            for (int v = 0; v < VERBS; v++) {
                text_printf(&checker.flaws, " %s", rules[v].name);
            }
        }
        report(&checker, i + 1, verb, error);
        good = good && checker.flaws.len == 0;
        text_clear(&checker.flaws);
        c->steps[c->len++] = (vector_step_t){checker.verb, checker.step};
    }
    text_free(&checker.flaws);
    json_decref(checker.names);
    json_decref(checker.clients);
    json_decref(checker.exchanges);
    return good;
}
