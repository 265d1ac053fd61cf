/* SPDX-License-Identifier: MIT */
#include "report/html.h"
#include "report/view.h"
#include "report/xml.h"

#include <string.h>

void html_verdict(text_t *out, const run_row_t *row)
{
    text_printf(out, "<span class=\"verdict %s\">%s %s</span>", tone_name(row_tone(row)),
                look_of(row_verdict(row))->mark, row_verdict(row));
}

/* ---- runs ---- */

static void add_fact(text_t *out, const char *name, const char *value)
{
    if (*value) {
        text_printf(out, "<dt>%s</dt><dd>", name);
        xml_add(out, value);
        text_puts(out, "</dd>");
    }
}

static void add_bar(text_t *out, const run_t *run)
{
    size_t by[TONES] = {0};
    for (size_t i = 0; i < run->len; i++) {
        by[row_tone(&run->rows[i])]++;
    }
    text_puts(out, "<div class=\"bar\" aria-hidden=\"true\">");
    for (int tone = 0; tone < TONES; tone++) {
        if (by[tone] > 0) {
            text_printf(out, "<i class=\"%s\" style=\"flex-grow:%zu\"></i>", tone_name((tone_t)tone),
                        by[tone]);
        }
    }
    text_puts(out, "</div>\n");
}

static void add_counts(text_t *out, const run_t *run)
{
    const char *name;
    json_t *count;
    text_puts(out, "<ul class=\"counts\">");
    json_object_foreach(run->counts, name, count)
    {
        text_printf(out, "<li class=\"%s\"><b>%lld</b> %s</li>", tone_name(look_of(name)->tone),
                    (long long)json_integer_value(count), name);
    }
    if (run->judged < run->len) {
        text_printf(out, "<li class=\"open\"><b>%zu</b> no verdict</li>", run->len - run->judged);
    }
    if (event_number(run->summary, "tolerated") > 0) {
        text_printf(out, "<li class=\"known\"><b>%.0f</b> of the failures with --strict only</li>",
                    event_number(run->summary, "tolerated"));
    }
    if (event_number(run->summary, "unclean_closings") > 0) {
        text_printf(out, "<li class=\"known\"><b>%.0f</b> closed uncleanly</li>",
                    event_number(run->summary, "unclean_closings"));
    }
    text_puts(out, "</ul>\n");
}

static void add_run(text_t *out, const sheet_t *sheet, const run_t *run)
{
    bool good = run_exit(run) == 0;
    text_printf(out, "<article class=\"run-card %s\">", good ? "good" : "bad");
    if (sheet->count > 1) {
        text_puts(out, "<h3>");
        xml_add(out, run->label);
        text_puts(out, "</h3>");
    }
    text_puts(out, "<p class=\"outcome\">");
    if (run_flaw(run)) {
        text_puts(out, "<b>Not whole</b><span>");
        say_flaw(out, run);
        text_puts(out, "</span>");
    } else {
        text_printf(out, "<b>%s</b>", good ? "All as expected" : "Not as expected");
        text_printf(out, "<span>%zu variants in %.1f s, exit code %d</span>", run->len,
                    event_number(run->summary, "ms") / 1000, run_exit(run));
    }
    text_puts(out, "</p>\n");
    add_bar(out, run);
    add_counts(out, run);
    text_puts(out, "<dl>");
    add_fact(out, "Target", event_string(run->head, "target"));
    add_fact(out, "Profile", event_string(run->head, "profile"));
    add_fact(out, "Phoenix rules", event_string(run->head, "phoenix"));
    add_fact(out, "Started", event_string(run->head, "started_at"));
    add_fact(out, "phxspec", event_string(run->head, "phxspec"));
    text_puts(out, "</dl>\n<details class=\"command\"><summary>Command</summary><code>");
    xml_add(out, event_string(run->head, "command"));
    text_puts(out, "</code></details></article>\n");
}

