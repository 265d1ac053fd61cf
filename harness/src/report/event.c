/* SPDX-License-Identifier: MIT */
#include "report/event.h"

#include "base/member.h"

#include <string.h>

/* What a member may hold. */
typedef enum shape {
    STRING,
    WORD,   /* plain letters, that a view may print as they are */
    TIME,   /* "2026-11-25T09:43:01Z" */
    COUNT,  /* a whole number from 0 */
    NUMBER, /* from 0 */
    BOOLEAN,
    STRINGS,
    COUNTS,       /* an object of counts */
    REQUIREMENTS, /* an object of requirements by id */
    SOURCES,
    EXPECTATION,
    TRANSCRIPT,
} shape_t;

typedef struct member {
    const char *name;
    shape_t shape;
    bool needed;
} member_t;

enum { MEMBERS_MAX = 32 };

#define OF_A_VARIANT                                                                                         \
    {"event", STRING, true}, {"variant", WORD, true}, {"case", WORD, true}, {"group", WORD, true},           \
        {"title", STRING, true}, {"level", WORD, true}, {"transport", WORD, true}, {"vsn", WORD, true},      \
        {"requirements", STRINGS, true},                                                                     \
    {                                                                                                        \
        "source", SOURCES, false                                                                             \
    }

static const struct {
    const char *name;
    member_t members[MEMBERS_MAX];
} kinds[] = {
    {"run",
     {{"event", STRING, true},
      {"report", COUNT, true},
      {"phxspec", STRING, true},
      {"command", STRING, true},
      {"rerun", STRING, true},
      {"target", STRING, true},
      {"profile", STRING, true},
      {"phoenix", STRING, false},
      {"started_at", TIME, true},
      {"planned", COUNT, true}}},
    {"requirements", {{"event", STRING, true}, {"requirements", REQUIREMENTS, true}}},
    {"planned", {OF_A_VARIANT}},
    {"started", {{"event", STRING, true}, {"variant", WORD, true}}},
    {"verdict",
     {OF_A_VARIANT,
      {"verdict", WORD, true},
      {"ms", NUMBER, true},
      {"tolerated", BOOLEAN, false},
      {"step", COUNT, false},
      {"steps", COUNT, true},
      {"verb", STRING, false},
      {"step_text", STRING, false},
      {"reason", STRING, false},
      {"expected", STRING, false},
      {"got", STRING, false},
      {"diff", STRING, false},
      {"lacking", STRING, false},
      {"closing", STRING, false},
      {"expectation", EXPECTATION, false},
      {"transcript", TRANSCRIPT, false},
      {"earlier", COUNT, false}}},
    {"summary",
     {{"event", STRING, true},
      {"planned", COUNT, true},
      {"counts", COUNTS, true},
      {"tolerated", COUNT, true},
      {"unclean_closings", COUNT, true},
      {"complete", BOOLEAN, true},
      {"exit", COUNT, true},
      {"ms", NUMBER, true}}},
};

static const member_t of_requirement[MEMBERS_MAX] = {
    {"level", WORD, true}, {"role", STRING, true}, {"text", STRING, true}};
static const member_t of_source[MEMBERS_MAX] = {{"recording", STRING, false},
                                                {"bug", STRING, false},
                                                {"phoenix", STRING, false},
                                                {"url", STRING, false},
                                                {"note", STRING, false}};
static const member_t of_expectation[MEMBERS_MAX] = {
    {"pattern", STRING, false}, {"reason", STRING, true}, {"link", STRING, false}};
static const member_t of_entry[MEMBERS_MAX] = {{"ms", NUMBER, true},
                                               {"client", STRING, true},
                                               {"direction", WORD, true},
                                               {"text", STRING, true},
                                               {"step", STRING, false}};

static bool members_fit(const json_t *object, const member_t *members, const char *where, text_t *error);

/* Names that a view may print as they are. */
static bool is_plain(const char *name)
{
    return *name != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_- ."
                                         "/") == strlen(name);
}

static bool is_time(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    if (strlen(text) != sizeof form - 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof form - 1; i++) {
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) {
            return false;
        }
    }
    return true;
}

static bool list_fits(const json_t *list, const member_t *members, const char *where, text_t *error)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (members ? !members_fit(item, members, where, error) : !json_is_string(item)) {
            return false;
        }
    }
    return json_is_array(list);
}

