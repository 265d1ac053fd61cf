/* SPDX-License-Identifier: MIT */
/* What all requests of the client have in common. */
#ifndef PHXC_HTTP_REQUEST_H
#define PHXC_HTTP_REQUEST_H

#include "endpoint.h"

/* Appends the request line, Host, User-Agent and the headers that the user gave; more headers and the empty
 * line are the caller's. */
void phxc_http_begin(phx_buf_t *out, const char *method, const phxc_url_t *url, char *const *headers);

#endif
