/* SPDX-License-Identifier: MIT */
/* TAP 14: one test point a variant, in the order of the plan; what did not pass has its diagnostics in YAML.
 * The points of several runs are numbered on, and their plan comes last. */
#include "report/view.h"

#include <string.h>

/* A description or directive: what TAP reads as one is escaped. */
static void add_words(text_t *out, const char *words)
{
    for (; *words; words++) {
        if (*words == '#' || *words == '\\') {
            text_putc(out, '\\');
        }
        text_putc(out, *words == '\n' ? ' ' : *words);
    }
}

static void add_yaml_string(text_t *out, const char *key, const char *value)
{
    text_printf(out, "  %s: \"", key);
    for (; *value; value++) {
        if (*value == '\n') {
            text_puts(out, "\\n");
        } else {
            text_puts(out, *value == '"' || *value == '\\' ? "\\" : "");
            text_putc(out, *value);
        }
    }
    text_puts(out, "\"\n");
}

static void add_diagnostics(text_t *out, const run_t *run, const json_t *verdict)
{
    text_t all = {0}, why = {0};
    say_failure(&all, run, verdict, 0, "");
    say_why(&why, verdict);
    text_puts(out, "  ---\n");
    add_yaml_string(out, "verdict", event_string(verdict, "verdict"));
    add_yaml_string(out, "level", event_string(verdict, "level"));
    add_yaml_string(out, "message", text_str(&why));
    text_puts(out, "  details: |\n");
    say_lines(out, text_str(&all), "    ");
    text_puts(out, "  ...\n");
    text_free(&all);
    text_free(&why);
}

static void add_point(text_t *out, const view_settings_t *settings, const run_t *run, const json_t *verdict)
{
    tone_t tone = event_tone(verdict);
    const run_row_t *row = run_row(run, event_string(verdict, "variant"));
    text_printf(out, "%sok %zu - ", tone == TONE_GOOD || tone == TONE_MUTED ? "" : "not ",
                run->first + (size_t)(row - run->rows));
    if (settings->runs > 1) {
        add_words(out, run->label);
        text_puts(out, ": ");
    }
    add_words(out, event_string(verdict, "variant"));
    if (tone == TONE_MUTED) {
        text_puts(out, " # SKIP ");
        add_words(out, event_string(verdict, "reason"));
    } else if (tone == TONE_KNOWN) {
        bool tolerated = json_is_true(json_object_get(verdict, "tolerated"));
        const char *reason = event_string(json_object_get(verdict, "expectation"), "reason");
        text_puts(out, " # TODO ");
        add_words(out, tolerated || !*reason ? event_string(verdict, "verdict") : reason);
        if (tolerated) {
            text_printf(out, " (%s: it fails the run with --strict only)", event_string(verdict, "level"));
        }
    } else if (tone != TONE_GOOD && strcmp(event_string(verdict, "verdict"), "fail") != 0) {
        text_printf(out, " (%s)", event_string(verdict, "verdict"));
    }
    text_putc(out, '\n');
    if (tone != TONE_GOOD && tone != TONE_MUTED) {
        add_diagnostics(out, run, verdict);
    }
}

static void tap_event(text_t *out, const view_settings_t *settings, const run_t *run, const json_t *event)
{
    if (event_is(event, "run")) {
        text_puts(out, run->first == 1 ? "TAP version 14\n" : "");
        if (settings->runs == 1) {
            text_printf(out, "1..%.0f\n", event_number(event, "planned"));
        }
        text_puts(out, "# phxspec, target ");
        add_words(out, event_string(event, "target"));
        text_puts(out, ", profile ");
        add_words(out, event_string(event, "profile"));
        text_putc(out, '\n');
    } else if (event_is(event, "verdict")) {
        add_point(out, settings, run, event);
    }
}

static void tap_run_end(text_t *out, const view_settings_t *settings, const run_t *run)
{
    (void)settings;
    if (run_flaw(run)) {
        text_printf(out, "Bail out! %s\n", run_flaw(run));
    } else {
        text_puts(out, "# ");
        say_counts(out, run);
        text_putc(out, '\n');
    }
}

static void tap_end(text_t *out, const view_settings_t *settings, const run_t *const *runs, size_t count)
{
    if (settings->runs > 1) {
        text_printf(out, "1..%zu\n", runs[count - 1]->first - 1 + runs[count - 1]->len);
    }
}

const view_t view_tap = {"tap", ".tap", "TAP 14", tap_event, tap_run_end, tap_end};
