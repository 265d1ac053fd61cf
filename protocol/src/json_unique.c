/* SPDX-License-Identifier: MIT */
/*
 * First of equal keys: one walk finds the members that have to go, a copy leaves them out. Nothing here
 * depends on hashes, so that no choice of keys makes it slower than sorting them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bitstack.h"
#include "json_internal.h"
#include "phx/error.h"

/* A member with the comma before it: from the end of the member before (or the opening brace) to its own end.
 */
typedef struct member {
    phx_slice_t key; /* with its quotes; its characters while an object's members are sorted */
    const char *from;
    const char *to;
} member_t;

typedef struct members {
    member_t *items;
    size_t len;
    size_t capacity;
} members_t;

/*
 * `open` holds the members of all open objects, outermost first. Each object's are preceded by an item whose
 * `key.len` says where its parent's begin.
 */
typedef struct unique {
    members_t open;
    size_t start; /* of the innermost object's members */
    members_t dropped;
    bitstack_t objects;
    phx_buf_t unescaped;
} unique_t;

static bool members_append(members_t *members, member_t member)
{
    if (members->len == members->capacity) {
        const size_t capacity = members->capacity > 0 ? 2 * members->capacity : 32;
        member_t *items = realloc(members->items, capacity * sizeof *items);
        if (items == NULL) {
            return false;
        }
        members->items = items;
        members->capacity = capacity;
    }
    members->items[members->len++] = member;
    return true;
}

static int compare_positions(const void *a, const void *b)
{
    const member_t *x = a;
    const member_t *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static int compare_keys(phx_slice_t a, phx_slice_t b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_members(const void *a, const void *b)
{
    const member_t *x = a;
    const member_t *y = b;
    const int order = compare_keys(x->key, y->key);
    return order != 0 ? order : compare_positions(a, b);
}

/* Makes the keys of `members` their characters, which stay until the next call. */
static bool unescape_keys(unique_t *u, member_t *members, size_t count)
{
    size_t escaped = 0;
    for (size_t i = 0; i < count; i++) {
        phx_slice_t *key = &members[i].key;
        if (memchr(key->data, '\\', key->len) != NULL) {
            escaped += key->len;
        }
    }
    phx_buf_clear(&u->unescaped);
    if (!phx_buf_reserve(&u->unescaped, escaped)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        phx_slice_t *key = &members[i].key;
        if (memchr(key->data, '\\', key->len) == NULL) {
            *key = (phx_slice_t){key->data + 1, key->len - 2};
            continue;
        }
        char *characters = u->unescaped.data + u->unescaped.len;
        const size_t len = (size_t)(json__unescape(characters, *key) - characters);
        u->unescaped.len += len;
        *key = (phx_slice_t){characters, len};
    }
    return true;
}

static bool object_ends(unique_t *u)
{
    assert(u->open.items != NULL && u->start > 0); /* object_begins came before: the JSON is checked */
    member_t *members = u->open.items + u->start;
    const size_t count = u->open.len - u->start;
    if (count > 1) {
        if (!unescape_keys(u, members, count)) {
            return false;
        }
        qsort(members, count, sizeof *members, compare_members);
        for (size_t i = 1; i < count; i++) {
            if (phx_slice_equal(members[i].key, members[i - 1].key) &&
                !members_append(&u->dropped, members[i])) {
                return false;
            }
        }
    }
    u->open.len = u->start - 1;
    u->start = u->open.items[u->open.len].key.len;
    return true;
}

static bool object_begins(unique_t *u)
{
    if (!members_append(&u->open, (member_t){.key = {NULL, u->start}})) {
        return false;
    }
    u->start = u->open.len;
    return true;
}

/* Collects the members that have to go. Returns false when memory ran out. */
static bool find_dropped(unique_t *u, phx_slice_t value)
{
    const char *end = value.data + value.len;
    const char *last = value.data; /* the end of the last token that is no comma or colon */
    bool at_key = false;
    for (const char *p = value.data; p < end;) {
        const char c = *p;
        bool ok = true;
        switch (c) {
        case ' ':
        case '\t':
        case '\r':
        case '\n':
        case ':':
            p++;
            continue;
        case ',':
            at_key = bitstack__top(&u->objects);
            p++;
            continue;
        case '"': {
            const char *string_end = json__skip_string(p, end);
            if (at_key) {
                const phx_slice_t key = {p, (size_t)(string_end - p)};
                ok = members_append(&u->open, (member_t){key, last, string_end});
                at_key = false;
            }
            p = string_end;
            break;
        }
        case '{':
            ok = bitstack__push(&u->objects, true) && object_begins(u);
            at_key = true;
            p++;
            break;
        case '[':
            ok = bitstack__push(&u->objects, false);
            at_key = false;
            p++;
            break;
        case '}':
            ok = object_ends(u);
            bitstack__pop(&u->objects);
            p++;
            break;
        case ']':
            bitstack__pop(&u->objects);
            p++;
            break;
        default: /* numbers and words */
            p++;
            break;
        }
        if (!ok) {
            return false;
        }
        last = p;
        /* Back in an object, the token was (the end of) its newest member's value. */
        if (u->objects.depth > 0 && bitstack__top(&u->objects) && u->open.len > u->start) {
            u->open.items[u->open.len - 1].to = p;
        }
    }
    return true;
}

int phx_json_unique_keys(phx_slice_t value, phx_buf_t *out)
{
    unique_t u;
    u.open = (members_t){0};
    u.start = 0;
    u.dropped = (members_t){0};
    bitstack__init(&u.objects);
    u.unescaped = (phx_buf_t){0};

    const bool ok = find_dropped(&u, value) && phx_buf_reserve(out, value.len);
    if (ok) {
        const char *from = value.data;
        if (u.dropped.len > 1) {
            qsort(u.dropped.items, u.dropped.len, sizeof *u.dropped.items, compare_positions);
        }
        for (size_t i = 0; i < u.dropped.len; i++) {
            const member_t *member = &u.dropped.items[i];
            /* What lies inside a dropped member is gone already. */
            if (member->from >= from) {
                phx_buf_append(out, from, (size_t)(member->from - from));
                from = member->to;
            }
        }
        phx_buf_append(out, from, (size_t)(value.data + value.len - from));
    }

    free(u.open.items);
    free(u.dropped.items);
    bitstack__free(&u.objects);
    phx_buf_free(&u.unescaped);
    return ok ? PHX_OK : PHX_ENOMEM;
}
