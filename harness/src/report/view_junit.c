/* SPDX-License-Identifier: MIT */
/*
 * JUnit XML, as Jenkins and Ant read it: a test suite per group, a test case per variant. What is excused
 * (expected failures, tolerated ones) and what does not apply is skipped, with the reason as its message;
 * failures and unexpected passes are failures; what could not be judged is an error.
 */
#include "report/sheet.h"
#include "report/view.h"
#include "report/xml.h"

#include <string.h>

static void add_property(text_t *out, const char *name, const char *value)
{
    text_puts(out, "      <property");
    xml_attribute(out, "name", name);
    xml_attribute(out, "value", value);
    text_puts(out, "/>\n");
}

static const char *element_of(const run_row_t *row)
{
    switch (row_tone(row)) {
    case TONE_KNOWN:
    case TONE_MUTED:
        return "skipped";
    case TONE_OPEN:
        return "error";
    case TONE_BAD:
        return "failure";
    default:
        return NULL;
    }
}

static void add_outcome(text_t *out, const run_t *run, const run_row_t *row, const char *element)
{
    text_t message = {0}, body = {0};
    bool tolerated = json_is_true(json_object_get(row->verdict, "tolerated"));
    text_printf(&message, "%s%s: ", row_verdict(row),
                tolerated ? ", which fails the run with --strict only" : "");
    if (row->verdict) {
        say_why(&message, row->verdict);
    } else {
        text_puts(&message, "the run was cut short");
    }
    text_printf(out, "      <%s", element);
    xml_attribute(out, "type", row_verdict(row));
    xml_attribute(out, "message", text_str(&message));
    if (row->verdict && row_tone(row) != TONE_MUTED) {
        say_failure(&body, run, row->verdict, 0, "");
        text_putc(out, '>');
        xml_add(out, text_str(&body));
        text_printf(out, "</%s>\n", element);
    } else {
        text_puts(out, "/>\n");
    }
    text_free(&message);
    text_free(&body);
}

static void add_case(text_t *out, const run_t *run, const run_row_t *row, const char *class_name)
{
    const char *element = element_of(row);
    text_puts(out, "    <testcase");
    xml_attribute(out, "name", event_string(row->planned, "variant"));
    xml_attribute(out, "classname", class_name);
    text_printf(out, " time=\"%.3f\"", event_number(row->verdict, "ms") / 1000);
    if (element == NULL) {
        text_puts(out, "/>\n");
        return;
    }
    text_puts(out, ">\n");
    add_outcome(out, run, row, element);
    text_puts(out, "    </testcase>\n");
}

typedef struct tally {
    size_t tests, failures, errors, skipped;
    double ms;
} tally_t;

static bool in_group(const run_row_t *row, const char *group)
{
    return strcmp(event_string(row->planned, "group"), group) == 0;
}

static tally_t tally_of(const run_t *run, const char *group)
{
    tally_t tally = {0};
    for (size_t i = 0; i < run->len; i++) {
        if (in_group(&run->rows[i], group)) {
            const char *element = element_of(&run->rows[i]);
            tally.tests++;
            tally.failures += element && strcmp(element, "failure") == 0;
            tally.errors += element && strcmp(element, "error") == 0;
            tally.skipped += element && strcmp(element, "skipped") == 0;
            tally.ms += event_number(run->rows[i].verdict, "ms");
        }
    }
    return tally;
}

static void begin_suite(text_t *out, const run_t *run, const char *group, const char *package, size_t id,
                        tally_t tally)
{
    text_puts(out, "  <testsuite");
    xml_attribute(out, "name", group);
    xml_attribute(out, "package", package);
    /* 2026-11-25T09:43:01 without its Z, and no name of a machine: so Ant's schema wants it */
    text_printf(out, " id=\"%zu\" timestamp=\"%.19s\" hostname=\"localhost\"", id,
                event_string(run->head, "started_at"));
    text_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
                tally.tests, tally.failures, tally.errors, tally.skipped, tally.ms / 1000);
    text_puts(out, "    <properties>\n");
    add_property(out, "phxspec", event_string(run->head, "phxspec"));
    add_property(out, "target", event_string(run->head, "target"));
    add_property(out, "profile", event_string(run->head, "profile"));
    if (*event_string(run->head, "phoenix")) {
        add_property(out, "phoenix", event_string(run->head, "phoenix"));
    }
    text_puts(out, "    </properties>\n");
}

static void end_suite(text_t *out, const run_t *run)
{
    text_puts(out, "    <system-out>");
    if (run_flaw(run)) {
        xml_add(out, run_flaw(run));
    }
    text_puts(out, "</system-out>\n    <system-err/>\n  </testsuite>\n");
}

static void add_suite(text_t *out, const run_t *run, const char *group, const char *package, size_t id)
{
    text_t class_name = {0};
    text_printf(&class_name, "%s.%s", package, group);
    begin_suite(out, run, group, package, id, tally_of(run, group));
    for (size_t i = 0; i < run->len; i++) {
        if (in_group(&run->rows[i], group)) {
            add_case(out, run, &run->rows[i], text_str(&class_name));
        }
    }
    end_suite(out, run);
    text_free(&class_name);
}

/* A run that is not whole is red, also where the variants do not show it: the plan is cut, or all were over.
 */
static bool hides_flaw(const run_t *run)
{
    size_t open = 0;
    for (size_t i = 0; i < run->len; i++) {
        open += row_tone(&run->rows[i]) == TONE_OPEN;
    }
    return run_flaw(run) && (open == 0 || (double)run->len < event_number(run->head, "planned"));
}

static void add_flaw(text_t *out, const run_t *run, const char *package, size_t id)
{
    begin_suite(out, run, "run", package, id, (tally_t){.tests = 1, .errors = 1});
    text_puts(out, "    <testcase name=\"run\"");
    xml_attribute(out, "classname", package);
    text_puts(out, " time=\"0\">\n      <error type=\"no verdict\"");
    xml_attribute(out, "message", run_flaw(run));
    text_puts(out, "/>\n    </testcase>\n");
    end_suite(out, run);
}

static void junit_end(text_t *out, const view_settings_t *settings, const run_t *const *runs, size_t count)
{
    size_t id = 0;
    (void)settings;
    text_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (size_t i = 0; i < count; i++) {
        sheet_t *sheet = sheet_new(&runs[i], 1);
        const char *package = count > 1 ? runs[i]->label : "phxspec";
        for (size_t j = 0; j < sheet->groups.len; j++) {
            add_suite(out, runs[i], sheet->groups.at[j], package, id++);
        }
        if (hides_flaw(runs[i])) {
            add_flaw(out, runs[i], package, id++);
        }
        sheet_free(sheet);
    }
    text_puts(out, "</testsuites>\n");
}

const view_t view_junit = {"junit", ".xml", "JUnit XML", NULL, NULL, junit_end};
