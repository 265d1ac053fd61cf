/* SPDX-License-Identifier: MIT */
/* JSON as text: what another reader takes is taken, and what has been checked can be walked. */
#include <jansson.h>
#include <string.h>

#include "fuzz.h"
#include "phx/error.h"
#include "phx/json.h"

enum { MAX_DEPTH = 64 };

static void walk(phx_slice_t value, int depth)
{
    phx_buf_t scratch = {0};
    phx_slice_t characters;
    uint64_t number;
    const phx_json_kind_t kind = phx_json_kind(value);
    MUST((phx_json_string(value, &scratch, &characters) == 0) == (kind == PHX_JSON_STRING));
    if (kind == PHX_JSON_STRING) {
        phx_buf_t quoted = {0};
        MUST(phx_utf8_valid(characters));
        phx_json_quote(&quoted, characters);
        MUST(phx_json_check(phx_buf_slice(&quoted), &characters, NULL) == 0);
        phx_buf_free(&quoted);
    }
    phx_buf_free(&scratch);
    (void)phx_json_uint(value, UINT64_MAX, &number);
    if ((kind != PHX_JSON_ARRAY && kind != PHX_JSON_OBJECT) || depth == MAX_DEPTH) {
        return;
    }
    size_t cursor = 0;
    phx_slice_t key;
    phx_slice_t element;
    while (phx_json_next(value, &cursor, &key, &element)) {
        MUST(kind == PHX_JSON_ARRAY || phx_json_kind(key) == PHX_JSON_STRING);
        walk(element, depth + 1);
    }
}

/* The first of equal keys stays: to do so twice changes nothing more. */
static void make_unique(phx_slice_t value)
{
    phx_buf_t once = {0};
    phx_buf_t twice = {0};
    phx_slice_t checked;
    MUST(phx_json_unique_keys(value, &once) == 0);
    MUST(phx_json_check(phx_buf_slice(&once), &checked, NULL) == 0);
    MUST(phx_json_unique_keys(checked, &twice) == 0);
    MUST(phx_slice_equal(phx_buf_slice(&once), phx_buf_slice(&twice)));
    json_t *other =
        json_loadb(once.data, once.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    json_t *given = json_loadb(value.data, value.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    MUST(other != NULL || given == NULL); /* what was left out may be what it cannot read */
    json_decref(other);
    json_decref(given);
    phx_buf_free(&once);
    phx_buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const phx_slice_t text = {(const char *)data, size};
    phx_slice_t value;
    bool repeated = false;
    const bool valid = phx_json_check(text, &value, &repeated) == 0;
    /* jansson takes less: no numbers out of its range, no deep nesting. */
    json_t *other = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    /* To it a NUL behind the value is the end. */
    MUST(other == NULL || valid || memchr(data, '\0', size) != NULL);
    json_decref(other);
    if (valid) {
        walk(value, 0);
        make_unique(value);
    }
    return 0;
}
