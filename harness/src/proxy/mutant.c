/* SPDX-License-Identifier: MIT */
#include "proxy/mutant.h"

#include "base/jvalue.h"
#include "base/memory.h"
#include "vectors/matcher.h"

#include <stdlib.h>
#include <string.h>

static const char *const mutant_keys[] = {"id",    "title",  "requirements", "proxy",
                                          "fault", "source", "note",         NULL};
static const char *const fault_keys[] = {"match", "after", "until",    "do",  "nth",
                                         "every", "note",  "from_nth", "per", NULL};
static const char *const match_keys[] = {"from", "transport", "vsn",  "message",    "frame",
                                         "http", "binary",    "code", "unreadable", NULL};
static const char *const http_keys[] = {"method", "path", "query", "headers", "status", "body", NULL};
static const char *const action_keys[] = {"drop",   "duplicate", "swap", "merge",  "delay_ms",  "set",
                                          "remove", "retype",    "text", "byte",   "truncate",  "also",
                                          "before", "opcode",    "rsv",  "masked", "fragments", "close",
                                          "cut",    "http",      NULL};

static bool flaw(text_t *error, const char *where, const jpath_t *path, const char *what)
{
    text_puts(error, where);
    jpath_write(error, path);
    text_printf(error, ": %s\n", what);
    return false;
}

static bool known_keys(const json_t *object, const char *const *keys, const char *where, const jpath_t *path,
                       text_t *error)
{
    bool good = true;
    const char *key;
    json_t *value;
    if (!json_is_object(object)) {
        return flaw(error, where, path, "an object is needed");
    }
    json_object_foreach((json_t *)object, key, value)
    {
        if (!word_listed(keys, key)) {
            jpath_t at = {.parent = path, .key = key};
            good = flaw(error, where, &at, "no such key; vectors/mutants/README.md names them");
        }
    }
    return good;
}

static bool check_pattern(const json_t *pattern, const char *where, const jpath_t *path, text_t *error)
{
    text_t said = {0};
    bool good = matcher_check(pattern, path, &said);
    span_t rest = text_span(&said), line;
    while (span_next(&rest, '\n', &line)) {
        if (line.len > 0) {
            text_printf(error, "%s%.*s\n", where, (int)line.len, line.at);
        }
    }
    text_free(&said);
    return good;
}

static bool check_match(const json_t *match, const char *where, const jpath_t *path, text_t *error)
{
    if (!known_keys(match, match_keys, where, path, error)) {
        return false;
    }
    bool good = true;
    const char *from = json_string_value(json_object_get(match, "from"));
    const json_t *message = json_object_get(match, "message"), *http = json_object_get(match, "http");
    if (!from || (strcmp(from, "client") != 0 && strcmp(from, "server") != 0)) {
        good = flaw(error, where, path, "\"from\" is \"client\" or \"server\"");
    }
    if (!message && !http && !json_object_get(match, "frame") && !json_object_get(match, "unreadable")) {
        good =
            flaw(error, where, path, "one of \"message\", \"frame\", \"unreadable\" and \"http\" is needed");
    }
    if (message && json_array_size(message) != 5) {
        good = flaw(error, where, path, "\"message\" has five fields");
    }
    if (message) {
        jpath_t at = {.parent = path, .key = "message"};
        good = check_pattern(message, where, &at, error) && good;
    }
    if (http) {
        jpath_t at = {.parent = path, .key = "http"};
        good = known_keys(http, http_keys, where, &at, error) && good;
        good = check_pattern(http, where, &at, error) && good;
    }
    return good;
}

static bool check_fault(const json_t *fault, const char *where, const jpath_t *path, text_t *error)
{
    if (!known_keys(fault, fault_keys, where, path, error)) {
        return false;
    }
    bool good = true;
    static const char *const matches[] = {"match", "after", "until"};
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
        const json_t *match = json_object_get(fault, matches[i]);
        jpath_t at = {.parent = path, .key = matches[i]};
        if (match || i == 0) {
            good = check_match(match, where, &at, error) && good;
        }
    }
    const json_t *actions = json_object_get(fault, "do");
    if (json_array_size(actions) == 0) {
        good = flaw(error, where, path, "\"do\" is a list of actions");
    }
    for (size_t i = 0; i < json_array_size(actions); i++) {
        jpath_t list = {.parent = path, .key = "do"}, at = {.parent = &list, .index = i};
        good = known_keys(json_array_get(actions, i), action_keys, where, &at, error) && good;
    }
    return good;
}

