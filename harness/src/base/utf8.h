/* SPDX-License-Identifier: MIT */
/* UTF-8 of RFC 3629: no surrogates, nothing overlong, nothing above U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/text.h"

/* Length of the character at the start of `bytes` (1 to 4), 0 when it is not one or is cut short. */
size_t utf8_character(span_t bytes);

bool utf8_valid(span_t bytes);

#endif
