/* SPDX-License-Identifier: MIT */
/* What play.c (the course of a case) and play_steps.c (what each verb does) share. */
#ifndef CLIENT_SUITE_PLAY_IMPL_H
#define CLIENT_SUITE_PLAY_IMPL_H

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
    double *stamps; /* when each step was over */
    json_t *marks;  /* name -> index of the step */
    deadline_t *deadline;
    bool last_look, time_up;
    bool settling, asked_driver, synced; /* all steps are done; the last sync was asked for, and answered */
    bool advancing, over, resetting, reset_done;
    deadline_t *finish;
    case_result_t result;
};

void play_advance(void *play);

/* Begins the current step (play->filled), and whether it is over by now. */
outcome_t play_begin(play_t *play);
outcome_t play_poll(play_t *play);

/* Whether something came that no step expects; fails the case then. */
outcome_t play_check_silence(play_t *play, bool at_the_end);

outcome_t play_fail(play_t *play, const char *format, ...) __attribute__((format(printf, 2, 3)));
outcome_t play_broken(play_t *play, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How long the current step may take, in ms. */
double play_limit(const play_t *play);

void play_tell(play_t *play, const json_t *command);

#endif
