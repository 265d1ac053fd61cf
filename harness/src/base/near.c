/* SPDX-License-Identifier: MIT */
#include "base/near.h"

#include <string.h>
#include <strings.h>

enum { LONGEST = 64, APART = LONGEST };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool holds(const char *name, span_t part)
{
    size_t len = strlen(name);
    for (size_t i = 0; part.len >= 3 && i + part.len <= len; i++) {
        if (strncasecmp(name + i, part.at, part.len) == 0) {
            return true;
        }
    }
    return false;
}

/* How many letters have to be put in, taken out or changed; APART when one of the two is too long to tell. */
static size_t distance(span_t a, const char *b)
{
    size_t b_len = strlen(b), row[LONGEST + 1];
    if (a.len > LONGEST || b_len > LONGEST) {
        return APART;
    }
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            bool same = a.at[i - 1] == b[j - 1];
            size_t changed = diagonal + !same;
            diagonal = row[j];
            row[j] = least(changed, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_len];
}

void near_add(near_names_t *near, const char *name)
{
    size_t far = holds(name, near->wanted) ? 1 : distance(near->wanted, name);
    size_t at = near->len;
    if (near->wanted.len == 0 || far >= APART || far > (near->wanted.len < 6 ? 2 : near->wanted.len / 3)) {
        return;
    }
    for (size_t i = 0; i < near->len; i++) {
        if (strcmp(near->best[i].name, name) == 0) {
            return;
        }
    }
    while (at > 0 && near->best[at - 1].distance > far) {
        at--;
    }
    if (at == NEAR_SHOWN) {
        return;
    }
    near->len = least(near->len + 1, NEAR_SHOWN);
    memmove(&near->best[at + 1], &near->best[at], (near->len - at - 1) * sizeof *near->best);
    near->best[at].name = name;
    near->best[at].distance = far;
}

void near_write(text_t *out, const near_names_t *near)
{
    for (size_t i = 0; i < near->len; i++) {
        text_printf(out, "%s%s",
                    i == 0              ? "; did you mean "
                    : i + 1 < near->len ? ", "
                                        : " or ",
                    near->best[i].name);
    }
    text_puts(out, near->len > 0 ? "? " : "; ");
}