static bool add_mutant(mutants_t *mutants, const char *file, const json_t *json, text_t *error)
{
    mutant_t mutant = {.id = json_string_value(json_object_get(json, "id")),
                       .title = json_string_value(json_object_get(json, "title")),
                       .requirements = json_object_get(json, "requirements"),
                       .proxy = json_object_get(json, "proxy"),
                       .fault = json_string_value(json_object_get(json, "fault"))};
    text_t where = {0};
    text_printf(&where, "%s: mutant %s: ", file, mutant.id ? mutant.id : "without id");
    jpath_t root = {.key = "mutant"};
    bool good = known_keys(json, mutant_keys, text_str(&where), &root, error);
    if (!mutant.id || !mutant.title || json_array_size(mutant.requirements) == 0) {
        good = flaw(error, text_str(&where), &root, "id, title and requirements are needed");
    } else if (mutants_find(mutants, mutant.id)) {
        good = flaw(error, text_str(&where), &root, "there is another one of this id");
    }
    if (!mutant.fault == (json_array_size(mutant.proxy) == 0)) {
        good = flaw(error, text_str(&where), &root,
                    "either \"proxy\", a list of faults, or \"fault\", the name of one built in");
    }
    for (size_t i = 0; i < json_array_size(mutant.proxy); i++) {
        jpath_t list = {.parent = NULL, .key = "proxy"}, at = {.parent = &list, .index = i};
        good = check_fault(json_array_get(mutant.proxy, i), text_str(&where), &at, error) && good;
    }
    text_free(&where);
    if (good) {
        MEM_ROOM(mutants->at, mutants->len, mutants->cap);
        mutants->at[mutants->len++] = mutant;
    }
    return good;
}

static bool add_file(mutants_t *mutants, const char *path, text_t *error)
{
    json_t *file = jvalue_parse_file(path, error);
    const json_t *list = json_object_get(file, "mutants");
    bool good = file != NULL;
    if (file && !json_is_array(list)) {
        text_printf(error, "%s: an object with a list \"mutants\" is needed\n", path);
        good = false;
    }
    if (!mutants->files) {
        mutants->files = json_array();
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        good = add_mutant(mutants, path, json_array_get(list, i), error) && good;
    }
    if (file) {
        json_array_append_new(mutants->files, file);
    }
    return good;
}

bool mutants_load(mutants_t *mutants, const char *path, text_t *error)
{
    static const char *const suffixes[] = {".json", NULL};
    names_t found = {0};
    bool good = files_below(path, suffixes, &found, error);
    for (size_t i = 0; i < found.len; i++) {
        good = add_file(mutants, found.at[i], error) && good;
    }
    names_free(&found);
    return good;
}

void mutants_free(mutants_t *mutants)
{
    free(mutants->at);
    json_decref(mutants->files);
    *mutants = (mutants_t){0};
}

const mutant_t *mutants_find(const mutants_t *mutants, const char *id)
{
    for (size_t i = 0; i < mutants->len; i++) {
        if (strcmp(mutants->at[i].id, id) == 0) {
            return &mutants->at[i];
        }
    }
    return NULL;
}

json_t *mutants_choose_faults(const char *path, const char *id, text_t *error)
{
    mutants_t mutants = {0};
    json_t *faults = NULL;
    if (mutants_load(&mutants, path, error)) {
        const mutant_t *mutant = id ? mutants_find(&mutants, id) : mutants.len == 1 ? &mutants.at[0] : NULL;
        if (id && strcmp(id, "none") == 0) {
            faults = json_array();
        } else if (!mutant && id) {
            text_printf(error, "%s: no mutant \"%s\"\n", path, id);
        } else if (!mutant) {
            text_printf(error, "%s: has %zu mutants; --mutant says which\n", path, mutants.len);
        } else if (!mutant->proxy) {
            text_printf(
                error,
                "%s: mutant %s is made by a target that has the fault \"%s\" built in, not by the proxy\n",
                path, mutant->id, mutant->fault);
        } else {
            faults = json_incref(mutant->proxy);
        }
    }
    mutants_free(&mutants);
    return faults;
}
