/* SPDX-License-Identifier: MIT */
/* HTTP as long-poll needs it: a request, and its response or what became of it. http_call.c makes it of
 * streams; the tests have their own. */
#ifndef PHXC_HTTP_H
#define PHXC_HTTP_H

#include "phxspec/client.h"

typedef struct phxc_http_request {
    const char *method;
    const char *url;
    phx_slice_t headers; /* lines, each with its CRLF */
    phx_slice_t body;    /* `data` NULL: none */
    uint64_t timeout_ms;
} phxc_http_request_t;

/* Borrowed for the call. */
typedef struct phxc_http_result {
    const char *error; /* no response: why, for people; else NULL */
    bool timed_out;
    int status;
    phx_slice_t body;
} phxc_http_result_t;

typedef void (*phxc_http_done)(void *owner, const phxc_http_result_t *result);

typedef struct phxc_http {
    /* Returns what `cancel` takes, until `done` is called: once, and not from within this. NULL when memory
     * ran out. */
    void *(*start)(void *context, const phxc_http_request_t *request, phxc_http_done done, void *owner);
    void (*cancel)(void *call);
    void *context;
} phxc_http_t;

#endif
