/* SPDX-License-Identifier: MIT */
/*
 * What was said on all connections of one run, in the order of time. Log first, match later: everything is
 * entered the moment it is sent or arrives, whether or not anybody waits for it; expectations read the
 * transcript and mark what they took. Entries are never changed, moved or removed, but for that mark.
 */
#ifndef JUDGE_TRANSCRIPT_H
#define JUDGE_TRANSCRIPT_H

#include "judge/message.h"
#include "net/http_message.h"
#include "net/ws_codec.h"

typedef enum entry_kind {
    ENTRY_HANDSHAKE, /* in: the answer to an upgrade: status, headers, bytes = body */
    ENTRY_FRAME,     /* in, out: a WebSocket frame; opcode, bytes = its payload, unmasked */
    ENTRY_RAW,       /* out: bytes that are no frame */
    ENTRY_REQUEST,   /* out: an HTTP request; text = method and target, bytes = body */
    ENTRY_RESPONSE,  /* in: status, headers, bytes = body; `of` is the request's entry */
    ENTRY_FAILED,    /* in: an exchange without an answer; text says why; `of` is the request's entry */
    ENTRY_MESSAGE,   /* in: one message out of a long-poll answer; `of` is the response's entry */
    ENTRY_END,       /* TCP ended; out: by us; text says how */
    ENTRY_NOTE,      /* a remark of the harness itself */
} entry_kind_t;

typedef struct entry entry_t;
struct entry {
    size_t index; /* place in the transcript */
    double at_ms; /* since the transcript began */
    const char
        *conn; /* name of the connection, borrowed from the transcript; "" in notes about no connection */
    direction_t from;
    entry_kind_t kind;
    unsigned opcode; /* frames; of the message for the frame that completes one */
    bool fin;
    uint8_t rsv;
    unsigned faults;  /* WS_FAULT_* of frames that came */
    bool has_message; /* this frame (or long-poll message) completes a message that could be read: */
    message_t message;
    text_t bytes;  /* owned; of frames that complete a fragmented message: this frame's own payload */
    text_t whole;  /* owned; the whole message, when it came in fragments; else empty */
    bool has_code; /* close frames */
    unsigned code;
    int status;             /* handshakes, responses */
    http_headers_t headers; /* owned */
    char *text;             /* owned; see the kinds; NULL: none */
    const entry_t *of;
    bool taken;           /* for the reader: an expectation took it */
    const char *taken_by; /* for the reader, borrowed: shown behind the line in traces; NULL: nothing */
};

typedef struct transcript transcript_t;

transcript_t *transcript_new(void); /* the clock starts */
void transcript_free(transcript_t *transcript);
double transcript_now(const transcript_t *transcript); /* ms since it began */
size_t transcript_len(const transcript_t *transcript);
const entry_t *transcript_at(const transcript_t *transcript, size_t index); /* borrowed */

/* Each adds one entry and returns it (valid as long as the transcript is). `conn` is copied once per name. */
entry_t *transcript_handshake(transcript_t *t, const char *conn, const http_response_t *response);
/* An incoming frame; messages are decoded by `vsn`. */
entry_t *transcript_frame_in(transcript_t *t, const char *conn, vsn_t vsn, const ws_incoming_t *incoming);
entry_t *transcript_frame_out(transcript_t *t, const char *conn, vsn_t vsn, const ws_frame_t *frame);
entry_t *transcript_raw_out(transcript_t *t, const char *conn, span_t bytes);
entry_t *transcript_request(transcript_t *t, const char *conn, const http_request_t *request);
/* The answer; response NULL: `error` says why there is none (ENTRY_FAILED). Messages in it are not entered.
 */
entry_t *transcript_response(transcript_t *t, const entry_t *request, const http_response_t *response,
                             const char *error);
/* One message of a long-poll answer (its JSON text, or a string of bytes when `binary`), from `response`. */
entry_t *transcript_message(transcript_t *t, const entry_t *response, vsn_t vsn, bool binary, span_t bytes);
entry_t *transcript_end(transcript_t *t, const char *conn, direction_t who, const char *how);
entry_t *transcript_note(transcript_t *t, const char *conn, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Appends one line: time, connection, arrow (→ sent, ← received), what, and `taken_by`:
 *     12.4 ms  a → ["1","1","phxspec:x","phx_join",{}]
 * Long payloads are cut at `limit` bytes (0: not).
 */
void entry_write(text_t *out, const entry_t *entry, size_t limit);

/* Appends what was said alone, without line feed. */
void entry_write_text(text_t *out, const entry_t *entry, size_t limit);

/* Appends the last `last` lines (0: all), each behind `indent`. */
void transcript_write(text_t *out, const transcript_t *t, size_t last, const char *indent);

#endif