static bool map_fits(const json_t *map, const member_t *members, const char *where, text_t *error)
{
    const char *name;
    json_t *item;
    json_object_foreach((json_t *)map, name, item)
    {
        if (!is_plain(name) || (members ? !members_fit(item, members, where, error)
                                        : !json_is_integer(item) || json_integer_value(item) < 0)) {
            return false;
        }
    }
    return json_is_object(map);
}

static bool shape_fits(const json_t *value, shape_t shape, const char *name, text_t *error)
{
    switch (shape) {
    case STRING:
        return json_is_string(value);
    case WORD:
        return json_is_string(value) && is_plain(json_string_value(value));
    case TIME:
        return json_is_string(value) && is_time(json_string_value(value));
    case COUNT:
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case NUMBER:
        return json_is_number(value) && json_number_value(value) >= 0;
    case BOOLEAN:
        return json_is_boolean(value);
    case STRINGS:
        return list_fits(value, NULL, name, error);
    case COUNTS:
        return map_fits(value, NULL, name, error);
    case REQUIREMENTS:
        return map_fits(value, of_requirement, name, error);
    case SOURCES:
        return list_fits(value, of_source, name, error);
    case EXPECTATION:
        return members_fit(value, of_expectation, name, error);
    case TRANSCRIPT:
        return list_fits(value, of_entry, name, error);
    }
    return false;
}

static const member_t *member_of(const member_t *members, const char *name)
{
    for (; members->name; members++) {
        if (strcmp(members->name, name) == 0) {
            return members;
        }
    }
    return NULL;
}

static bool members_fit(const json_t *object, const member_t *members, const char *where, text_t *error)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object)) {
        return false;
    }
    for (const member_t *member = members; member->name; member++) {
        if (member->needed && !json_object_get(object, member->name)) {
            text_printf(error, "%s: \"%s\" is missing", where, member->name);
            return false;
        }
    }
    json_object_foreach((json_t *)object, name, value)
    {
        const member_t *member = member_of(members, name);
        if (!member) {
            text_printf(error, "%s: no such member: \"", where);
            text_show(error, span_of(name), 60);
            text_putc(error, '"');
            return false;
        }
        size_t before = error->len;
        if (!shape_fits(value, member->shape, name, error)) {
            if (error->len == before) {
                text_printf(error, "%s: \"%s\" is not what it should be", where, name);
            }
            return false;
        }
    }
    return true;
}

bool event_check(const json_t *event, text_t *error)
{
    const char *name = json_string_value(json_object_get(event, "event"));
    for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return members_fit(event, kinds[i].members, name, error);
        }
    }
    text_puts(error, "not an event of a report");
    return false;
}

const char *event_string(const json_t *event, const char *member)
{
    return string_member(event, member, "");
}

double event_number(const json_t *event, const char *member)
{
    return json_number_value(json_object_get(event, member));
}

bool event_is(const json_t *event, const char *kind)
{
    return strcmp(event_string(event, "event"), kind) == 0;
}

const look_t *look_of(const char *verdict)
{
    static const look_t looks[] = {
        {"pass", TONE_GOOD, "32", "✓"},
        {"fail", TONE_BAD, "31;1", "✗"},
        {"expected failure", TONE_KNOWN, "36", "≈"},
        {"unexpected pass", TONE_BAD, "31;1", "!"},
        {"not applicable", TONE_MUTED, "2", "–"},
        {"not run", TONE_OPEN, "33", "○"},
        {"harness error", TONE_OPEN, "35;1", "‼"},
    };
    static const look_t unknown = {"?", TONE_BAD, "31;1", "?"};
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        if (strcmp(looks[i].name, verdict) == 0) {
            return &looks[i];
        }
    }
    return &unknown;
}

tone_t event_tone(const json_t *verdict)
{
    tone_t tone = look_of(event_string(verdict, "verdict"))->tone;
    return tone == TONE_BAD && json_is_true(json_object_get(verdict, "tolerated")) ? TONE_KNOWN : tone;
}

const char *tone_name(tone_t tone)
{
    static const char *const names[TONES] = {"good", "bad", "open", "known", "muted"};
    return names[tone];
}
