/* SPDX-License-Identifier: MIT */
/* Replays one recording against a target and judges what comes back. Stops at the first disagreement. */
#ifndef REPLAY_PLAYER_H
#define REPLAY_PLAYER_H

#include "net/url.h"
#include "replay/compare.h"
#include "replay/recording.h"
#include "replay/rules.h"

#include <uv.h>

typedef struct player player_t;

/* What a player is given; borrowed as long as it lives. */
typedef struct player_setup {
    uv_loop_t *loop;
    const recording_t *recording;
    const rules_t *rules;
    const address_t *address;
    const char *authority;
    /* Sends a signal to the server; only recordings of the group "drain" ask for it. */
    void (*signal)(void *ctx, int signal_number);
    /* Once, from the loop: the verdict is known. The player may be freed inside. */
    void (*done)(void *ctx, player_t *player);
    void *ctx;
} player_setup_t;

player_t *player_start(const player_setup_t *setup);

/* After `done`. The event of the disagreement is counted from 1; 0: none of the recording's (a handshake). */
bool player_agreed(const player_t *player);
size_t player_event(const player_t *player);
const finding_t *player_finding(const player_t *player);
const transcript_t *player_transcript(const player_t *player);
double player_ms(const player_t *player); /* how long it took */
/* By how much the client fell behind the recording at worst: what was to happen meanwhile may then have been
 * over. */
double player_late_ms(const player_t *player);

/* Gives up what is still open; `done` does not come any more. */
void player_free(player_t *player);

#endif
