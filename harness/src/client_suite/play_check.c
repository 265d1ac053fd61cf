/* SPDX-License-Identifier: MIT */
#include "client_suite/play_check.h"

#include "base/memory.h"
#include "client_suite/play_words.h"
#include "vectors/matcher.h"
#include "vectors/template.h"

#include <string.h>

const char *const client_capabilities[] = {"websocket",
                                           "longpoll",
                                           "vsn1",
                                           "vsn2",
                                           "binary",
                                           "presence",
                                           "token",
                                           "params_each",
                                           "token_each",
                                           "join_params_each",
                                           "heartbeat_ms",
                                           "timeout_ms",
                                           "push_timeout_ms",
                                           "reconnect_ms",
                                           "rejoin_ms",
                                           "longpoll_timeout_ms",
                                           "fallback_ms",
                                           "disconnect_code",
                                           "listeners",
                                           "replace_transport",
                                           "ping",
                                           "page",
                                           NULL};

static bool capability(const char *name)
{
    const char *const *known = client_capabilities;
    while (*known && strcmp(*known, name) != 0) {
        known++;
    }
    return *known != NULL;
}

typedef enum argument { NAME, TEXT, STATUS, MESSAGE, MESSAGES, BYTES, OBJECT, KIND, TIME } argument_t;

/* The verbs, what stands behind each, and what may stand beside it. */
static const struct {
    const char *name;
    argument_t argument;
    bool on_peer;
    const char *members[6];
} rules[DEEDS] = {
    [DEED_DO] = {"do", NAME, false, {"with"}},
    [DEED_EVENT] = {"event", NAME, false, {"with", "within", "after", "since"}},
    [DEED_ACCEPT] = {"accept", NAME, false, {"expect", "transport", "within", "after", "since"}},
    [DEED_REFUSE] = {"refuse", STATUS, false, {"expect", "transport", "body", "within", "after", "since"}},
    [DEED_SEND] = {"send", MESSAGE, true, {"on"}},
    [DEED_PIPELINE] = {"pipeline", MESSAGES, true, {"on"}},
    [DEED_SEND_TEXT] = {"send_text", TEXT, true, {"on"}},
    [DEED_SEND_BINARY] = {"send_binary", BYTES, true, {"on"}},
    [DEED_SEND_RAW] = {"send_raw", BYTES, true, {"on"}},
    [DEED_EXPECT] = {"expect", MESSAGE, true, {"on", "within", "after", "since"}},
    [DEED_EXPECT_CLOSE] = {"expect_close", OBJECT, true, {"on", "within", "after", "since"}},
    [DEED_ALLOW] = {"allow", MESSAGE, false, {NULL}},
    [DEED_CLOSE] = {"close", OBJECT, true, {"on"}},
    [DEED_DROP] = {"drop", NAME, true, {"on"}},
    [DEED_HOLD] = {"hold", KIND, true, {"on"}},
    [DEED_RELEASE] = {"release", KIND, true, {"on"}},
    [DEED_AWAIT] = {"await", KIND, true, {"expect", "on", "within"}},
    [DEED_ANSWER] = {"answer", KIND, true, {"with", "on", "within"}},
    [DEED_SILENCE] = {"silence", TIME, false, {NULL}},
    [DEED_WAIT] = {"wait", TIME, false, {NULL}},
};

const char *deed_name(deed_t deed)
{
    return rules[deed].name;
}

deed_t deed_of(const json_t *step)
{
    deed_t found = DEEDS;
    if (json_object_get(step, "accept")) {
        return DEED_ACCEPT; /* has "expect" beside it, which is then no verb */
    }
    if (json_object_get(step, "refuse")) {
        return DEED_REFUSE;
    }
    if (json_object_get(step, "await")) {
        return DEED_AWAIT;
    }
    for (int i = 0; i < DEEDS; i++) {
        if (json_object_get(step, rules[i].name)) {
            if (found != DEEDS) {
                return DEEDS;
            }
            found = (deed_t)i;
        }
    }
    return found;
}

/* What one case is checked with. */
typedef struct checker {
    text_t flaws;  /* of this step, one a line */
    json_t *names; /* usable as "${…}" at this step */
    json_t *peers, *marks;
    const json_t *step;
    deed_t deed;
} checker_t;

static void flaw(checker_t *checker, const char *member, const char *what)
{
    text_printf(&checker->flaws, "%s: %s\n", member, what);
}

static bool is_time(const json_t *time)
{
    return json_object_size(time) == 1 && json_number_value(json_object_get(time, "ms")) > 0;
}

static bool argument_good(checker_t *checker, const json_t *value)
{
    const char *string = json_string_value(value);
    switch (rules[checker->deed].argument) {
    case NAME:
        return string && *string;
    case TEXT:
        return string || json_object_get(value, "$repeat");
    case STATUS:
        return json_is_integer(value);
    case MESSAGE:
        return json_array_size(value) == 5;
    case MESSAGES:
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (json_array_size(json_array_get(value, i)) != 5) {
                return false;
            }
        }
        return json_array_size(value) > 0;
    case BYTES:
        return json_is_array(value);
    case OBJECT:
        return json_is_object(value);
    case KIND:
        return string && (strcmp(string, "poll") == 0 || strcmp(string, "post") == 0 ||
                          (strcmp(string, "close") == 0 &&
                           (checker->deed == DEED_HOLD || checker->deed == DEED_RELEASE)));
    case TIME:
        return is_time(value);
    }
    return false;
}

