/* SPDX-License-Identifier: MIT */
#include "select/recorded.h"

#include "base/jvalue.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static void add_header(recorded_t *recorded, const char *path, span_t line)
{
    json_t *header = jvalue_parse(line, NULL);
    const char *scenario = json_string_value(json_object_get(header, "scenario"));
    const char *transport = json_string_value(json_object_get(header, "transport"));
    const char *vsn = json_string_value(json_object_get(header, "vsn"));
    if (scenario && transport && vsn) {
        text_t variant = {0};
        text_printf(&variant, "%s.v%c", strcmp(transport, "longpoll") == 0 ? "lp" : "ws", *vsn);
        MEM_ROOM(recorded->at, recorded->len, recorded->cap);
        recorded->at[recorded->len++] = (recorded_one_t){path, mem_string(scenario), text_take(&variant)};
    }
    json_decref(header);
}

static void read_headers(recorded_t *recorded, const char *path)
{
    text_t content = {0}, error = {0};
    file_read(path, &content, &error);
    span_t rest = text_span(&content), line;
    while (span_next(&rest, '\n', &line)) {
        if (span_starts(line, "{\"recording\"")) {
            add_header(recorded, path, line);
        }
    }
    text_free(&content);
    text_free(&error);
}

void recorded_load(const char *folder, recorded_t *recorded)
{
    static const char *const suffixes[] = {".jsonl", NULL};
    text_t path = {0}, error = {0};
    text_printf(&path, "%s/recorded", folder);
    files_below(text_str(&path), suffixes, &recorded->files, &error);
    for (size_t i = 0; i < recorded->files.len; i++) {
        read_headers(recorded, recorded->files.at[i]);
    }
    text_free(&path);
    text_free(&error);
}

void recorded_free(recorded_t *recorded)
{
    for (size_t i = 0; i < recorded->len; i++) {
        free(recorded->at[i].scenario);
        free(recorded->at[i].variant);
    }
    free(recorded->at);
    names_free(&recorded->files);
    *recorded = (recorded_t){0};
}

span_t recorded_folder(const recorded_one_t *one)
{
    const char *end = strrchr(one->path, '/'), *begin = end;
    while (begin > one->path && begin[-1] != '/') {
        begin--;
    }
    return (span_t){begin, (size_t)(end - begin)};
}
