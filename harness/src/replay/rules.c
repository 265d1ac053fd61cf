/* SPDX-License-Identifier: MIT */
#include "replay/rules.h"

#include "base/memory.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct rules {
    json_t *list; /* of RULEs */
};

static bool check_keys(json_t *object, const char *const *allowed, const char *what, text_t *error)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const char *const *each = allowed;
        while (*each != NULL && strcmp(*each, key) != 0) {
            each++;
        }
        if (*each == NULL) {
            text_printf(error, "%s: there is no key \"%s\"", what, key);
            return false;
        }
    }
    return true;
}

static bool check_patterns(json_t *patterns, const char *scenario, text_t *error)
{
    static const char *const allowed[] = {"conn", "join_ref", "ref", "topic", "event", "payload", NULL};
    json_t *pattern;
    size_t i;
    json_array_foreach(patterns, i, pattern)
    {
        if (!json_is_object(pattern) || json_object_size(pattern) == 0) {
            text_printf(error, "%s: a pattern must be an object that names something", scenario);
            return false;
        }
        if (!check_keys(pattern, allowed, scenario, error)) {
            return false;
        }
    }
    return true;
}

static bool check_rule(json_t *rule, text_t *error)
{
    static const char *const allowed[] = {"scenario", "why",         "free",  "optional",
                                          "ends",     "empty_polls", "posts", NULL};
    const char *scenario = json_string_value(json_object_get(rule, "scenario"));
    if (scenario == NULL || !json_is_string(json_object_get(rule, "why"))) {
        text_puts(error, "every rule needs the strings \"scenario\" and \"why\"");
        return false;
    }
    return check_keys(rule, allowed, scenario, error) &&
           check_patterns(json_object_get(rule, "free"), scenario, error) &&
           check_patterns(json_object_get(rule, "optional"), scenario, error);
}

rules_t *rules_none(void)
{
    rules_t *rules = mem_new(1, sizeof *rules);
    rules->list = json_array();
    return rules;
}

rules_t *rules_load(const char *path, text_t *error)
{
    json_t *file = jvalue_parse_file(path, error), *rule;
    json_t *list = json_object_get(file, "rules");
    text_t why = {0};
    size_t i;
    bool ok = json_is_array(list);
    if (file != NULL && !ok) {
        text_puts(&why, "there is no list \"rules\"");
    }
    json_array_foreach(list, i, rule)
    {
        ok = ok && check_rule(rule, &why);
    }
    rules_t *rules = NULL;
    if (ok) {
        rules = mem_new(1, sizeof *rules);
        rules->list = json_incref(list);
    } else if (why.len > 0) {
        text_printf(error, "%s: %s", path, why.at);
    }
    text_free(&why);
    json_decref(file);
    return rules;
}

void rules_free(rules_t *rules)
{
    if (rules != NULL) {
        json_decref(rules->list);
        free(rules);
    }
}

/* The next rule at or behind *index that is for this scenario; NULL at the end. */
static const json_t *next_rule(const rules_t *rules, const char *scenario, size_t *index)
{
    while (*index < json_array_size(rules->list)) {
        const json_t *rule = json_array_get(rules->list, (*index)++);
        if (fnmatch(json_string_value(json_object_get(rule, "scenario")), scenario, 0) == 0) {
            return rule;
        }
    }
    return NULL;
}

static bool field_fits(const json_t *pattern, const char *key, const json_t *value)
{
    const json_t *wanted = json_object_get(pattern, key);
    return wanted == NULL || jvalue_equal(wanted, value);
}

static bool payload_fits(const json_t *pattern, const json_t *payload)
{
    const char *key;
    json_t *wanted, *keys = json_object_get(pattern, "payload");
    json_object_foreach(keys, key, wanted)
    {
        if (!jvalue_equal(wanted, json_object_get(payload, key))) {
            return false;
        }
    }
    return true;
}

static bool fits(const json_t *pattern, const char *conn, const message_t *message)
{
    const char *wanted_conn = json_string_value(json_object_get(pattern, "conn"));
    return (wanted_conn == NULL || strcmp(wanted_conn, conn) == 0) &&
           field_fits(pattern, "join_ref", message->join_ref) && field_fits(pattern, "ref", message->ref) &&
           field_fits(pattern, "topic", message->topic) && field_fits(pattern, "event", message->event) &&
           payload_fits(pattern, message->payload);
}

static bool listed(const rules_t *rules, const char *key, const char *scenario, const char *conn,
                   const message_t *message)
{
    const json_t *rule;
    for (size_t index = 0; (rule = next_rule(rules, scenario, &index)) != NULL;) {
        const json_t *patterns = json_object_get(rule, key);
        for (size_t i = 0; i < json_array_size(patterns); i++) {
            if (fits(json_array_get(patterns, i), conn, message)) {
                return true;
            }
        }
    }
    return false;
}

bool rules_free_order(const rules_t *rules, const char *scenario, const char *conn, const message_t *message)
{
    return listed(rules, "free", scenario, conn, message);
}

bool rules_optional(const rules_t *rules, const char *scenario, const char *conn, const message_t *message)
{
    return listed(rules, "optional", scenario, conn, message);
}

bool rules_empty_polls_free(const rules_t *rules, const char *scenario)
{
    const json_t *rule;
    for (size_t index = 0; (rule = next_rule(rules, scenario, &index)) != NULL;) {
        if (json_object_get(rule, "empty_polls") != NULL) {
            return true;
        }
    }
    return false;
}

bool rules_end(const rules_t *rules, const char *scenario, const char *conn, unsigned code,
               bool *code_allowed)
{
    const json_t *rule;
    bool found = false;
    *code_allowed = false;
    for (size_t index = 0; (rule = next_rule(rules, scenario, &index)) != NULL;) {
        const json_t *ends = json_object_get(rule, "ends");
        for (size_t i = 0; i < json_array_size(ends); i++) {
            const json_t *end = json_array_get(ends, i), *codes = json_object_get(end, "codes");
            const char *name = json_string_value(json_object_get(end, "conn"));
            if (name == NULL || strcmp(name, conn) != 0) {
                continue;
            }
            found = true;
            for (size_t j = 0; j < json_array_size(codes); j++) {
                *code_allowed =
                    *code_allowed || json_integer_value(json_array_get(codes, j)) == (json_int_t)code;
            }
        }
    }
    return found;
}

bool rules_posts(const rules_t *rules, const char *scenario, int *until, double *first_window,
                 double *last_window)
{
    const json_t *rule;
    for (size_t index = 0; (rule = next_rule(rules, scenario, &index)) != NULL;) {
        const json_t *posts = json_object_get(rule, "posts"), *windows = json_object_get(posts, "windows");
        if (posts != NULL) {
            *until = (int)json_integer_value(json_object_get(posts, "until"));
            *first_window = json_number_value(json_array_get(windows, 0));
            *last_window = json_number_value(json_array_get(windows, 1));
            return true;
        }
    }
    return false;
}
