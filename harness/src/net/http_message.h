/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 requests to be written and responses to be read, no I/O. */
#ifndef NET_HTTP_MESSAGE_H
#define NET_HTTP_MESSAGE_H

#include "base/text.h"

typedef struct http_header {
    char *name;  /* in lower case when received, as given when sent */
    char *value; /* without blanks around it */
} http_header_t;

/* Headers in the order of the wire; zero-initialise, release with http_headers_free. */
typedef struct http_headers {
    http_header_t *at;
    size_t len, cap;
} http_headers_t;

void http_headers_add(http_headers_t *headers, const char *name, const char *value); /* copies both */
const char *http_headers_get(const http_headers_t *headers,
                             const char *name); /* first one, case ignored; or NULL */
void http_headers_free(http_headers_t *headers);

/* A request. Everything is borrowed until the call it is given to returns. */
typedef struct http_request {
    const char *method;
    const char *target; /* path and query, as it stands in the request line */
    http_headers_t
        headers; /* Host and Connection are written unless they are here; Content-Length unless it or
                    Transfer-Encoding is; with Transfer-Encoding: chunked the body goes out in one chunk */
    span_t body;
    bool has_body;   /* write Content-Length though the body is empty */
    bool keep_alive; /* false: Connection: close is written */
    span_t raw;      /* not empty: these bytes instead of all above */
} http_request_t;

/* Appends the bytes of the request; `authority` is for the Host header. */
void http_request_write(text_t *out, const http_request_t *request, const char *authority);

typedef struct http_response {
    int status;
    int minor_version; /* of HTTP/1.x */
    char *reason;
    http_headers_t headers;
    text_t body; /* chunks joined */
} http_response_t;

void http_response_free(http_response_t *response); /* releases what it owns, and zeroes it */

typedef struct http_parser http_parser_t;
typedef enum http_progress { HTTP_MORE, HTTP_DONE, HTTP_BROKEN } http_progress_t;

/* A parser of one response. `no_body`: the request was a HEAD. Interim answers (100, 102, 103) are passed
 * over; after 101 the body is empty and what follows is left to the caller. `max_body` bytes at most. */
http_parser_t *http_parser_new(bool no_body, size_t max_body);
void http_parser_free(http_parser_t *parser);

/* Takes bytes; *used says how many belong to this response (all, unless the result is HTTP_DONE). */
http_progress_t http_parser_feed(http_parser_t *parser, span_t bytes, size_t *used);

/* The peer ended the connection: HTTP_DONE when the body goes to the end, else HTTP_BROKEN. */
http_progress_t http_parser_end(http_parser_t *parser);

/* The response, whole or as far as it came; borrowed. */
const http_response_t *http_parser_response(const http_parser_t *parser);
/* Why it is HTTP_BROKEN. */
const char *http_parser_error(const http_parser_t *parser);
/* Whether the connection can carry another exchange. */
bool http_parser_keeps_alive(const http_parser_t *parser);

#endif
