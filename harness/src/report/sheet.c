/* SPDX-License-Identifier: MIT */
#include "report/sheet.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static size_t place(names_t *names, const char *name)
{
    for (size_t i = 0; i < names->len; i++) {
        if (strcmp(names->at[i], name) == 0) {
            return i;
        }
    }
    names_add(names, name);
    return names->len - 1;
}

/* WebSocket before long-poll, the newer version first. */
static int backwards(const void *a, const void *b)
{
    return strcmp(*(char *const *)b, *(char *const *)a);
}

static void add_run(sheet_t *sheet, size_t which, json_t *index)
{
    const run_t *run = sheet->runs[which];
    for (size_t i = 0; i < run->len; i++) {
        const run_row_t *row = &run->rows[i];
        const char *variant = event_string(row->planned, "variant");
        json_t *known = json_object_get(index, variant);
        if (!known) {
            known = json_integer((json_int_t)sheet->len);
            json_object_set_new(index, variant, known);
            MEM_ROOM(sheet->rows, sheet->len, sheet->cap);
            sheet->rows[sheet->len++] =
                (sheet_row_t){.any = row,
                              .runs = mem_new(sheet->count, sizeof(run_row_t *)),
                              .group = place(&sheet->groups, event_string(row->planned, "group"))};
            place(&sheet->columns, row_column(row));
        }
        sheet->rows[json_integer_value(known)].runs[which] = row;
    }
}

static void compare(sheet_row_t *row, size_t count)
{
    const run_row_t *first = NULL;
    for (size_t i = 0; i < count; i++) {
        const run_row_t *mine = row->runs[i];
        row->lone = row->lone || !mine;
        row->differs = row->differs || (first && mine && strcmp(row_verdict(first), row_verdict(mine)) != 0);
        first = first ? first : mine;
    }
}

static cell_t *cell_at(const sheet_t *sheet, size_t run, size_t group, size_t column)
{
    return &sheet->cells[(run * sheet->groups.len + group) * sheet->columns.len + column];
}

static void count(sheet_t *sheet, const sheet_row_t *row)
{
    size_t column = place(&sheet->columns, row_column(row->any));
    for (size_t i = 0; i < sheet->count; i++) {
        if (row->runs[i]) {
            cell_t *cell = cell_at(sheet, i, row->group, column);
            tone_t tone = row_tone(row->runs[i]);
            cell->planned++;
            cell->applicable += tone != TONE_MUTED;
            cell->by[tone]++;
        }
    }
}

sheet_t *sheet_new(const run_t *const *runs, size_t count_of_runs)
{
    sheet_t *sheet = mem_new(1, sizeof *sheet);
    json_t *index = json_object();
    sheet->runs = runs;
    sheet->count = count_of_runs;
    for (size_t i = 0; i < count_of_runs; i++) {
        add_run(sheet, i, index);
    }
    json_decref(index);
    if (sheet->columns.len > 0) {
        qsort(sheet->columns.at, sheet->columns.len, sizeof *sheet->columns.at, backwards);
    }
    sheet->cells = mem_new(sheet->count * sheet->groups.len * sheet->columns.len, sizeof *sheet->cells);
    for (size_t i = 0; i < sheet->len; i++) {
        compare(&sheet->rows[i], count_of_runs);
        sheet->differing += sheet->rows[i].differs;
        sheet->lone += sheet->rows[i].lone;
        count(sheet, &sheet->rows[i]);
    }
    return sheet;
}

void sheet_free(sheet_t *sheet)
{
    if (sheet == NULL) {
        return;
    }
    for (size_t i = 0; i < sheet->len; i++) {
        free(sheet->rows[i].runs);
    }
    free(sheet->rows);
    free(sheet->cells);
    names_free(&sheet->groups);
    names_free(&sheet->columns);
    free(sheet);
}

const cell_t *sheet_cell(const sheet_t *sheet, size_t run, size_t group, size_t column)
{
    return cell_at(sheet, run, group, column);
}

void cell_write(text_t *out, const cell_t *cell)
{
    if (cell->applicable > 0) {
        text_printf(out, "%zu/%zu", cell->by[TONE_GOOD], cell->applicable);
    } else if (cell->planned > 0) {
        text_puts(out, "n/a");
    }
}
