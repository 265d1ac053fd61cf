/* SPDX-License-Identifier: MIT */
#include "report/coverage.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static coverage_row_t *row_of(coverage_t *coverage, const char *id)
{
    const json_t *at = json_object_get(coverage->index, id);
    if (at) {
        return &coverage->rows[json_integer_value(at)];
    }
    json_object_set_new(coverage->index, id, json_integer((json_int_t)coverage->len));
    MEM_ROOM(coverage->rows, coverage->len, coverage->cap);
    coverage->rows[coverage->len] = (coverage_row_t){.id = id};
    return &coverage->rows[coverage->len++];
}

/* What a variant says of the requirements it cites: a pass says the same whether it was expected or not. */
static tone_t shown_by(const run_row_t *row)
{
    return strcmp(row_verdict(row), "unexpected pass") == 0 ? TONE_GOOD : row_tone(row);
}

/* The worst decides. */
static tone_t tone_of(const coverage_row_t *row)
{
    static const tone_t worst_first[] = {TONE_BAD, TONE_OPEN, TONE_KNOWN, TONE_GOOD};
    for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++) {
        if (row->by[worst_first[i]] > 0) {
            return worst_first[i];
        }
    }
    return TONE_MUTED;
}

coverage_t *coverage_new(const run_t *run)
{
    coverage_t *coverage = mem_new(1, sizeof *coverage);
    coverage->index = json_object();
    for (size_t i = 0; i < run->len; i++) {
        size_t j;
        json_t *id;
        const tone_t tone = shown_by(&run->rows[i]);
        json_array_foreach(json_object_get(run->rows[i].planned, "requirements"), j, id)
        {
            coverage_row_t *row = row_of(coverage, json_string_value(id));
            if (row->by[tone]++ == 0) {
                row->first[tone] = event_string(run->rows[i].planned, "variant");
            }
        }
    }
    for (size_t i = 0; i < coverage->len; i++) {
        coverage->rows[i].tone = tone_of(&coverage->rows[i]);
        coverage->by[coverage->rows[i].tone]++;
    }
    return coverage;
}

void coverage_free(coverage_t *coverage)
{
    if (coverage == NULL) {
        return;
    }
    free(coverage->rows);
    json_decref(coverage->index);
    free(coverage);
}

const coverage_row_t *coverage_row(const coverage_t *coverage, const char *id)
{
    const json_t *at = json_object_get(coverage->index, id);
    return at ? &coverage->rows[json_integer_value(at)] : NULL;
}

const char *coverage_word(tone_t tone)
{
    static const char *const words[TONES] = {[TONE_GOOD] = "passed",
                                             [TONE_BAD] = "failed",
                                             [TONE_OPEN] = "not decided",
                                             [TONE_KNOWN] = "failed and excused",
                                             [TONE_MUTED] = "not observable with this target"};
    return words[tone];
}

void coverage_write(text_t *out, const coverage_t *coverage)
{
    const char *between = "";
    text_printf(out, "%zu requirement%s: ", coverage->len, coverage->len == 1 ? "" : "s");
    for (int tone = 0; tone < TONES; tone++) {
        if (coverage->by[tone] > 0 || tone == TONE_GOOD) {
            text_printf(out, "%s%zu %s", between, coverage->by[tone], coverage_word((tone_t)tone));
            between = ", ";
        }
    }
}
