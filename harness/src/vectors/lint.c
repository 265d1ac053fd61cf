/* SPDX-License-Identifier: MIT */
#include "vectors/lint.h"

#include "vectors/matcher.h"

#include <string.h>

typedef struct linter {
    const vector_case_t *c;
    text_t *out;
    size_t flaws;
} linter_t;

static void flaw_of_case(linter_t *linter, const char *what)
{
    text_printf(linter->out, "%s: case %s: %s\n", linter->c->file, linter->c->id, what);
    linter->flaws++;
}

static const char *step_name(const vector_case_t *c, size_t index)
{
    return c->dialect ? c->dialect->verb(c->steps[index].json) : verb_name(c->steps[index].verb);
}

static void flaw_of_step(linter_t *linter, size_t index, const char *format, const char *name)
{
    text_t what = {0};
    const char *hole = strstr(format, "%s");
    text_printf(&what, "%.*s%s%s", (int)(hole ? hole - format : (long)strlen(format)), format,
                hole ? name : "", hole ? hole + 2 : "");
    text_printf(linter->out, "%s: case %s, step %zu (%s): %s\n", linter->c->file, linter->c->id, index + 1,
                step_name(linter->c, index), text_str(&what));
    text_free(&what);
    linter->flaws++;
}

/* A status of success, or a list with one. */
static bool is_success(const json_t *status)
{
    for (size_t i = 0; i < json_array_size(status); i++) {
        if (is_success(json_array_get(status, i))) {
            return true;
        }
    }
    return !status || (json_is_integer(status) && json_integer_value(status) < 400);
}

/* Whether a server that does nothing right cannot get over this step. */
static bool is_control(const vector_step_t *step)
{
    const json_t *expect = json_object_get(step->json, "expect");
    switch (step->verb) {
    case VERB_EXPECT:
    case VERB_UNORDERED:
    case VERB_BARRIER:
    case VERB_EXPECT_FRAME:
        return true;
    case VERB_CONNECT:
        return !json_object_get(step->json, "refused");
    case VERB_HTTP:
    case VERB_RESPONSE:
        return expect && is_success(json_object_get(expect, "status"));
    default:
        return false;
    }
}

static bool sends(verb_t verb)
{
    return verb == VERB_SEND || verb == VERB_PIPELINE || verb == VERB_SEND_TEXT || verb == VERB_SEND_BINARY ||
           verb == VERB_SEND_FRAMES;
}

/* Whether one of the steps behind `from`, or that one itself, says this. */
static bool is_said(const vector_case_t *c, size_t from, const char *words)
{
    bool said = false;
    for (size_t i = from; i < c->len && !said; i++) {
        text_t json = {0};
        jvalue_write(&json, c->steps[i].json);
        said = strstr(text_str(&json), words) != NULL;
        text_free(&json);
    }
    return said;
}

static void check_captures(linter_t *linter, size_t index)
{
    json_t *names = json_object();
    const char *name;
    json_t *value;
    matcher_captures(linter->c->steps[index].json, names);
    json_object_foreach(names, name, value)
    {
        text_t hole = {0}, equals = {0};
        text_printf(&hole, "${%s}", name);
        text_printf(&equals, "\"$equals\":\"%s\"", name);
        if (!is_said(linter->c, index, text_str(&hole)) && !is_said(linter->c, index, text_str(&equals))) {
            flaw_of_step(linter, index,
                         "nobody reads \"%s\" once it is captured; use it, or leave $capture out", name);
        }
        text_free(&hole);
        text_free(&equals);
    }
    json_decref(names);
}

static void check_exchange(linter_t *linter, size_t index)
{
    const char *as = json_string_value(json_object_get(linter->c->steps[index].json, "as"));
    for (size_t i = index + 1; as && i < linter->c->len; i++) {
        const vector_step_t *step = &linter->c->steps[i];
        bool reads = step->verb == VERB_RESPONSE || step->verb == VERB_DROP;
        const char *name = json_string_value(json_object_get(step->json, verb_name(step->verb)));
        if (reads && name && strcmp(name, as) == 0) {
            as = NULL;
        }
    }
    if (as) {
        flaw_of_step(linter, index, "nobody reads the answer \"%s\"; add a response or drop it", as);
    }
}

static void check_level(linter_t *linter, const json_t *requirements)
{
    level_t strongest = LEVEL_MAY;
    for (size_t i = 0; i < json_array_size(linter->c->requirements); i++) {
        const char *id = json_string_value(json_array_get(linter->c->requirements, i));
        const char *word = json_string_value(json_object_get(json_object_get(requirements, id), "level"));
        level_t level;
        if (word && level_parse(word, &level) && level < strongest) {
            strongest = level;
        }
    }
    if (linter->c->level < strongest) {
        text_t what = {0};
        text_printf(
            &what,
            "level: %s, and none of its requirements is stronger than %s; weaken the one or cite another",
            level_name(linter->c->level), level_name(strongest));
        flaw_of_case(linter, text_str(&what));
        text_free(&what);
    }
}

size_t lint_case(const vector_case_t *c, const json_t *requirements, text_t *out)
{
    linter_t linter = {c, out, 0};
    bool control = false;
    for (size_t i = 0; i < c->len; i++) {
        control =
            control || (c->dialect ? c->dialect->is_control(c->steps[i].json) : is_control(&c->steps[i]));
        check_captures(&linter, i);
        check_exchange(&linter, i);
        if (strcmp(step_name(c, i), "allow") == 0 && !json_object_get(c->steps[i].json, "note")) {
            flaw_of_step(&linter, i, "what is allowed needs a reason (\"note\")", NULL);
        }
    }
    if (!control) {
        flaw_of_case(&linter,
                     c->dialect
                         ? "steps: no positive control: a client that does nothing passes; add something it "
                           "must do"
                         : "steps: no positive control: a server that refuses or ignores everything "
                           "passes; add something it must do, such as a barrier");
    }
    if (!c->dialect && c->len > 0 && sends(c->steps[c->len - 1].verb)) {
        flaw_of_step(&linter, c->len - 1, "nothing judges what this does; end with a barrier", NULL);
    }
    check_level(&linter, requirements);
    return linter.flaws;
}
