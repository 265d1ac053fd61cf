/* SPDX-License-Identifier: MIT */
#include "vectors/matcher.h"

#include "vectors/view.h"

#include <math.h>
#include <string.h>

static bool match(const json_t *expected, const json_t *actual, const match_context_t *context,
                  const jpath_t *path, text_t *why);

bool matcher_is(const json_t *value)
{
    void *first = json_object_iter((json_t *)value);
    const char *key = first ? json_object_iter_key(first) : "";
    return key[0] == '$' && strcmp(key, "$base64") != 0;
}

/* One line "where: expected …, got …"; false, for the caller to return. */
static bool differs(const jpath_t *path, text_t *why, const char *expected, const json_t *expected_value,
                    const json_t *actual)
{
    if (why) {
        jpath_write(why, path);
        text_printf(why, ": expected %s", expected);
        if (expected_value) {
            jvalue_write(why, expected_value);
        }
        text_puts(why, actual ? ", got " : ", got nothing");
        if (actual) {
            jvalue_write(why, actual);
        }
    }
    return false;
}

static bool match_object(const json_t *expected, const json_t *actual, bool partial,
                         const match_context_t *context, const jpath_t *path, text_t *why)
{
    if (!json_is_object(actual)) {
        return differs(path, why, "the object ", expected, actual);
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)expected, key, value)
    {
        jpath_t inner = {path, key, 0};
        if (!match(value, json_object_get(actual, key), context, &inner, why)) {
            return false;
        }
    }
    if (!partial) {
        json_object_foreach((json_t *)actual, key, value)
        {
            jpath_t inner = {path, key, 0};
            if (!json_object_get(expected, key)) {
                return differs(&inner, why, "no such member", NULL, value);
            }
        }
    }
    return true;
}

static bool match_array(const json_t *expected, const json_t *actual, const match_context_t *context,
                        const jpath_t *path, text_t *why)
{
    if (!json_is_array(actual)) {
        return differs(path, why, "the list ", expected, actual);
    }
    if (json_array_size(actual) != json_array_size(expected)) {
        text_t what = {0};
        text_printf(&what, "%zu elements, ", json_array_size(expected));
        differs(path, why, text_str(&what), expected, actual);
        text_free(&what);
        return false;
    }
    for (size_t i = 0; i < json_array_size(expected); i++) {
        jpath_t inner = {path, NULL, i};
        if (!match(json_array_get(expected, i), json_array_get(actual, i), context, &inner, why)) {
            return false;
        }
    }
    return true;
}

static bool match_one_of(const json_t *choices, const json_t *actual, const match_context_t *context,
                         const jpath_t *path, text_t *why)
{
    for (size_t i = 0; i < json_array_size(choices); i++) {
        if (match(json_array_get(choices, i), actual, context, path, NULL)) {
            return true;
        }
    }
    return differs(path, why, "one of ", choices, actual);
}

static bool match_number(const json_t *wanted, const json_t *actual, const jpath_t *path, text_t *why)
{
    double near = json_number_value(json_object_get(wanted, "near"));
    double within = json_number_value(json_object_get(wanted, "within"));
    if (json_is_number(actual) && fabs(json_number_value(actual) - near) <= within) {
        return true;
    }
    return differs(path, why, "a number ", wanted, actual);
}

static bool match_list(const json_t *wanted, const json_t *actual, const match_context_t *context,
                       const jpath_t *path, text_t *why)
{
    size_t length = (size_t)json_integer_value(json_object_get(wanted, "length"));
    if (!json_is_array(actual) || json_array_size(actual) != length) {
        text_t what = {0};
        text_printf(&what, "a list of %zu", length);
        differs(path, why, text_str(&what), NULL, actual);
        text_free(&what);
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        jpath_t inner = {path, NULL, i};
        if (!match(json_object_get(wanted, "each"), json_array_get(actual, i), context, &inner, why)) {
            return false;
        }
    }
    return true;
}

static bool match_message(const json_t *five, const json_t *actual, const match_context_t *context,
                          const jpath_t *path, text_t *why)
{
    if (!json_is_string(actual)) {
        return differs(path, why, "a string with the encoded message ", five, actual);
    }
    message_t message;
    text_t problem = {0};
    span_t text = {json_string_value(actual), json_string_length(actual)};
    bool good = message_decode(&message, context->vsn, FROM_SERVER, false, text, &problem);
    if (good) {
        good = view_match(five, &message, context, &problem);
        message_free(&message);
    }
    if (!good && why) {
        jpath_write(why, path);
        text_printf(why, ": %s", text_str(&problem));
    }
    text_free(&problem);
    return good;
}

