/* SPDX-License-Identifier: MIT */
#include "judge/transcript.h"

#include "base/files.h"
#include "base/memory.h"
#include "net/deadline.h"

#include <stdlib.h>
#include <string.h>

struct transcript {
    double began_ms;
    entry_t **at;
    size_t len, cap;
    names_t conns; /* the names that entries borrow */
};

transcript_t *transcript_new(void)
{
    transcript_t *t = mem_new(1, sizeof *t);
    t->began_ms = clock_ms();
    return t;
}

void transcript_free(transcript_t *t)
{
    if (t == NULL) {
        return;
    }
    for (size_t i = 0; i < t->len; i++) {
        entry_t *entry = t->at[i];
        message_free(&entry->message);
        text_free(&entry->bytes);
        text_free(&entry->whole);
        http_headers_free(&entry->headers);
        free(entry->text);
        free(entry);
    }
    free(t->at);
    names_free(&t->conns);
    free(t);
}

double transcript_now(const transcript_t *t)
{
    return clock_ms() - t->began_ms;
}

size_t transcript_len(const transcript_t *t)
{
    return t->len;
}

const entry_t *transcript_at(const transcript_t *t, size_t index)
{
    return t->at[index];
}

static const char *conn_name(transcript_t *t, const char *conn)
{
    for (size_t i = 0; i < t->conns.len; i++) {
        if (strcmp(t->conns.at[i], conn) == 0) {
            return t->conns.at[i];
        }
    }
    names_add(&t->conns, conn);
    return t->conns.at[t->conns.len - 1];
}

static entry_t *add(transcript_t *t, const char *conn, direction_t from, entry_kind_t kind)
{
    entry_t *entry = mem_new(1, sizeof *entry);
    entry->index = t->len;
    entry->at_ms = transcript_now(t);
    entry->conn = conn_name(t, conn);
    entry->from = from;
    entry->kind = kind;
    MEM_ROOM(t->at, t->len, t->cap);
    t->at[t->len++] = entry;
    return entry;
}

static void copy_headers(http_headers_t *to, const http_headers_t *from)
{
    for (size_t i = 0; i < from->len; i++) {
        http_headers_add(to, from->at[i].name, from->at[i].value);
    }
}

static void fill_response(entry_t *entry, const http_response_t *response)
{
    entry->status = response->status;
    copy_headers(&entry->headers, &response->headers);
    text_span_add(&entry->bytes, text_span(&response->body));
}

entry_t *transcript_handshake(transcript_t *t, const char *conn, const http_response_t *response)
{
    entry_t *entry = add(t, conn, FROM_SERVER, ENTRY_HANDSHAKE);
    fill_response(entry, response);
    return entry;
}

entry_t *transcript_frame_in(transcript_t *t, const char *conn, vsn_t vsn, const ws_incoming_t *incoming)
{
    entry_t *entry = add(t, conn, FROM_SERVER, ENTRY_FRAME);
    entry->opcode = incoming->completes ? incoming->opcode : incoming->frame.opcode;
    entry->fin = incoming->frame.fin;
    entry->rsv = incoming->frame.rsv;
    entry->faults = incoming->faults;
    entry->has_code = incoming->has_code;
    entry->code = incoming->code;
    text_span_add(&entry->bytes, incoming->frame.payload);
    if (!incoming->completes) {
        return entry;
    }
    if (incoming->frame.opcode == WS_CONTINUATION) {
        text_span_add(&entry->whole, incoming->message);
    }
    entry->has_message = message_decode(&entry->message, vsn, FROM_SERVER, incoming->opcode == WS_BINARY,
                                        incoming->message, NULL);
    return entry;
}

entry_t *transcript_frame_out(transcript_t *t, const char *conn, vsn_t vsn, const ws_frame_t *frame)
{
    entry_t *entry = add(t, conn, FROM_CLIENT, ENTRY_FRAME);
    entry->opcode = frame->opcode;
    entry->fin = frame->fin;
    entry->rsv = frame->rsv;
    text_span_add(&entry->bytes, frame->payload);
    if (frame->opcode == WS_CLOSE && frame->payload.len >= 2) {
        const unsigned char *code = (const unsigned char *)frame->payload.at;
        entry->has_code = true;
        entry->code = (unsigned)code[0] << 8 | code[1];
    }
    if (frame->fin && (frame->opcode == WS_TEXT || frame->opcode == WS_BINARY)) {
        entry->has_message = message_decode(&entry->message, vsn, FROM_CLIENT, frame->opcode == WS_BINARY,
                                            frame->payload, NULL);
    }
    return entry;
}

entry_t *transcript_raw_out(transcript_t *t, const char *conn, span_t bytes)
{
    entry_t *entry = add(t, conn, FROM_CLIENT, ENTRY_RAW);
    text_span_add(&entry->bytes, bytes);
    return entry;
}

entry_t *transcript_request(transcript_t *t, const char *conn, const http_request_t *request)
{
    entry_t *entry = add(t, conn, FROM_CLIENT, ENTRY_REQUEST);
    text_t line = {0};
    if (request->raw.len > 0) {
        text_show(&line, request->raw, 0);
    } else {
        text_printf(&line, "%s %s", request->method, request->target);
        copy_headers(&entry->headers, &request->headers);
        text_span_add(&entry->bytes, request->body);
    }
    entry->text = text_take(&line);
    return entry;
}

