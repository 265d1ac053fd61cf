/* SPDX-License-Identifier: MIT */
/* For people at a terminal: one line per variant, failures in full, a table of the groups, the failures once
 * more by name, the counts. */
#include "report/sheet.h"
#include "report/view.h"

#include <string.h>

enum { FRAMES_SHOWN = 24, UNPLAYED_NAMED_MAX = 10 };

static void add_coloured(text_t *out, const view_settings_t *settings, const char *colour, const char *word)
{
    if (settings->colours) {
        text_printf(out, "\033[%sm%s\033[0m", colour, word);
    } else {
        text_puts(out, word);
    }
}

static void add_head(text_t *out, const view_settings_t *settings, const run_t *run)
{
    if (settings->runs > 1) {
        text_printf(out, "%s== %s: %s, profile %s, %s\n", run->first > 1 ? "\n" : "", run->label,
                    event_string(run->head, "target"), event_string(run->head, "profile"),
                    event_string(run->head, "started_at"));
    }
}

typedef enum telling { NOT_TOLD, IN_A_LINE, IN_FULL } telling_t;

static telling_t telling_of(const view_settings_t *settings, const json_t *verdict)
{
    const char *word = event_string(verdict, "verdict");
    tone_t tone = event_tone(verdict);
    if (strcmp(word, "not run") == 0) { /* add_failures counts them */
        return settings->detail >= DETAIL_VERBOSE ? IN_A_LINE : NOT_TOLD;
    }
    if (strcmp(word, "unexpected pass") == 0) {
        return settings->detail >= DETAIL_VERBOSE ? IN_FULL : IN_A_LINE;
    }
    if (tone == TONE_BAD || tone == TONE_OPEN || json_is_true(json_object_get(verdict, "tolerated"))) {
        return IN_FULL;
    }
    if (settings->detail == DETAIL_QUIET) {
        return NOT_TOLD;
    }
    return tone == TONE_KNOWN && settings->detail >= DETAIL_VERBOSE ? IN_FULL : IN_A_LINE;
}

/* Behind a colon, where nothing more follows: what excuses it, or the reason. */
static void add_reason(text_t *out, const json_t *verdict)
{
    const json_t *expectation = json_object_get(verdict, "expectation");
    const char *reason = event_string(verdict, "reason");
    if (expectation && event_tone(verdict) == TONE_KNOWN) {
        const char *link = event_string(expectation, "link");
        text_printf(out, ": %s%s%s", event_string(expectation, "reason"), *link ? "  " : "", link);
    } else if (*reason) {
        text_printf(out, ": %.*s", (int)strcspn(reason, "\n"), reason);
    }
}

static void add_line(text_t *out, const view_settings_t *settings, const json_t *verdict, bool alone)
{
    const char *word = event_string(verdict, "verdict");
    add_coloured(out, settings, look_of(word)->colour, word);
    text_printf(out, "  %s", event_string(verdict, "variant"));
    if (settings->detail >= DETAIL_VERBOSE && event_number(verdict, "ms") > 0) {
        text_printf(out, "  (%s, %.0f ms)  %s", event_string(verdict, "level"), event_number(verdict, "ms"),
                    event_string(verdict, "title"));
    }
    if (alone) {
        add_reason(out, verdict);
    }
    if (json_is_true(json_object_get(verdict, "tolerated"))) {
        text_printf(out, "  (%s: it fails the run with --strict only)", event_string(verdict, "level"));
    }
    if (alone && is_unclean(verdict)) {
        text_printf(out, "  (closing %s)", event_string(verdict, "closing"));
    }
    text_putc(out, '\n');
}

static void add_verdict(text_t *out, const view_settings_t *settings, const run_t *run, const json_t *verdict)
{
    telling_t telling = telling_of(settings, verdict);
    if (telling == NOT_TOLD) {
        return;
    }
    add_line(out, settings, verdict, telling == IN_A_LINE);
    if (telling == IN_FULL) {
        say_failure(out, run, verdict, settings->detail == DETAIL_TRACE ? 0 : FRAMES_SHOWN, "    ");
        text_putc(out, '\n');
    } else if (settings->detail == DETAIL_TRACE) {
        say_transcript(out, verdict, 0, "");
    }
}

static void text_event(text_t *out, const view_settings_t *settings, const run_t *run, const json_t *event)
{
    if (event_is(event, "run")) {
        add_head(out, settings, run);
    } else if (event_is(event, "verdict")) {
        add_verdict(out, settings, run, event);
    }
}

