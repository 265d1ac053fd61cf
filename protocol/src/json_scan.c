/* SPDX-License-Identifier: MIT */
/* The one pass over a text that came from a peer: grammar, UTF-8, equal keys, and where the elements are. */
#include <stdlib.h>
#include <string.h>

#include "bitstack.h"
#include "json_internal.h"
#include "phx/error.h"
#include "utf8.h"

/* Up to so many keys an object's hashes are compared as they come; more are sorted when it ends. */
enum { FEW_KEYS = 64, OWN_HASHES = 64 };

/*
 * The hashes of the keys of all open objects, outermost first. Each object's are preceded by an entry that
 * says where its parent's begin, so that a deep text needs no second stack.
 */
typedef struct key_stack {
    uint64_t *hashes; /* `own`, or allocated */
    size_t len;
    size_t capacity;
    size_t start; /* of the innermost object's hashes */
    phx_buf_t unescaped;
    uint64_t own[OWN_HASHES];
} key_stack_t;

typedef struct scanner {
    const uint8_t *end;
    json_scan_t *found;
    bool watch_keys;
    bool out_of_memory;
    bitstack_t objects; /* open containers: is it an object */
    key_stack_t keys;
} scanner_t;

/* Makes room for `extra` more entries, which are no more than there are, or one. */
static bool keys_reserve(key_stack_t *keys, size_t extra)
{
    if (keys->len + extra <= keys->capacity) {
        return true;
    }
    const size_t capacity = 2 * keys->capacity;
    uint64_t *hashes = malloc(capacity * sizeof *hashes);
    if (hashes == NULL) {
        return false;
    }
    memcpy(hashes, keys->hashes, keys->len * sizeof *hashes);
    if (keys->hashes != keys->own) {
        free(keys->hashes);
    }
    keys->hashes = hashes;
    keys->capacity = capacity;
    return true;
}

static bool keys_append(key_stack_t *keys, uint64_t entry)
{
    if (!keys_reserve(keys, 1)) {
        return false;
    }
    keys->hashes[keys->len++] = entry;
    return true;
}

/* Up to eight bytes as one word; with the same `len`, other bytes give another word. */
static uint64_t load_short(const char *data, size_t len)
{
    if (len >= 4) {
        uint32_t first;
        uint32_t last;
        memcpy(&first, data, sizeof first);
        memcpy(&last, data + len - sizeof last, sizeof last);
        return (uint64_t)last << 32 | first;
    }
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word = word << 8 | (uint8_t)data[i];
    }
    return word;
}

static uint64_t hash(const char *data, size_t len)
{
    uint64_t h = len * 0x9E3779B97F4A7C15u; /* far from each other, so that lengths do not pass for bytes */
    for (; len > 8; len -= 8, data += 8) {
        h = (h ^ utf8__load((const uint8_t *)data)) * 0xFF51AFD7ED558CCDu;
        h ^= h >> 32;
    }
    h = (h ^ load_short(data, len)) * 0xFF51AFD7ED558CCDu;
    return h ^ h >> 32;
}

/*
 * Whether two hashes are equal in their upper 48 bits. A radix sort, since it takes no longer for hashes that
 * somebody chose; `spare` has room for as many.
 */
static bool any_equal(uint64_t *hashes, uint64_t *spare, size_t count)
{
    for (unsigned shift = 16; shift < 64; shift += 8) {
        size_t at[256] = {0};
        for (size_t i = 0; i < count; i++) {
            at[hashes[i] >> shift & 0xFF]++;
        }
        size_t before = 0;
        for (size_t digit = 0; digit < 256; digit++) {
            const size_t here = at[digit];
            at[digit] = before;
            before += here;
        }
        for (size_t i = 0; i < count; i++) {
            spare[at[hashes[i] >> shift & 0xFF]++] = hashes[i];
        }
        uint64_t *sorted = spare;
        spare = hashes;
        hashes = sorted;
    }
    for (size_t i = 1; i < count; i++) {
        if (hashes[i] >> 16 == hashes[i - 1] >> 16) {
            return true;
        }
    }
    return false;
}

static void found_repeated(scanner_t *s)
{
    s->found->repeated_keys = true;
    s->watch_keys = false;
}

static bool object_begins(scanner_t *s)
{
    if (!s->watch_keys) {
        return true;
    }
    const size_t parent = s->keys.start;
    if (!keys_append(&s->keys, parent)) {
        return false;
    }
    s->keys.start = s->keys.len;
    return true;
}

