/* SPDX-License-Identifier: MIT */
/* A summary in Markdown, as GitHub shows it for a step or in a comment. What GitHub would cut is left out
 * here, and said: a summary is at most 1 MiB there. */
#include "report/coverage.h"
#include "report/sheet.h"
#include "report/view.h"
#include "report/xml.h"

#include <string.h>

enum { LENGTH_MAX = 900 * 1024, FRAMES_SHOWN = 40, DETAILS_MAX = 16 * 1024, DIFFERENCES_MAX = 500 };

/* Text between markup: whatever Markdown or HTML reads as theirs is escaped. */
static void add_words(text_t *out, const char *words)
{
    for (; *words; words++) {
        if (*words == '<') {
            text_puts(out, "&lt;");
        } else if (*words == '&') {
            text_puts(out, "&amp;");
        } else if (*words == '@') { /* mentions nobody */
            text_puts(out, "&#64;");
        } else {
            if (strchr("\\`*_{}[]()>#+!|~", *words)) {
                text_putc(out, '\\');
            }
            text_putc(out, *words == '\n' ? ' ' : *words);
        }
    }
}

/* A fence longer than any inside, so that what a peer sent cannot end it. */
static void add_fenced(text_t *out, const char *kind, const text_t *text)
{
    size_t longest = 2, ticks = 0;
    for (size_t i = 0; i < text->len; i++) {
        ticks = text->at[i] == '`' ? ticks + 1 : 0;
        longest = ticks > longest ? ticks : longest;
    }
    text_fill(out, '`', longest + 1);
    text_printf(out, "%s\n", kind);
    text_span_add(out, text_span(text));
    text_puts(out, text->len > 0 && text->at[text->len - 1] != '\n' ? "\n" : "");
    text_fill(out, '`', longest + 1);
    text_puts(out, "\n\n");
}

static const char *headline(const run_t *run)
{
    if (run_flaw(run)) {
        return "❌ cut short";
    }
    return run_exit(run) == 0 ? "✅ as expected" : "❌ not as expected";
}

static void add_run(text_t *out, const run_t *run, bool named)
{
    if (named) {
        text_puts(out, "### ");
        add_words(out, run->label);
        text_puts(out, "\n\n");
    }
    text_printf(out, "**%s** · ", headline(run));
    say_counts(out, run);
    text_puts(out, "  \n");
    say_coverage(out, run);
    text_puts(out, "  \nTarget ");
    add_words(out, event_string(run->head, "target"));
    text_puts(out, ", profile ");
    add_words(out, event_string(run->head, "profile"));
    if (*event_string(run->head, "phoenix")) {
        text_puts(out, ", rules of Phoenix ");
        add_words(out, event_string(run->head, "phoenix"));
    }
    text_puts(out, ", phxspec ");
    add_words(out, event_string(run->head, "phxspec"));
    text_printf(out, ", started %s\n\n", event_string(run->head, "started_at"));
    if (run_flaw(run)) {
        text_puts(out, "> **");
        say_flaw(out, run);
        text_puts(out, ".**\n\n");
    }
}

static void add_matrix(text_t *out, const sheet_t *sheet)
{
    text_puts(out, "| passed of applicable |");
    for (size_t run = 0; run < sheet->count; run++) {
        for (size_t i = 0; i < sheet->columns.len; i++) {
            text_putc(out, ' ');
            if (sheet->count > 1) {
                add_words(out, sheet->runs[run]->label);
                text_puts(out, "<br>");
            }
            add_words(out, sheet->columns.at[i]);
            text_puts(out, " |");
        }
    }
    text_puts(out, "\n| --- |");
    for (size_t i = 0; i < sheet->count * sheet->columns.len; i++) {
        text_puts(out, " --: |");
    }
    text_putc(out, '\n');
    for (size_t group = 0; group < sheet->groups.len; group++) {
        text_puts(out, "| ");
        add_words(out, sheet->groups.at[group]);
        text_puts(out, " |");
        for (size_t i = 0; i < sheet->count * sheet->columns.len; i++) {
            const cell_t *cell = sheet_cell(sheet, i / sheet->columns.len, group, i % sheet->columns.len);
            text_puts(out, cell->by[TONE_BAD] > 0 ? " ❌ " : cell->by[TONE_OPEN] > 0 ? " ⚠ " : " ");
            cell_write(out, cell);
            text_puts(out, " |");
        }
        text_putc(out, '\n');
    }
    text_putc(out, '\n');
}

/* The requirements that the runs did not show to be kept. */
static void add_requirements(text_t *out, const run_t *const *runs, size_t count)
{
    static const tone_t tones[] = {TONE_BAD, TONE_OPEN, TONE_KNOWN, TONE_MUTED};
    size_t all = 0;
    for (size_t i = 0; i < count; i++) {
        coverage_t *coverage = coverage_new(runs[i]);
        for (size_t tone = 0; tone < sizeof tones / sizeof *tones; tone++) {
            for (size_t j = 0; j < coverage->len; j++) {
                const coverage_row_t *row = &coverage->rows[j];
                if (row->tone != tones[tone]) {
                    continue;
                }
                text_puts(out, all++ == 0
                                   ? "<details><summary>Requirements not shown to be kept</summary>\n\n"
                                   : "");
                text_puts(out, "- ");
                if (count > 1) {
                    add_words(out, runs[i]->label);
                    text_puts(out, ": ");
                }
                text_printf(out, "**%s**, as ", coverage_word(row->tone));
                add_words(out, row->first[row->tone]);
                text_puts(out, ": ");
                text_t words = {0};
                run_requirement(&words, runs[i], row->id);
                add_words(out, text_str(&words));
                text_free(&words);
                text_putc(out, '\n');
            }
        }
        coverage_free(coverage);
    }
    text_puts(out, all > 0 ? "\n</details>\n\n" : "");
}