static void add_cell(text_t *out, const view_settings_t *settings, const cell_t *cell)
{
    text_t text = {0};
    cell_write(&text, cell);
    size_t width = text.len < 10 ? 10 - text.len : 0;
    text_fill(out, ' ', 2 + width);
    if (cell->planned == 0) {
        text_puts(out, text_str(&text));
    } else {
        add_coloured(out, settings,
                     cell->by[TONE_BAD]      ? "31"
                     : cell->by[TONE_OPEN]   ? "33"
                     : cell->applicable == 0 ? "2"
                                             : "32",
                     text_str(&text));
    }
    text_free(&text);
}

static void add_groups(text_t *out, const view_settings_t *settings, const run_t *run)
{
    sheet_t *sheet = sheet_new(&run, 1);
    text_printf(out, "\n%-20s", "passed of applicable");
    for (size_t i = 0; i < sheet->columns.len; i++) {
        text_printf(out, "  %10s", sheet->columns.at[i]);
    }
    text_putc(out, '\n');
    for (size_t i = 0; i < sheet->groups.len; i++) {
        text_printf(out, "%-20s", sheet->groups.at[i]);
        for (size_t j = 0; j < sheet->columns.len; j++) {
            add_cell(out, settings, sheet_cell(sheet, 0, i, j));
        }
        text_putc(out, '\n');
    }
    text_putc(out, '\n');
    sheet_free(sheet);
}

static bool is_played(const run_row_t *row)
{
    return row->verdict && strcmp(row_verdict(row), "not run") != 0;
}

/* What was not played has one reason, which is the run's: of many it is told once. */
static bool add_unplayed(text_t *out, const view_settings_t *settings, const run_t *run)
{
    const run_row_t *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < run->len; i++) {
        if (!is_played(&run->rows[i])) {
            first = first ? first : &run->rows[i];
            count++;
        }
    }
    if (count <= UNPLAYED_NAMED_MAX) {
        return false;
    }
    const char *reason = event_string(first->verdict, "reason");
    add_coloured(out, settings, look_of("not run")->colour, row_verdict(first));
    text_printf(out, "  %zu variants%s%s\n", count, *reason ? ": " : "", reason);
    return true;
}

/* What the run did not pass, by name, one line each. */
static void add_failures(text_t *out, const view_settings_t *settings, const run_t *run)
{
    size_t before = out->len;
    bool unplayed_told = add_unplayed(out, settings, run);
    for (size_t i = 0; i < run->len; i++) {
        const run_row_t *row = &run->rows[i];
        bool tolerated = json_is_true(json_object_get(row->verdict, "tolerated"));
        bool wrong = row_tone(row) == TONE_BAD || row_tone(row) == TONE_OPEN || tolerated;
        if (!wrong || (unplayed_told && !is_played(row))) {
            continue;
        }
        text_t why = {0};
        say_why(&why, row->verdict);
        span_t rest = text_span(&why), line = {0};
        add_coloured(out, settings, look_of(row_verdict(row))->colour, row_verdict(row));
        text_printf(out, "  %s", event_string(row->planned, "variant"));
        if (span_next(&rest, '\n', &line) && line.len > 0) {
            text_printf(out, ": %.*s%s", (int)line.len, line.at, rest.len > 0 ? " …" : "");
        }
        text_puts(out, tolerated ? "  (it fails the run with --strict only)\n" : "\n");
        text_free(&why);
    }
    text_puts(out, out->len > before ? "\n" : "");
}

static void text_run_end(text_t *out, const view_settings_t *settings, const run_t *run)
{
    double unclean = event_number(run->summary, "unclean_closings");
    if (settings->detail > DETAIL_QUIET) {
        add_groups(out, settings, run);
        add_failures(out, settings, run);
    }
    if (settings->detail > DETAIL_QUIET) {
        say_coverage(out, run);
        text_putc(out, '\n');
    }
    if (unclean > 0) {
        text_printf(out, "%.0f closed uncleanly, which no verdict depends on\n", unclean);
    }
    if (run_flaw(run)) {
        text_t flaw = {0};
        say_flaw(&flaw, run);
        add_coloured(out, settings, "31;1", text_str(&flaw));
        text_putc(out, '\n');
        text_free(&flaw);
    }
    say_counts(out, run);
    text_putc(out, '\n');
}

const view_t view_text = {"text", ".txt", "what the terminal shows", text_event, text_run_end, NULL};
