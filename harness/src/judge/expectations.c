/* SPDX-License-Identifier: MIT */
#include "judge/expectations.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first member that is not known; NULL: there is none. */
static const char *unknown_member(const json_t *object, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (!word_listed(known, key)) {
            return key;
        }
    }
    return NULL;
}

static const char *text_member(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text && *text ? text : NULL;
}

/* What is wrong with an entry, in `why`. */
static bool read_entry(const json_t *json, expectation_t *entry, text_t *why)
{
    static const char *const known[] = {"case", "recording", "verdict", "reason", "link", NULL};
    static const char *const of_cases[] = {"fail", "not applicable", NULL};
    static const char *const of_recordings[] = {"disagree", NULL};
    const char *named = text_member(json, "case"), *recording = text_member(json, "recording");
    const char *unknown = unknown_member(json, known);
    *entry = (expectation_t){.pattern = named ? named : recording,
                             .verdict = text_member(json, "verdict"),
                             .reason = text_member(json, "reason"),
                             .link = text_member(json, "link"),
                             .of_recording = recording != NULL,
                             .json = json};
    if (unknown) {
        text_printf(why, "\"%s\" is not known; known are case, recording, verdict, reason and link", unknown);
    } else if ((named == NULL) == (recording == NULL)) {
        text_puts(why, "it needs one of \"case\" and \"recording\", a name or a glob");
    } else if (!entry->reason) {
        text_puts(why, "it needs a \"reason\"");
    } else if (!entry->verdict || !word_listed(recording ? of_recordings : of_cases, entry->verdict)) {
        text_printf(why, "verdict: %s is what may be expected; errors of the harness never are",
                    recording ? "\"disagree\"" : "\"fail\" or \"not applicable\"");
    } else if (json_object_get(json, "link") && !entry->link) {
        text_puts(why, "link: it must be a text");
    }
    return why->len == 0;
}

static bool read_entries(expectations_t *expectations, const json_t *list, text_t *error)
{
    bool good = true;
    expectations->len = json_array_size(list);
    expectations->at = mem_new(expectations->len, sizeof *expectations->at);
    for (size_t i = 0; i < expectations->len; i++) {
        expectation_t *entry = &expectations->at[i];
        text_t why = {0};
        if (!read_entry(json_array_get(list, i), entry, &why)) {
            text_printf(error, "%s: entry %zu%s%s: %s\n", expectations->path, i + 1,
                        entry->pattern ? ", " : "", entry->pattern ? entry->pattern : "", text_str(&why));
            good = false;
        }
        text_free(&why);
    }
    return good;
}

bool expectations_load(const char *path, expectations_t *expectations, text_t *error)
{
    static const char *const known[] = {"$schema", "expectations", "about", "expected", NULL};
    json_t *document = jvalue_parse_file(path, error);
    expectations->path = mem_string(path);
    expectations->document = document;
    if (!document) {
        text_putc(error, '\n');
        return false;
    }
    const char *unknown = unknown_member(document, known);
    if (json_integer_value(json_object_get(document, "expectations")) != 1) {
        text_printf(error, "%s: it must be {\"expectations\": 1, \"expected\": [entry, …]}\n", path);
        return false;
    }
    if (unknown) {
        text_printf(error, "%s: \"%s\" is not known; known are about and expected\n", path, unknown);
        return false;
    }
    const json_t *list = json_object_get(document, "expected");
    if (!json_is_array(list)) {
        text_printf(error, "%s: expected: a list of entries is needed\n", path);
        return false;
    }
    return read_entries(expectations, list, error);
}

void expectations_begin(const char *path, expectations_t *expectations)
{
    expectations->path = mem_string(path);
    expectations->document = json_pack("{s:i, s:[]}", "expectations", 1, "expected");
}

bool expectation_unexplained(const expectation_t *expectation)
{
    return strncmp(expectation->reason, "TODO", 4) == 0;
}

void expectations_unexplained(const expectations_t *expectations, bool of_recordings, text_t *notes)
{
    for (size_t i = 0; i < expectations->len; i++) {
        const expectation_t *entry = &expectations->at[i];
        if (entry->of_recording == of_recordings && expectation_unexplained(entry)) {
            text_printf(notes, "%s: entry %zu, %s: its reason is still to be written\n", expectations->path,
                        i + 1, entry->pattern);
        }
    }
}

static void add_json(text_t *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    text_puts(out, text);
    free(text);
}

static void write_document(text_t *out, const json_t *document, const json_t *entries)
{
    const char *key, *between = "{\n";
    json_t *value;
    json_object_foreach((json_t *)document, key, value)
    {
        if (strcmp(key, "expected") != 0) {
            text_printf(out, "%s  \"%s\": ", between, key);
            add_json(out, value);
            between = ",\n";
        }
    }
    text_printf(out, "%s  \"expected\": [", between);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        text_puts(out, i > 0 ? ",\n    " : "\n    ");
        add_json(out, json_array_get(entries, i));
    }
    text_puts(out, json_array_size(entries) > 0 ? "\n  ]\n}\n" : "]\n}\n");
}

/* What is written before it takes the place of the file. */
static char *new_path(const char *path)
{
    text_t other = {0};
    text_printf(&other, "%s.new", path);
    return text_take(&other);
}

bool expectations_can_rewrite(const char *path, text_t *error)
{
    char *other = new_path(path);
    FILE *file = fopen(other, "w");
    bool good = file && fclose(file) == 0 && unlink(other) == 0;
    if (!good) {
        text_printf(error, "%s cannot be written: %s\n", path, strerror(errno));
    }
    free(other);
    return good;
}

bool expectations_rewrite(const expectations_t *expectations, const json_t *entries, text_t *error)
{
    text_t content = {0};
    char *other = new_path(expectations->path);
    write_document(&content, expectations->document, entries);
    FILE *file = fopen(other, "w");
    bool written = file && fwrite(content.at, 1, content.len, file) == content.len;
    written = file && fclose(file) == 0 && written;
    if (!written || rename(other, expectations->path) != 0) {
        text_printf(error, "%s: %s\n", expectations->path, strerror(errno));
        unlink(other);
        written = false;
    }
    text_free(&content);
    free(other);
    return written;
}

void expectations_free(expectations_t *expectations)
{
    free(expectations->path);
    free(expectations->at);
    json_decref(expectations->document);
    *expectations = (expectations_t){0};
}
