/* SPDX-License-Identifier: MIT */
/* The lines of a long-poll batch (LP-POST-03, LP-POST-06). */
#ifndef PHX_NDJSON_H
#define PHX_NDJSON_H

#include "phx/bytes.h"
#include "phx/message.h"

#pragma GCC visibility push(default)

/*
 * Walks the lines of `body`, which end with `\n` or `\r\n`: start with `*cursor` = 0; returns false when
 * there is none left. A body that ends with a line break has an empty last line (LP-POST-07), an empty body
 * one empty line.
 */
bool phx_ndjson_next(phx_slice_t body, size_t *cursor, phx_slice_t *line);

/*
 * What a line holds: a line that begins with `[` is a text message as it stands; any other is the padded
 * base64 of a message that came as bytes, decoded into `scratch` (cleared first). Returns 0, PHX_EBASE64,
 * PHX_ENOMEM.
 */
int phx_ndjson_message(phx_slice_t line, phx_buf_t *scratch, phx_form_t *form, phx_slice_t *bytes);

/* Appends a message as a line, with a line break before it unless `out` is empty. */
void phx_ndjson_append(phx_buf_t *out, phx_form_t form, phx_slice_t bytes);

#pragma GCC visibility pop

#endif
