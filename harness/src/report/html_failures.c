/* SPDX-License-Identifier: MIT */
#include "report/html.h"
#include "report/view.h"
#include "report/xml.h"

#include <string.h>

enum { OPEN_AT_MOST = 12 }; /* of more failures than that, none is unfolded */

static void add_requirements(text_t *out, const run_t *run, const json_t *verdict)
{
    size_t i;
    json_t *id;
    text_puts(out, "<ul class=\"requirements\">");
    json_array_foreach(json_object_get(verdict, "requirements"), i, id)
    {
        const json_t *requirement = json_object_get(run->requirements, json_string_value(id));
        text_puts(out, "<li><b>");
        xml_add(out, json_string_value(id));
        text_puts(out, "</b> ");
        if (requirement) {
            text_puts(out, "<i>");
            xml_add(out, event_string(requirement, "level"));
            text_puts(out, "</i> ");
            xml_add(out, event_string(requirement, "text"));
        }
        text_puts(out, "</li>");
    }
    text_puts(out, "</ul>\n");
}

static void add_sources(text_t *out, const json_t *verdict)
{
    size_t i;
    json_t *source;
    json_array_foreach(json_object_get(verdict, "source"), i, source)
    {
        text_t text = {0};
        say_source(&text, source);
        text_puts(out, "<p class=\"source\">Source: ");
        xml_add(out, text_str(&text));
        text_puts(out, "</p>\n");
        text_free(&text);
    }
}

/* A diff, or what was expected: each line in the colour of its mark. */
static void add_lines(text_t *out, const char *lines, bool marked)
{
    span_t rest = span_of(lines), line;
    text_puts(out, "<pre class=\"diff\">");
    while (span_next(&rest, '\n', &line)) {
        bool minus = marked && line.len > 0 && line.at[0] == '-',
             plus = marked && line.len > 0 && line.at[0] == '+';
        if (minus || plus) {
            text_puts(out, minus ? "<del>" : "<ins>");
            xml_add_span(out, line);
            text_puts(out, minus ? "</del>" : "</ins>");
        } else {
            xml_add_span(out, line);
        }
        text_puts(out, rest.at ? "\n" : "");
    }
    text_puts(out, "</pre>\n");
}

static void add_difference(text_t *out, const json_t *verdict)
{
    if (*event_string(verdict, "diff")) {
        text_puts(out, "<h4>Difference <small>− expected, + got</small></h4>\n");
        add_lines(out, event_string(verdict, "diff"), true);
    } else if (*event_string(verdict, "expected")) {
        text_puts(out, "<h4>Expected</h4>\n");
        add_lines(out, event_string(verdict, "expected"), false);
    }
}

static void add_entry(text_t *out, const json_t *entry)
{
    const char *direction = event_string(entry, "direction"), *step = event_string(entry, "step");
    bool sent = strcmp(direction, "sent") == 0, received = strcmp(direction, "received") == 0;
    text_printf(out, "<tr class=\"%s\"><td>%.1f</td><td>",
                sent       ? "sent"
                : received ? "received"
                           : "note",
                event_number(entry, "ms"));
    xml_add(out, event_string(entry, "client"));
    text_printf(out, "</td><td>%s</td><td>",
                sent       ? "<span title=\"sent\">→</span>"
                : received ? "<span title=\"received\">←</span>"
                           : "·");
    xml_add(out, event_string(entry, "text"));
    text_puts(out, "</td><td>");
    xml_add(out, step);
    text_puts(out, "</td></tr>\n");
}

static void add_timeline(text_t *out, const json_t *verdict)
{
    const json_t *transcript = json_object_get(verdict, "transcript");
    double earlier = event_number(verdict, "earlier");
    size_t i;
    json_t *entry;
    if (json_array_size(transcript) == 0) {
        return;
    }
    text_puts(out, "<h4>What was said</h4>\n");
    if (earlier > 0) {
        text_printf(out, "<p>%.0f earlier lines are left out.</p>\n", earlier);
    }
    text_puts(out,
              "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"What was said\">"
              "<table class=\"timeline\"><thead><tr><th scope=\"col\">ms</th><th scope=\"col\">client</th>"
              "<th scope=\"col\"><span class=\"hidden\">direction</span></th><th "
              "scope=\"col\">what</th><th scope=\"col\">taken by</th></tr></thead><tbody>\n");
    json_array_foreach(transcript, i, entry)
    {
        add_entry(out, entry);
    }
    text_puts(out, "</tbody></table></div>\n");
}

