/* SPDX-License-Identifier: MIT */
#include "replay/recording.h"

#include "base/memory.h"
#include "replay/recording_json.h"

#include <stdlib.h>
#include <string.h>

static void recording_free(recording_t *recording)
{
    for (size_t i = 0; i < recording->events_len; i++) {
        recorded_event_free(&recording->events[i]);
    }
    for (size_t i = 0; i < recording->conns_len; i++) {
        recorded_conn_t *conn = &recording->conns[i];
        free(conn->name);
        free(conn->url);
        http_headers_free(&conn->request_headers);
        http_headers_free(&conn->response_headers);
        text_free(&conn->response_body);
    }
    free(recording->events);
    free(recording->conns);
    free(recording->name);
    free(recording->scenario);
    free(recording->title);
    free(recording->group);
    free(recording->varies);
    free(recording->place);
    free(recording->release);
    json_decref(recording->config);
    names_free(&recording->needs);
    names_free(&recording->locks);
    free(recording);
}

void recordings_free(recordings_t *recordings)
{
    for (size_t i = 0; i < recordings->len; i++) {
        recording_free(recordings->at[i]);
    }
    free(recordings->at);
    *recordings = (recordings_t){0};
}

/* ---- what a recording shares with others that run beside it ---- */

static void add_lock(recording_t *recording, const char *kind, const char *name)
{
    text_t lock = {0};
    text_printf(&lock, "%s %s", kind, name);
    if (!names_have(&recording->locks, lock.at)) {
        names_add(&recording->locks, lock.at);
    }
    text_free(&lock);
}

/* Topics and socket ids anywhere in a payload: broadcast_to and disconnect, also inside lists of commands. */
static void lock_payload(recording_t *recording, json_t *payload)
{
    const char *key, *topic = json_string_value(json_object_get(payload, "topic"));
    const char *id = json_string_value(json_object_get(payload, "id"));
    json_t *value;
    size_t i;
    if (topic != NULL) {
        add_lock(recording, "topic", topic);
    }
    if (id != NULL) {
        add_lock(recording, "id", id);
    }
    json_object_foreach(payload, key, value)
    {
        lock_payload(recording, value);
    }
    json_array_foreach(payload, i, value)
    {
        lock_payload(recording, value);
    }
}

static void lock_message(recording_t *recording, const message_t *message)
{
    const char *topic = message_topic(message);
    if (topic[0] != '\0' && strcmp(topic, "phoenix") != 0) {
        add_lock(recording, "topic", topic);
    }
    lock_payload(recording, message->payload);
}

static void lock_url(recording_t *recording, const char *url)
{
    const char *id = url ? strstr(url, "user_id=") : NULL;
    if (id != NULL) {
        id += strlen("user_id=");
        char *name = mem_string_n(id, strcspn(id, "&"));
        text_t full = {0};
        text_printf(&full, "user:%s", name);
        add_lock(recording, "id", full.at);
        text_free(&full);
        free(name);
    }
}

/* A body may hold several messages, one a line. */
static void lock_body(recording_t *recording, const recorded_event_t *event)
{
    span_t rest = text_span(&event->http.body), line;
    while (event->http.body.len > 0 && span_next(&rest, '\n', &line)) {
        message_t message;
        if (message_decode(&message, recording->conns[event->conn].vsn, FROM_CLIENT, false, line, NULL)) {
            lock_message(recording, &message);
            message_free(&message);
        }
    }
}

static void find_locks(recording_t *recording)
{
    add_lock(recording, "scenario", recording->scenario);
    for (size_t i = 0; i < recording->conns_len; i++) {
        lock_url(recording, recording->conns[i].url);
    }
    for (size_t i = 0; i < recording->events_len; i++) {
        const recorded_event_t *event = &recording->events[i];
        if (event->kind == EVENT_HTTP) {
            lock_url(recording, event->http.query);
            lock_body(recording, event);
        } else if (event->frame.has_message) {
            lock_message(recording, &event->frame.message);
        }
    }
}

/* ---- files ---- */

/* Lines of a packed file, with their numbers. */
typedef struct source {
    reader_t reader;
    span_t rest;
} source_t;

/* The next line's JSON, a new reference; NULL at the end, or with an error. */
static json_t *next_line(source_t *source, bool *failed)
{
    span_t line;
    *failed = false;
    while (span_next(&source->rest, '\n', &line)) {
        text_t why = {0};
        source->reader.line +=
            line.len > 0 || source->rest.at != NULL; /* nothing behind the last line break */
        if (span_trim(line).len == 0) {
            continue;
        }
        json_t *json = jvalue_parse(line, &why);
        if (json == NULL) {
            reader_fail(&source->reader, "not JSON (%s); is the file cut short?", text_str(&why));
            *failed = true;
        }
        text_free(&why);
        return json;
    }
    return NULL;
}

