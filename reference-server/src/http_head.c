/* SPDX-License-Identifier: MIT */
#include "http_internal.h"

#include <string.h>
#include <strings.h>

bool http__is_token_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static bool is_token(phx_slice_t slice)
{
    for (size_t i = 0; i < slice.len; i++) {
        if (!http__is_token_byte((uint8_t)slice.data[i])) {
            return false;
        }
    }
    return slice.len > 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static phx_slice_t trimmed(phx_slice_t slice)
{
    while (slice.len > 0 && is_blank(slice.data[0])) {
        slice.data++;
        slice.len--;
    }
    while (slice.len > 0 && is_blank(slice.data[slice.len - 1])) {
        slice.len--;
    }
    return slice;
}

/* Splits `*rest` at the first `at`: returns what stands before it, leaves what stands behind it. Without one,
 * all is returned and `*found` is false. */
static phx_slice_t split(phx_slice_t *rest, char at, bool *found)
{
    const char *end = rest->len > 0 ? memchr(rest->data, at, rest->len) : NULL;
    const phx_slice_t before = {rest->data, end != NULL ? (size_t)(end - rest->data) : rest->len};
    *found = end != NULL;
    if (end != NULL) {
        rest->len -= before.len + 1;
        rest->data = end + 1;
    } else {
        *rest = (phx_slice_t){0};
    }
    return before;
}

static phx_slice_t next_line(phx_slice_t *rest)
{
    bool found;
    phx_slice_t line = split(rest, '\n', &found);
    if (line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

static bool begins_with(phx_slice_t slice, const char *text)
{
    const size_t len = strlen(text);
    return slice.len >= len && strncasecmp(slice.data, text, len) == 0;
}

/* RFC 9112, section 3.2: origin, absolute, authority (CONNECT) and asterisk form. */
static bool read_target(phx_slice_t target, http_request_t *request)
{
    for (size_t i = 0; i < target.len; i++) {
        if (target.data[i] <= ' ' || target.data[i] > '~' || target.data[i] == '#') {
            return false;
        }
    }
    request->target = target;
    bool has_query;
    request->query = target;
    request->path = split(&request->query, '?', &has_query);
    if (phx_slice_starts_with(target, "/") || phx_slice_equals(target, "*") ||
        (phx_slice_equals(request->method, "CONNECT") && target.len > 0)) {
        return true;
    }
    const size_t scheme = begins_with(target, "http://") ? 7 : begins_with(target, "https://") ? 8 : 0;
    if (scheme == 0) {
        return false;
    }
    phx_slice_t rest = {request->path.data + scheme, request->path.len - scheme};
    const char *slash = rest.len > 0 ? memchr(rest.data, '/', rest.len) : NULL;
    if (rest.len == 0 || slash == rest.data) {
        return false; /* no host */
    }
    request->path =
        slash == NULL ? PHX_SLICE("/") : (phx_slice_t){slash, (size_t)(rest.data + rest.len - slash)};
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int read_request_line(phx_slice_t line, http_request_t *request)
{
    bool target_follows, version_follows;
    request->method = split(&line, ' ', &target_follows);
    const phx_slice_t target = split(&line, ' ', &version_follows);
    if (!version_follows || !is_token(request->method)) {
        return 400;
    }
    if (line.len != 8 || !phx_slice_starts_with(line, "HTTP/") || !is_digit(line.data[5]) ||
        line.data[6] != '.' || !is_digit(line.data[7])) {
        return 400;
    }
    if (line.data[5] != '1' || line.data[7] > '1') {
        return 505;
    }
    request->minor_version = line.data[7] - '0';
    return read_target(target, request) ? 0 : 400;
}

static int read_header(phx_slice_t line, http_header_t *header)
{
    bool colon;
    header->value = line;
    header->name = split(&header->value, ':', &colon);
    /* Not a token: also blanks before the colon and a folded line, which begins with one (section 5.2). */
    if (!colon || !is_token(header->name)) {
        return 400;
    }
    char *name = (char *)header->name.data; /* of the head, which is ours to alter */
    for (size_t i = 0; i < header->name.len; i++) {
        if (name[i] >= 'A' && name[i] <= 'Z') {
            name[i] = (char)(name[i] | 0x20);
        }
    }
    header->value = trimmed(header->value);
    return 0;
}

static bool same_text(phx_slice_t slice, const char *text)
{
    return slice.len == strlen(text) && begins_with(slice, text);
}

static int read_content_length(phx_slice_t value, uint64_t *length)
{
    *length = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.data[i])) {
            return 400;
        }
    }
    for (size_t i = 0; i < value.len; i++) {
        const uint64_t digit = (uint64_t)(value.data[i] - '0');
        if (*length > (UINT64_MAX - digit) / 10) {
            return 413;
        }
        *length = *length * 10 + digit;
    }
    return value.len > 0 ? 0 : 400;
}

/* The codings in the order applied; only `chunked` alone is understood (RFC 9112, sections 6.1 and 7). */
static int read_transfer_encoding(phx_slice_t value, bool *chunked)
{
    size_t cursor = 0;
    phx_slice_t coding;
    while (http_list_next(value, &cursor, &coding)) {
        if (*chunked) {
            return 400; /* chunked twice, or not last */
        }
        if (!same_text(coding, "chunked")) {
            return 501;
        }
        *chunked = true;
    }
    return *chunked ? 0 : 400;
}

/* What the headers say of the body and the connection. Two ways to read the same bytes are an attack:
 * refused. */
static int read_framing(http_request_t *request, http_framing_t *framing)
{
    size_t lengths = 0, encodings = 0, hosts = 0;
    bool close = false, keep_alive = false;
    for (size_t i = 0; i < request->header_count; i++) {
        const http_header_t *header = &request->headers[i];
        int status = 0;
        if (phx_slice_equals(header->name, "content-length")) {
            lengths++;
            status = read_content_length(header->value, &framing->content_length);
        } else if (phx_slice_equals(header->name, "transfer-encoding")) {
            encodings++;
            status = read_transfer_encoding(header->value, &framing->chunked);
        } else if (phx_slice_equals(header->name, "host")) {
            hosts++;
        } else if (phx_slice_equals(header->name, "connection")) {
            close = close || http_list_has_token(header->value, "close");
            keep_alive = keep_alive || http_list_has_token(header->value, "keep-alive");
        }
        if (status != 0) {
            return status;
        }
    }
    const bool old = request->minor_version == 0;
    if (lengths + encodings > 1 || hosts > 1 || (old && encodings > 0) || (!old && hosts == 0)) {
        return 400;
    }
    request->keep_alive = !close && (!old || keep_alive);
    return 0;
}

int http__read_head(char *head, size_t len, http_header_t *headers, size_t max_headers,
                    http_request_t *request, http_framing_t *framing)
{
    phx_slice_t rest = {head, len};
    *request = (http_request_t){.headers = headers};
    *framing = (http_framing_t){0};
    int status = read_request_line(next_line(&rest), request);
    for (phx_slice_t line; status == 0 && (line = next_line(&rest)).len > 0;) {
        if (request->header_count == max_headers) {
            return 431;
        }
        status = read_header(line, &headers[request->header_count++]);
    }
    return status != 0 ? status : read_framing(request, framing);
}

const http_header_t *http_request_header(const http_request_t *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (phx_slice_equals(request->headers[i].name, name)) {
            return &request->headers[i];
        }
    }
    return NULL;
}

size_t http_request_header_values(const http_request_t *request, const char *name, phx_buf_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (phx_slice_equals(request->headers[i].name, name)) {
            phx_buf_append_text(out, count++ > 0 ? ", " : "");
            phx_buf_append_slice(out, request->headers[i].value);
        }
    }
    return count;
}

bool http_list_next(phx_slice_t list, size_t *cursor, phx_slice_t *element)
{
    while (*cursor < list.len) {
        phx_slice_t rest = {list.data + *cursor, list.len - *cursor};
        bool more;
        const phx_slice_t part = split(&rest, ',', &more);
        *cursor = list.len - rest.len;
        *element = trimmed(part);
        if (element->len > 0) {
            return true;
        }
    }
    return false;
}

bool http_list_has_token(phx_slice_t list, const char *token)
{
    size_t cursor = 0;
    phx_slice_t element;
    while (http_list_next(list, &cursor, &element)) {
        if (same_text(element, token)) {
            return true;
        }
    }
    return false;
}
