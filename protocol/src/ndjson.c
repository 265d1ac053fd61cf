/* SPDX-License-Identifier: MIT */
#include "phx/ndjson.h"

#include <string.h>

#include "phx/base64.h"

bool phx_ndjson_next(phx_slice_t body, size_t *cursor, phx_slice_t *line)
{
    /* One past the end says that the last line was given; at the end, an empty one is still to come. */
    if (*cursor > body.len) {
        return false;
    }
    const size_t start = *cursor;
    const char *lf = start < body.len ? memchr(body.data + start, '\n', body.len - start) : NULL;
    size_t end = lf != NULL ? (size_t)(lf - body.data) : body.len;
    *cursor = end + 1;
    if (lf != NULL && end > start && body.data[end - 1] == '\r') {
        end--;
    }
    *line = (phx_slice_t){body.data != NULL ? body.data + start : NULL, end - start};
    return true;
}

int phx_ndjson_message(phx_slice_t line, phx_buf_t *scratch, phx_form_t *form, phx_slice_t *bytes)
{
    if (line.len > 0 && line.data[0] == '[') {
        *form = PHX_TEXT;
        *bytes = line;
        return PHX_OK;
    }
    phx_buf_clear(scratch);
    const int error = phx_base64_decode(scratch, line, PHX_BASE64_PADDED);
    if (error != PHX_OK) {
        return error;
    }
    *form = PHX_BINARY;
    *bytes = phx_buf_slice(scratch);
    return PHX_OK;
}

void phx_ndjson_append(phx_buf_t *out, phx_form_t form, phx_slice_t bytes)
{
    if (out->len > 0) {
        phx_buf_append_byte(out, '\n');
    }
    if (form == PHX_BINARY) {
        phx_base64_encode(out, bytes);
        return;
    }
    /* A payload may have line breaks between its tokens, where a blank does as well (LP-POST-07). */
    for (size_t i = 0; i < bytes.len;) {
        size_t run = i;
        while (run < bytes.len && bytes.data[run] != '\n' && bytes.data[run] != '\r') {
            run++;
        }
        phx_buf_append(out, bytes.data + i, run - i);
        if (run < bytes.len) {
            phx_buf_append_byte(out, ' ');
            run++;
        }
        i = run;
    }
}
