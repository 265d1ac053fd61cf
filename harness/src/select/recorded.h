/* SPDX-License-Identifier: MIT */
/* Which files of recordings have a scenario, for people who want to see what Phoenix said. */
#ifndef SELECT_RECORDED_H
#define SELECT_RECORDED_H

#include "base/files.h"

/* One file that has recordings of the scenario. */
typedef struct recorded_file {
    char *path, *folder; /* "vectors/recorded/phoenix-1.8.12-bandit/join.jsonl", "phoenix-1.8.12-bandit" */
    names_t variants;    /* "ws.v2", "lp.v1" */
} recorded_file_t;

/* Zero-initialise; release with recorded_free. */
typedef struct recorded {
    recorded_file_t *at;
    size_t len, cap;
} recorded_t;

/* Looks through all *.jsonl of FOLDER/recorded; where there are none, finds nothing. */
void recorded_find(const char *folder, const char *scenario, recorded_t *found);
void recorded_free(recorded_t *found);

#endif
