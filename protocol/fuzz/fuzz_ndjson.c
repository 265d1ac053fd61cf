/* SPDX-License-Identifier: MIT */
/* The lines of a long-poll batch: what a line holds can be written as a line, and read again. */
#include "fuzz.h"
#include "phx/base64.h"
#include "phx/ndjson.h"

static void write_and_read(phx_form_t form, phx_slice_t bytes)
{
    phx_buf_t line = {0};
    phx_buf_t scratch = {0};
    phx_form_t read_form;
    phx_slice_t read;
    phx_ndjson_append(&line, form, bytes);
    MUST(phx_ndjson_message(phx_buf_slice(&line), &scratch, &read_form, &read) == 0);
    MUST(read_form == form && read.len == bytes.len);
    for (size_t i = 0; i < read.len; i++) { /* CR in a text becomes a blank, which means the same in JSON */
        MUST(read.data[i] == bytes.data[i] ||
             (form == PHX_TEXT && bytes.data[i] == '\r' && read.data[i] == ' '));
    }
    phx_buf_free(&scratch);
    phx_buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const phx_slice_t body = {(const char *)data, size};
    phx_buf_t scratch = {0};
    size_t cursor = 0;
    size_t total = 0;
    phx_slice_t line;
    while (phx_ndjson_next(body, &cursor, &line)) {
        phx_form_t form;
        phx_slice_t bytes;
        total += line.len;
        if (phx_ndjson_message(line, &scratch, &form, &bytes) == 0) {
            write_and_read(form, bytes);
        }
        phx_buf_clear(&scratch);
        (void)phx_base64_decode(&scratch, line, PHX_BASE64_OPTIONAL);
    }
    MUST(total <= size);
    phx_buf_free(&scratch);
    return 0;
}
