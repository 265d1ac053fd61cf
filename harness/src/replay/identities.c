/* SPDX-License-Identifier: MIT */
#include "replay/identities.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { CHANGED_MAX = 4, CUT_MAX = 8, NAME_MIN = 16 };

void identities_forget(identities_t *identities, size_t len)
{
    while (identities->len > len) {
        identity_t *identity = &identities->at[--identities->len];
        free(identity->recorded);
        free(identity->got);
    }
}

void identities_free(identities_t *identities)
{
    identities_forget(identities, 0);
    free(identities->at);
    *identities = (identities_t){0};
}

bool identities_agree(identities_t *identities, span_t recorded, span_t got)
{
    for (size_t i = 0; i < identities->len; i++) {
        bool same_recorded = span_is(recorded, identities->at[i].recorded);
        bool same_got = span_is(got, identities->at[i].got);
        if (same_recorded || same_got) {
            return same_recorded && same_got;
        }
    }
    MEM_ROOM(identities->at, identities->len, identities->cap);
    identities->at[identities->len++] =
        (identity_t){mem_string_n(recorded.at, recorded.len), mem_string_n(got.at, got.len)};
    return true;
}

/* How many characters differ; more than CHANGED_MAX when the lengths do. */
static size_t differences(span_t word, const char *name)
{
    size_t count = 0;
    if (word.len != strlen(name)) {
        return CHANGED_MAX + 1;
    }
    for (size_t i = 0; i < word.len; i++) {
        count += word.at[i] != name[i];
    }
    return count;
}

/* The target's name with the characters changed that were changed in `word`, counted from the end. */
static void add_changed(text_t *out, span_t word, const identity_t *identity)
{
    size_t len = strlen(identity->got), start = out->len;
    text_add(out, identity->got, len);
    for (size_t back = 1; back <= word.len && back <= len; back++) {
        char changed = word.at[word.len - back];
        char *to = &out->at[start + len - back];
        if (changed != identity->recorded[word.len - back]) {
            *to = (char)(changed != *to ? changed : changed == 'A' ? 'B' : 'A');
        }
    }
}

static bool add_tampered(text_t *out, span_t word, const identity_t *identity)
{
    size_t recorded = strlen(identity->recorded), got = strlen(identity->got);
    size_t changed = differences(word, identity->recorded);
    if (changed <= CHANGED_MAX) {
        add_changed(out, word, identity);
        return true;
    }
    size_t cut = recorded - word.len;
    if (word.len < recorded && cut <= CUT_MAX && cut < got &&
        memcmp(word.at, identity->recorded, word.len) == 0) {
        text_add(out, identity->got, got - cut);
        return true;
    }
    return false;
}

static bool in_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           strchr("._-~%+/", c) != NULL;
}

static void add_word(const identities_t *identities, text_t *out, span_t word)
{
    for (size_t i = 0; i < identities->len && word.len > 0; i++) {
        if (span_is(word, identities->at[i].recorded)) {
            text_puts(out, identities->at[i].got);
            return;
        }
    }
    for (size_t i = 0; i < identities->len && word.len >= NAME_MIN; i++) {
        if (strlen(identities->at[i].recorded) >= NAME_MIN && add_tampered(out, word, &identities->at[i])) {
            return;
        }
    }
    text_span_add(out, word);
}

void identities_replace(const identities_t *identities, text_t *out, span_t text)
{
    size_t start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || text.at[i] == '\0' || !in_word(text.at[i])) {
            add_word(identities, out, (span_t){text.at + start, i - start});
            if (i < text.len) {
                text_putc(out, text.at[i]);
            }
            start = i + 1;
        }
    }
}
