/* SPDX-License-Identifier: MIT */
#include "report/coverage.h"
#include "report/view.h"

#include <string.h>

void say_step(text_t *out, const json_t *verdict)
{
    double step = event_number(verdict, "step"), steps = event_number(verdict, "steps");
    if (step > steps) {
        text_puts(out, "at the end of the case");
    } else if (step > 0) {
        text_printf(out, "step %.0f of %.0f: %s", step, steps, event_string(verdict, "step_text"));
    }
}

void say_entry(text_t *out, const json_t *entry)
{
    const char *direction = event_string(entry, "direction"), *step = event_string(entry, "step");
    const char *arrow = strcmp(direction, "sent") == 0 ? "→" : strcmp(direction, "received") == 0 ? "←" : "·";
    text_printf(out, "%9.1f ms  %-3s%s %s", event_number(entry, "ms"), event_string(entry, "client"), arrow,
                event_string(entry, "text"));
    if (*step) {
        text_printf(out, "   [%s]", step);
    }
}

void say_lines(text_t *out, const char *lines, const char *indent)
{
    span_t rest = span_of(lines), line;
    if (rest.len > 0 && rest.at[rest.len - 1] == '\n') {
        rest.len--;
    }
    while (span_next(&rest, '\n', &line)) {
        text_puts(out, line.len > 0 ? indent : "");
        text_span_add(out, line);
        text_putc(out, '\n');
    }
}

void say_why(text_t *out, const json_t *verdict)
{
    const json_t *expectation = json_object_get(verdict, "expectation");
    const char *reason = event_string(verdict, "reason"), *link = event_string(expectation, "link");
    bool passed = strcmp(event_string(verdict, "verdict"), "unexpected pass") == 0;
    text_puts(out, reason);
    if (expectation && !(passed && *reason)) { /* a reason why a pass is wrong names the expectation itself */
        text_printf(out, "%sexpected to fail: %s", *reason ? "; " : "", event_string(expectation, "reason"));
        text_printf(out, *link ? " (%s)" : "%s", link);
    }
}

void say_source(text_t *out, const json_t *source)
{
    static const char *const members[] = {"recording", "bug", "phoenix", "url"};
    static const char *const words[] = {"recording ", "", "Phoenix ", ""};
    bool any = false;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *value = event_string(source, members[i]);
        if (*value) {
            bool named = strncmp(value, "phoenix", 7) == 0 || strncmp(value, "Phoenix", 7) == 0;
            text_printf(out, "%s%s%s", any ? ", " : "", named ? "" : words[i], value);
            any = true;
        }
    }
    if (*event_string(source, "note")) {
        text_printf(out, " (%s)", event_string(source, "note"));
    }
}

void say_again(text_t *out, const run_t *run, const json_t *verdict)
{
    text_printf(out, "%s --run ", event_string(run->head, "rerun"));
    text_shell_word(out, event_string(verdict, "variant"));
}

bool is_unclean(const json_t *verdict)
{
    return strncmp(event_string(verdict, "closing"), "unclean", strlen("unclean")) == 0;
}

static void add_difference(text_t *out, const json_t *verdict, const char *indent)
{
    text_t deeper = {0};
    text_printf(&deeper, "%s    ", indent);
    if (*event_string(verdict, "diff")) {
        text_printf(out, "%s- expected, + got:\n", indent);
        say_lines(out, event_string(verdict, "diff"), text_str(&deeper));
    } else if (*event_string(verdict, "expected")) {
        text_printf(out, "%sexpected:\n", indent);
        say_lines(out, event_string(verdict, "expected"), text_str(&deeper));
    }
    text_free(&deeper);
}

void say_transcript(text_t *out, const json_t *verdict, size_t frames, const char *indent)
{
    const json_t *transcript = json_object_get(verdict, "transcript");
    size_t len = json_array_size(transcript), from = frames > 0 && len > frames ? len - frames : 0;
    size_t earlier = from + (size_t)event_number(verdict, "earlier");
    if (earlier > 0) {
        text_printf(out, "%s    … %zu earlier\n", indent, earlier);
    }
    for (size_t i = from; i < len; i++) {
        text_puts(out, indent);
        say_entry(out, json_array_get(transcript, i));
        text_putc(out, '\n');
    }
}

void say_case(text_t *out, const run_t *run, const json_t *verdict, const char *indent)
{
    size_t i;
    json_t *item;
    text_printf(out, "%s%s\n", indent, event_string(verdict, "title"));
    json_array_foreach(json_object_get(verdict, "requirements"), i, item)
    {
        text_puts(out, indent);
        run_requirement(out, run, json_string_value(item));
        text_putc(out, '\n');
    }
    json_array_foreach(json_object_get(verdict, "source"), i, item)
    {
        text_printf(out, "%ssource: ", indent);
        say_source(out, item);
        text_putc(out, '\n');
    }
    if (json_object_get(verdict, "step")) {
        text_puts(out, indent);
        say_step(out, verdict);
        text_putc(out, '\n');
    }
    text_t why = {0};
    say_why(&why, verdict);
    say_lines(out, text_str(&why), indent);
    text_free(&why);
}

void say_failure(text_t *out, const run_t *run, const json_t *verdict, size_t frames, const char *indent)
{
    say_case(out, run, verdict, indent);
    add_difference(out, verdict, indent);
    if (json_array_size(json_object_get(verdict, "transcript")) > 0) {
        text_printf(out, "%swhat was said:\n", indent);
        say_transcript(out, verdict, frames, indent);
    }
    if (is_unclean(verdict)) {
        text_printf(out, "%sclosing, which is not judged here: %s\n", indent,
                    event_string(verdict, "closing"));
    }
    text_printf(out, "%sagain: ", indent);
    say_again(out, run, verdict);
    text_putc(out, '\n');
}

void say_flaw(text_t *out, const run_t *run)
{
    double planned = event_number(run->head, "planned");
    double missing = planned - (double)run->len;
    for (size_t i = 0; i < run->len; i++) {
        missing += row_tone(&run->rows[i]) == TONE_OPEN;
    }
    text_puts(out, run_flaw(run));
    if (missing > 0) {
        text_printf(out, "; %.0f of %.0f variants were not judged", missing, planned);
    }
}

void say_coverage(text_t *out, const run_t *run)
{
    coverage_t *coverage = coverage_new(run);
    coverage_write(out, coverage);
    coverage_free(coverage);
}

void say_counts(text_t *out, const run_t *run)
{
    const char *name;
    json_t *count;
    const char *between = "";
    const json_t *counts = run->summary ? json_object_get(run->summary, "counts") : run->counts;
    text_printf(out, "%.0f planned:%s", event_number(run->head, "planned"),
                json_object_size(counts) > 0 ? "" : " no verdict");
    json_object_foreach((json_t *)counts, name, count)
    {
        text_printf(out, "%s %s %lld", between, name, (long long)json_integer_value(count));
        between = ",";
        if (strcmp(name, "fail") == 0 && event_number(run->summary, "tolerated") > 0) {
            text_printf(out, " (%.0f of them with --strict only)", event_number(run->summary, "tolerated"));
        }
    }
    if (run->summary) {
        text_printf(out, " (%.1f s)", event_number(run->summary, "ms") / 1000);
    }
}
