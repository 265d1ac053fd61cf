/* SPDX-License-Identifier: MIT */
#include "replay/verdict.h"

#include <stdlib.h>
#include <string.h>

enum { LAST_LINES = 14 };

static const char *const names[VERDICTS] = {"agree",          "disagree", "expected",
                                            "not applicable", "not run",  "harness error"};

static void add_where(text_t *out, const recording_t *recording, size_t event)
{
    if (event == 0) {
        text_puts(out, "  outside of its events: ");
        return;
    }
    const recorded_event_t *each = &recording->events[event - 1];
    text_printf(out, "  event %zu of %zu (%s, recorded at %.1f ms): ", event, recording->events_len,
                recording->conns[each->conn].name, each->t_ms);
}

static void add_disagreement(text_t *out, const verdict_printer_t *printer, const recording_t *recording,
                             const player_t *player)
{
    const finding_t *finding = player_finding(player);
    add_where(out, recording, player_event(player));
    text_puts(out, text_str(&finding->what));
    text_putc(out, '\n');
    if (finding->diff.len > 0) {
        text_puts(out, "    - recorded, + got\n");
        text_span_add(out, text_span(&finding->diff));
    }
    if (printer->verbosity != TRACE) {
        text_puts(out, "  the last frames:\n");
        transcript_write(out, player_transcript(player), LAST_LINES, "    ");
    }
    text_puts(out, "  run it alone:\n    ");
    text_puts(out, printer->rerun);
    text_shell_word(out, recording->name);
    text_putc(out, '\n');
}

static bool is_told(const verdict_printer_t *printer, const verdict_t *verdict)
{
    bool bad = verdict->kind == DISAGREE || verdict->kind == HARNESS_ERROR || verdict->came_untrue;
    return bad || printer->verbosity >= VERBOSE;
}

static void tell(const verdict_printer_t *printer, const verdict_t *verdict, const player_t *player)
{
    text_t out = {0};
    const recording_t *recording = verdict->recording;
    text_printf(&out, "%-14s %s", names[verdict->kind], recording->name);
    if (verdict->kind == AGREE) {
        text_printf(&out, " (%.0f ms)", verdict->ms);
    }
    if (verdict->reason != NULL) {
        text_printf(&out, ": %s", verdict->reason);
    } else if (verdict->kind == DISAGREE) {
        text_printf(&out, ": %s", recording->title);
    }
    text_putc(&out, '\n');
    if (verdict->came_untrue) {
        text_puts(&out, "  --expect names it, but it agrees: take it out of that file\n");
    }
    if (player != NULL && printer->verbosity == TRACE) {
        transcript_write(&out, player_transcript(player), 0, "    ");
    }
    if (player != NULL && verdict->kind == DISAGREE && printer->verbosity != QUIET) {
        add_disagreement(&out, printer, recording, player);
    }
    fwrite(out.at, 1, out.len, stdout);
    text_free(&out);
}

static json_t *string_json(span_t string)
{
    json_t *value = jvalue_string(string);
    return value ? value : json_string("(not UTF-8)");
}

static void report_line(FILE *report, const json_t *line)
{
    text_t out = {0};
    jvalue_write(&out, line);
    text_putc(&out, '\n');
    fwrite(out.at, 1, out.len, report);
    fflush(report);
    text_free(&out);
}

static void report(const verdict_printer_t *printer, const verdict_t *verdict, const player_t *player)
{
    json_t *line = json_pack("{s:s, s:s, s:f, s:s}", "recording", verdict->recording->name, "verdict",
                             names[verdict->kind], "ms", verdict->ms, "title", verdict->recording->title);
    if (verdict->reason != NULL) {
        json_object_set_new(line, "reason", string_json(span_of(verdict->reason)));
    }
    if (verdict->came_untrue) {
        json_object_set_new(line, "came_untrue", json_true());
    }
    if (player != NULL && !player_agreed(player)) {
        const finding_t *finding = player_finding(player);
        json_object_set_new(line, "event", json_integer((json_int_t)player_event(player)));
        json_object_set_new(line, "what", string_json(text_span(&finding->what)));
        json_object_set_new(line, "diff", string_json(text_span(&finding->diff)));
    }
    report_line(printer->report, line);
    json_decref(line);
}

