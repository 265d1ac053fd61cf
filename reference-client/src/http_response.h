/* SPDX-License-Identifier: MIT */
/* Reads one HTTP/1.1 response: its body by length, by chunks, or to the end of the connection. No I/O. */
#ifndef PHXC_HTTP_RESPONSE_H
#define PHXC_HTTP_RESPONSE_H

#include "phx/bytes.h"

typedef enum phxc_progress {
    PHXC_HTTP_MORE, /* needs more bytes */
    PHXC_HTTP_DONE, /* the response is whole; of a 101 the head is, and what follows is not HTTP */
    PHXC_HTTP_BROKEN,
} phxc_progress_t;

/* Zero-initialise, and set `max_bytes`; release with phxc_response_free. */
typedef struct phxc_response {
    size_t max_bytes; /* of the body */
    int status;       /* of the final response; 0 before its head is whole */
    phx_buf_t head;   /* of the response being read; informational ones are dropped */
    phx_buf_t body;
    const char *error; /* when broken, for people */
    int state;
    uint64_t left;
    size_t line_len;
    bool line_junk;
} phxc_response_t;

/* Reads from `bytes`; `*used` says how many that took. */
phxc_progress_t phxc_response_feed(phxc_response_t *response, phx_slice_t bytes, size_t *used);
/* The connection has ended: DONE if that ends the body, else BROKEN. */
phxc_progress_t phxc_response_end(phxc_response_t *response);
/* A header's value without blanks around it; false if there is none of that name (case-insensitive). */
bool phxc_response_header(const phxc_response_t *response, const char *name, phx_slice_t *value);
/* True if the header is a list that has `token` (case-insensitive). */
bool phxc_response_has_token(const phxc_response_t *response, const char *name, const char *token);
void phxc_response_free(phxc_response_t *response);

#endif
