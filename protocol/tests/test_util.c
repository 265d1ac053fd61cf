/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "test_util.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "phx/json.h"

char *printable(phx_slice_t slice)
{
    enum { SHOWN = 400 };
    const size_t shown = slice.len < SHOWN ? slice.len : SHOWN;
    char *text = malloc(4 * shown + 40);
    ck_assert_ptr_nonnull(text);
    char *to = text;
    *to++ = '"';
    for (size_t i = 0; i < shown; i++) {
        const unsigned char c = (unsigned char)slice.data[i];
        to += c < 0x20 || c >= 0x7F ? sprintf(to, "\\x%02x", c) : sprintf(to, "%c", c);
    }
    (void)sprintf(to, "\"%s (%zu bytes)", shown < slice.len ? "..." : "", slice.len);
    return text;
}

guard_t guard_new(size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guard_t guard = {.size = (size + page - 1) / page * page};
    guard.pages = mmap(NULL, guard.size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(guard.pages, MAP_FAILED);
    ck_assert_int_eq(mprotect(guard.pages + guard.size, page, PROT_NONE), 0);
    return guard;
}

void guard_free(guard_t *guard)
{
    ck_assert_int_eq(munmap(guard->pages, guard->size + (size_t)sysconf(_SC_PAGESIZE)), 0);
}

phx_slice_t guard_put(const guard_t *guard, phx_slice_t slice)
{
    ck_assert_uint_le(slice.len, guard->size);
    char *data = guard->pages + guard->size - slice.len;
    if (slice.len > 0) {
        memcpy(data, slice.data, slice.len);
    }
    return (phx_slice_t){data, slice.len};
}

rng_t rng_new(void)
{
    const char *given = getenv("PHX_SEED");
    const uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    (void)fprintf(stderr, "repeat with PHX_SEED=%" PRIu64 "\n", seed);
    return (rng_t){seed};
}

uint64_t rng_next(rng_t *rng)
{
    uint64_t z = rng->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

size_t rng_below(rng_t *rng, size_t limit)
{
    return (size_t)(rng_next(rng) % limit);
}

void random_utf8(rng_t *rng, phx_buf_t *out, size_t max)
{
    static const char *const odd[] = {"\"",
                                      "\\",
                                      "/",
                                      "\n",
                                      "\x7f",
                                      "\x01",
                                      "\x1f",
                                      "\xc2\x80",
                                      "\xdf\xbf",
                                      "\xe0\xa0\x80",
                                      "\xed\x9f\xbf",
                                      "\xee\x80\x80",
                                      "日",
                                      "\xef\xbf\xbf",
                                      "\xf0\x90\x80\x80",
                                      "🎉",
                                      "\xf4\x8f\xbf\xbf"};
    phx_buf_clear(out);
    for (size_t count = rng_below(rng, max + 1); count > 0; count--) {
        switch (rng_below(rng, 8)) {
        case 0:
            phx_buf_append_text(out, odd[rng_below(rng, COUNT(odd))]);
            break;
        case 1:
            phx_buf_append_byte(out, (uint8_t)rng_below(rng, 0x80));
            break;
        default:
            phx_buf_append_byte(out, (uint8_t)('a' + rng_below(rng, 26)));
            break;
        }
    }
}

static void append_both(phx_buf_t *out, phx_buf_t *twin, const char *text)
{
    phx_buf_append_text(out, text);
    if (twin != NULL) {
        phx_buf_append_text(twin, text);
    }
}

static void random_blanks(rng_t *rng, phx_buf_t *out)
{
    static const char *const blanks[] = {" ", "\n", "\r\n", "\t", "  "};
    if (rng_below(rng, 8) == 0) {
        phx_buf_append_text(out, blanks[rng_below(rng, COUNT(blanks))]);
    }
}

/* The key `k<number>`, in one of several spellings. */
static void append_key(rng_t *rng, phx_buf_t *out, size_t number)
{
    char key[40];
    const char *const formats[] = {"\"k%zu\":", "\"k%zu\" :", "\"\\u006b%zu\":", "\"\\u006B%zu\": "};
    const char *format = formats[rng_below(rng, COUNT(formats))];
    (void)snprintf(key, sizeof key, format, number);
    phx_buf_append_text(out, key);
}

static void random_object(rng_t *rng, phx_buf_t *out, phx_buf_t *twin, int depth)
{
    append_both(out, twin, "{");
    const size_t count = rng_below(rng, rng_below(rng, 40) == 0 ? 200 : 6);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            append_both(out, twin, ",");
        }
        random_blanks(rng, out);
        append_key(rng, out, i);
        if (twin != NULL) {
            append_key(rng, twin, i);
        }
        random_json(rng, out, twin, depth - 1);
        if (twin != NULL && rng_below(rng, 4) == 0) {
            phx_buf_append_text(out, " ,\t");
            append_key(rng, out, rng_below(rng, i + 1));
            random_json(rng, out, NULL, depth - 1);
        }
    }
    append_both(out, twin, "}");
}

static void random_array(rng_t *rng, phx_buf_t *out, phx_buf_t *twin, int depth)
{
    append_both(out, twin, "[");
    for (size_t i = 0, count = rng_below(rng, 5); i < count; i++) {
        if (i > 0) {
            append_both(out, twin, ",");
        }
        random_json(rng, out, twin, depth - 1);
        random_blanks(rng, out);
    }
    append_both(out, twin, "]");
}

void random_json(rng_t *rng, phx_buf_t *out, phx_buf_t *twin, int depth)
{
    static const char *const scalars[] = {"null",
                                          "true",
                                          "false",
                                          "0",
                                          "-0",
                                          "1",
                                          "-17",
                                          "1.5",
                                          "-0.25",
                                          "1e3",
                                          "2E-2",
                                          "1E+5",
                                          "\"\\u00fc\"",
                                          "\"\\/\"",
                                          "\"\\ud83c\\udf89\"",
                                          "\"\"",
                                          "9007199254740993"};
    switch (depth > 0 ? rng_below(rng, 5) : 2 + rng_below(rng, 3)) {
    case 0:
        random_object(rng, out, twin, depth);
        break;
    case 1:
        random_array(rng, out, twin, depth);
        break;
    case 2: {
        phx_buf_t characters = {0};
        random_utf8(rng, &characters, 20);
        phx_json_quote(out, phx_buf_slice(&characters));
        if (twin != NULL) {
            phx_json_quote(twin, phx_buf_slice(&characters));
        }
        phx_buf_free(&characters);
        break;
    }
    default:
        append_both(out, twin, scalars[rng_below(rng, COUNT(scalars))]);
        break;
    }
}

int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
