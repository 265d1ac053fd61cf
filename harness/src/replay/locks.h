/* SPDX-License-Identifier: MIT */
/* Which topics and socket ids are in use, by number: recordings are asked for very often. */
#ifndef REPLAY_LOCKS_H
#define REPLAY_LOCKS_H

#include "replay/recording.h"

typedef struct locks locks_t;

locks_t *locks_new(const recording_t *const *recordings, size_t count);
void locks_free(locks_t *locks);

/* By the recording's place in the list. */
bool locks_are_free(const locks_t *locks, size_t recording);
void locks_take(locks_t *locks, size_t recording);
void locks_release(locks_t *locks, size_t recording);

#endif
