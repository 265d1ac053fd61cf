/* SPDX-License-Identifier: MIT */
/*
 * Cuts a byte stream into what the proxy looks at: WebSocket frames and HTTP requests. Nothing is judged, and
 * every piece keeps the bytes it came in: what no fault is about passes as it was.
 */
#ifndef PROXY_SPLIT_H
#define PROXY_SPLIT_H

#include "net/http_message.h"

#include <stdint.h>

typedef enum split { SPLIT_MORE, SPLIT_WHOLE, SPLIT_BROKEN, SPLIT_TOO_LONG } split_t;

/* The longest request; the body with the lengths of its chunks. */
enum { REQUEST_HEAD_MAX = 64 << 10, REQUEST_BODY_MAX = 32 << 20 };

typedef struct raw_frame {
    bool fin, masked;
    uint8_t rsv, opcode;
    uint8_t mask[4];
    span_t payload; /* as it is on the wire, masked where `masked`; borrowed */
    size_t total;   /* bytes of the whole frame; known as soon as its header is there, else 0 */
} raw_frame_t;

/* The frame at the start of `bytes`. SPLIT_BROKEN: a length no frame of a test has. */
split_t split_frame(span_t bytes, raw_frame_t *frame);

/* Appends the payload without its mask. */
void raw_frame_payload(const raw_frame_t *frame, text_t *out);

typedef struct raw_request {
    char *method, *target; /* owned */
    http_headers_t headers;
    text_t body;  /* chunks joined */
    size_t total; /* bytes of the whole request */
} raw_request_t;

/* The request at the start of `bytes`; zero-initialised by the caller, released with raw_request_free.
 * SPLIT_TOO_LONG: it is, or can only become, longer than the longest. */
split_t split_request(span_t bytes, raw_request_t *request);
void raw_request_free(raw_request_t *request);

/* The value of a parameter of the target's query, percent-decoded; a new string, NULL: none. */
char *target_parameter(const char *target, const char *name);

/* The target with the parameter set to `value`, or without it (NULL). A new string. */
char *target_with(const char *target, const char *name, const char *value);

#endif
