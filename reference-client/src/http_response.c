/* SPDX-License-Identifier: MIT */
#include "http_response.h"

#include <string.h>
#include <strings.h>

enum { MAX_HEAD_BYTES = 65536 };

enum state {
    HEAD,
    BODY_BY_LENGTH,
    BODY_TO_END,
    CHUNK_SIZE,
    CHUNK,
    CHUNK_END,
    TRAILER,
    DONE,
    BROKEN,
};

static phxc_progress_t broken(phxc_response_t *response, const char *error)
{
    response->state = BROKEN;
    response->error = error;
    return PHXC_HTTP_BROKEN;
}

static phxc_progress_t done(phxc_response_t *response)
{
    response->state = DONE;
    return PHXC_HTTP_DONE;
}

/* ---- the head ---- */

static phx_slice_t trim(phx_slice_t text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = (phx_slice_t){text.data + 1, text.len - 1};
    }
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t' ||
                            text.data[text.len - 1] == '\r')) {
        text.len--;
    }
    return text;
}

/* The next line of `text`, without its end, which is taken off `text`. */
static bool next_line(phx_slice_t *text, phx_slice_t *line)
{
    const char *end = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;
    if (end == NULL) {
        return false;
    }
    *line = (phx_slice_t){text->data, (size_t)(end - text->data)};
    text->len -= line->len + 1;
    text->data = end + 1;
    if (line->len > 0 && line->data[line->len - 1] == '\r') {
        line->len--;
    }
    return true;
}

static bool same_name(phx_slice_t a, const char *b)
{
    return a.len == strlen(b) && strncasecmp(a.data, b, a.len) == 0;
}

bool phxc_response_header(const phxc_response_t *response, const char *name, phx_slice_t *value)
{
    phx_slice_t head = phx_buf_slice(&response->head);
    phx_slice_t line;
    (void)next_line(&head, &line);
    while (next_line(&head, &line)) {
        const char *colon = line.len > 0 ? memchr(line.data, ':', line.len) : NULL;
        if (colon != NULL && same_name((phx_slice_t){line.data, (size_t)(colon - line.data)}, name)) {
            *value = trim((phx_slice_t){colon + 1, line.len - (size_t)(colon - line.data) - 1});
            return true;
        }
    }
    return false;
}

bool phxc_response_has_token(const phxc_response_t *response, const char *name, const char *token)
{
    phx_slice_t list;
    if (!phxc_response_header(response, name, &list)) {
        return false;
    }
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        const size_t len = comma != NULL ? (size_t)(comma - list.data) : list.len;
        if (same_name(trim((phx_slice_t){list.data, len}), token)) {
            return true;
        }
        const size_t taken = len + (comma != NULL ? 1 : 0);
        list = (phx_slice_t){list.data + taken, list.len - taken};
    }
    return false;
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* `HTTP/1.x NNN reason`; 0 if it is not that. */
static int read_status(phx_slice_t line)
{
    if (line.len < 12 || memcmp(line.data, "HTTP/1.", 7) != 0 || !is_digit(line.data[7]) ||
        line.data[8] != ' ' || !is_digit(line.data[9]) || !is_digit(line.data[10]) ||
        !is_digit(line.data[11]) || (line.len > 12 && line.data[12] != ' ')) {
        return 0;
    }
    return 100 * (line.data[9] - '0') + 10 * (line.data[10] - '0') + (line.data[11] - '0');
}

static bool read_length(phx_slice_t text, uint64_t *length)
{
    *length = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.data[i]) || *length > UINT64_MAX / 16) {
            return false;
        }
        *length = 10 * *length + (uint64_t)(text.data[i] - '0');
    }
    return text.len > 0;
}

static phxc_progress_t head_is_whole(phxc_response_t *response)
{
    phx_slice_t head = phx_buf_slice(&response->head);
    phx_slice_t line = {0};
    phx_slice_t value;
    (void)next_line(&head, &line);
    const int status = read_status(line);
    if (status < 100) {
        return broken(response, "the answer is not HTTP");
    }
    if (status < 200 && status != 101) {
        phx_buf_clear(&response->head); /* informational: another head follows */
        return PHXC_HTTP_MORE;
    }
    response->status = status;
    if (status == 101 || status == 204 || status == 304) {
        return done(response);
    }
    if (phxc_response_has_token(response, "transfer-encoding", "chunked")) {
        response->state = CHUNK_SIZE;
    } else if (!phxc_response_header(response, "content-length", &value)) {
        response->state = BODY_TO_END;
    } else if (!read_length(value, &response->left)) {
        return broken(response, "the answer has no sound Content-Length");
    } else if (response->left > response->max_bytes) {
        return broken(response, "the answer is too large");
    } else {
        response->state = BODY_BY_LENGTH;
        return response->left == 0 ? done(response) : PHXC_HTTP_MORE;
    }
    return PHXC_HTTP_MORE;
}

