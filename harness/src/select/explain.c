/* SPDX-License-Identifier: MIT */
#include "select/explain.h"

#include "base/member.h"
#include "select/pattern.h"
#include "vectors/requirements.h"
#include "vectors/variant.h"
#include "vectors/words.h"

#include <stdlib.h>
#include <string.h>

static void add_list(text_t *out, const char *title, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        text_printf(out, "%s%s", i == 0 ? title : ", ", json_string_value(json_array_get(list, i)));
    }
    text_puts(out, json_array_size(list) > 0 ? "\n" : "");
}

/* ---- why ---- */

/* Where a bug can be read about: an address, OWNER/REPO#N of GitHub, or a CVE. */
static void add_link(text_t *out, const char *bug)
{
    const char *number = strchr(bug, '#');
    if (strncmp(bug, "CVE-", 4) == 0) {
        text_printf(out, "        https://www.cve.org/CVERecord?id=%s\n", bug);
    } else if (number && strncmp(bug, "http", 4) != 0) {
        text_printf(out, "        https://github.com/%.*s/issues/%s\n", (int)(number - bug), bug, number + 1);
    }
}

static void add_source(text_t *out, const json_t *source)
{
    static const struct {
        const char *key, *title;
    } kinds[] = {{"bug", "Seen as a bug: "},
                 {"phoenix", "Phoenix "},
                 {"url", "See "},
                 {"recording", "Recorded of Phoenix: "}};
    const char *note = string_member(source, "note", NULL), *between = "";
    text_puts(out, "    ");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *value = string_member(source, kinds[i].key, NULL);
        if (value) {
            text_printf(out, "%s%s%s", between, kinds[i].title, value);
            between = "; ";
        }
    }
    text_printf(out, "%s%s\n", note ? ": " : "", note ? note : "");
    if (string_member(source, "bug", NULL)) {
        add_link(out, string_member(source, "bug", NULL));
    }
}

static void add_why(text_t *out, const suite_files_t *files, const vector_case_t *c)
{
    text_puts(out, "\nRules\n");
    for (size_t i = 0; i < json_array_size(c->requirements); i++) {
        text_puts(out, "    ");
        requirement_write(out, files->requirements, json_string_value(json_array_get(c->requirements, i)));
        text_putc(out, '\n');
    }
    if (c->source || c->defect_count > 0) {
        text_puts(out, "\nWhy\n");
    }
    for (size_t i = 0; i < json_array_size(c->source); i++) {
        add_source(out, json_array_get(c->source, i));
    }
    for (size_t i = 0; i < c->defect_count; i++) {
        text_puts(out, "    Known of Phoenix ");
        releases_write(out, &c->defects[i].releases);
        text_printf(out, ": %s\n", c->defects[i].does);
        if (c->defects[i].link) {
            text_printf(out, "        %s\n", c->defects[i].link);
            add_link(out, c->defects[i].link);
        }
    }
}

/* ---- steps and variants ---- */

static void add_needs(text_t *out, const vector_case_t *c)
{
    const char *key;
    json_t *value;
    text_t needs = {0};
    add_list(&needs, "    capabilities: ", c->needs);
    for (int t = 0; t < TRANSPORTS; t++) {
        if (c->transports[t] && c->mount[t] != MOUNT_MAIN) {
            text_printf(&needs, "    over %s the mount: %s\n", transport_name((transport_t)t),
                        mount_name(c->mount[t]));
        }
    }
    json_object_foreach((json_t *)c->when, key, value)
    {
        text_printf(&needs, "    %s: ", key);
        jvalue_write(&needs, value);
        text_putc(&needs, '\n');
    }
    if (c->phoenix.len > 0) {
        text_puts(&needs, "    the rules of Phoenix ");
        releases_write(&needs, &c->phoenix);
        text_putc(&needs, '\n');
    }
    if (needs.len > 0) {
        text_printf(out, "\nNeeds\n%s", needs.at);
    }
    text_free(&needs);
}

