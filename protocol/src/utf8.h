/* SPDX-License-Identifier: MIT */
#ifndef PHX_UTF8_INTERNAL_H
#define PHX_UTF8_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The length of the UTF-8 sequence that begins at `p` < `end` (RFC 3629, section 4); 0 if there is none. */
static inline size_t utf8__sequence(const uint8_t *p, const uint8_t *end)
{
    const size_t left = (size_t)(end - p);
    const uint8_t lead = p[0];
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xE0) {
        return lead >= 0xC2 && left >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    }
    if (left < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80) {
        return 0;
    }
    if (lead < 0xF0) {
        /* No overlong forms, no surrogates. */
        return (lead != 0xE0 || p[1] >= 0xA0) && (lead != 0xED || p[1] < 0xA0) ? 3 : 0;
    }
    if (lead > 0xF4 || left < 4 || (p[3] & 0xC0) != 0x80) {
        return 0;
    }
    return (lead != 0xF0 || p[1] >= 0x90) && (lead != 0xF4 || p[1] < 0x90) ? 4 : 0;
}

/* Writes `code_point` (no surrogate, at most 10FFFF) and returns its length. */
static inline size_t utf8__encode(char out[4], uint32_t code_point)
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xC0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xE0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}

/*
 * Eight bytes at a time: the functions below set the top bit of each byte that is such. Borrows may mark
 * bytes of higher value than a true one, too, so no mark is missing, and on little-endian machines the first
 * mark is true.
 */
#define UTF8_EVERY(byte) (0x0101010101010101u * (uint64_t)(byte))
#define UTF8_ZERO(word) (((word)-UTF8_EVERY(0x01)) & ~(word)&UTF8_EVERY(0x80))

static inline uint64_t utf8__load(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint64_t utf8__not_ascii(uint64_t word)
{
    return word & UTF8_EVERY(0x80);
}

/* Bytes that a JSON string cannot hold as they are, or that need a look: quote, backslash, controls, not
 * ASCII. */
static inline uint64_t utf8__not_plain(uint64_t word)
{
    const uint64_t control = (word - UTF8_EVERY(0x20)) & ~word;
    return utf8__not_ascii(word | control) | UTF8_ZERO(word ^ UTF8_EVERY('"')) |
           UTF8_ZERO(word ^ UTF8_EVERY('\\'));
}

/* Bytes that may end a checked string: quote, backslash. */
static inline uint64_t utf8__quote_or_backslash(uint64_t word)
{
    return UTF8_ZERO(word ^ UTF8_EVERY('"')) | UTF8_ZERO(word ^ UTF8_EVERY('\\'));
}

/* How many of the eight bytes of a word come before the first one that has its top bit set in `marks`. */
static inline size_t utf8__before(uint64_t marks)
{
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (size_t)__builtin_ctzll(marks) / 8;
#else
    uint8_t bytes[sizeof marks];
    memcpy(bytes, &marks, sizeof bytes);
    size_t before = 0;
    while (bytes[before] < 0x80) {
        before++;
    }
    return before;
#endif
}

#endif
