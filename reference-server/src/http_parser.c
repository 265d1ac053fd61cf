/* SPDX-License-Identifier: MIT */
#include "http_internal.h"

#include <stdlib.h>

typedef enum state {
    HEAD,
    TELL_TOO_LARGE, /* the head said so; to be told before the body is read */
    BODY,           /* of a body or of a chunk, `left` bytes */
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_END, /* the line break after a chunk's data */
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    COMPLETE,
    BROKEN,
} state_t;

/*
 * The head is gathered whole in `head` and read then, so that the request's slices stay where they are. All
 * else is a machine over bytes: where the input is cut cannot matter.
 */
struct http_parser {
    http_limits_t limits;
    state_t state;
    bool line_started; /* the line being read has a byte besides its end */
    bool cr;           /* the last byte was CR: only LF may follow */
    bool too_large;
    uint8_t size_digits; /* of the chunk's size, so far */
    int status;
    http_framing_t framing;
    uint64_t left;   /* bytes of the body or chunk still to come */
    size_t lines;    /* of the head, so far */
    size_t overhead; /* bytes dropped: empty lines before the head, chunk extensions, trailers; limited with
                        the head */
    phx_buf_t head;
    phx_buf_t body;
    http_header_t *headers;
    http_request_t request;
};

http_parser_t *http_parser_new(const http_limits_t *limits)
{
    http_parser_t *parser = calloc(1, sizeof *parser);
    if (parser != NULL) {
        parser->limits = *limits;
    }
    return parser;
}

static void release(http_parser_t *parser)
{
    phx_buf_free(&parser->head);
    phx_buf_free(&parser->body);
    free(parser->headers);
}

void http_parser_free(http_parser_t *parser)
{
    if (parser != NULL) {
        release(parser);
        free(parser);
    }
}

void http_parser_next(http_parser_t *parser)
{
    release(parser);
    *parser = (http_parser_t){.limits = parser->limits};
}

const http_request_t *http_parser_request(const http_parser_t *parser)
{
    return &parser->request;
}

bool http_parser_too_large(const http_parser_t *parser)
{
    return parser->too_large;
}

bool http_parser_idle(const http_parser_t *parser)
{
    return parser->state == HEAD && parser->head.len == 0;
}

size_t http_parser_held(const http_parser_t *parser)
{
    return parser->head.cap + parser->body.cap;
}

int http_parser_status(const http_parser_t *parser)
{
    return parser->status;
}

static http_progress_t broken(http_parser_t *parser, int status)
{
    parser->state = BROKEN;
    parser->status = status;
    return HTTP_BROKEN;
}

static http_progress_t complete(http_parser_t *parser)
{
    parser->state = COMPLETE;
    parser->request.body = phx_buf_slice(&parser->body);
    return HTTP_COMPLETE;
}

/* Bytes that no line may have: controls besides the tab. */
static bool is_control(uint8_t byte)
{
    return (byte < 0x20 && byte != '\t') || byte == 0x7F;
}

typedef enum line_byte {
    LINE_BYTE,
    LINE_CR,
    LINE_END,
    LINE_BAD,
} line_byte_t;

/* Sorts a byte of a line; lines end with CRLF or a bare LF, a bare CR is refused (RFC 9112, section 2.2). */
static line_byte_t sort_line_byte(http_parser_t *parser, uint8_t byte)
{
    if (byte == '\n') {
        parser->cr = false;
        return LINE_END;
    }
    if (parser->cr || (byte != '\r' && is_control(byte))) {
        return LINE_BAD;
    }
    parser->cr = byte == '\r';
    return parser->cr ? LINE_CR : LINE_BYTE;
}

static http_progress_t head_is_whole(http_parser_t *parser)
{
    const size_t header_lines = parser->lines - 1;
    if (header_lines > parser->limits.max_headers) {
        return broken(parser, 431);
    }
    parser->headers = malloc((header_lines > 0 ? header_lines : 1) * sizeof *parser->headers);
    if (parser->headers == NULL) {
        return broken(parser, 431);
    }
    const int status = http__read_head(parser->head.data, parser->head.len, parser->headers, header_lines,
                                       &parser->request, &parser->framing);
    if (status != 0) {
        return broken(parser, status);
    }
    if (!parser->framing.chunked && parser->framing.content_length == 0) {
        return complete(parser);
    }
    parser->left = parser->framing.content_length;
    parser->too_large = parser->left > parser->limits.max_body_bytes;
    parser->state = parser->framing.chunked ? CHUNK_SIZE : parser->too_large ? TELL_TOO_LARGE : BODY;
    return HTTP_HEAD;
}

static http_progress_t read_head(http_parser_t *parser, phx_slice_t bytes, size_t *used)
{
    size_t kept_from = *used;
    while (*used < bytes.len) {
        if (parser->head.len + parser->overhead + (*used - kept_from) >= parser->limits.max_head_bytes) {
            return broken(parser, parser->lines > 0 ? 431 : parser->line_started ? 414 : 400);
        }
        const line_byte_t kind = sort_line_byte(parser, (uint8_t)bytes.data[(*used)++]);
        if (kind == LINE_BAD) {
            return broken(parser, 400);
        }
        if (kind == LINE_BYTE) {
            parser->line_started = true;
        } else if (parser->lines == 0 && !parser->line_started) {
            /* Empty lines before a request are no part of it; an endless row of them is no request either. */
            parser->overhead++;
            kept_from = *used;
        } else if (kind == LINE_END) {
            if (!parser->line_started) {
                phx_buf_append(&parser->head, bytes.data + kept_from, *used - kept_from);
                return parser->head.failed ? broken(parser, 431) : head_is_whole(parser);
            }
            parser->lines++;
            parser->line_started = false;
        }
    }
    if (*used > kept_from) {
        phx_buf_append(&parser->head, bytes.data + kept_from, *used - kept_from);
    }
    return parser->head.failed ? broken(parser, 431) : HTTP_MORE;
}