static void add_steps(text_t *out, const vector_case_t *c)
{
    text_puts(out, "\nSteps");
    bool client = c->dialect != NULL;
    if (c->vsns[VSN_1] && !c->v1_join_ref && !client) {
        text_puts(out, " (version 1.0.0 neither sends nor expects the join_ref)");
    }
    text_putc(out, '\n');
    for (size_t i = 0; i < c->len; i++) {
        text_printf(out, "  %3zu  ", i + 1);
        if (client) {
            c->dialect->words(out, c->steps[i].json);
        } else {
            words_step(out, c->steps[i].verb, c->steps[i].json, PATIENCE_USUAL_MS);
        }
        text_putc(out, '\n');
    }
}

/* The command that runs what the pattern names. */
static void add_command(text_t *out, const dialect_t *dialect, const char *kind, const char *name)
{
    text_printf(out, "    phxspec %s --run %s%s %s\n", dialect ? dialect->part : "server", kind, name,
                dialect ? "-- DRIVER" : "URL");
}

static void add_variants(text_t *out, const vector_case_t *c)
{
    const vectors_t alone = {.cases = (vector_case_t *)c, .len = 1};
    variants_t variants = {0};
    profile_t profile = {0};
    profile_default(&profile);
    variants_expand(&variants, &alone, &profile);
    text_puts(out, "\nVariants\n");
    for (size_t i = 0; i < variants.len; i++) {
        text_printf(out, "    %s\n", variants.at[i].name);
    }
    add_command(out, c->dialect, "", c->id);
    variants_free(&variants);
    profile_free(&profile);
}

/* The files that have a scenario, and how to play each of them again. */
static void add_recording(text_t *out, const recorded_t *recorded, const char *scenario)
{
    const char *path = NULL;
    text_t again = {0};
    for (size_t i = 0; i < recorded->len; i++) {
        const recorded_one_t *one = &recorded->at[i];
        if (strcmp(one->scenario, scenario) != 0) {
            continue;
        }
        if (path == one->path) {
            text_printf(out, ", %s", one->variant);
            continue;
        }
        text_span_add(out, text_span(&again));
        text_clear(&again);
        text_printf(out, "    %s: %s as %s", one->path, scenario, one->variant);
        span_t folder = recorded_folder(one);
        text_printf(&again, "\n        phxspec replay --only '%.*s/%s.*' ", (int)folder.len, folder.at,
                    scenario);
        text_shell_word(&again, one->path);
        text_puts(&again, " URL\n");
        path = one->path;
    }
    text_span_add(out, text_span(&again));
    text_free(&again);
    if (!path) {
        text_printf(out, "    %s, which is not here\n", scenario);
    }
}

static void add_recordings(text_t *out, const recorded_t *recorded, const vector_case_t *c)
{
    bool any = false;
    for (size_t i = 0; i < json_array_size(c->source); i++) {
        const char *scenario = string_member(json_array_get(c->source, i), "recording", NULL);
        if (scenario) {
            text_puts(out, any ? "" : "\nRecordings it was drawn from\n");
            add_recording(out, recorded, scenario);
            any = true;
        }
    }
}

static void explain_case(text_t *out, const suite_files_t *files, const recorded_t *recorded,
                         const vector_case_t *c)
{
    text_printf(out, "%s  (%s)\n    %s\n    %s\n", c->id, level_name(c->level), c->title, c->file);
    add_list(out, "    formerly: ", c->formerly);
    add_list(out, "    tags: ", c->tags);
    add_why(out, files, c);
    add_needs(out, c);
    add_steps(out, c);
    add_variants(out, c);
    add_recordings(out, recorded, c);
}

/* ---- requirements ---- */

static bool add_citing(text_t *out, const suite_files_t *files, const char *id)
{
    bool any = false;
    for (size_t i = 0; i < files->vectors.len; i++) {
        const vector_case_t *c = &files->vectors.cases[i];
        if (vector_cites(c, id)) {
            text_printf(out, "    %-36s  %-6s  %s\n", c->id, level_name(c->level), c->title);
            any = true;
        }
    }
    if (any) {
        add_command(out, files->vectors.dialect, "req:", id);
    }
    return any;
}

