/* SPDX-License-Identifier: MIT */
/* What play.c (the course of a case), play_acts.c (what the server does) and play_steps.c (what is expected
 * of the client) share. */
#ifndef CLIENT_SUITE_PLAY_IMPL_H
#define CLIENT_SUITE_PLAY_IMPL_H

#include "client_suite/detour.h"
#include "client_suite/host.h"
#include "client_suite/play.h"
#include "client_suite/play_check.h"
#include "net/deadline.h"
#include "vectors/matcher.h"

typedef enum outcome { PLAY_DONE, PLAY_WAITING, PLAY_FAILED } outcome_t;

/* Something the driver said. */
typedef struct heard {
    json_t *line; /* owned */
    entry_t *entry;
    moment_t came;
    bool strict; /* see DRIVER.md: such an event fails the case unless a step expects it */
    bool taken;
} heard_t;

struct play {
    const stage_t *stage;
    const variant_t *variant;
    driver_t *driver;
    char *driver_end; /* how it ended; NULL: it runs */
    void (*done)(void *ctx, case_result_t *result, bool reusable);
    void *ctx;

    transcript_t *transcript;
    host_t *host;
    detour_t *detour; /* NULL: the client connects to the host itself */
    json_t *names;
    json_t *allowed; /* list of messages */
    size_t offers_read;
    size_t *peers_read; /* events read of each peer */
    size_t peers_known;
    heard_t *heard;
    size_t heard_count, heard_cap;
    size_t told; /* commands so far */

    size_t step;
    bool begun;
    json_t *filled;
    char **labels;
    moment_t *stamps; /* when each step was over */
    json_t *marks;    /* name -> index of the step */
    double step_began;
    double ready;   /* when what the steps so far waited for was there (clock_ms) */
    double late_ms; /* the longest that the harness then took to do its part */
    deadline_t *deadline;
    bool prolonged, last_look, time_up;
    bool settling, asked_driver, synced; /* all steps are done; the last sync was asked for, and answered */
    bool advancing, over, resetting, reset_done;
    bool by_driver; /* it failed by how the driver ended: no timer has to do with that */
    size_t noise;   /* bytes of the driver's stderr */
    deadline_t *finish;
    case_result_t result;
};

void play_advance(void *play);

/* Whether an event, by its name and its members (or those a step expects), has data of the application in it.
 * How often a client reports the others is its own affair. */
bool play_strict(const char *event, const json_t *members);

/* The current step: its verb, what stands behind it, and a member. */
deed_t play_deed(const play_t *play);
const json_t *play_argument(const play_t *play);
const json_t *play_member(const play_t *play, const char *key);

/* The newest peer of the name the step is about, and its index. */
peer_t *play_peer(const play_t *play, size_t *index);

/* The step is over by what came then; if it is about a time, it must be about that. What is counted from the
 * step is counted from `done`. */
outcome_t play_over(play_t *play, moment_t came, moment_t done);
outcome_t play_over_now(play_t *play);

/* The step waits, or has waited long enough and fails. */
outcome_t play_wait(play_t *play, const char *what);

/* Begins the current step (play->filled), and whether it is over by now. */
outcome_t play_begin(play_t *play);
outcome_t play_poll(play_t *play);
outcome_t play_await_poll(play_t *play);
outcome_t play_answer_poll(play_t *play);

/* Whether something came that no step expects, and when; fails the case then. */
/* PLAY_FAILED when a request (offer_json, which is taken) is not as the step has it; else PLAY_DONE. */
outcome_t play_check_request(play_t *play, json_t *actual);
outcome_t play_check_silence(play_t *play, bool at_the_end, moment_t *came);

outcome_t play_fail(play_t *play, const char *format, ...) __attribute__((format(printf, 2, 3)));
outcome_t play_broken(play_t *play, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* It has not failed after all. */
void play_pardon(play_t *play);

/* How long the current step may take, in ms. */
double play_limit(const play_t *play);

void play_tell(play_t *play, const json_t *command);

#endif