static void add_differences(text_t *out, const sheet_t *sheet)
{
    size_t shown = 0;
    text_printf(
        out,
        "## What differs\n\n%zu of %zu variants came to different verdicts; %zu are not in all runs.\n\n",
        sheet->differing, sheet->len, sheet->lone);
    if (sheet->differing == 0) {
        return;
    }
    text_puts(out, "| variant |");
    for (size_t i = 0; i < sheet->count; i++) {
        text_putc(out, ' ');
        add_words(out, sheet->runs[i]->label);
        text_puts(out, " |");
    }
    text_puts(out, "\n| --- |");
    for (size_t i = 0; i < sheet->count; i++) {
        text_puts(out, " --- |");
    }
    text_putc(out, '\n');
    for (size_t i = 0; i < sheet->len && shown < DIFFERENCES_MAX; i++) {
        const sheet_row_t *row = &sheet->rows[i];
        if (!row->differs) {
            continue;
        }
        text_puts(out, "| ");
        add_words(out, event_string(row->any->planned, "variant"));
        text_puts(out, " |");
        for (size_t run = 0; run < sheet->count; run++) {
            const run_row_t *mine = row->runs[run];
            text_putc(out, ' ');
            add_words(out, mine ? row_verdict(mine) : "not in this run");
            text_puts(out, " |");
        }
        text_putc(out, '\n');
        shown++;
    }
    if (shown < sheet->differing) {
        text_printf(out, "\n%zu more differ; the HTML report has them all.\n", sheet->differing - shown);
    }
    text_putc(out, '\n');
}

static void cut(text_t *text)
{
    size_t at = DETAILS_MAX;
    if (text->len <= DETAILS_MAX) {
        return;
    }
    while (((unsigned char)text->at[at] & 0xc0) == 0x80) { /* not into the middle of a character */
        at--;
    }
    text->len = at;
    text->at[at] = '\0';
    text_puts(text, "\n…\n");
}

static void add_fence_of(text_t *out, const char *kind, text_t *text)
{
    cut(text);
    if (text->len > 0) {
        add_fenced(out, kind, text);
    }
    text_clear(text);
}

static void add_details(text_t *out, const run_t *run, const json_t *verdict)
{
    text_t part = {0};
    say_case(&part, run, verdict, "");
    add_fence_of(out, "text", &part);
    text_puts(&part, event_string(verdict, *event_string(verdict, "diff") ? "diff" : "expected"));
    if (part.len > 0) {
        text_printf(out, "%s:\n\n", *event_string(verdict, "diff") ? "Expected (−) and got (+)" : "Expected");
        add_fence_of(out, "diff", &part);
    }
    say_transcript(&part, verdict, FRAMES_SHOWN, "");
    if (part.len > 0) {
        text_puts(out, "What was said:\n\n");
        add_fence_of(out, "text", &part);
    }
    if (is_unclean(verdict)) {
        text_puts(out, "Closing, which is not judged here: ");
        add_words(out, event_string(verdict, "closing"));
        text_puts(out, "\n\n");
    }
    say_again(&part, run, verdict);
    text_puts(out, "Again:\n\n");
    add_fence_of(out, "sh", &part);
    text_free(&part);
}

static void add_failure(text_t *out, const run_t *run, const run_row_t *row, bool named)
{
    text_printf(out, "<details><summary><b>%s</b> ", row_verdict(row));
    if (named) {
        xml_add(out, run->label);
        text_puts(out, ": ");
    }
    text_printf(out, "<code>%s</code> — ", event_string(row->planned, "variant"));
    xml_add(out, event_string(row->planned, "title")); /* Markdown is not read in here */
    text_puts(out, "</summary>\n\n");
    if (row->verdict) {
        add_details(out, run, row->verdict);
    }
    text_puts(out, "</details>\n");
}

/* Failures first, then what was not judged, then what is excused. */
static void add_failures(text_t *out, const run_t *const *runs, size_t count, tone_t tone,
                         const char *heading)
{
    size_t all = 0, shown = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < runs[i]->len; j++) {
            if (row_tone(&runs[i]->rows[j]) != tone) {
                continue;
            }
            if (all++ == 0) {
                text_printf(out, "## %s\n\n", heading);
            }
            if (out->len < LENGTH_MAX) {
                add_failure(out, runs[i], &runs[i]->rows[j], count > 1);
                shown++;
            }
        }
    }
    if (shown < all) {
        text_printf(out, "\n%zu more do not fit here; the HTML report has them all.\n", all - shown);
    }
    text_puts(out, all > 0 ? "\n" : "");
}

static void markdown_end(text_t *out, const view_settings_t *settings, const run_t *const *runs, size_t count)
{
    (void)settings;
    sheet_t *sheet = sheet_new(runs, count);
    text_puts(out, "# Phoenix Channels conformance\n\n");
    for (size_t i = 0; i < count; i++) {
        add_run(out, runs[i], count > 1);
    }
    if (count > 1) {
        add_differences(out, sheet);
    }
    add_matrix(out, sheet);
    add_requirements(out, runs, count);
    add_failures(out, runs, count, TONE_BAD, "Failures");
    add_failures(out, runs, count, TONE_OPEN, "Not judged");
    add_failures(out, runs, count, TONE_KNOWN, "Excused");
    sheet_free(sheet);
}

const view_t view_markdown = {"markdown", ".md", "a summary in Markdown", NULL, NULL, markdown_end};
