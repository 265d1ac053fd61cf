/* SPDX-License-Identifier: MIT */
#include "report/coverage.h"
#include "report/html.h"
#include "report/view.h"
#include "report/xml.h"

#include "base/memory.h"

#include <stdlib.h>

static void add_standing(text_t *out, const coverage_row_t *row)
{
    if (row == NULL) {
        text_puts(out, "<td><span class=\"verdict muted\">not in this run</span></td>");
        return;
    }
    const size_t applied = row->by[TONE_GOOD] + row->by[TONE_BAD] + row->by[TONE_OPEN] + row->by[TONE_KNOWN];
    text_printf(out, "<td><span class=\"verdict %s\">%s</span> <span class=\"why\">%zu of %zu",
                tone_name(row->tone), coverage_word(row->tone), row->by[TONE_GOOD], applied);
    if (row->tone != TONE_GOOD) {
        text_puts(out, "; ");
        xml_add(out, row->first[row->tone]);
    }
    text_puts(out, "</span></td>");
}

static void add_row(text_t *out, const sheet_t *sheet, coverage_t **coverages, const run_t *run,
                    const char *id)
{
    const json_t *requirement = json_object_get(run->requirements, id);
    text_puts(out, "<tr><th scope=\"row\"><code>");
    xml_add(out, id);
    text_puts(out, "</code></th><td>");
    xml_add(out, event_string(requirement, "text"));
    text_puts(out, " <span class=\"why\">");
    xml_add(out, event_string(requirement, "level"));
    text_puts(out, "</span></td>");
    for (size_t i = 0; i < sheet->count; i++) {
        add_standing(out, coverage_row(coverages[i], id));
    }
    text_puts(out, "</tr>\n");
}

/* What an earlier run does not cite already. */
static void add_rows_of(text_t *out, const sheet_t *sheet, coverage_t **coverages, size_t run)
{
    for (size_t i = 0; i < coverages[run]->len; i++) {
        const char *id = coverages[run]->rows[i].id;
        bool shown = false;
        for (size_t before = 0; before < run && !shown; before++) {
            shown = coverage_row(coverages[before], id) != NULL;
        }
        if (!shown) {
            add_row(out, sheet, coverages, sheet->runs[run], id);
        }
    }
}

void html_coverage(text_t *out, const sheet_t *sheet)
{
    coverage_t **coverages = mem_new(sheet->count, sizeof *coverages);
    text_puts(out, "<section id=\"requirements\"><h2>Requirements</h2>\n");
    for (size_t i = 0; i < sheet->count; i++) {
        coverages[i] = coverage_new(sheet->runs[i]);
        text_puts(out, "<p>");
        if (sheet->count > 1) {
            xml_add(out, sheet->runs[i]->label);
            text_puts(out, ": ");
        }
        coverage_write(out, coverages[i]);
        text_puts(out, ".</p>\n");
    }
    text_puts(out,
              "<details class=\"rules\"><summary>Each of them</summary>\n<div class=\"scroll\"><table "
              "class=\"variants\"><thead><tr><th scope=\"col\">Requirement</th><th scope=\"col\">Text</th>");
    for (size_t i = 0; i < sheet->count; i++) {
        text_puts(out, "<th scope=\"col\">");
        xml_add(out, sheet->count > 1 ? sheet->runs[i]->label : "Shown by");
        text_puts(out, "</th>");
    }
    text_puts(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < sheet->count; i++) {
        add_rows_of(out, sheet, coverages, i);
    }
    text_puts(out, "</tbody></table></div></details></section>\n");
    for (size_t i = 0; i < sheet->count; i++) {
        coverage_free(coverages[i]);
    }
    free(coverages);
}