/* `key` is the string with its quotes. */
static bool key_found(scanner_t *s, phx_slice_t key, bool escaped)
{
    key_stack_t *keys = &s->keys;
    phx_slice_t characters = {key.data + 1, key.len - 2};
    if (escaped && phx_json_string(key, &keys->unescaped, &characters) != PHX_OK) {
        return false;
    }
    const uint64_t h = hash(characters.data, characters.len);
    if (keys->len - keys->start < FEW_KEYS) {
        bool seen = false;
        for (size_t i = keys->start; i < keys->len; i++) {
            seen |= keys->hashes[i] == h;
        }
        if (seen) {
            found_repeated(s);
            return true;
        }
    }
    return keys_append(keys, h);
}

static bool object_ends(scanner_t *s)
{
    if (!s->watch_keys) {
        return true;
    }
    key_stack_t *keys = &s->keys;
    const size_t count = keys->len - keys->start;
    if (count > FEW_KEYS) {
        if (!keys_reserve(keys, count)) {
            return false;
        }
        if (any_equal(keys->hashes + keys->start, keys->hashes + keys->len, count)) {
            found_repeated(s);
            return true;
        }
    }
    keys->len = keys->start - 1;
    keys->start = (size_t)keys->hashes[keys->len];
    return true;
}

/* `p` is behind the backslash; returns the end of the escape, or NULL. */
static const uint8_t *scan_escape(const uint8_t *p, const uint8_t *end)
{
    if (p == end) {
        return NULL;
    }
    if (*p != 'u') {
        return *p != 0 && strchr("\"\\/bfnrt", *p) != NULL ? p + 1 : NULL;
    }
    const uint32_t unit = json__hex4((const char *)p + 1, (const char *)end);
    if (unit < 0xD800 || (unit > 0xDFFF && unit <= 0xFFFF)) {
        return p + 5;
    }
    /* A high surrogate is nothing without a low one behind it. */
    if (unit > 0xDBFF || end - p < 7 || p[5] != '\\' || p[6] != 'u') {
        return NULL;
    }
    const uint32_t low = json__hex4((const char *)p + 7, (const char *)end);
    return low >= 0xDC00 && low <= 0xDFFF ? p + 11 : NULL;
}

/* `p` is behind the opening quote; returns what follows the closing one, or NULL. */
static const uint8_t *scan_string(scanner_t *s, const uint8_t *p, bool *escaped)
{
    const uint8_t *end = s->end;
    while (p < end) {
        if (end - p >= 8) {
            const uint64_t marks = utf8__not_plain(utf8__load(p));
            if (marks == 0) {
                p += 8;
                continue;
            }
            p += utf8__before(marks);
        }
        if (*p == '"') {
            return p + 1;
        }
        if (*p == '\\') {
            *escaped = true;
            p = scan_escape(p + 1, end);
            if (p == NULL) {
                return NULL;
            }
        } else if (*p < 0x20) {
            return NULL;
        } else {
            do {
                const size_t len = utf8__sequence(p, end);
                if (len == 0) {
                    return NULL;
                }
                p += len;
            } while (p < end && *p >= 0x80);
        }
    }
    return NULL;
}

static const uint8_t *scan_digits(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *start = p;
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p > start ? p : NULL;
}

static const uint8_t *scan_number(const uint8_t *p, const uint8_t *end)
{
    if (*p == '-') {
        p++;
    }
    if (p < end && *p == '0') {
        p++;
    } else if ((p = scan_digits(p, end)) == NULL) {
        return NULL;
    }
    if (p < end && *p == '.' && (p = scan_digits(p + 1, end)) == NULL) {
        return NULL;
    }
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }
        p = scan_digits(p, end);
    }
    return p;
}

static const uint8_t *scan_word(const uint8_t *p, const uint8_t *end, phx_slice_t word)
{
    return (size_t)(end - p) >= word.len && memcmp(p, word.data, word.len) == 0 ? p + word.len : NULL;
}

static const uint8_t *scan_scalar(scanner_t *s, const uint8_t *p)
{
    switch (*p) {
    case '"':
        return scan_string(s, p + 1, &s->found->escapes);
    case 't':
        return scan_word(p, s->end, PHX_SLICE("true"));
    case 'f':
        return scan_word(p, s->end, PHX_SLICE("false"));
    case 'n':
        return scan_word(p, s->end, PHX_SLICE("null"));
    default:
        return *p == '-' || (*p >= '0' && *p <= '9') ? scan_number(p, s->end) : NULL;
    }
}

static const uint8_t *skip_blanks(const scanner_t *s, const uint8_t *p)
{
    while (p < s->end && json__is_blank((char)*p)) {
        p++;
    }
    return p;
}

