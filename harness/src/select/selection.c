/* SPDX-License-Identifier: MIT */
#include "select/selection.h"

#include "base/memory.h"
#include "select/pattern.h"

#include <stdlib.h>
#include <string.h>

static void add_pattern(patterns_t *patterns, const char *name, const char *place)
{
    names_add(&patterns->names, name);
    names_add(&patterns->places, place);
}

static void add_line(patterns_t *patterns, span_t line, const char *path, size_t number)
{
    span_t pattern;
    if (span_next(&line, '#', &pattern) && (pattern = span_trim(pattern)).len > 0) {
        text_t place = {0};
        char *name = mem_string_n(pattern.at, pattern.len);
        text_printf(&place, "%s:%zu: ", path, number);
        add_pattern(patterns, name, text_str(&place));
        text_free(&place);
        free(name);
    }
}

bool selection_add(patterns_t *patterns, const char *argument, text_t *error)
{
    if (*argument != '@') {
        add_pattern(patterns, argument, "");
        return true;
    }
    text_t file = {0};
    size_t before = patterns->names.len;
    bool good = file_read(argument + 1, &file, error);
    span_t rest = text_span(&file), line;
    for (size_t number = 1; span_next(&rest, '\n', &line); number++) {
        add_line(patterns, line, argument + 1, number);
    }
    if (good && patterns->names.len == before) {
        text_printf(error, "%s: there is no pattern in it", argument + 1);
        good = false;
    }
    text_free(&file);
    return good;
}

bool selection_transport(selection_t *selection, const char *name)
{
    for (int t = 0; t < TRANSPORTS; t++) {
        if (strcmp(name, transport_name((transport_t)t)) == 0 ||
            strcmp(name, transport_short((transport_t)t)) == 0) {
            return selection->only_transport[t] = true;
        }
    }
    return false;
}

bool selection_vsn(selection_t *selection, const char *name)
{
    static const char *const digits[2] = {[VSN_1] = "1", [VSN_2] = "2"};
    for (int v = 0; v < 2; v++) {
        if (strcmp(name, vsn_name((vsn_t)v)) == 0 || strcmp(name, digits[v]) == 0) {
            return selection->only_vsn[v] = true;
        }
    }
    return false;
}

/* Whether a pattern matches; notes in `used` which did. */
static bool matches(const names_t *patterns, bool *used, const variant_t *variant)
{
    bool any = false;
    for (size_t i = 0; i < patterns->len; i++) {
        if (pattern_matches(patterns->at[i], variant)) {
            used[i] = any = true;
        }
    }
    return any;
}

static bool all_used(const patterns_t *patterns, const bool *used, const char *option,
                     const vectors_t *vectors, text_t *notes, text_t *error)
{
    bool good = true;
    for (size_t i = 0; i < patterns->names.len; i++) {
        const char *pattern = patterns->names.at[i], *place = patterns->places.at[i], *renamed = NULL;
        for (size_t c = 0; used[i] && !renamed && c < vectors->len; c++) {
            renamed = pattern_renamed(pattern, &vectors->cases[c]);
        }
        if (renamed) {
            text_printf(notes, "%s %s%s: the case is called %s now\n", option, place, pattern, renamed);
        }
        if (!used[i]) {
            text_printf(error, "%s %s%s matches no case", option, place, pattern);
            pattern_near_misses(error, pattern, vectors);
            text_puts(error, "--list names them all\n");
            good = false;
        }
    }
    return good;
}

static bool is_among(const bool *only, size_t len, size_t which)
{
    bool any = false;
    for (size_t i = 0; i < len; i++) {
        any = any || only[i];
    }
    return !any || only[which];
}

bool selection_apply(const selection_t *selection, const vectors_t *vectors, const variants_t *all,
                     variants_t *chosen, text_t *notes, text_t *error)
{
    bool *run = mem_new(selection->run.names.len, sizeof *run);
    bool *skip = mem_new(selection->skip.names.len, sizeof *skip);
    for (size_t i = 0; i < all->len; i++) {
        const variant_t *variant = &all->at[i];
        bool wanted = selection->run.names.len == 0 || matches(&selection->run.names, run, variant);
        bool unwanted = matches(&selection->skip.names, skip, variant) ||
                        variant->c->level > selection->weakest ||
                        !is_among(selection->only_transport, TRANSPORTS, variant->transport) ||
                        !is_among(selection->only_vsn, 2, variant->vsn);
        if (wanted && !unwanted) {
            MEM_ROOM(chosen->at, chosen->len, chosen->cap);
            chosen->at[chosen->len++] = *variant;
        }
    }
    bool good = all_used(&selection->run, run, "--run", vectors, notes, error);
    good = all_used(&selection->skip, skip, "--skip", vectors, notes, error) && good;
    if (good && chosen->len == 0) {
        text_puts(error, "no case is left by --run, --skip, --level, --transport and --vsn together\n");
        good = false;
    }
    free(run);
    free(skip);
    return good;
}

void selection_free(selection_t *selection)
{
    patterns_t *const both[] = {&selection->run, &selection->skip};
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        names_free(&both[i]->names);
        names_free(&both[i]->places);
    }
}
