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

static standing_t standing_of_variant(const run_row_t *row)
{
    static const standing_t of_tone[TONES] = {[TONE_GOOD] = STANDING_PASSED,
                                              [TONE_BAD] = STANDING_FAILED,
                                              [TONE_KNOWN] = STANDING_EXCUSED,
                                              [TONE_MUTED] = STANDING_UNSEEN};
    const char *verdict = row_verdict(row);
    bool open = !row->verdict || strcmp(verdict, "not run") == 0 || strcmp(verdict, "harness error") == 0;
    return open ? STANDING_OPEN : of_tone[row_tone(row)];
}

static standing_t standing_of(const coverage_row_t *row)
{
    static const standing_t worst_first[] = {STANDING_FAILED, STANDING_OPEN, STANDING_EXCUSED,
                                             STANDING_PASSED};
    for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++) {
        if (row->by[worst_first[i]] > 0) {
            return worst_first[i];
        }
    }
    return STANDING_UNSEEN;
}

coverage_t *coverage_new(const run_t *run)
{
    coverage_t *coverage = mem_new(1, sizeof *coverage);
    coverage->index = json_object();
    for (size_t i = 0; i < run->len; i++) {
        size_t j;
        json_t *id;
        const standing_t standing = standing_of_variant(&run->rows[i]);
        json_array_foreach(json_object_get(run->rows[i].planned, "requirements"), j, id)
        {
            coverage_row_t *row = row_of(coverage, json_string_value(id));
            if (row->by[standing]++ == 0) {
                row->first[standing] = event_string(run->rows[i].planned, "variant");
            }
        }
    }
    for (size_t i = 0; i < coverage->len; i++) {
        coverage->rows[i].standing = standing_of(&coverage->rows[i]);
        coverage->by[coverage->rows[i].standing]++;
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

const char *coverage_word(standing_t standing)
{
    static const char *const words[STANDINGS] = {[STANDING_PASSED] = "passed",
                                                 [STANDING_FAILED] = "failed",
                                                 [STANDING_EXCUSED] = "failed and excused",
                                                 [STANDING_OPEN] = "not decided",
                                                 [STANDING_UNSEEN] = "not observable with this target"};
    return words[standing];
}

tone_t coverage_tone(standing_t standing)
{
    static const tone_t tones[STANDINGS] = {[STANDING_PASSED] = TONE_GOOD,
                                            [STANDING_FAILED] = TONE_BAD,
                                            [STANDING_EXCUSED] = TONE_KNOWN,
                                            [STANDING_OPEN] = TONE_BAD,
                                            [STANDING_UNSEEN] = TONE_MUTED};
    return tones[standing];
}

void coverage_write(text_t *out, const coverage_t *coverage)
{
    const char *between = "";
    text_printf(out, "%zu requirement%s: ", coverage->len, coverage->len == 1 ? "" : "s");
    for (int standing = 0; standing < STANDINGS; standing++) {
        if (coverage->by[standing] > 0 || standing == STANDING_PASSED) {
            text_printf(out, "%s%zu %s", between, coverage->by[standing],
                        coverage_word((standing_t)standing));
            between = ", ";
        }
    }
}