/* A key, its colon, and blanks before and between. */
static const uint8_t *scan_key(scanner_t *s, const uint8_t *p)
{
    p = skip_blanks(s, p);
    if (p == s->end || *p != '"') {
        return NULL;
    }
    bool escaped = false;
    const uint8_t *start = p;
    p = scan_string(s, p + 1, &escaped);
    if (p == NULL) {
        return NULL;
    }
    s->found->escapes |= escaped;
    if (s->watch_keys && !key_found(s, (phx_slice_t){(const char *)start, (size_t)(p - start)}, escaped)) {
        s->out_of_memory = true;
        return NULL;
    }
    p = skip_blanks(s, p);
    return p < s->end && *p == ':' ? p + 1 : NULL;
}

static bool container_begins(scanner_t *s, bool is_object)
{
    if (!bitstack__push(&s->objects, is_object) || (is_object && !object_begins(s))) {
        s->out_of_memory = true;
        return false;
    }
    return true;
}

static bool container_ends(scanner_t *s)
{
    if (bitstack__top(&s->objects) && !object_ends(s)) {
        s->out_of_memory = true;
        return false;
    }
    bitstack__pop(&s->objects);
    return true;
}

/*
 * `p` is behind a value: moves on behind the comma or colon that the next value follows, or behind the
 * outermost value, when no container is open any more. NULL if neither comes.
 */
static const uint8_t *scan_behind(scanner_t *s, const uint8_t *p, const uint8_t *element)
{
    json_scan_t *found = s->found;
    while (s->objects.depth > 0) {
        if (s->objects.depth == 1 && found->element_count < JSON_MAX_ELEMENTS) {
            found->elements[found->element_count++] =
                (phx_slice_t){(const char *)element, (size_t)(p - element)};
        }
        p = skip_blanks(s, p);
        if (p == s->end) {
            return NULL;
        }
        const bool is_object = bitstack__top(&s->objects);
        if (*p == ',') {
            return is_object ? scan_key(s, p + 1) : p + 1;
        }
        if (*p != (is_object ? '}' : ']') || !container_ends(s)) {
            return NULL;
        }
        p++;
    }
    return p;
}

/* Returns the end of the value at `p`, or NULL. */
static const uint8_t *scan_value(scanner_t *s, const uint8_t *p)
{
    const uint8_t *element = p; /* where the value of depth one begins that we are in */
    do {
        p = skip_blanks(s, p);
        if (p == s->end) {
            return NULL;
        }
        if (s->objects.depth == 1) {
            element = p;
        }
        if (*p == '[' || *p == '{') {
            const bool is_object = *p == '{';
            if (!container_begins(s, is_object)) {
                return NULL;
            }
            p = skip_blanks(s, p + 1);
            if (p == s->end) {
                return NULL;
            }
            if (*p != (is_object ? '}' : ']')) {
                p = is_object ? scan_key(s, p) : p;
                continue;
            }
            if (!container_ends(s)) {
                return NULL;
            }
            p++;
        } else if ((p = scan_scalar(s, p)) == NULL) {
            return NULL;
        }
        p = scan_behind(s, p, element);
    } while (p != NULL && s->objects.depth > 0);
    return p;
}

int json__scan(phx_slice_t text, bool watch_keys, json_scan_t *scan)
{
    if (text.len == 0) {
        return PHX_EJSON;
    }
    scanner_t s; /* its arrays need no zeroes */
    s.end = (const uint8_t *)text.data + text.len;
    s.found = scan;
    s.watch_keys = watch_keys;
    s.out_of_memory = false;
    bitstack__init(&s.objects);
    s.keys.hashes = s.keys.own;
    s.keys.len = 0;
    s.keys.capacity = OWN_HASHES;
    s.keys.start = 0;
    s.keys.unescaped = (phx_buf_t){0};
    scan->element_count = 0;
    scan->escapes = false;
    scan->repeated_keys = false;

    const uint8_t *start = skip_blanks(&s, (const uint8_t *)text.data);
    const uint8_t *value_end = scan_value(&s, start);
    const bool ok = value_end != NULL && skip_blanks(&s, value_end) == s.end;
    if (ok) {
        scan->value = (phx_slice_t){(const char *)start, (size_t)(value_end - start)};
    }

    bitstack__free(&s.objects);
    phx_buf_free(&s.keys.unescaped);
    if (s.keys.hashes != s.keys.own) {
        free(s.keys.hashes);
    }
    return ok ? PHX_OK : s.out_of_memory ? PHX_ENOMEM : PHX_EJSON;
}

int phx_json_check(phx_slice_t text, phx_slice_t *value, bool *repeated_keys)
{
    json_scan_t scan;
    const int error = json__scan(text, repeated_keys != NULL, &scan);
    if (error != PHX_OK) {
        return error;
    }
    *value = scan.value;
    if (repeated_keys != NULL) {
        *repeated_keys = scan.repeated_keys;
    }
    return PHX_OK;
}