entry_t *transcript_response(transcript_t *t, const entry_t *request, const http_response_t *response,
                             const char *error)
{
    entry_t *entry = add(t, request->conn, FROM_SERVER, response ? ENTRY_RESPONSE : ENTRY_FAILED);
    entry->of = request;
    if (response != NULL) {
        fill_response(entry, response);
    } else {
        entry->text = mem_string(error);
    }
    return entry;
}

entry_t *transcript_message(transcript_t *t, const entry_t *response, vsn_t vsn, bool binary, span_t bytes)
{
    entry_t *entry = add(t, response->conn, FROM_SERVER, ENTRY_MESSAGE);
    entry->of = response;
    entry->opcode = binary ? WS_BINARY : WS_TEXT;
    entry->fin = true;
    text_span_add(&entry->bytes, bytes);
    entry->has_message = message_decode(&entry->message, vsn, FROM_SERVER, binary, bytes, NULL);
    return entry;
}

entry_t *transcript_end(transcript_t *t, const char *conn, direction_t who, const char *how)
{
    entry_t *entry = add(t, conn, who, ENTRY_END);
    entry->text = mem_string(how);
    return entry;
}

entry_t *transcript_note(transcript_t *t, const char *conn, const char *format, ...)
{
    entry_t *entry = add(t, conn, FROM_CLIENT, ENTRY_NOTE);
    text_t note = {0};
    va_list arguments;
    va_start(arguments, format);
    text_vprintf(&note, format, arguments);
    va_end(arguments);
    entry->text = text_take(&note);
    return entry;
}

static void write_frame(text_t *out, const entry_t *entry, size_t limit)
{
    static const char *const names[16] = {[WS_CONTINUATION] = "continuation",
                                          [WS_TEXT] = "text",
                                          [WS_BINARY] = "binary",
                                          [WS_CLOSE] = "close",
                                          [WS_PING] = "ping",
                                          [WS_PONG] = "pong"};
    span_t bytes = entry->whole.len > 0 ? text_span(&entry->whole) : text_span(&entry->bytes);
    if (entry->opcode == WS_CLOSE) {
        text_puts(out, "close ");
        if (entry->has_code) {
            text_printf(out, "%u ", entry->code);
            bytes = span_from(bytes, 2);
        } else {
            text_puts(out, "without a code ");
        }
    } else if (names[entry->opcode & 15] == NULL) {
        text_printf(out, "opcode %u ", entry->opcode);
    } else if (entry->opcode != WS_TEXT || !entry->fin) {
        text_printf(out, "%s ", names[entry->opcode & 15]);
    }
    text_puts(out, entry->fin ? "" : "(more follows) ");
    if (entry->rsv != 0) {
        text_printf(out, "(rsv %u) ", entry->rsv);
    }
    if (entry->has_message && entry->message.binary) {
        text_t message = {0};
        message_write(&message, &entry->message);
        text_show(out, span_from(text_span(&message), strlen("binary ")), limit);
        text_free(&message);
    } else {
        text_show(out, bytes, limit);
    }
    if (entry->faults != 0) {
        text_puts(out, "  (fault: ");
        ws_faults_write(out, entry->faults);
        text_putc(out, ')');
    }
}

static void write_head_and_body(text_t *out, const entry_t *entry, size_t limit)
{
    text_printf(out, "HTTP %d ", entry->status);
    text_show(out, text_span(&entry->bytes), limit);
}

void entry_write_text(text_t *out, const entry_t *entry, size_t limit)
{
    size_t before = out->len;
    switch (entry->kind) {
    case ENTRY_FRAME:
    case ENTRY_MESSAGE:
        write_frame(out, entry, limit);
        break;
    case ENTRY_HANDSHAKE:
        text_puts(out, "handshake: ");
        write_head_and_body(out, entry, limit);
        break;
    case ENTRY_RESPONSE:
        write_head_and_body(out, entry, limit);
        break;
    case ENTRY_RAW:
        text_puts(out, "bytes ");
        text_show(out, text_span(&entry->bytes), limit);
        break;
    case ENTRY_REQUEST:
        text_show(out, span_of(entry->text), limit);
        text_putc(out, ' ');
        text_show(out, text_span(&entry->bytes), limit);
        break;
    case ENTRY_FAILED:
        text_printf(out, "no answer: %s", entry->text);
        break;
    case ENTRY_END:
        text_printf(out, "end of TCP: %s", entry->text);
        break;
    case ENTRY_NOTE:
        text_puts(out, entry->text);
        break;
    }
    while (out->len > before && out->at[out->len - 1] == ' ') { /* nothing came behind the word */
        out->at[--out->len] = '\0';
    }
}

void entry_write(text_t *out, const entry_t *entry, size_t limit)
{
    const char *arrow = entry->kind == ENTRY_NOTE ? "·" : entry->from == FROM_CLIENT ? "→" : "←";
    text_printf(out, "%9.1f ms  %-3s%s ", entry->at_ms, entry->conn, arrow);
    entry_write_text(out, entry, limit);
    if (entry->taken_by != NULL) {
        text_printf(out, "   [%s]", entry->taken_by);
    }
    text_putc(out, '\n');
}

void transcript_write(text_t *out, const transcript_t *t, size_t last, const char *indent)
{
    size_t from = last > 0 && t->len > last ? t->len - last : 0;
    if (from > 0) {
        text_printf(out, "%s… %zu earlier\n", indent, from);
    }
    for (size_t i = from; i < t->len; i++) {
        text_puts(out, indent);
        entry_write(out, t->at[i], 200);
    }
}