static bool head_ends(phx_slice_t head)
{
    return (head.len >= 2 && memcmp(head.data + head.len - 2, "\n\n", 2) == 0) ||
           (head.len >= 3 && memcmp(head.data + head.len - 3, "\n\r\n", 3) == 0);
}

static phxc_progress_t read_head(phxc_response_t *response, char byte)
{
    phx_buf_append_byte(&response->head, (uint8_t)byte);
    if (response->head.failed || response->head.len > MAX_HEAD_BYTES) {
        return broken(response, "the answer's head is too large");
    }
    return byte == '\n' && head_ends(phx_buf_slice(&response->head)) ? head_is_whole(response)
                                                                     : PHXC_HTTP_MORE;
}

/* ---- the body ---- */

static phxc_progress_t keep_body(phxc_response_t *response, phx_slice_t bytes)
{
    if (bytes.len > response->max_bytes - response->body.len) {
        return broken(response, "the answer is too large");
    }
    phx_buf_append_slice(&response->body, bytes);
    return response->body.failed ? broken(response, "memory ran out") : PHXC_HTTP_MORE;
}

static phxc_progress_t read_counted(phxc_response_t *response, phx_slice_t bytes, size_t *used)
{
    const size_t taken = response->left < bytes.len ? (size_t)response->left : bytes.len;
    *used += taken;
    response->left -= taken;
    if (keep_body(response, (phx_slice_t){bytes.data, taken}) == PHXC_HTTP_BROKEN) {
        return PHXC_HTTP_BROKEN;
    }
    if (response->left == 0) {
        if (response->state == BODY_BY_LENGTH) {
            return done(response);
        }
        response->state = CHUNK_END;
    }
    return PHXC_HTTP_MORE;
}

static int hex_digit(char character)
{
    if (is_digit(character)) {
        return character - '0';
    }
    const char lower = (char)(character | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Lines of the chunked coding: the size with its extensions, the empty line behind a chunk, trailers. */
static phxc_progress_t read_chunk_line(phxc_response_t *response, char byte)
{
    if (byte != '\n') {
        const int digit = hex_digit(byte);
        if (response->state == CHUNK_SIZE && !response->line_junk && digit >= 0) {
            if (response->left > UINT64_MAX / 32) {
                return broken(response, "the answer is too large");
            }
            response->left = 16 * response->left + (uint64_t)digit;
        } else if (byte != '\r') {
            response->line_junk = true;
            if (response->state == CHUNK_END || (response->state == CHUNK_SIZE && response->line_len == 0)) {
                return broken(response, "the answer's chunks are broken");
            }
        }
        response->line_len += byte != '\r';
        return response->line_len > MAX_HEAD_BYTES ? broken(response, "the answer's chunks are broken")
                                                   : PHXC_HTTP_MORE;
    }
    const bool empty = response->line_len == 0;
    response->line_len = 0;
    response->line_junk = false;
    switch (response->state) {
    case CHUNK_END:
        response->state = CHUNK_SIZE;
        return PHXC_HTTP_MORE;
    case CHUNK_SIZE:
        if (empty) {
            return broken(response, "the answer's chunks are broken");
        }
        response->state = response->left > 0 ? CHUNK : TRAILER;
        return PHXC_HTTP_MORE;
    default:
        return empty ? done(response) : PHXC_HTTP_MORE;
    }
}

phxc_progress_t phxc_response_feed(phxc_response_t *response, phx_slice_t bytes, size_t *used)
{
    phxc_progress_t progress = PHXC_HTTP_MORE;
    *used = 0;
    while (progress == PHXC_HTTP_MORE && *used < bytes.len) {
        const phx_slice_t rest = {bytes.data + *used, bytes.len - *used};
        switch (response->state) {
        case HEAD:
            (*used)++;
            progress = read_head(response, rest.data[0]);
            break;
        case BODY_BY_LENGTH:
        case CHUNK:
            progress = read_counted(response, rest, used);
            break;
        case BODY_TO_END:
            *used = bytes.len;
            progress = keep_body(response, rest);
            break;
        case CHUNK_SIZE:
        case CHUNK_END:
        case TRAILER:
            (*used)++;
            progress = read_chunk_line(response, rest.data[0]);
            break;
        case DONE:
            return PHXC_HTTP_DONE;
        default:
            return PHXC_HTTP_BROKEN;
        }
    }
    return progress;
}

phxc_progress_t phxc_response_end(phxc_response_t *response)
{
    if (response->state == BODY_TO_END) {
        return done(response);
    }
    return response->state == DONE ? PHXC_HTTP_DONE
                                   : broken(response, "the connection ended before the answer was whole");
}

void phxc_response_free(phxc_response_t *response)
{
    phx_buf_free(&response->head);
    phx_buf_free(&response->body);
}
