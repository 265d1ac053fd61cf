/* SPDX-License-Identifier: MIT */
/*
 * Recordings: what a client and a server said to each other, as vectors/schema/recording.schema.json
 * describes it. Read once, then never changed.
 */
#ifndef REPLAY_RECORDING_H
#define REPLAY_RECORDING_H

#include "base/files.h"
#include "judge/message.h"
#include "net/http_message.h"

#include <stdint.h>

/* A WebSocket frame, or one message of a long-poll answer (then opcode text or binary, fin set). */
typedef struct recorded_frame {
    uint8_t opcode, rsv;
    bool fin, masked;
    text_t bytes;  /* the payload; of close frames all of it */
    bool has_code; /* close frames */
    unsigned code;
    bool has_message; /* the frame is a whole message that can be read */
    message_t message;
} recorded_frame_t;

typedef struct recorded_exchange {
    char *method, *path, *query; /* NULL where `raw` is used */
    http_headers_t headers;
    text_t body;
    bool has_body;
    text_t raw; /* not empty: the request, written by hand */
    double done_ms;
    int status; /* 0: there was no answer, `error` says why */
    char *error;
    http_headers_t response_headers;
    text_t response_body;
    json_t *answer;             /* the body, where it is a JSON object; else NULL */
    int poll_status;            /* its "status" where it is a long-poll answer; else 0 */
    recorded_frame_t *messages; /* of a long-poll answer */
    size_t messages_len;
} recorded_exchange_t;

typedef enum event_kind { EVENT_FRAME, EVENT_RAW, EVENT_TCP_END, EVENT_TCP_RESET, EVENT_HTTP } event_kind_t;

typedef struct recorded_event {
    event_kind_t kind;
    double t_ms;
    size_t conn;
    direction_t from; /* FROM_CLIENT: "out" */
    recorded_frame_t frame;
    text_t raw;
    recorded_exchange_t http;
} recorded_event_t;

typedef enum conn_transport { CONN_WEBSOCKET, CONN_LONGPOLL, CONN_HTTP } conn_transport_t;

typedef struct recorded_conn {
    char *name;
    conn_transport_t transport;
    vsn_t vsn;
    char *url; /* path and query; NULL for CONN_HTTP */
    http_headers_t request_headers;
    int status; /* CONN_WEBSOCKET: of the handshake */
    http_headers_t response_headers;
    text_t response_body;
    bool given_up; /* CONN_WEBSOCKET: the client ended it, whatever was seen of that */
} recorded_conn_t;

typedef struct recording {
    char *name;     /* SERVER/SCENARIO.ws.v2 */
    char *scenario; /* join.ok */
    char *title, *group;
    char *varies;  /* NULL: repeated runs agreed */
    char *release; /* of the recorded server: 1.8.12 */
    char *place;   /* file:line, for messages */
    json_t *config;
    names_t needs; /* capabilities of the application */
    recorded_conn_t *conns;
    size_t conns_len;
    recorded_event_t *events;
    size_t events_len;
    names_t
        locks; /* topics and socket ids it uses: only recordings without a common one can run side by side */
    double duration_ms;
} recording_t;

typedef struct recordings {
    recording_t **at;
    size_t len, cap;
} recordings_t;

/*
 * Adds the recordings of a file (packed: *.jsonl, a header and its event lines, again and again; or one run:
 * *.json), or of all such files in a folder and below. A *.json file in a folder that has no key "recording"
 * is passed over: rules and lists of expectations lie there, too. False and "file:line: what is wrong; way
 * out" in `error` when one is broken or cut short.
 */
bool recordings_load(recordings_t *recordings, const char *path, text_t *error);
void recordings_free(recordings_t *recordings);

#endif
