/* SPDX-License-Identifier: MIT */
/* Base64 of RFC 4648, standard alphabet. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/text.h"

/* Appends the padded base64 of `bytes`. */
void base64_encode(text_t *out, span_t bytes);

/* Appends the bytes of `base64` (padding may be absent). False, and `out` as it was, when it is not base64.
 */
bool base64_decode(text_t *out, span_t base64);

#endif
