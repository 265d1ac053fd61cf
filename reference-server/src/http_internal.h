/* SPDX-License-Identifier: MIT */
/* What the two halves of the request parser share: http_parser.c finds where a head ends, http_head.c reads
 * it. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include "http.h"

/* How the body of a request is delimited. */
typedef struct http_framing {
    bool chunked;
    uint64_t content_length; /* 0: none */
} http_framing_t;

/* A byte of a token: method, header name (RFC 9110, section 5.6.2). */
bool http__is_token_byte(uint8_t byte);

/*
 * Reads a whole head (with its empty line, without the empty lines before it) into `request` and `framing`.
 * The slices point into `head`; header names are turned to lower case there. `headers` has room for
 * `max_headers`. Returns 0 or the status to answer: 400, 413, 431, 501, 505.
 */
int http__read_head(char *head, size_t len, http_header_t *headers, size_t max_headers,
                    http_request_t *request, http_framing_t *framing);

#endif