void verdict_print(verdict_printer_t *printer, const verdict_t *verdict, const player_t *player)
{
    printer->counts[verdict->kind]++;
    if (is_told(printer, verdict)) {
        tell(printer, verdict, player);
    }
    if (printer->report != NULL) {
        report(printer, verdict, player);
    }
}

/* ---- the summary ---- */

/* "(presence 77, deflate 1)": how many verdicts of this kind have which reason. */
static void add_reasons(text_t *out, const verdict_t *verdicts, size_t count, verdict_kind_t kind)
{
    const char *separator = " (";
    for (size_t i = 0; i < count; i++) {
        const char *reason = verdicts[i].kind == kind ? verdicts[i].reason : NULL;
        size_t same = 0, first = i;
        for (size_t j = 0; reason != NULL && j < count; j++) {
            if (verdicts[j].kind == kind && verdicts[j].reason != NULL &&
                strcmp(verdicts[j].reason, reason) == 0) {
                same++;
                first = j < first ? j : first;
            }
        }
        if (same > 0 && first == i) {
            text_printf(out, "%s%s: %zu", separator, reason, same);
            separator = "; ";
        }
    }
    text_puts(out, separator[0] == ';' ? ")" : "");
}

/* A recording's name without its last two parts, the transport and the version. */
static span_t scenario_of(const recording_t *recording)
{
    span_t name = span_of(recording->name);
    for (int parts = 0; parts < 2; parts++) {
        while (name.len > 0 && name.at[name.len - 1] != '.') {
            name.len--;
        }
        name.len -= name.len > 0;
    }
    return name;
}

/* The recordings of one kind by name, under the reason they have in common; those of a scenario on one line.
 */
static void add_names(text_t *out, const verdict_t *verdicts, size_t count, verdict_kind_t kind)
{
    const verdict_t *last = NULL;
    for (size_t i = 0; i < count; i++) {
        const verdict_t *verdict = &verdicts[i];
        if (verdict->kind != kind || verdict->reason == NULL) {
            continue;
        }
        span_t scenario = scenario_of(verdict->recording);
        bool same_reason = last != NULL && strcmp(last->reason, verdict->reason) == 0;
        if (!same_reason) {
            text_printf(out, "%s%s (%s):", last != NULL ? "\n" : "", names[kind], verdict->reason);
        }
        if (!same_reason || !span_equal(scenario_of(last->recording), scenario)) {
            text_printf(out, "\n    %.*s", (int)scenario.len, scenario.at);
        }
        text_printf(out, " %s", verdict->recording->name + scenario.len + 1);
        last = verdict;
    }
    text_puts(out, last != NULL ? "\n" : "");
}

bool verdict_summary(const verdict_printer_t *printer, const verdict_t *verdicts, size_t planned, double ms)
{
    text_t out = {0};
    size_t sum = 0;
    json_t *counts = json_object();
    if (printer->verbosity == NORMAL) { /* the others have told them one by one, or are to be quiet */
        add_names(&out, verdicts, planned, EXPECTED);
        add_names(&out, verdicts, planned, NOT_APPLICABLE);
        add_names(&out, verdicts, planned, NOT_RUN);
    }
    for (size_t kind = 0; kind < VERDICTS; kind++) {
        sum += printer->counts[kind];
        text_printf(&out, "%s%s %zu", kind > 0 ? ", " : "", names[kind], printer->counts[kind]);
        if (kind == NOT_APPLICABLE || kind == NOT_RUN || kind == HARNESS_ERROR) {
            add_reasons(&out, verdicts, planned, (verdict_kind_t)kind);
        }
        json_object_set_new(counts, names[kind], json_integer((json_int_t)printer->counts[kind]));
    }
    text_printf(&out, " of %zu recordings in %.1f s", planned, ms / 1000);
    if (printer->played_again > 0) {
        text_printf(&out, " (%zu times the client had fallen behind the recording, which was played again)",
                    printer->played_again);
    }
    text_putc(&out, '\n');
    if (sum != planned) {
        text_printf(&out, "these are %zu verdicts, not %zu: an error of phxspec itself\n", sum, planned);
    }
    fwrite(out.at, 1, out.len, stdout);
    if (printer->report != NULL) {
        json_t *line = json_pack("{s:{s:I, s:O, s:f, s:b}}", "summary", "planned", (json_int_t)planned,
                                 "verdicts", counts, "ms", ms, "complete", sum == planned);
        report_line(printer->report, line);
        json_decref(line);
    }
    json_decref(counts);
    text_free(&out);
    return sum == planned;
}
