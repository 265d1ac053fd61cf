/* SPDX-License-Identifier: MIT */
/* SHA-1, for Sec-WebSocket-Accept only (RFC 6455, 4.2.2). */
#ifndef BASE_SHA1_H
#define BASE_SHA1_H

#include "base/text.h"

#include <stdint.h>

void sha1(span_t bytes, uint8_t digest[20]);

#endif
