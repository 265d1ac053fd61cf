/* SPDX-License-Identifier: MIT */
/* Which topics and socket ids of which server are in use, by number: recordings are asked for very often. */
#ifndef REPLAY_LOCKS_H
#define REPLAY_LOCKS_H

#include "replay/recording.h"

typedef struct locks locks_t;

/* A recording, and the command of the server it is for; NULL: the one there is. Borrowed for the call. */
typedef struct lock_user {
    const recording_t *recording;
    const char *server;
} lock_user_t;

locks_t *locks_new(const lock_user_t *users, size_t count);
void locks_free(locks_t *locks);

/* By the user's place in the list. */
bool locks_are_free(const locks_t *locks, size_t user);
void locks_take(locks_t *locks, size_t user);
void locks_release(locks_t *locks, size_t user);

#endif
