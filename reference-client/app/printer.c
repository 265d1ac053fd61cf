/* SPDX-License-Identifier: MIT */
#include "printer.h"

#include "json_line.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void print_set_payload(print_event_t *event, phx_payload_t payload)
{
    event->has_bytes = payload.form == PHX_BINARY;
    *(event->has_bytes ? &event->bytes : &event->payload) = payload.data;
}

static void append_hex(phx_buf_t *out, phx_slice_t bytes)
{
    char digits[4];
    for (size_t i = 0; i < bytes.len; i++) {
        (void)snprintf(digits, sizeof digits, "%02x", (unsigned)(uint8_t)bytes.data[i]);
        phx_buf_append_text(out, digits);
    }
}

/* U+0080 to U+009F, as UTF-8, are controls, too: some terminals take U+009B for ESC [. */
void print_shown(phx_buf_t *out, phx_slice_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t byte = (uint8_t)text.data[i];
        const uint8_t next = i + 1 < text.len ? (uint8_t)text.data[i + 1] : 0;
        if (byte < 0x20 || byte == 0x7F) {
            phx_buf_append_text(out, "\\x");
            append_hex(out, (phx_slice_t){text.data + i, 1});
        } else if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
            phx_buf_append_text(out, "\\u00");
            append_hex(out, (phx_slice_t){text.data + ++i, 1});
        } else {
            phx_buf_append_byte(out, byte);
        }
    }
}

static void append_part(phx_buf_t *out, phx_slice_t part)
{
    if (part.len > 0) {
        phx_buf_append_text(out, "  ");
        print_shown(out, part);
    }
}

static void append_bytes(phx_buf_t *out, phx_slice_t bytes)
{
    char text[40];
    (void)snprintf(text, sizeof text, "  %zu bytes: ", bytes.len);
    phx_buf_append_text(out, text);
    append_hex(out, bytes);
}

static void for_people(phx_buf_t *out, const print_event_t *event)
{
    char text[64];
    struct timespec now;
    struct tm local;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)localtime_r(&now.tv_sec, &local);
    (void)snprintf(text, sizeof text, "%02d:%02d:%02d.%03d %s %-12s", local.tm_hour, local.tm_min,
                   local.tm_sec, (int)(now.tv_nsec / 1000000), event->arrow != NULL ? event->arrow : " ",
                   event->type);
    phx_buf_append_text(out, text);
    append_part(out, event->topic);
    append_part(out, event->event);
    append_part(out, event->status);
    append_part(out, event->reason);
    if (event->message_form == PHX_BINARY) {
        append_bytes(out, event->message);
    } else {
        append_part(out, event->message);
    }
    append_part(out, event->payload);
    if (event->has_bytes) {
        append_bytes(out, event->bytes);
    }
    append_part(out, phx_slice_of(event->text));
    if (event->has_number) {
        (void)snprintf(text, sizeof text, "  %s %lld", event->number_name, event->number);
        phx_buf_append_text(out, text);
    }
}

static void for_programs(phx_buf_t *out, const printer_t *printer, const print_event_t *event)
{
    json_line_begin(out);
    json_line_number(out, "ms", (long long)(uv_hrtime() / 1000000 - printer->start_ms));
    json_line_string(out, "type", phx_slice_of(event->type));
    json_line_optional(out, "topic", event->topic);
    json_line_optional(out, "event", event->event);
    json_line_optional(out, "status", event->status);
    json_line_optional(out, "reason", event->reason);
    if (event->message_form == PHX_BINARY) {
        json_line_payload(out, "message", (phx_payload_t){PHX_BINARY, event->message});
    } else {
        json_line_optional(out, "message", event->message); /* characters, JSON or not */
    }
    if (event->has_bytes || event->payload.len > 0) {
        json_line_payload(out, "payload",
                          (phx_payload_t){event->has_bytes ? PHX_BINARY : PHX_TEXT,
                                          event->has_bytes ? event->bytes : event->payload});
    }
    json_line_optional(out, "text", phx_slice_of(event->text));
    if (event->has_number) {
        json_line_number(out, event->number_name, event->number);
    }
    json_line_end(out);
}

bool print_event(const printer_t *printer, const print_event_t *event)
{
    phx_buf_t line = {0};
    if (printer->json) {
        for_programs(&line, printer, event);
    } else {
        for_people(&line, event);
        phx_buf_append_text(&line, "\n");
    }
    (void)fwrite(line.data, 1, line.len, stdout); /* a reader that is gone ends us by SIGPIPE */
    const bool written = fflush(stdout) == 0 && ferror(stdout) == 0 && !line.failed;
    phx_buf_free(&line);
    return written;
}