static const char *argument_words(argument_t argument)
{
    static const char *const words[] = {[NAME] = "a name is needed here",
                                        [TEXT] = "a string is needed here",
                                        [STATUS] = "a status is needed here, or 0 to end TCP",
                                        [MESSAGE] =
                                            "a message is a list of join_ref, ref, topic, event and payload",
                                        [MESSAGES] = "a list of messages is needed here",
                                        [BYTES] = "a list of bytes, strings and {\"hex\": …} is needed here",
                                        [OBJECT] = "an object is needed here",
                                        [KIND] = "poll, post, or, to be held only, close",
                                        [TIME] = "{\"ms\": N}"};
    return words[argument];
}

static void check_member(checker_t *checker, const char *key, const json_t *value)
{
    const char *string = json_string_value(value);
    transport_t transport;
    if (strcmp(key, "within") == 0 || strcmp(key, "after") == 0) {
        if (!is_time(value)) {
            flaw(checker, key, "{\"ms\": N}");
        }
    } else if (strcmp(key, "with") == 0 || strcmp(key, "expect") == 0) {
        jpath_t path = {NULL, key, 0};
        if (!json_is_object(value)) {
            flaw(checker, key, "an object is needed here");
        } else if (checker->deed != DEED_DO && checker->deed != DEED_ANSWER) {
            matcher_check(value, &path, &checker->flaws);
        }
    } else if (strcmp(key, "since") == 0) {
        if (!string || !json_object_get(checker->marks, string)) {
            flaw(checker, key, "no earlier step has this \"mark\"");
        }
    } else if (strcmp(key, "transport") == 0) {
        if (!string || !transport_parse(string, &transport)) {
            flaw(checker, key, "websocket or longpoll");
        }
    } else if (!string) {
        flaw(checker, key, "a string is needed here");
    }
}

static bool may_have(deed_t deed, const char *key)
{
    for (size_t i = 0; i < sizeof rules[deed].members / sizeof *rules[deed].members; i++) {
        if (rules[deed].members[i] && strcmp(rules[deed].members[i], key) == 0) {
            return true;
        }
    }
    return strcmp(key, "note") == 0 || strcmp(key, "mark") == 0;
}

static void check_step(checker_t *checker)
{
    const char *key, *verb = rules[checker->deed].name;
    json_t *value;
    const json_t *on = json_object_get(checker->step, "on");
    const char *peer = on ? json_string_value(on) : "a";
    if (rules[checker->deed].on_peer && (!peer || !json_object_get(checker->peers, peer))) {
        flaw(checker, "on", "no connection of this name (default: a) was accepted before this step");
    }
    json_object_foreach((json_t *)checker->step, key, value)
    {
        jpath_t path = {NULL, key, 0};
        template_check(value, checker->names, &path, &checker->flaws);
        matcher_equals_known(value, checker->names, &path, &checker->flaws);
        if (strcmp(key, verb) == 0) {
            if (!argument_good(checker, value)) {
                flaw(checker, key, argument_words(rules[checker->deed].argument));
            } else if (checker->deed == DEED_EXPECT || checker->deed == DEED_ALLOW) {
                matcher_check(value, &path, &checker->flaws);
            }
        } else if (may_have(checker->deed, key)) {
            check_member(checker, key, value);
        } else {
            flaw(checker, key, "this step has no such member");
        }
    }
    const char *mark = json_string_value(json_object_get(checker->step, "mark"));
    const char *accepted = json_string_value(json_object_get(checker->step, "accept"));
    if (mark) {
        json_object_set_new(checker->marks, mark, json_true());
    }
    if (accepted) {
        json_object_set_new(checker->peers, accepted, json_true());
    }
    matcher_captures(checker->step, checker->names);
}

static bool plays_check(vector_case_t *c, const json_t *steps, text_t *error)
{
    static const char *const builtins[] = {"unique", "topic", "vsn", "transport", "options", "token", NULL};
    checker_t checker = {.names = json_object(), .peers = json_object(), .marks = json_object()};
    bool good = json_array_size(steps) > 0;
    if (!good) {
        text_printf(error, "%s: case %s: steps: a list with at least one step is needed here\n", c->file,
                    c->id);
    }
    for (const char *const *name = builtins; *name; name++) {
        json_object_set_new(checker.names, *name, json_true());
    }
    c->steps = mem_new(json_array_size(steps), sizeof *c->steps);
    for (size_t i = 0; i < json_array_size(steps); i++) {
        checker.step = json_array_get(steps, i);
        checker.deed = deed_of(checker.step);
        if (checker.deed == DEEDS) {
            text_puts(&checker.flaws, "a step has one verb, of:");
            for (int deed = 0; deed < DEEDS; deed++) {
                text_printf(&checker.flaws, " %s", rules[deed].name);
            }
            text_putc(&checker.flaws, '\n');
        } else {
            check_step(&checker);
        }
        span_t rest = text_span(&checker.flaws), line;
        while (span_next(&rest, '\n', &line)) {
            if (line.len > 0) {
                text_printf(error, "%s: case %s, step %zu%s%s: %.*s\n", c->file, c->id, i + 1,
                            checker.deed < DEEDS ? ", " : "",
                            checker.deed < DEEDS ? rules[checker.deed].name : "", (int)line.len, line.at);
                good = false;
            }
        }
        text_clear(&checker.flaws);
        c->steps[c->len++] = (vector_step_t){.json = checker.step};
    }
    text_free(&checker.flaws);
    json_decref(checker.names);
    json_decref(checker.peers);
    json_decref(checker.marks);
    return good;
}

static const char *verb(const json_t *step)
{
    return deed_name(deed_of(step));
}

static bool is_control(const json_t *step)
{
    deed_t deed = deed_of(step);
    return deed == DEED_ACCEPT || deed == DEED_REFUSE || deed == DEED_EVENT || deed == DEED_EXPECT ||
           deed == DEED_EXPECT_CLOSE;
}

const dialect_t client_dialect = {"client", plays_check, capability, play_words, verb, is_control};