void html_runs(text_t *out, const sheet_t *sheet)
{
    text_printf(out, "<section id=\"runs\"><h2 class=\"hidden\">Run%s</h2>\n", sheet->count > 1 ? "s" : "");
    text_printf(out, "<div class=\"runs%s\">\n", sheet->count > 1 ? " several" : "");
    for (size_t i = 0; i < sheet->count; i++) {
        add_run(out, sheet, sheet->runs[i]);
    }
    text_puts(out, "</div>\n");
    if (sheet->count > 1) {
        text_printf(out,
                    "<p class=\"differing\"><b>%zu</b> of %zu variants came to different verdicts; "
                    "<b>%zu</b> are not in all runs.</p>\n",
                    sheet->differing, sheet->len, sheet->lone);
    }
    text_puts(out, "</section>\n");
}

/* ---- matrix ---- */

static void add_cell(text_t *out, const sheet_t *sheet, const cell_t *cell, size_t group, size_t column)
{
    const char *first = sheet->count > 1 && column == 0 ? " first" : "";
    static const tone_t worst_first[] = {TONE_BAD, TONE_OPEN, TONE_KNOWN, TONE_GOOD, TONE_MUTED};
    size_t worst = 0;
    if (cell->planned == 0) {
        text_printf(out, "<td class=\"empty%s\"></td>", first);
        return;
    }
    while (cell->by[worst_first[worst]] == 0) {
        worst++;
    }
    tone_t tone = worst_first[worst];
    text_printf(out, "<td class=\"%s%s\"><a href=\"#q=%s.*/%s\">", tone_name(tone), first,
                sheet->groups.at[group], sheet->columns.at[column]);
    text_puts(out, tone == TONE_BAD    ? "<span class=\"mark\">✗</span> "
                   : tone == TONE_OPEN ? "<span class=\"mark\">○</span> "
                                       : "");
    cell_write(out, cell);
    text_puts(out, "</a></td>");
}

static void add_matrix_head(text_t *out, const sheet_t *sheet)
{
    text_puts(out, "<thead>");
    if (sheet->count > 1) {
        text_puts(out, "<tr><td></td>");
        for (size_t run = 0; run < sheet->count; run++) {
            text_printf(out, "<th scope=\"colgroup\" colspan=\"%zu\" class=\"first\">", sheet->columns.len);
            xml_add(out, sheet->runs[run]->label);
            text_puts(out, "</th>");
        }
        text_puts(out, "</tr>\n");
    }
    text_puts(out, "<tr><th scope=\"col\">Group</th>");
    for (size_t i = 0; i < sheet->count * sheet->columns.len; i++) {
        bool first = sheet->count > 1 && i % sheet->columns.len == 0;
        text_printf(out, "<th scope=\"col\"%s>", first ? " class=\"first\"" : "");
        xml_add(out, sheet->columns.at[i % sheet->columns.len]);
        text_puts(out, "</th>");
    }
    text_puts(out, "</tr></thead>\n");
}

void html_matrix(text_t *out, const sheet_t *sheet)
{
    text_puts(out, "<section id=\"matrix\"><h2>Matrix <small>passed of applicable, by group, transport and "
                   "serializer</small></h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                   "aria-label=\"Matrix\"><table class=\"matrix\">");
    add_matrix_head(out, sheet);
    text_puts(out, "<tbody>\n");
    for (size_t group = 0; group < sheet->groups.len; group++) {
        text_printf(out, "<tr><th scope=\"row\"><a href=\"#g-%s\">%s</a></th>", sheet->groups.at[group],
                    sheet->groups.at[group]);
        for (size_t i = 0; i < sheet->count * sheet->columns.len; i++) {
            size_t column = i % sheet->columns.len;
            add_cell(out, sheet, sheet_cell(sheet, i / sheet->columns.len, group, column), group, column);
        }
        text_puts(out, "</tr>\n");
    }
    text_puts(out, "</tbody></table></div></section>\n");
}

/* ---- variants ---- */

static void add_verdict_cell(text_t *out, const run_row_t *row)
{
    if (row == NULL) {
        text_puts(out, "<td><span class=\"verdict muted\">not in this run</span></td>");
        return;
    }
    text_puts(out, "<td>");
    html_verdict(out, row);
    if (row_tone(row) == TONE_MUTED || row_tone(row) == TONE_KNOWN) {
        text_t why = {0};
        say_why(&why, row->verdict);
        text_puts(out, " <span class=\"why\">");
        xml_add(out, text_str(&why));
        text_puts(out, "</span>");
        text_free(&why);
    }
    text_puts(out, "</td>");
}

