/* SPDX-License-Identifier: MIT */
#include "report/events.h"

#include "base/diff.h"
#include "report/clean.h"
#include "report/event.h"

#include <math.h>
#include <string.h>
#include <time.h>

/* What an event may hold of one text, and of one transcript: enough to explain, whatever a peer sent. */
enum { TEXT_MAX = 16384, LINE_SHOWN = 400, ENTRIES_MAX = 100 };

static json_t *line_of(const char *text)
{
    return clean_string(span_of(text), false, TEXT_MAX);
}

static json_t *tenths(double ms)
{
    return json_real(ms > 0 ? round(ms * 10) / 10 : 0);
}

static json_t *now(void)
{
    char text[32];
    time_t seconds = time(NULL);
    struct tm utc;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    return json_string(text);
}

json_t *events_run(const run_about_t *about, size_t planned)
{
    json_t *event =
        json_pack("{s:s s:i s:s s:o s:o s:o s:o s:o s:I}", "event", "run", "report", REPORT_FORMAT, "phxspec",
                  PHXSPEC_VERSION, "command", line_of(about->command), "rerun", line_of(about->rerun),
                  "target", line_of(about->target), "profile", line_of(about->profile->name), "started_at",
                  now(), "planned", (json_int_t)planned);
    if (about->profile->phoenix) {
        json_object_set_new(event, "phoenix", line_of(about->profile->phoenix));
    }
    return event;
}

json_t *events_requirements(const variants_t *variants, const json_t *requirements)
{
    json_t *cited = json_object();
    for (size_t i = 0; i < variants->len; i++) {
        size_t j;
        json_t *id;
        json_array_foreach(variants->at[i].c->requirements, j, id)
        {
            const json_t *entry = json_object_get(requirements, json_string_value(id));
            if (entry && !json_object_get(cited, json_string_value(id))) {
                json_object_set_new(cited, json_string_value(id),
                                    json_pack("{s:o s:o s:o}", "level", line_of(event_string(entry, "level")),
                                              "role", line_of(event_string(entry, "role")), "text",
                                              line_of(event_string(entry, "text"))));
            }
        }
    }
    return json_pack("{s:s s:o}", "event", "requirements", "requirements", cited);
}

/* What names and describes a variant, in its events `planned` and `verdict`. */
static json_t *event_of(const char *kind, const variant_t *variant)
{
    const vector_case_t *c = variant->c;
    json_t *event = json_pack(
        "{s:s s:s s:s s:o s:o s:s s:s s:s}", "event", kind, "variant", variant->name, "case", c->id, "group",
        clean_string((span_t){c->id, strcspn(c->id, ".")}, false, 0), "title", line_of(c->title), "level",
        level_name(c->level), "transport", transport_name(variant->transport), "vsn", vsn_name(variant->vsn));
    json_object_set_new(event, "requirements", json_deep_copy(c->requirements));
    if (c->source) {
        json_object_set_new(event, "source", json_deep_copy(c->source));
    }
    return event;
}

json_t *events_planned(const variant_t *variant)
{
    return event_of("planned", variant);
}

json_t *events_started(const variant_t *variant)
{
    return json_pack("{s:s s:s}", "event", "started", "variant", variant->name);
}

static json_t *entry_of(const entry_t *entry)
{
    text_t text = {0};
    entry_write_text(&text, entry, LINE_SHOWN);
    const char *direction = entry->kind == ENTRY_NOTE    ? "note"
                            : entry->from == FROM_CLIENT ? "sent"
                                                         : "received";
    json_t *json = json_pack("{s:o s:o s:s s:o}", "ms", tenths(entry->at_ms), "client", line_of(entry->conn),
                             "direction", direction, "text", line_of(text_str(&text)));
    if (entry->taken_by) {
        json_object_set_new(json, "step", line_of(entry->taken_by));
    }
    text_free(&text);
    return json;
}

