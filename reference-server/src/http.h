/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 as the server's side needs it: requests with bodies (by length or chunked), one after the other on
 * a connection; answers with a known length. No I/O.
 */
#ifndef HTTP_H
#define HTTP_H

#include "phx/bytes.h"

typedef struct http_header {
    phx_slice_t name; /* in lower case */
    phx_slice_t value;
} http_header_t;

typedef struct http_request {
    phx_slice_t method;
    phx_slice_t target; /* as sent: path, `?`, query */
    phx_slice_t path;
    phx_slice_t query; /* without the `?`; not decoded */
    int minor_version; /* of HTTP/1 */
    const http_header_t *headers;
    size_t header_count;
    phx_slice_t body;
    bool keep_alive; /* the connection may carry another request */
} http_request_t;

typedef struct http_limits {
    size_t max_head_bytes;
    size_t max_headers;
    size_t max_body_bytes; /* more: HTTP_TOO_LARGE */
} http_limits_t;

typedef enum http_progress {
    HTTP_MORE,      /* needs more bytes */
    HTTP_HEAD,      /* the head is complete, the body is not: given once per request, `body` is empty */
    HTTP_COMPLETE,  /* the whole request is there */
    HTTP_TOO_LARGE, /* the body is over its limit: it is read on and dropped, HTTP_COMPLETE follows with an
                       empty body */
    HTTP_BROKEN, /* not HTTP; http_parser_status tells the status to answer, then the connection must end */
} http_progress_t;

typedef struct http_parser http_parser_t;

/* `limits` is copied. NULL when memory ran out. */
http_parser_t *http_parser_new(const http_limits_t *limits);
void http_parser_free(http_parser_t *parser);

/*
 * Reads from `bytes` up to the next thing to tell; `*used` says how many bytes that took, the rest must be
 * given again. After HTTP_COMPLETE, http_parser_next must be called before more is fed. Where the input is
 * cut into pieces makes no difference.
 *
 * A body whose content-length is over the limit is HTTP_HEAD and then, with the next call, HTTP_TOO_LARGE;
 * http_parser_too_large tells it from HTTP_HEAD on.
 */
http_progress_t http_parser_feed(http_parser_t *parser, phx_slice_t bytes, size_t *used);

/* The request read so far (valid after HTTP_HEAD, HTTP_TOO_LARGE, HTTP_COMPLETE); borrowed until
 * http_parser_next or _free. */
const http_request_t *http_parser_request(const http_parser_t *parser);

/* True when the last request's body was over the limit. */
bool http_parser_too_large(const http_parser_t *parser);

/* True while no byte of the next request has been read. */
bool http_parser_idle(const http_parser_t *parser);

/* The memory that what has been read takes. */
size_t http_parser_held(const http_parser_t *parser);

/* Forgets the request and gets ready for the next; memory a large one took is given back. */
void http_parser_next(http_parser_t *parser);

/* The status to answer after HTTP_BROKEN: 400, 413, 414, 431, 501 or 505. */
int http_parser_status(const http_parser_t *parser);

/* The first header of that name (lower case); NULL if there is none. */
const http_header_t *http_request_header(const http_request_t *request, const char *name);

/*
 * All values of that name, joined with ", " (RFC 9110, section 5.2), appended to `out`; returns how many
 * there were.
 */
size_t http_request_header_values(const http_request_t *request, const char *name, phx_buf_t *out);

/* True if the comma-separated `list` has `token`, compared without regard to case (WS-CONN-05). */
bool http_list_has_token(phx_slice_t list, const char *token);

/* Walks the non-empty elements of a comma-separated list, trimmed: start with `*cursor` = 0. */
bool http_list_next(phx_slice_t list, size_t *cursor, phx_slice_t *element);

/* The reason phrase of a status; "" if unknown. */
const char *http_reason(int status);

/* Begins an answer: appends the status line and a Date. */
void http_response_begin(phx_buf_t *out, int status);
void http_response_header(phx_buf_t *out, const char *name, phx_slice_t value);
/* Ends the head: content-length, `connection: close` unless `keep_alive`; then the body, left out if
 * `head_only`. Not for 1xx, which has no content: an empty line ends its head. */
void http_response_finish(phx_buf_t *out, phx_slice_t body, bool keep_alive, bool head_only);

#endif
