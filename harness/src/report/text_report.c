/* SPDX-License-Identifier: MIT */
#include "report/text_report.h"

#include "base/diff.h"
#include "vectors/requirements.h"

#include <stdlib.h>
#include <unistd.h>

enum { FRAMES_SHOWN = 24, LINE_WIDTH = 400 };

static const char *const colours[VERDICTS] = {[VERDICT_PASS] = "32",
                                              [VERDICT_FAIL] = "31;1",
                                              [VERDICT_EXPECTED_FAILURE] = "36",
                                              [VERDICT_UNEXPECTED_PASS] = "35",
                                              [VERDICT_NOT_APPLICABLE] = "2",
                                              [VERDICT_NOT_RUN] = "33",
                                              [VERDICT_HARNESS_ERROR] = "35;1"};

bool text_report_colours(FILE *to)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(fileno(to)) && !(no_color && *no_color);
}

static void add_verdict(text_t *out, const text_report_t *report, verdict_t verdict)
{
    if (report->colours) {
        text_printf(out, "\033[%sm%s\033[0m", colours[verdict], verdict_name(verdict));
    } else {
        text_puts(out, verdict_name(verdict));
    }
}

static void add_requirements(text_t *out, const text_report_t *report, const vector_case_t *c)
{
    for (size_t i = 0; i < json_array_size(c->requirements); i++) {
        text_puts(out, "    ");
        requirement_write(out, report->requirements, json_string_value(json_array_get(c->requirements, i)));
        text_putc(out, '\n');
    }
}

static void add_step(text_t *out, const vector_case_t *c, const case_result_t *result)
{
    if (result->step > c->len) {
        text_puts(out, "    at the end of the case\n");
    } else if (result->step > 0) {
        text_printf(out, "    step %zu of %zu: %s\n", result->step, c->len, result->step_text);
    }
}

static void add_trace(text_t *out, const text_report_t *report, const case_result_t *result)
{
    if (result->transcript) {
        transcript_write(out, result->transcript, report->detail == DETAIL_TRACE ? 0 : FRAMES_SHOWN,
                         "      ");
    }
}

static void add_failure(text_t *out, const text_report_t *report, const variant_t *variant,
                        const case_result_t *result)
{
    text_printf(out, "    %s\n", variant->c->title);
    add_requirements(out, report, variant->c);
    add_step(out, variant->c, result);
    text_printf(out, "    %s\n", result->reason);
    if (result->expected && *result->got) {
        text_puts(out, "    - expected, + got:\n");
        diff_lines(out, span_of(result->expected), span_of(result->got), "      ");
    } else if (result->expected) {
        text_puts(out, "    expected:\n");
        span_t rest = span_of(result->expected), line;
        while (span_next(&rest, '\n', &line) && line.len > 0) {
            text_printf(out, "        %.*s\n", (int)line.len, line.at);
        }
    }
    text_puts(out, "    what was said:\n");
    add_trace(out, report, result);
    text_printf(out, "    again: %s --run ", report->rerun);
    text_shell_word(out, variant->name);
    text_printf(out, "%s\n\n", report->rerun_end ? report->rerun_end : "");
}

void text_report_verdict(const text_report_t *report, const variant_t *variant, const case_result_t *result)
{
    bool expected = result->verdict == VERDICT_EXPECTED_FAILURE;
    bool failed = verdict_failed(result->verdict) && (!expected || report->detail >= DETAIL_VERBOSE);
    if (!failed && result->verdict != VERDICT_UNEXPECTED_PASS && report->detail == DETAIL_QUIET) {
        return;
    }
    text_t out = {0};
    add_verdict(&out, report, result->verdict);
    text_printf(&out, "  %s", variant->name);
    if (result->transcript && report->detail >= DETAIL_VERBOSE) {
        text_printf(&out, "  (%s, %.0f ms)  %s", level_name(variant->c->level), result->ms,
                    variant->c->title);
    }
    if (expected) {
        text_printf(&out, ": %s%s%s", result->excuse.reason, result->excuse.link ? "  " : "",
                    result->excuse.link ? result->excuse.link : "");
    } else if (!failed && result->reason) {
        text_printf(&out, ": %s", result->reason);
    }
    if (result->tolerated) {
        text_printf(&out, "  (%s: it fails the run with --strict only)", level_name(variant->c->level));
    }
    if (result->attempts > 1) {
        text_printf(&out, "  (attempt %u; this machine was overloaded before)", result->attempts);
    }
    text_putc(&out, '\n');
    if (failed) {
        add_failure(&out, report, variant, result);
    } else if (report->detail == DETAIL_TRACE) {
        add_trace(&out, report, result);
    }
    fwrite(out.at, 1, out.len, report->to);
    fflush(report->to);
    text_free(&out);
}

void text_report_summary(const text_report_t *report, const suite_counts_t *counts, double ms)
{
    fprintf(report->to, "%zu planned:", counts->planned);
    for (int verdict = 0; verdict < VERDICTS; verdict++) {
        text_t out = {0};
        add_verdict(&out, report, (verdict_t)verdict);
        fprintf(report->to, "%s %s %zu", verdict ? "," : "", text_str(&out), counts->by[verdict]);
        if (verdict == VERDICT_FAIL && counts->tolerated > 0) {
            fprintf(report->to, " (%zu of them with --strict only)", counts->tolerated);
        }
        text_free(&out);
    }
    fprintf(report->to, " (%.1f s)\n", ms / 1000);
    if (!suite_counts_add_up(counts)) {
        fputs("these do not add up to what was planned: this run proves nothing\n", report->to);
    }
}