/* The last entries: what a failure is about is near the end. */
static void set_transcript(json_t *event, const transcript_t *transcript)
{
    size_t len = transcript_len(transcript), from = len > ENTRIES_MAX ? len - ENTRIES_MAX : 0;
    json_t *entries = json_array();
    for (size_t i = from; i < len; i++) {
        json_array_append_new(entries, entry_of(transcript_at(transcript, i)));
    }
    json_object_set_new(event, "transcript", entries);
    if (from > 0) {
        json_object_set_new(event, "earlier", json_integer((json_int_t)from));
    }
}

/* Made of the whole texts, which the event may have to cut. */
static void set_difference(json_t *event, const case_result_t *result)
{
    if (!result->expected) {
        return;
    }
    json_object_set_new(event, "expected", clean_string(span_of(result->expected), true, TEXT_MAX));
    if (result->got && *result->got) {
        text_t diff = {0};
        diff_lines(&diff, span_of(result->expected), span_of(result->got), "");
        json_object_set_new(event, "got", clean_string(span_of(result->got), true, TEXT_MAX));
        json_object_set_new(event, "diff", clean_string(text_span(&diff), true, TEXT_MAX));
        text_free(&diff);
    }
}

/* Why it was expected to fail, and what its connections did at their end. */
static void set_excuse_and_closing(json_t *event, const case_result_t *result)
{
    const char *const names[] = {"pattern", "reason", "link"};
    const char *const values[] = {result->excuse.pattern, result->excuse.reason, result->excuse.link};
    json_t *expectation = json_object();
    for (size_t i = 0; result->excuse.reason && i < sizeof names / sizeof *names; i++) {
        if (values[i]) {
            json_object_set_new(expectation, names[i], line_of(values[i]));
        }
    }
    if (json_object_size(expectation) > 0) {
        json_object_set(event, "expectation", expectation);
    }
    json_decref(expectation);
    if (result->tolerated) {
        json_object_set_new(event, "tolerated", json_true());
    }
    if (result->closing) {
        json_object_set_new(event, "closing", line_of(result->closing));
    }
}

static void set_step(json_t *event, const vector_case_t *c, const case_result_t *result)
{
    if (result->step > 0) {
        json_object_set_new(event, "step", json_integer((json_int_t)result->step));
        if (result->step <= c->len) {
            json_object_set_new(event, "verb", json_string(verb_name(c->steps[result->step - 1].verb)));
        }
        json_object_set_new(event, "step_text", line_of(result->step_text));
    }
}

json_t *events_verdict(const variant_t *variant, const case_result_t *result, bool trace)
{
    json_t *event = event_of("verdict", variant);
    json_object_set_new(event, "verdict", json_string(verdict_name(result->verdict)));
    json_object_set_new(event, "ms", tenths(result->ms));
    json_object_set_new(event, "steps", json_integer((json_int_t)variant->c->len));
    set_step(event, variant->c, result);
    if (result->reason) {
        json_object_set_new(event, "reason", clean_string(span_of(result->reason), true, TEXT_MAX));
    }
    if (result->verdict == VERDICT_NOT_APPLICABLE && variant->lacking) {
        json_object_set_new(event, "lacking", line_of(variant->lacking));
    }
    set_difference(event, result);
    set_excuse_and_closing(event, result);
    if (result->transcript && (trace || result->verdict != VERDICT_PASS)) {
        set_transcript(event, result->transcript);
    }
    return event;
}

json_t *events_summary(const run_ending_t *ending)
{
    json_t *counts = json_object();
    for (int verdict = 0; verdict < VERDICTS; verdict++) {
        json_object_set_new(counts, verdict_name((verdict_t)verdict),
                            json_integer((json_int_t)ending->counts->by[verdict]));
    }
    return json_pack("{s:s s:I s:o s:I s:I s:b s:i s:o}", "event", "summary", "planned",
                     (json_int_t)ending->counts->planned, "counts", counts, "tolerated",
                     (json_int_t)ending->counts->tolerated, "unclean_closings",
                     (json_int_t)ending->counts->unclean, "complete", ending->complete, "exit",
                     ending->exit_code, "ms", tenths(ending->ms));
}
