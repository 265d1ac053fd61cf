/* SPDX-License-Identifier: MIT */
#include "report/saved.h"

#include "base/files.h"
#include "base/memory.h"
#include "report/clean.h"
#include "report/run.h"

#include <stdlib.h>
#include <string.h>

#define SAVING "phxspec server and phxspec client save a run with --report FILE.jsonl"

static bool is_taken(const saved_t *saved, const char *label)
{
    for (size_t i = 0; i < saved->len; i++) {
        if (strcmp(saved->at[i].label, label) == 0) {
            return true;
        }
    }
    return false;
}

static char *label_of(const saved_t *saved, const char *path)
{
    text_t label = {0};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    clean_add(&label, (span_t){name, dot && dot > name ? (size_t)(dot - name) : strlen(name)}, false, 0);
    if (is_taken(saved, text_str(&label))) {
        text_clear(&label);
        clean_add(&label, span_of(path), false, 0);
    }
    size_t len = label.len;
    for (size_t i = 2; is_taken(saved, text_str(&label)); i++) {
        label.len = len;
        text_printf(&label, " (%zu)", i);
    }
    return text_take(&label);
}

/* The events of a file, while it is read. */
typedef struct reader {
    saved_t *saved;
    const char *path;
    run_t *run; /* what the events so far come to; NULL: none yet */
} reader_t;

static bool take(reader_t *reader, json_t *event, text_t *error)
{
    saved_t *saved = reader->saved;
    clean_json(event);
    if (event_is(event, "run")) {
        run_free(reader->run);
        reader->run = run_new("");
        MEM_ROOM(saved->at, saved->len, saved->cap);
        saved->at[saved->len] = (saved_run_t){label_of(saved, reader->path), json_array()};
        saved->len++;
    }
    if (!reader->run) {
        text_puts(error, "a saved run begins with the event \"run\"");
        return false;
    }
    if (!run_add(reader->run, event, error)) {
        return false;
    }
    json_array_append(saved->at[saved->len - 1].events, event);
    return true;
}

static bool read_line(reader_t *reader, span_t line, bool ended, text_t *error)
{
    json_error_t flaw;
    json_t *event = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &flaw);
    if (!event) {
        text_printf(error, "%s (column %d)%s", flaw.text, flaw.column,
                    ended ? "" : "; the file ends in the middle of this line");
        return false;
    }
    bool good = take(reader, event, error);
    json_decref(event);
    return good;
}

bool saved_read(saved_t *saved, const char *path, text_t *error)
{
    text_t text = {0}, why = {0};
    reader_t reader = {saved, path, NULL};
    if (!file_read(path, &text, error)) {
        text_puts(error, "; " SAVING "\n");
        return false;
    }
    size_t number = 0;
    span_t rest = text_span(&text), line;
    bool good = true;
    while (good && rest.len > 0 && span_next(&rest, '\n', &line)) {
        number++;
        good = read_line(&reader, line, rest.at != NULL, &why);
    }
    if (number == 0) {
        text_puts(&why, "no run in it");
        good = false;
    }
    if (!good) {
        text_puts(&why, reader.run ? "" : "; " SAVING);
        text_printf(error, "%s:%zu: ", path, number > 0 ? number : 1);
        clean_add(error, text_span(&why), false, 0);
        text_putc(error, '\n');
    }
    run_free(reader.run);
    text_free(&text);
    text_free(&why);
    return good;
}

void saved_free(saved_t *saved)
{
    for (size_t i = 0; i < saved->len; i++) {
        free(saved->at[i].label);
        json_decref(saved->at[i].events);
    }
    free(saved->at);
    *saved = (saved_t){0};
}
