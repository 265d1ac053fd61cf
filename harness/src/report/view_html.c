/* SPDX-License-Identifier: MIT */
/* One HTML file that needs nothing else: no network, and no JavaScript but for the filter. Its style and its
 * script are page.css and page.js, compiled in. */
#include "report/html.h"
#include "report/page.h"
#include "report/view.h"
#include "report/xml.h"

#include <string.h>

static void add_title(text_t *out, const sheet_t *sheet)
{
    text_puts(out, "Phoenix Channels conformance: ");
    for (size_t i = 0; i < sheet->count; i++) {
        text_puts(out, i > 0 ? ", " : "");
        xml_add(out, sheet->count > 1 ? sheet->runs[i]->label : event_string(sheet->runs[i]->head, "target"));
    }
}

static void add_head(text_t *out, const sheet_t *sheet)
{
    text_puts(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"color-scheme\" content=\"light dark\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                   "'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
                   "<title>");
    add_title(out, sheet);
    text_puts(out, "</title>\n<style>\n" PAGE_CSS "</style>\n</head>\n");
}

/* The verdicts that occur, with how often, for the filter. */
static json_t *verdicts_of(const sheet_t *sheet)
{
    json_t *all = json_object();
    for (size_t i = 0; i < sheet->count; i++) {
        for (size_t j = 0; j < sheet->runs[i]->len; j++) {
            const char *verdict = row_verdict(&sheet->runs[i]->rows[j]);
            json_int_t before = json_integer_value(json_object_get(all, verdict));
            json_object_set_new(all, verdict, json_integer(before + 1));
        }
    }
    return all;
}

/* Hidden until the script is there to serve it. */
static void add_filter(text_t *out, const sheet_t *sheet)
{
    const char *name;
    json_t *count, *verdicts = verdicts_of(sheet);
    text_puts(out,
              "<form id=\"filter\" role=\"search\" hidden>\n<label class=\"search\"><span "
              "class=\"hidden\">Search</span>"
              "<input id=\"q\" type=\"search\" placeholder=\"Search: words, a requirement, join.*/ws/v2\" "
              "autocomplete=\"off\" spellcheck=\"false\"></label>\n<fieldset><legend "
              "class=\"hidden\">Verdicts</legend>");
    json_object_foreach(verdicts, name, count)
    {
        text_printf(out,
                    "<label class=\"chip %s\"><input type=\"checkbox\" value=\"%s\"> %s <b>%lld</b></label>",
                    tone_name(look_of(name)->tone), name, name, (long long)json_integer_value(count));
    }
    if (sheet->count > 1) {
        text_printf(out,
                    "<label class=\"chip\"><input type=\"checkbox\" id=\"d\"> differs <b>%zu</b></label>",
                    sheet->differing);
    }
    text_puts(out, "</fieldset>\n<output id=\"shown\" aria-live=\"polite\"></output> <button "
                   "type=\"reset\">Reset</button>\n</form>\n");
    json_decref(verdicts);
}

static void html_end(text_t *out, const view_settings_t *settings, const run_t *const *runs, size_t count)
{
    (void)settings;
    sheet_t *sheet = sheet_new(runs, count);
    add_head(out, sheet);
    text_puts(
        out,
        "<body>\n<a class=\"skip\" href=\"#failures\">To the failures</a>\n"
        "<header><h1>Phoenix Channels conformance</h1><nav><a href=\"#matrix\">Matrix</a> <a "
        "href=\"#failures\">Failures</a> <a href=\"#variants\">All variants</a> <a href=\"#requirements\">"
        "Requirements</a></nav></header>\n<main>\n");
    html_runs(out, sheet);
    html_matrix(out, sheet);
    add_filter(out, sheet);
    size_t failures = html_failures(out, sheet, TONE_BAD, "failures", "Failures");
    if (failures == 0) {
        text_puts(out, "<section id=\"failures\"><h2>Failures</h2><p>None.</p></section>\n");
    }
    html_failures(out, sheet, TONE_OPEN, "not-judged", "Not judged");
    html_failures(out, sheet, TONE_KNOWN, "excused", "Excused");
    html_variants(out, sheet);
    html_coverage(out, sheet);
    text_puts(out,
              "</main>\n<footer>Written by phxspec. This page loads nothing.</footer>\n<script>\n" PAGE_JS
              "</script>\n</body>\n</html>\n");
    sheet_free(sheet);
}

const view_t view_html = {"html", ".html", "one HTML file", NULL, NULL, html_end};
