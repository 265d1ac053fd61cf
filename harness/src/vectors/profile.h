/* SPDX-License-Identifier: MIT */
/* What a server under test offers: mounts, protocol timers, limits, origins and capabilities; what it wants
 * to be told, and where it is known to differ. vectors/profiles/README.md describes the file. */
#ifndef VECTORS_PROFILE_H
#define VECTORS_PROFILE_H

#include "base/files.h"
#include "base/jvalue.h"
#include "vectors/release.h"

typedef enum mount { MOUNT_MAIN, MOUNT_TIGHT, MOUNT_SUB, MOUNTS } mount_t;
const char *mount_name(mount_t mount);
bool mount_parse(const char *name, mount_t *mount);

typedef enum timer { TIMER_WS_TIMEOUT, TIMER_LP_WINDOW, TIMER_LP_PUBSUB, TIMERS } timer_kind_t;
/* "websocket.timeout_ms", "longpoll.window_ms", "longpoll.pubsub_timeout_ms"; false for anything else. */
bool timer_parse(const char *name, timer_kind_t *timer);

typedef enum limit { LIMIT_CHANNELS, LIMIT_FRAME, LIMITS } limit_t;
/* "limits.max_channels", "limits.max_frame_bytes"; false for anything else. */
bool limit_parse(const char *name, limit_t *limit);

const char *timer_name(timer_kind_t timer);
const char *limit_name(limit_t limit);

/* The newest release whose rules are known; what holds where a profile names none. */
#define PHOENIX_NEWEST "1.8.12"
/* What releases before this one did differently is not written down. */
#define PHOENIX_OLDEST "1.6.0"

/* How long a step waits where a profile does not say. */
#define PATIENCE_USUAL_MS 2000

typedef struct profile_mount {
    bool present;
    char *url;                /* where it does not listen with the others: "http://HOST:PORT"; else NULL */
    char *path;               /* "" or begins with "/" */
    double timer_ms[TIMERS];  /* 0: not known */
    json_int_t limit[LIMITS]; /* 0: not known, or there is none */
} profile_mount_t;

/* Where the target is known to do something else than a case asks for. */
typedef struct divergence {
    char *pattern, *reason, *link; /* link: NULL where there is none */
} divergence_t;

/* JSON members are owned, and NULL where the file does not have them. */
typedef struct profile {
    char *name;
    char *topic;     /* one that can be joined, maybe with "{unique}" in it; NULL: none is known */
    char *unmatched; /* one that no channel serves */
    char *phoenix;   /* the release whose rules apply, as written */
    release_t release;
    double patience_ms; /* how long a step waits beyond the protocol timer it waits for */
    bool vsns[2];       /* the versions of the format it speaks: 1.0.0, 2.0.0 */
    bool v1_join_ref;   /* its messages in 1.0.0 have a join_ref all the same */
    profile_mount_t mounts[MOUNTS];
    names_t nodes, node_urls; /* the other nodes of its cluster: their names, and where they listen */
    char *origin_allowed, *origin_forbidden;
    json_t *join_params, *join_response, *join_allow;
    json_t *connect_params, *connect_headers;
    divergence_t *divergences;
    size_t divergence_count;
    names_t capabilities;
} profile_t;

/* Whether every case can have a topic of its own. */
bool profile_has_own_topics(const profile_t *profile);

/* Whether the release takes several messages in one POST (LP-POST-03). */
bool profile_has_batches(const profile_t *profile);

/* A topic of the profile with `unique` put in; appended. */
void profile_topic(text_t *out, const char *topic, const char *unique);

/* Whether its pattern matches the id of a case or the name of a variant. */
bool divergence_matches(const divergence_t *divergence, const char *id, const char *variant);

/* The first divergence whose pattern matches the id of a case or the name of a variant; NULL: none. It is a
 * statement about this very target, and held against it where the case passes. */
const divergence_t *profile_divergence(const profile_t *profile, const char *id, const char *variant);

/* Whether its release is newer than every one whose rules are known. */
bool profile_is_newer(const profile_t *profile);

/* Sets the release whose rules apply. False and a message when it is none, or too old. */
bool profile_set_phoenix(profile_t *profile, const char *release, text_t *error);

/* A time in a vector: {"timer": NAME, "times": X} (times: 1 where absent), or {"ms": N}; whether it is the
 * former. */
bool time_check(const json_t *time);

/* How long it is, with the timers of a mount; 0 for NULL. */
double time_ms(const json_t *time, const profile_mount_t *mount);

/* Whether the contract knows a capability of this name, and all that it knows, each behind a blank. */
bool capability_known(const char *name);
void capabilities_write(text_t *out);

/* Reads a profile. False and messages ("FILE: mounts.main.path: …", one a line) appended to `error`. */
bool profile_load(const char *path, profile_t *profile, text_t *error);

/* Reads one that is not in a file; `where` names it in messages. */
bool profile_read(const char *where, const json_t *json, profile_t *profile, text_t *error);

/* The profile of the reference server, compiled in from vectors/profiles/reference-server.json. */
void profile_default(profile_t *profile);

/* Takes capabilities away ("a,b"). False and a message when the contract does not know one. */
bool profile_without(profile_t *profile, const char *list, text_t *error);

void profile_free(profile_t *profile);

#endif
