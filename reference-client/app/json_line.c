/* SPDX-License-Identifier: MIT */
#include "json_line.h"

#include "phx/base64.h"
#include "phx/json.h"

#include <stdio.h>

void json_line_begin(phx_buf_t *line)
{
    phx_buf_clear(line);
    phx_buf_append_text(line, "{");
}

static void append_name(phx_buf_t *line, const char *name)
{
    phx_buf_append_text(line, line->len > 1 ? ",\"" : "\"");
    phx_buf_append_text(line, name);
    phx_buf_append_text(line, "\":");
}

static void append_bytes(phx_buf_t *line, phx_slice_t bytes)
{
    phx_buf_append_text(line, "{\"$base64\":\"");
    phx_base64_encode(line, bytes);
    phx_buf_append_text(line, "\"}");
}

void json_line_string(phx_buf_t *line, const char *name, phx_slice_t characters)
{
    append_name(line, name);
    if (phx_utf8_valid(characters)) {
        phx_json_quote(line, characters);
    } else {
        append_bytes(line, characters);
    }
}

void json_line_optional(phx_buf_t *line, const char *name, phx_slice_t characters)
{
    if (characters.data != NULL) {
        json_line_string(line, name, characters);
    }
}

void json_line_number(phx_buf_t *line, const char *name, long long number)
{
    char text[24];
    append_name(line, name);
    (void)snprintf(text, sizeof text, "%lld", number);
    phx_buf_append_text(line, text);
}

/* A payload may span lines; between the tokens of JSON a blank serves as well, and inside there are none. */
void json_line_payload(phx_buf_t *line, const char *name, phx_payload_t payload)
{
    append_name(line, name);
    if (payload.form == PHX_BINARY) {
        append_bytes(line, payload.data);
        return;
    }
    const size_t from = line->len;
    phx_buf_append_slice(line, payload.data);
    for (size_t i = from; i < line->len; i++) {
        if (line->data[i] == '\n' || line->data[i] == '\r') {
            line->data[i] = ' ';
        }
    }
}

void json_line_end(phx_buf_t *line)
{
    phx_buf_append_text(line, "}\n");
}
