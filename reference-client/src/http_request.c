/* SPDX-License-Identifier: MIT */
#include "http_request.h"

void phxc_http_begin(phx_buf_t *out, const char *method, const phxc_url_t *url, char *const *headers)
{
    phx_buf_append_text(out, method);
    phx_buf_append_text(out, " ");
    phx_buf_append_text(out, url->target);
    phx_buf_append_text(out, " HTTP/1.1\r\nHost: ");
    phxc_url_append_authority(out, url);
    phx_buf_append_text(out, "\r\nUser-Agent: phxspec-client/" PHXSPEC_VERSION "\r\n");
    for (; *headers != NULL; headers++) {
        phx_buf_append_text(out, *headers);
        phx_buf_append_text(out, "\r\n");
    }
}