static bool match_named(const char *key, const json_t *argument, const json_t *actual,
                        const match_context_t *context, const jpath_t *path, text_t *why)
{
    if (strcmp(key, "$absent") == 0) {
        return !actual || differs(path, why, "nothing here", NULL, actual);
    }
    if (!actual) {
        return differs(path, why, "something here", NULL, actual);
    }
    if (strcmp(key, "$any") == 0) {
        return true;
    }
    if (strcmp(key, "$capture") == 0) {
        json_object_set(context->names, json_string_value(argument), (json_t *)actual);
        return true;
    }
    if (strcmp(key, "$type") == 0) {
        return strcmp(jvalue_type(actual), json_string_value(argument)) == 0 ||
               differs(path, why, "the type ", argument, actual);
    }
    if (strcmp(key, "$equals") == 0) {
        json_t *known = json_object_get(context->names, json_string_value(argument));
        return jvalue_equal(known, actual) || differs(path, why, "", known, actual);
    }
    if (strcmp(key, "$one_of") == 0) {
        return match_one_of(argument, actual, context, path, why);
    }
    if (strcmp(key, "$not") == 0) {
        return !match(argument, actual, context, path, NULL) ||
               differs(path, why, "anything but ", argument, actual);
    }
    if (strcmp(key, "$partial") == 0) {
        return match_object(argument, actual, true, context, path, why);
    }
    if (strcmp(key, "$number") == 0) {
        return match_number(argument, actual, path, why);
    }
    if (strcmp(key, "$list") == 0) {
        return match_list(argument, actual, context, path, why);
    }
    return match_message(argument, actual, context, path, why); /* matcher_check lets nothing else through */
}

static bool match(const json_t *expected, const json_t *actual, const match_context_t *context,
                  const jpath_t *path, text_t *why)
{
    if (matcher_is(expected)) {
        const char *key;
        json_t *argument;
        json_object_foreach((json_t *)expected, key, argument)
        {
            if (!match_named(key, argument, actual, context, path, why)) {
                return false;
            }
        }
        return true;
    }
    if (json_is_object(expected)) {
        return match_object(expected, actual, false, context, path, why);
    }
    if (json_is_array(expected)) {
        return match_array(expected, actual, context, path, why);
    }
    return jvalue_equal(expected, actual) || differs(path, why, "", expected, actual);
}

bool matcher_match(const json_t *expected, const json_t *actual, const match_context_t *context,
                   const char *where, text_t *why)
{
    match_context_t trial = *context;
    trial.names = json_copy(context->names);
    jpath_t root = {NULL, where, 0};
    bool good = match(expected, actual, &trial, &root, why);
    if (good) {
        json_object_update(context->names, trial.names);
    }
    json_decref(trial.names);
    return good;
}

json_t *matcher_explain(const json_t *expected, const json_t *actual, const match_context_t *context)
{
    if (matcher_match(expected, actual, context, "", NULL)) {
        return json_incref((json_t *)actual);
    }
    const json_t *partial = json_object_get(expected, "$partial");
    const json_t *members = partial ? partial : expected;
    if (json_is_object(members) && json_is_object(actual) && (partial || !matcher_is(expected))) {
        json_t *explained = partial ? json_copy((json_t *)actual) : json_object();
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)members, key, value)
        {
            json_object_set_new(explained, key,
                                matcher_explain(value, json_object_get(actual, key), context));
        }
        return explained;
    }
    if (json_is_array(expected) && json_is_array(actual)) {
        json_t *explained = json_array();
        for (size_t i = 0; i < json_array_size(expected); i++) {
            json_array_append_new(
                explained, matcher_explain(json_array_get(expected, i), json_array_get(actual, i), context));
        }
        return explained;
    }
    return json_incref((json_t *)expected);
}

static bool complain(const jpath_t *path, text_t *error, const char *what)
{
    jpath_write(error, path);
    text_printf(error, ": %s\n", what);
    return false;
}