static void add_body(text_t *out, const run_t *run, const json_t *verdict)
{
    text_t text = {0};
    if (json_object_get(verdict, "step")) {
        say_step(&text, verdict);
        text_puts(out, "<p class=\"step\"><code>");
        xml_add(out, text_str(&text));
        text_puts(out, "</code></p>\n");
    }
    add_difference(out, verdict);
    add_timeline(out, verdict);
    if (is_unclean(verdict)) {
        text_puts(out, "<p class=\"source\">Closing, which is not judged here: ");
        xml_add(out, event_string(verdict, "closing"));
        text_puts(out, "</p>\n");
    }
    text_clear(&text);
    say_again(&text, run, verdict);
    text_puts(out, "<p class=\"again\">Again: <code>");
    xml_add(out, text_str(&text));
    text_puts(out, "</code></p>\n");
    text_free(&text);
}

static void add_variant(text_t *out, const run_t *run, const run_row_t *row, bool open)
{
    text_t why = {0};
    if (row->verdict) {
        say_why(&why, row->verdict);
    } else {
        text_puts(&why, "the run was cut short before this variant was over");
    }
    text_printf(out, "<details class=\"variant\" data-v=\"%s\" data-text=\"%s\"%s><summary>",
                row_verdict(row), event_string(row->planned, "variant"), open ? " open" : "");
    html_verdict(out, row);
    text_printf(out, "<code>%s</code><span class=\"reason\">", row_column(row));
    xml_add(out, text_str(&why));
    text_puts(out, "</span></summary>\n<div class=\"body\">\n");
    if (row->verdict) {
        add_body(out, run, row->verdict);
    }
    text_puts(out, "</div></details>\n");
    text_free(&why);
}

/* Opens what the variants of one case share: its name, title, requirements and sources. */
static void begin_case(text_t *out, const sheet_t *sheet, const run_t *run, const json_t *planned)
{
    text_printf(out, "<article class=\"case\"><header><h3><code>%s</code></h3>",
                event_string(planned, "case"));
    if (sheet->count > 1) {
        text_puts(out, "<span class=\"run\">");
        xml_add(out, run->label);
        text_puts(out, "</span>");
    }
    text_puts(out, "<p class=\"title\">");
    xml_add(out, event_string(planned, "title"));
    text_puts(out, "</p>\n");
    add_requirements(out, run, planned);
    add_sources(out, planned);
    text_puts(out, "</header>\n");
}

static void add_run(text_t *out, const sheet_t *sheet, const run_t *run, tone_t tone, bool open)
{
    const char *before = NULL;
    for (size_t i = 0; i < run->len; i++) {
        const json_t *planned = run->rows[i].planned;
        if (row_tone(&run->rows[i]) != tone) {
            continue;
        }
        if (!before || strcmp(before, event_string(planned, "case")) != 0) {
            text_puts(out, before ? "</article>\n" : "");
            begin_case(out, sheet, run, planned);
        }
        before = event_string(planned, "case");
        add_variant(out, run, &run->rows[i], open);
    }
    text_puts(out, before ? "</article>\n" : "");
}

size_t html_failures(text_t *out, const sheet_t *sheet, tone_t tone, const char *id, const char *heading)
{
    size_t all = 0;
    for (size_t i = 0; i < sheet->count; i++) {
        for (size_t j = 0; j < sheet->runs[i]->len; j++) {
            all += row_tone(&sheet->runs[i]->rows[j]) == tone;
        }
    }
    if (all == 0) {
        return 0;
    }
    text_printf(out, "<section id=\"%s\"><h2>%s <small>%zu</small></h2>\n", id, heading, all);
    for (size_t i = 0; i < sheet->count; i++) {
        add_run(out, sheet, sheet->runs[i], tone, tone == TONE_BAD && all <= OPEN_AT_MOST);
    }
    text_puts(out, "</section>\n");
    return all;
}