/* What is over the limit is counted and dropped. Returns false when memory ran out. */
static bool keep_body(http_parser_t *parser, const char *data, size_t len)
{
    parser->left -= len;
    if (!parser->too_large) {
        phx_buf_append(&parser->body, data, len);
    }
    return !parser->body.failed;
}

static http_progress_t read_body(http_parser_t *parser, phx_slice_t bytes, size_t *used)
{
    const size_t there = bytes.len - *used;
    const size_t taken = parser->left < there ? (size_t)parser->left : there;
    if (taken > 0 && !keep_body(parser, bytes.data + *used, taken)) {
        return broken(parser, 413);
    }
    *used += taken;
    if (parser->left > 0) {
        return HTTP_MORE;
    }
    if (!parser->framing.chunked) {
        return complete(parser);
    }
    parser->state = CHUNK_END;
    return HTTP_MORE;
}

static int digit_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    const uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The line with a chunk's size is read: what follows? */
static http_progress_t begin_chunk(http_parser_t *parser)
{
    parser->size_digits = 0;
    if (parser->left == 0) {
        parser->state = TRAILER_START;
        return HTTP_MORE;
    }
    parser->state = BODY;
    const uint64_t room = parser->limits.max_body_bytes - parser->body.len;
    if (parser->too_large || parser->left <= room) {
        return HTTP_MORE;
    }
    parser->too_large = true;
    phx_buf_free(&parser->body);
    return HTTP_TOO_LARGE;
}

static http_progress_t read_chunk_size(http_parser_t *parser, uint8_t byte, line_byte_t kind)
{
    const int digit = digit_value(byte);
    if (digit >= 0) {
        if (++parser->size_digits > 16) {
            return broken(parser, 413);
        }
        parser->left = parser->left << 4 | (uint64_t)digit;
        return HTTP_MORE;
    }
    if (parser->size_digits == 0) {
        return broken(parser, 400);
    }
    if (kind == LINE_END) {
        return begin_chunk(parser);
    }
    /* Blanks may come before the `;` of an extension (RFC 9112, section 7.1.1); what it says is ignored. */
    if (kind == LINE_BYTE) {
        if (byte != ';' && byte != ' ' && byte != '\t') {
            return broken(parser, 400);
        }
        parser->state = CHUNK_EXTENSION;
    }
    return HTTP_MORE;
}

/* Trailers are checked and dropped: nobody here asks for one. */
static http_progress_t read_trailer(http_parser_t *parser, uint8_t byte, line_byte_t kind)
{
    if (kind == LINE_END) {
        if (parser->state == TRAILER_START) {
            return complete(parser);
        }
        if (parser->state == TRAILER_NAME) {
            return broken(parser, 400);
        }
        parser->state = TRAILER_START;
    } else if (kind == LINE_BYTE && parser->state != TRAILER_VALUE) {
        if (byte == ':' && parser->state == TRAILER_NAME) {
            parser->state = TRAILER_VALUE;
        } else if (http__is_token_byte(byte)) {
            parser->state = TRAILER_NAME;
        } else {
            return broken(parser, 400);
        }
    }
    return HTTP_MORE;
}

static http_progress_t read_chunk_line(http_parser_t *parser, uint8_t byte)
{
    const line_byte_t kind = sort_line_byte(parser, byte);
    if (kind == LINE_BAD) {
        return broken(parser, 400);
    }
    const bool dropped = parser->state != CHUNK_SIZE && parser->state != CHUNK_END;
    if (dropped && ++parser->overhead > parser->limits.max_head_bytes) {
        return broken(parser, 431);
    }
    switch (parser->state) {
    case CHUNK_SIZE:
        return read_chunk_size(parser, byte, kind);
    case CHUNK_EXTENSION:
        return kind == LINE_END ? begin_chunk(parser) : HTTP_MORE;
    case CHUNK_END:
        if (kind == LINE_BYTE) {
            return broken(parser, 400);
        }
        parser->state = kind == LINE_END ? CHUNK_SIZE : CHUNK_END;
        return HTTP_MORE;
    default:
        return read_trailer(parser, byte, kind);
    }
}

http_progress_t http_parser_feed(http_parser_t *parser, phx_slice_t bytes, size_t *used)
{
    *used = 0;
    http_progress_t progress = HTTP_MORE;
    while (progress == HTTP_MORE) {
        switch (parser->state) {
        case BROKEN:
            return HTTP_BROKEN;
        case TELL_TOO_LARGE:
            parser->state = BODY;
            return HTTP_TOO_LARGE;
        case COMPLETE:
            return HTTP_COMPLETE;
        default:
            break;
        }
        if (*used == bytes.len) {
            break;
        }
        if (parser->state == HEAD) {
            progress = read_head(parser, bytes, used);
        } else if (parser->state == BODY) {
            progress = read_body(parser, bytes, used);
        } else {
            progress = read_chunk_line(parser, (uint8_t)bytes.data[(*used)++]);
        }
    }
    return progress;
}
