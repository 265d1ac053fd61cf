/* SPDX-License-Identifier: MIT */
/* Base64 with the standard alphabet (RFC 4648, section 4), as bearer tokens and long-poll lines use it. */
#ifndef PHX_BASE64_H
#define PHX_BASE64_H

#include "phx/bytes.h"

#pragma GCC visibility push(default)

typedef enum phx_base64_padding {
    PHX_BASE64_PADDED,   /* `=` must complete the last group (LP-POST-06) */
    PHX_BASE64_OPTIONAL, /* `=` may be there or not (TOK-01, TOK-06) */
} phx_base64_padding_t;

/* Appends the encoding of `bytes`, padded. */
void phx_base64_encode(phx_buf_t *out, phx_slice_t bytes);

/* Appends the bytes that `text` encodes. Returns 0, PHX_EBASE64, PHX_ENOMEM; on error `out` is as it was. */
int phx_base64_decode(phx_buf_t *out, phx_slice_t text, phx_base64_padding_t padding);

#pragma GCC visibility pop

#endif
