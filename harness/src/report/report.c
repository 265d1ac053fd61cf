/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include "base/memory.h"
#include "report/clean.h"
#include "report/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const view_t *const views[] = {&view_jsonl,    &view_junit, &view_tap,
                                      &view_markdown, &view_html,  &view_text};
enum { VIEWS = sizeof views / sizeof *views };

typedef struct sink {
    const view_t *view;
    view_settings_t settings;
    char *path; /* owned; "-": standard output */
    FILE *to;
    int error; /* errno of the first write that failed */
} sink_t;

struct report {
    sink_t *sinks; /* the first is the text for people */
    size_t len, cap;
    run_t **runs; /* borrowed */
    size_t run_count, run_cap;
    bool progress;
};

static void add_sink(report_t *report, const view_t *view, const char *path)
{
    MEM_ROOM(report->sinks, report->len, report->cap);
    report->sinks[report->len++] =
        (sink_t){.view = view, .settings = {.detail = DETAIL_NORMAL}, .path = mem_string(path)};
}

report_t *report_new(void)
{
    report_t *report = mem_new(1, sizeof *report);
    add_sink(report, &view_text, "");
    return report;
}

static bool is_standard(const sink_t *sink)
{
    return sink->to == stdout || sink->to == stderr;
}

void report_free(report_t *report)
{
    if (report == NULL) {
        return;
    }
    for (size_t i = 0; i < report->len; i++) {
        if (report->sinks[i].to && !is_standard(&report->sinks[i])) {
            fclose(report->sinks[i].to);
        }
        free(report->sinks[i].path);
    }
    free(report->sinks);
    free(report->runs);
    free(report);
}

/* Places in `views`; VIEWS for none. */
static size_t view_named(span_t name)
{
    size_t i = 0;
    while (i < VIEWS && !span_is(name, views[i]->name)) {
        i++;
    }
    return i;
}

static size_t view_suffixed(const char *path)
{
    const char *dot = strrchr(path, '.');
    size_t i = dot ? 0 : VIEWS;
    while (i < VIEWS && strcmp(dot, views[i]->suffix) != 0) {
        i++;
    }
    return i;
}

bool report_add(report_t *report, const char *option, text_t *error)
{
    const char *equals = strchr(option, '=');
    size_t view = equals ? view_named((span_t){option, (size_t)(equals - option)}) : VIEWS;
    const char *path = view < VIEWS ? equals + 1 : option;
    view = view < VIEWS ? view : view_suffixed(path);
    if (view == VIEWS || *path == '\0') {
        text_puts(error, "a suffix or FORMAT= must tell the format:");
        for (size_t i = 0; i < VIEWS; i++) {
            text_printf(error, "%s %s or %s=", i ? "," : "", views[i]->suffix, views[i]->name);
        }
        return false;
    }
    for (size_t i = 1; i < report->len; i++) {
        if (strcmp(report->sinks[i].path, path) == 0) {
            text_puts(error, "another report goes there already");
            return false;
        }
    }
    add_sink(report, views[view], path);
    return true;
}

void report_detail(report_t *report, detail_t detail)
{
    report->sinks[0].settings.detail = detail;
}

bool report_traces(const report_t *report)
{
    return report->sinks[0].settings.detail == DETAIL_TRACE;
}

static bool wants_colours(FILE *to)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(fileno(to)) && !(no_color && *no_color);
}

bool report_open(report_t *report, size_t runs, bool live, text_t *error)
{
    bool good = true;
    FILE *text = stdout;
    for (size_t i = 1; i < report->len; i++) {
        sink_t *sink = &report->sinks[i];
        if (strcmp(sink->path, "-") == 0) {
            sink->to = stdout;
            text = stderr;
        } else if (!(sink->to = fopen(sink->path, "w"))) {
            text_printf(error, "--report %s: %s\n", sink->path, strerror(errno));
            good = false;
        }
    }
    for (size_t i = 0; i < report->len; i++) {
        report->sinks[i].settings.runs = runs;
        report->sinks[i].settings.detail = report->sinks[0].settings.detail;
    }
    report->sinks[0].to = text;
    report->sinks[0].settings.colours = wants_colours(text);
    report->progress = live && progress_wanted(text);
    return good;
}

static void write_text(sink_t *sink, text_t *text)
{
    if (text->len > 0 && sink->error == 0) {
        bool good = fwrite(text->at, 1, text->len, sink->to) == text->len && fflush(sink->to) == 0;
        sink->error = good ? 0 : errno;
    }
    text_free(text);
}

void report_run(report_t *report, run_t *run)
{
    if (report->run_count > 0) {
        const run_t *last = report->runs[report->run_count - 1];
        run->first = last->first + last->len;
    }
    MEM_ROOM(report->runs, report->run_count, report->run_cap);
    report->runs[report->run_count++] = run;
}

/* The line of progress makes way for what is to stay. */
static void write_above_progress(report_t *report, text_t *text)
{
    const run_t *run = report->runs[report->run_count - 1];
    text_t out = {0};
    progress_clear(&out);
    text_span_add(&out, text_span(text));
    if (run->summary == NULL) {
        progress_write(&out, run);
    }
    text_free(text);
    write_text(&report->sinks[0], &out);
}

bool report_event(report_t *report, json_t *event, text_t *error)
{
    run_t *run = report->runs[report->run_count - 1];
    clean_json(event);
    bool good = run_add(run, event, error);
    for (size_t i = 0; good && i < report->len; i++) {
        sink_t *sink = &report->sinks[i];
        text_t out = {0};
        if (sink->view->event) {
            sink->view->event(&out, &sink->settings, run, event);
        }
        if (i == 0 && report->progress && (out.len > 0 || event_is(event, "started"))) {
            write_above_progress(report, &out);
        } else {
            write_text(sink, &out);
        }
    }
    json_decref(event);
    return good;
}

void report_run_end(report_t *report)
{
    const run_t *run = report->runs[report->run_count - 1];
    for (size_t i = 0; i < report->len; i++) {
        sink_t *sink = &report->sinks[i];
        text_t out = {0};
        if (i == 0 && report->progress) {
            progress_clear(&out);
        }
        if (sink->view->run_end) {
            sink->view->run_end(&out, &sink->settings, run);
        }
        write_text(sink, &out);
    }
}

bool report_close(report_t *report, text_t *error)
{
    bool good = true;
    for (size_t i = 0; i < report->len; i++) {
        sink_t *sink = &report->sinks[i];
        text_t out = {0};
        if (sink->view->end) {
            sink->view->end(&out, &sink->settings, (const run_t *const *)report->runs, report->run_count);
        }
        write_text(sink, &out);
        if (!is_standard(sink) && fclose(sink->to) != 0 && sink->error == 0) {
            sink->error = errno;
        }
        sink->to = NULL;
        if (sink->error != 0) {
            bool standard = *sink->path == '\0' || strcmp(sink->path, "-") == 0;
            text_printf(error, "%s: %s; the report is not whole\n", standard ? "standard output" : sink->path,
                        strerror(sink->error));
            good = false;
        }
    }
    return good;
}
