/* SPDX-License-Identifier: MIT */
/* The JSON of recordings: one header, one event. Used by recording.c only. */
#ifndef REPLAY_RECORDING_JSON_H
#define REPLAY_RECORDING_JSON_H

#include "replay/recording.h"

/* Where we are in a file, for errors; the first one counts. */
typedef struct reader {
    const char *path;
    size_t line;
    text_t *error;
} reader_t;

/* Appends "path:line: …" to the error and returns false. */
bool reader_fail(const reader_t *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fills a zeroed recording from its header, all but the events. */
bool recording_read_header(recording_t *recording, const json_t *header, const reader_t *reader);

/* Fills a zeroed event; its connection must be in the header. */
bool recording_read_event(recorded_event_t *event, const recording_t *recording, const json_t *json,
                          const reader_t *reader);

void recorded_frame_free(recorded_frame_t *frame);
void recorded_event_free(recorded_event_t *event);

#endif