static bool check_named(const char *key, const json_t *argument, const jpath_t *path, text_t *error)
{
    static const char *const types[] = {"null", "boolean", "number", "string", "array", "object"};

    if (strcmp(key, "$any") == 0 || strcmp(key, "$absent") == 0) {
        return json_is_true(argument) || complain(path, error, "the only value is true");
    }
    if (strcmp(key, "$capture") == 0 || strcmp(key, "$equals") == 0) {
        return json_is_string(argument) || complain(path, error, "a name is needed here");
    }
    if (strcmp(key, "$type") == 0) {
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            if (json_is_string(argument) && strcmp(json_string_value(argument), types[i]) == 0) {
                return true;
            }
        }
        return complain(path, error, "the types are null, boolean, number, string, array and object");
    }
    if (strcmp(key, "$one_of") == 0) {
        return json_array_size(argument) > 0 ? matcher_check(argument, path, error)
                                             : complain(path, error, "a list of expectations is needed here");
    }
    if (strcmp(key, "$not") == 0) {
        return matcher_check(argument, path, error);
    }
    if (strcmp(key, "$partial") == 0) {
        return json_is_object(argument) && !matcher_is(argument)
                   ? matcher_check(argument, path, error)
                   : complain(path, error, "an object with the members to look at is needed here");
    }
    if (strcmp(key, "$number") == 0) {
        return (json_is_number(json_object_get(argument, "near")) &&
                json_is_number(json_object_get(argument, "within")) && json_object_size(argument) == 2) ||
               complain(path, error, "write {\"near\": N, \"within\": D}");
    }
    if (strcmp(key, "$list") == 0) {
        return json_is_integer(json_object_get(argument, "length")) && json_object_size(argument) == 2 &&
                       json_object_get(argument, "each")
                   ? matcher_check(json_object_get(argument, "each"), path, error)
                   : complain(path, error, "write {\"length\": N, \"each\": EXPECTATION}");
    }
    if (strcmp(key, "$message") == 0) {
        return json_array_size(argument) == 5 ? matcher_check(argument, path, error)
                                              : complain(path, error, "a message has five fields");
    }
    if (strcmp(key, "$repeat") == 0 || strcmp(key, "$ms") == 0) {
        return true; /* generated, no matcher: template.h checks it */
    }
    return complain(path, error, "no such matcher; vectors/README.md lists them");
}

bool matcher_check(const json_t *expected, const jpath_t *path, text_t *error)
{
    bool good = true;
    if (json_is_array(expected)) {
        for (size_t i = 0; i < json_array_size(expected); i++) {
            jpath_t inner = {path, NULL, i};
            good = matcher_check(json_array_get(expected, i), &inner, error) && good;
        }
        return good;
    }
    bool named = matcher_is(expected);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)expected, key, value)
    {
        jpath_t inner = {path, key, 0};
        if (!named) {
            good = matcher_check(value, &inner, error) && good;
        } else if (key[0] != '$') {
            good = complain(&inner, error, "a matcher has no member without \"$\"");
        } else {
            good = check_named(key, value, &inner, error) && good;
        }
    }
    return good;
}

void matcher_captures(const json_t *expected, json_t *names)
{
    if (json_is_array(expected)) {
        for (size_t i = 0; i < json_array_size(expected); i++) {
            matcher_captures(json_array_get(expected, i), names);
        }
        return;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)expected, key, value)
    {
        if (strcmp(key, "$capture") == 0 && json_is_string(value)) {
            json_object_set_new(names, json_string_value(value), json_true());
        } else {
            matcher_captures(value, names);
        }
    }
}

bool matcher_equals_known(const json_t *expected, const json_t *names, const jpath_t *path, text_t *error)
{
    bool good = true;
    for (size_t i = 0; i < json_array_size(expected); i++) {
        jpath_t inner = {path, NULL, i};
        good = matcher_equals_known(json_array_get(expected, i), names, &inner, error) && good;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)expected, key, value)
    {
        jpath_t inner = {path, key, 0};
        if (strcmp(key, "$equals") == 0 && json_is_string(value)) {
            const char *name = json_string_value(value);
            if (!json_object_get(names, name)) {
                jpath_write(error, &inner);
                text_printf(error, ": no earlier step captures \"%s\"\n", name);
                good = false;
            }
        } else {
            good = matcher_equals_known(value, names, &inner, error) && good;
        }
    }
    return good;
}
