/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <stdio.h>
#include <time.h>

const char *http_reason(int status)
{
    switch (status) {
    case 100:
        return "Continue";
    case 101:
        return "Switching Protocols";
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 410:
        return "Gone";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 417:
        return "Expectation Failed";
    case 422:
        return "Unprocessable Content";
    case 426:
        return "Upgrade Required";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "";
    }
}

/* strftime would ask the locale for names. */
static void append_date(phx_buf_t *out)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t now = time(NULL);
    struct tm utc;
    char text[64];
    if (gmtime_r(&now, &utc) == NULL) {
        return; /* a server without a clock sends no Date (RFC 9110, section 6.6.1) */
    }
    (void)snprintf(text, sizeof text, "date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[utc.tm_wday],
                   utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    phx_buf_append_text(out, text);
}

void http_response_begin(phx_buf_t *out, int status)
{
    char line[64];
    (void)snprintf(line, sizeof line, "HTTP/1.1 %03d %s\r\n", status, http_reason(status));
    phx_buf_append_text(out, line);
    append_date(out);
}

void http_response_header(phx_buf_t *out, const char *name, phx_slice_t value)
{
    phx_buf_append_text(out, name);
    phx_buf_append_text(out, ": ");
    phx_buf_append_slice(out, value);
    phx_buf_append_text(out, "\r\n");
}

void http_response_finish(phx_buf_t *out, phx_slice_t body, bool keep_alive, bool head_only)
{
    char line[48];
    (void)snprintf(line, sizeof line, "content-length: %zu\r\n", body.len);
    phx_buf_append_text(out, line);
    if (!keep_alive) {
        phx_buf_append_text(out, "connection: close\r\n");
    }
    phx_buf_append_text(out, "\r\n");
    if (!head_only) {
        phx_buf_append_slice(out, body);
    }
}
