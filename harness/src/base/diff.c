/* SPDX-License-Identifier: MIT */
#include "base/diff.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>

enum { LINES_MAX = 2000, CUT = 200 };
static const size_t CONTEXT = 3;

typedef struct lines {
    span_t *at;
    size_t len, cap;
} lines_t;

static lines_t lines_of(span_t text)
{
    lines_t lines = {0};
    if (text.len > 0 && text.at[text.len - 1] == '\n') {
        text.len--;
    }
    span_t line;
    while (span_next(&text, '\n', &line)) {
        MEM_ROOM(lines.at, lines.len, lines.cap);
        lines.at[lines.len++] = line;
    }
    return lines;
}

typedef struct writer {
    text_t *out;
    const char *indent;
} writer_t;

/* A long line is shown around the place where it differs from `other`. */
static void write_line(const writer_t *w, char mark, span_t line, span_t other)
{
    size_t start = 0;
    if (line.len > CUT) {
        while (start < line.len && start < other.len && line.at[start] == other.at[start]) {
            start++;
        }
        start = start > CUT / 4 ? start - CUT / 4 : 0;
        /* not into the middle of a character */
        while (start > 0 && ((unsigned char)line.at[start] & 0xc0) == 0x80) {
            start--;
        }
    }
    text_printf(w->out, "%s%c %s", w->indent, mark, start > 0 ? "…" : "");
    text_show(w->out, span_from(line, start), CUT);
    text_putc(w->out, '\n');
}

static void write_common(const writer_t *w, const lines_t *lines, size_t from, size_t to)
{
    bool shorten = to - from > 2 * CONTEXT;
    for (size_t i = from; i < to; i++) {
        if (shorten && i == from + CONTEXT) {
            text_printf(w->out, "%s  …\n", w->indent);
            i = to - CONTEXT;
        }
        write_line(w, ' ', lines->at[i], lines->at[i]);
    }
}

static void write_changed(const writer_t *w, const lines_t *a, size_t a_from, size_t a_to, const lines_t *b,
                          size_t b_from, size_t b_to)
{
    for (size_t i = a_from; i < a_to; i++) {
        size_t twin = b_from + (i - a_from);
        write_line(w, '-', a->at[i], twin < b_to ? b->at[twin] : (span_t){NULL, 0});
    }
    for (size_t i = b_from; i < b_to; i++) {
        size_t twin = a_from + (i - b_from);
        write_line(w, '+', b->at[i], twin < a_to ? a->at[twin] : (span_t){NULL, 0});
    }
}

/* lengths[i][j]: the longest common subsequence of a[i…] and b[j…]. */
static uint16_t *common_lengths(const lines_t *a, const lines_t *b)
{
    size_t width = b->len + 1;
    uint16_t *lengths = mem_new((a->len + 1) * width, sizeof *lengths);
    for (size_t i = a->len; i-- > 0;) {
        for (size_t j = b->len; j-- > 0;) {
            uint16_t down = lengths[(i + 1) * width + j], right = lengths[i * width + j + 1];
            lengths[i * width + j] = span_equal(a->at[i], b->at[j])
                                         ? (uint16_t)(lengths[(i + 1) * width + j + 1] + 1)
                                     : down > right ? down
                                                    : right;
        }
    }
    return lengths;
}

static void write_hunks(const writer_t *w, const lines_t *a, const lines_t *b)
{
    uint16_t *lengths = common_lengths(a, b);
    size_t width = b->len + 1, i = 0, j = 0;
    while (i < a->len || j < b->len) {
        size_t i0 = i;
        while (i < a->len && j < b->len && span_equal(a->at[i], b->at[j])) {
            i++, j++;
        }
        write_common(w, a, i0, i);
        i0 = i;
        size_t j0 = j;
        while ((i < a->len || j < b->len) && !(i < a->len && j < b->len && span_equal(a->at[i], b->at[j]))) {
            if (j == b->len || (i < a->len && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
                i++;
            } else {
                j++;
            }
        }
        write_changed(w, a, i0, i, b, j0, j);
    }
    free(lengths);
}

static void write_ends(const writer_t *w, const lines_t *a, const lines_t *b)
{
    size_t head = 0, tail = 0;
    while (head < a->len && head < b->len && span_equal(a->at[head], b->at[head])) {
        head++;
    }
    while (head + tail < a->len && head + tail < b->len &&
           span_equal(a->at[a->len - 1 - tail], b->at[b->len - 1 - tail])) {
        tail++;
    }
    write_common(w, a, 0, head);
    write_changed(w, a, head, a->len - tail, b, head, b->len - tail);
    write_common(w, a, a->len - tail, a->len);
}

void diff_lines(text_t *out, span_t expected, span_t got, const char *indent)
{
    lines_t a = lines_of(expected), b = lines_of(got);
    writer_t writer = {out, indent};
    if (a.len > LINES_MAX || b.len > LINES_MAX) {
        write_ends(&writer, &a, &b);
    } else {
        write_hunks(&writer, &a, &b);
    }
    free(a.at);
    free(b.at);
}
