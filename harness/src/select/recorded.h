/* SPDX-License-Identifier: MIT */
/* Which files of recordings have which scenarios, for people who want to see what Phoenix said. */
#ifndef SELECT_RECORDED_H
#define SELECT_RECORDED_H

#include "base/files.h"

/* One recording; `path` is borrowed from the files, the rest owned. */
typedef struct recorded_one {
    const char *path;         /* "vectors/recorded/phoenix-1.8.12-bandit/join.jsonl" */
    char *scenario, *variant; /* "join.ok", "ws.v2" */
} recorded_one_t;

/* Zero-initialise; release with recorded_free. */
typedef struct recorded {
    names_t files;
    recorded_one_t *at; /* those of one file stand together */
    size_t len, cap;
} recorded_t;

/* Reads the headers of all *.jsonl below FOLDER/recorded; where there are none, there is nothing. */
void recorded_load(const char *folder, recorded_t *recorded);
void recorded_free(recorded_t *recorded);

/* The name of the folder a recording is in, as phxspec replay has it before its own. */
span_t recorded_folder(const recorded_one_t *one);

#endif
