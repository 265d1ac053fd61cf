/* SPDX-License-Identifier: MIT */
/* What a server under test offers: mounts, protocol timers, limits, origins and capabilities. */
#ifndef VECTORS_PROFILE_H
#define VECTORS_PROFILE_H

#include "base/files.h"
#include "base/jvalue.h"

typedef enum mount { MOUNT_MAIN, MOUNT_TIGHT, MOUNT_SUB, MOUNTS } mount_t;
const char *mount_name(mount_t mount);
bool mount_parse(const char *name, mount_t *mount);

typedef enum timer { TIMER_WS_TIMEOUT, TIMER_LP_WINDOW, TIMER_LP_PUBSUB, TIMERS } timer_kind_t;
/* "websocket.timeout_ms", "longpoll.window_ms", "longpoll.pubsub_timeout_ms"; false for anything else. */
bool timer_parse(const char *name, timer_kind_t *timer);

typedef enum limit { LIMIT_CHANNELS, LIMIT_FRAME, LIMITS } limit_t;
/* "limits.max_channels", "limits.max_frame_bytes"; false for anything else. */
bool limit_parse(const char *name, limit_t *limit);

typedef struct profile_mount {
    bool present;
    char *path;
    double timer_ms[TIMERS];
    json_int_t limit[LIMITS];
} profile_mount_t;

typedef struct profile {
    char *name;
    char *topic; /* of the conformance channel, with "{unique}" in it */
    profile_mount_t mounts[MOUNTS];
    char *origin_allowed, *origin_forbidden;
    names_t capabilities;
} profile_t;

/* A time in a vector: {"timer": NAME, "times": X} (times: 1 where absent), or {"ms": N}; whether it is the
 * former. */
bool time_check(const json_t *time);

/* How long it is, with the timers of a mount; 0 for NULL. */
double time_ms(const json_t *time, const profile_mount_t *mount);

/* Whether the contract knows a capability of this name. */
bool capability_known(const char *name);

/* Reads a profile. False and messages ("FILE: mounts.main.path: …", one a line) appended to `error`. */
bool profile_load(const char *path, profile_t *profile, text_t *error);

/* The profile of the reference server, compiled in from vectors/profiles/reference-server.json. */
void profile_default(profile_t *profile);

/* Takes capabilities away ("a,b"). False and a message when the contract does not know one. */
bool profile_without(profile_t *profile, const char *list, text_t *error);

void profile_free(profile_t *profile);

#endif