static void add_change(text_t *out, const json_t *change)
{
    const char *since = string_member(change, "since", NULL), *until = string_member(change, "until", NULL);
    if (since && until && strcmp(since, until) == 0) {
        text_printf(out, "    Phoenix %s", since);
    } else if (since && until) {
        text_printf(out, "    Phoenix %s to %s", since, until);
    } else if (until) {
        text_printf(out, "    Phoenix up to %s", until);
    } else {
        text_printf(out, "    Phoenix from %s on", since);
    }
    text_printf(out, ": %s\n", string_member(change, "text", NULL));
}

/* Where the rule holds, what it leaves open, and what releases made of it. */
static void add_circumstances(text_t *out, const json_t *rule)
{
    const json_t *changes = json_object_get(rule, "changes");
    if (string_member(rule, "conditions", NULL)) {
        text_printf(out, "    %s\n", string_member(rule, "conditions", NULL));
    }
    add_list(out, "    since Phoenix ", json_object_get(rule, "since"));
    for (size_t i = 0; i < json_array_size(changes); i++) {
        add_change(out, json_array_get(changes, i));
    }
}

static void explain_requirement(text_t *out, const suite_files_t *parts, size_t count, const char *id)
{
    const json_t *rule = json_object_get(parts->requirements, id);
    const char *reason = string_member(rule, "unobservable", NULL),
               *of_clients = string_member(rule, "unobservable_client", NULL);
    bool any = false;
    requirement_write(out, parts->requirements, id);
    text_putc(out, '\n');
    add_circumstances(out, rule);
    text_puts(out, "\nChecked by\n");
    for (size_t i = 0; i < count; i++) {
        any = add_citing(out, &parts[i], id) || any;
    }
    if (reason) {
        text_printf(out, "    no case for servers: %s\n", reason);
    }
    if (of_clients) {
        text_printf(out, "    no case for clients: %s\n", of_clients);
    }
    text_puts(out, any || reason || of_clients ? "" : "    no case\n");
}

/* ---- which ---- */

/* By its id, a former id, or one of these with a variant behind it. */
static bool is_group(const vectors_t *vectors, const char *name)
{
    size_t len = strlen(name), i = 0;
    while (i < vectors->len &&
           (strncmp(vectors->cases[i].id, name, len) != 0 || vectors->cases[i].id[len] != '.')) {
        i++;
    }
    return i < vectors->len;
}

static const vector_case_t *find_case(const vectors_t *vectors, const char *name)
{
    size_t len = strcspn(name, "/");
    for (size_t i = 0; i < vectors->len; i++) {
        const vector_case_t *c = &vectors->cases[i];
        if ((strlen(c->id) == len && strncmp(c->id, name, len) == 0) || pattern_renamed(name, c)) {
            return c;
        }
    }
    return NULL;
}

bool explain(text_t *out, const suite_files_t *parts, size_t count, const recorded_t *recorded,
             const char *id, text_t *error)
{
    near_names_t near = {.wanted = {id, strcspn(id, "/")}};
    for (size_t i = 0; i < count; i++) {
        const vector_case_t *c = find_case(&parts[i].vectors, id);
        if (c) {
            explain_case(out, &parts[i], recorded, c);
            return true;
        }
        if (is_group(&parts[i].vectors, id)) {
            text_printf(error, "%s is a group of cases; phxspec %s --list --run %s names them\n", id,
                        parts[i].vectors.dialect ? "client" : "server", id);
            return false;
        }
        pattern_near_cases(&near, &parts[i].vectors);
    }
    if (json_object_get(parts->requirements, id)) {
        explain_requirement(out, parts, count, id);
        return true;
    }
    const char *key;
    json_t *value;
    json_object_foreach(parts->requirements, key, value)
    {
        near_add(&near, key);
    }
    text_printf(error, "%s: there is no case and no requirement of this id", id);
    near_write(error, &near);
    text_puts(error, "phxspec server --list and phxspec client --list name the cases\n");
    return false;
}