static recording_t *begin(recordings_t *recordings, const json_t *header, const reader_t *reader)
{
    recording_t *recording = mem_new(1, sizeof *recording);
    text_t place = {0};
    text_printf(&place, "%s:%zu", reader->path, reader->line);
    recording->place = text_take(&place);
    MEM_ROOM(recordings->at, recordings->len, recordings->cap);
    recordings->at[recordings->len++] = recording; /* freed with the others, also when it turns out broken */
    return recording_read_header(recording, header, reader) ? recording : NULL;
}

static void finish(recording_t *recording)
{
    for (size_t i = 0; i < recording->events_len; i++) {
        const recorded_event_t *event = &recording->events[i];
        double end = event->kind == EVENT_HTTP ? event->http.done_ms : event->t_ms;
        recording->duration_ms = end > recording->duration_ms ? end : recording->duration_ms;
    }
    find_locks(recording);
}

static bool load_events(recording_t *recording, size_t count, source_t *source)
{
    recording->events = mem_new(count, sizeof *recording->events);
    while (recording->events_len < count) {
        bool failed;
        json_t *json = next_line(source, &failed);
        if (json == NULL) {
            return !failed && reader_fail(&source->reader,
                                          "the file ends after %zu of the %zu events of %s; pack it again",
                                          recording->events_len, count, recording->name);
        }
        bool ok = recording_read_event(&recording->events[recording->events_len++], recording, json,
                                       &source->reader);
        json_decref(json);
        if (!ok) {
            return false;
        }
    }
    finish(recording);
    return true;
}

static bool load_packed(recordings_t *recordings, source_t *source)
{
    for (;;) {
        bool failed;
        json_t *header = next_line(source, &failed);
        if (header == NULL) {
            return !failed;
        }
        json_t *count = json_object_get(header, "events");
        json_int_t events = json_is_integer(count) ? json_integer_value(count) : -1;
        recording_t *recording = begin(recordings, header, &source->reader);
        json_decref(header);
        if (recording == NULL) {
            return false;
        }
        if (events < 0 || events > 1000000) {
            return reader_fail(&source->reader, "\"events\" must be the number of event lines that follow");
        }
        if (!load_events(recording, (size_t)events, source)) {
            return false;
        }
    }
}

/* One run: the header with its events in it. */
static bool load_single(recordings_t *recordings, const char *path, bool named, text_t *error)
{
    json_t *json = jvalue_parse_file(path, error);
    if (json == NULL || (!named && json_object_get(json, "recording") == NULL)) {
        json_decref(json);
        return json != NULL;
    }
    reader_t reader = {path, 1, error};
    json_t *events = json_object_get(json, "events");
    recording_t *recording = begin(recordings, json, &reader);
    bool ok =
        recording != NULL && (json_is_array(events) || reader_fail(&reader, "\"events\" must be a list"));
    if (ok) {
        recording->events = mem_new(json_array_size(events), sizeof *recording->events);
        for (size_t i = 0; ok && i < json_array_size(events); i++) {
            ok = recording_read_event(&recording->events[recording->events_len++], recording,
                                      json_array_get(events, i), &reader);
        }
        if (ok) {
            finish(recording);
        } else {
            text_printf(error, " (event %zu)", recording->events_len);
        }
    }
    json_decref(json);
    return ok;
}

static bool load_file(recordings_t *recordings, const char *path, bool named, text_t *error)
{
    size_t len = strlen(path);
    if (len > 5 && strcmp(path + len - 5, ".json") == 0) {
        return load_single(recordings, path, named, error);
    }
    text_t bytes = {0};
    bool ok = file_read(path, &bytes, error);
    if (ok) {
        source_t source = {{path, 0, error}, text_span(&bytes)};
        ok = load_packed(recordings, &source);
    }
    text_free(&bytes);
    return ok;
}

bool recordings_load(recordings_t *recordings, const char *path, text_t *error)
{
    static const char *const suffixes[] = {".jsonl", ".json", NULL};
    names_t files = {0};
    bool ok = files_below(path, suffixes, &files, error);
    for (size_t i = 0; ok && i < files.len; i++) {
        ok = load_file(recordings, files.at[i], strcmp(files.at[i], path) == 0, error);
    }
    names_free(&files);
    return ok;
}
