/* SPDX-License-Identifier: MIT */
#include "select/recorded.h"

#include "base/jvalue.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* "ws.v2" of a header line for this scenario; NULL: it is another. */
static char *variant_of(span_t line, const char *scenario)
{
    json_t *header = jvalue_parse(line, NULL);
    const char *name = json_string_value(json_object_get(header, "scenario"));
    const char *transport = json_string_value(json_object_get(header, "transport"));
    const char *vsn = json_string_value(json_object_get(header, "vsn"));
    text_t variant = {0};
    if (name && transport && vsn && strcmp(name, scenario) == 0) {
        text_printf(&variant, "%s.v%c", strcmp(transport, "longpoll") == 0 ? "lp" : "ws", *vsn);
    }
    json_decref(header);
    return variant.len > 0 ? text_take(&variant) : NULL;
}

static recorded_file_t *add_file(recorded_t *found, const char *path)
{
    MEM_ROOM(found->at, found->len, found->cap);
    recorded_file_t *file = &found->at[found->len++];
    *file = (recorded_file_t){.path = mem_string(path)};
    const char *end = strrchr(path, '/'), *begin = end;
    while (begin > path && begin[-1] != '/') {
        begin--;
    }
    file->folder = mem_string_n(begin, (size_t)(end - begin));
    return file;
}

static void look_into(const char *path, const char *scenario, recorded_t *found)
{
    text_t content = {0}, error = {0};
    recorded_file_t *file = NULL;
    file_read(path, &content, &error);
    span_t rest = text_span(&content), line;
    while (span_next(&rest, '\n', &line)) {
        char *variant = span_starts(line, "{\"recording\"") ? variant_of(line, scenario) : NULL;
        if (variant) {
            file = file ? file : add_file(found, path);
            names_add(&file->variants, variant);
            free(variant);
        }
    }
    text_free(&content);
    text_free(&error);
}

void recorded_find(const char *folder, const char *scenario, recorded_t *found)
{
    static const char *const suffixes[] = {".jsonl", NULL};
    text_t path = {0}, error = {0};
    names_t files = {0};
    text_printf(&path, "%s/recorded", folder);
    files_below(text_str(&path), suffixes, &files, &error);
    for (size_t i = 0; i < files.len; i++) {
        look_into(files.at[i], scenario, found);
    }
    names_free(&files);
    text_free(&path);
    text_free(&error);
}

void recorded_free(recorded_t *found)
{
    for (size_t i = 0; i < found->len; i++) {
        free(found->at[i].path);
        free(found->at[i].folder);
        names_free(&found->at[i].variants);
    }
    free(found->at);
    *found = (recorded_t){0};
}
