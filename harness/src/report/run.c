/* SPDX-License-Identifier: MIT */
#include "report/run.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

run_t *run_new(const char *label)
{
    run_t *run = mem_new(1, sizeof *run);
    run->label = mem_string(label);
    run->counts = json_object();
    run->index = json_object();
    run->first = 1;
    return run;
}

void run_free(run_t *run)
{
    if (run == NULL) {
        return;
    }
    for (size_t i = 0; i < run->len; i++) {
        json_decref(run->rows[i].planned);
        json_decref(run->rows[i].verdict);
    }
    free(run->rows);
    free(run->label);
    json_decref(run->head);
    json_decref(run->requirements);
    json_decref(run->counts);
    json_decref(run->summary);
    json_decref(run->index);
    free(run);
}

static bool add_head(run_t *run, json_t *event, text_t *error)
{
    if (run->head) {
        text_puts(error, "a run begins inside another");
        return false;
    }
    if (event_number(event, "report") != REPORT_FORMAT) {
        text_printf(error, "format %.0f of reports is not known, only %d", event_number(event, "report"),
                    REPORT_FORMAT);
        return false;
    }
    run->head = json_incref(event);
    return true;
}

static size_t planned_total(const run_t *run)
{
    return (size_t)event_number(run->head, "planned");
}

static bool add_planned(run_t *run, json_t *event, text_t *error)
{
    const char *variant = event_string(event, "variant");
    if (json_object_get(run->index, variant)) {
        text_printf(error, "%s is planned twice", variant);
        return false;
    }
    if (run->len == planned_total(run)) {
        text_printf(error, "more variants are planned than the %zu that were announced", run->len);
        return false;
    }
    json_object_set_new(run->index, variant, json_integer((json_int_t)run->len));
    MEM_ROOM(run->rows, run->len, run->cap);
    run->rows[run->len++] = (run_row_t){json_incref(event), NULL};
    return true;
}

const run_row_t *run_row(const run_t *run, const char *variant)
{
    const json_t *index = json_object_get(run->index, variant);
    return index ? &run->rows[json_integer_value(index)] : NULL;
}

static bool add_verdict(run_t *run, json_t *event, text_t *error)
{
    const char *variant = event_string(event, "variant"), *verdict = event_string(event, "verdict");
    run_row_t *row = (run_row_t *)run_row(run, variant);
    if (!row || row->verdict) {
        text_printf(error, row ? "%s has two verdicts" : "%s was not planned", variant);
        return false;
    }
    row->verdict = json_incref(event);
    run->judged++;
    json_int_t before = json_integer_value(json_object_get(run->counts, verdict));
    json_object_set_new(run->counts, verdict, json_integer(before + 1));
    return true;
}

/* What it says must follow from the verdicts. */
static bool add_summary(run_t *run, json_t *event, text_t *error)
{
    const char *name;
    json_t *count;
    size_t sum = 0;
    json_object_foreach(json_object_get(event, "counts"), name, count)
    {
        if (json_integer_value(count) != json_integer_value(json_object_get(run->counts, name))) {
            text_printf(error, "\"%s\" was counted %lld times, and there are %lld such verdicts", name,
                        (long long)json_integer_value(count),
                        (long long)json_integer_value(json_object_get(run->counts, name)));
            return false;
        }
        sum += (size_t)json_integer_value(count);
    }
    if (sum != run->len || run->judged != run->len || event_number(event, "planned") != (double)run->len) {
        text_printf(error, "the counts add up to %zu, and %zu were planned: this run proves nothing", sum,
                    run->len);
        return false;
    }
    for (size_t i = 0; event_number(event, "exit") == 0 && i < run->len; i++) {
        tone_t tone = row_tone(&run->rows[i]);
        if (tone == TONE_BAD || tone == TONE_OPEN) {
            text_printf(error, "exit code 0, and the verdict of %s is \"%s\": this run proves nothing",
                        event_string(run->rows[i].planned, "variant"), row_verdict(&run->rows[i]));
            return false;
        }
    }
    run->summary = json_incref(event);
    return true;
}

static bool comes_in_time(const run_t *run, const json_t *event, text_t *error)
{
    const char *kind = event_string(event, "event");
    if (run->summary) {
        text_printf(error, "\"%s\" behind the summary", kind);
        return false;
    }
    if (!run->head && strcmp(kind, "run") != 0) {
        text_printf(error, "\"%s\" before \"run\"", kind);
        return false;
    }
    bool plans =
        strcmp(kind, "run") == 0 || strcmp(kind, "requirements") == 0 || strcmp(kind, "planned") == 0;
    if (!plans && run->len != planned_total(run)) {
        text_printf(error, "\"%s\" before all of the plan: %zu of %zu variants are planned so far", kind,
                    run->len, planned_total(run));
        return false;
    }
    return true;
}

bool run_add(run_t *run, json_t *event, text_t *error)
{
    if (!event_check(event, error) || !comes_in_time(run, event, error)) {
        return false;
    }
    if (event_is(event, "run")) {
        return add_head(run, event, error);
    }
    if (event_is(event, "planned")) {
        return add_planned(run, event, error);
    }
    if (event_is(event, "verdict")) {
        return add_verdict(run, event, error);
    }
    if (event_is(event, "summary")) {
        return add_summary(run, event, error);
    }
    if (event_is(event, "requirements")) {
        json_decref(run->requirements);
        run->requirements = json_incref(json_object_get(event, "requirements"));
    } else {
        run->started++;
    }
    return true;
}

bool run_whole(const run_t *run)
{
    return run->summary && json_is_true(json_object_get(run->summary, "complete"));
}

const char *run_flaw(const run_t *run)
{
    if (!run->summary) {
        return "the run was cut short: its report has no summary";
    }
    return run_whole(run) ? NULL : "the run was ended early";
}

int run_exit(const run_t *run)
{
    int code = (int)event_number(run->summary, "exit");
    return code == 0 && !run_whole(run) ? 3 : code;
}

const char *row_column(const run_row_t *row)
{
    const char *variant = event_string(row->planned, "variant"), *id = event_string(row->planned, "case");
    size_t len = strlen(id);
    return strncmp(variant, id, len) == 0 && variant[len] == '/' ? variant + len + 1 : "";
}

tone_t row_tone(const run_row_t *row)
{
    return row->verdict ? event_tone(row->verdict) : TONE_OPEN;
}

const char *row_verdict(const run_row_t *row)
{
    return row->verdict ? event_string(row->verdict, "verdict") : "no verdict";
}

void run_requirement(text_t *out, const run_t *run, const char *id)
{
    const json_t *requirement = json_object_get(run->requirements, id);
    text_puts(out, id);
    if (requirement) {
        text_printf(out, " (%s, %s): %s", event_string(requirement, "level"),
                    event_string(requirement, "role"), event_string(requirement, "text"));
    }
}