static void add_row(text_t *out, const sheet_t *sheet, const sheet_row_t *row)
{
    size_t i;
    json_t *id;
    text_puts(out, row->differs ? "<tr class=\"differs\" data-d data-v=\"" : "<tr data-v=\"");
    for (size_t run = 0; run < sheet->count; run++) {
        text_printf(out, "%s%s", run > 0 ? "|" : "", row->runs[run] ? row_verdict(row->runs[run]) : "");
    }
    const char *variant = event_string(row->any->planned, "variant");
    text_printf(out, "\" data-text=\"%s\"><td><code>%s", variant, variant);
    text_puts(out, "</code></td><td>");
    xml_add(out, event_string(row->any->planned, "title"));
    text_puts(out, " <span class=\"why\">");
    xml_add(out, event_string(row->any->planned, "level"));
    json_array_foreach(json_object_get(row->any->planned, "requirements"), i, id)
    {
        text_puts(out, " · ");
        xml_add(out, json_string_value(id));
    }
    text_puts(out, "</span></td>");
    for (size_t run = 0; run < sheet->count; run++) {
        add_verdict_cell(out, row->runs[run]);
    }
    if (sheet->count > 1) {
        text_printf(out, "<td>%s</td>", row->differs ? "<b>differs</b>" : "");
    }
    text_puts(out, "</tr>\n");
}

/* What a group came to in all runs, in a few words. */
static void add_group_counts(text_t *out, const sheet_t *sheet, size_t group)
{
    size_t planned = 0, differing = 0, by[TONES] = {0};
    for (size_t i = 0; i < sheet->len; i++) {
        const sheet_row_t *row = &sheet->rows[i];
        if (row->group == group) {
            planned++;
            differing += row->differs;
            for (size_t run = 0; run < sheet->count; run++) {
                if (row->runs[run]) {
                    by[row_tone(row->runs[run])]++;
                }
            }
        }
    }
    text_printf(out, "<small>%zu variant%s", planned, planned > 1 ? "s" : "");
    if (by[TONE_BAD] > 0) {
        text_printf(out, ", <b class=\"bad\">%zu failed</b>", by[TONE_BAD]);
    }
    if (by[TONE_OPEN] > 0) {
        text_printf(out, ", <b class=\"open\">%zu not judged</b>", by[TONE_OPEN]);
    }
    if (differing > 0) {
        text_printf(out, ", <b>%zu differ</b>", differing);
    }
    text_puts(out, "</small>");
}

static void add_group(text_t *out, const sheet_t *sheet, size_t group)
{
    text_printf(out, "<details class=\"group\" id=\"g-%s\"><summary><h3>%s</h3>", sheet->groups.at[group],
                sheet->groups.at[group]);
    add_group_counts(out, sheet, group);
    text_puts(out, "</summary>\n<div class=\"scroll\"><table class=\"variants\"><thead><tr><th "
                   "scope=\"col\">Variant</th><th scope=\"col\">What it shows</th>");
    for (size_t run = 0; run < sheet->count; run++) {
        text_puts(out, "<th scope=\"col\">");
        xml_add(out, sheet->count > 1 ? sheet->runs[run]->label : "Verdict");
        text_puts(out, "</th>");
    }
    text_puts(out, sheet->count > 1 ? "<th scope=\"col\"><span class=\"hidden\">difference</span></th>" : "");
    text_puts(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < sheet->len; i++) {
        if (sheet->rows[i].group == group) {
            add_row(out, sheet, &sheet->rows[i]);
        }
    }
    text_puts(out, "</tbody></table></div></details>\n");
}

void html_variants(text_t *out, const sheet_t *sheet)
{
    text_printf(out, "<section id=\"variants\"><h2>All variants <small>%zu</small></h2>\n", sheet->len);
    for (size_t group = 0; group < sheet->groups.len; group++) {
        add_group(out, sheet, group);
    }
    text_puts(out, "</section>\n");
}
