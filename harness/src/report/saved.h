/* SPDX-License-Identifier: MIT */
/* Runs that were saved as JSON lines. */
#ifndef REPORT_SAVED_H
#define REPORT_SAVED_H

#include "base/text.h"

#include <jansson.h>

typedef struct saved_run {
    char *label; /* the file's name without folder and suffix; the whole path where that is another's, too */
    json_t *events; /* list */
} saved_run_t;

/* Zero-initialise; release with saved_free. */
typedef struct saved {
    saved_run_t *at;
    size_t len, cap;
} saved_t;

/*
 * Adds the runs of a file: one, or several behind each other. False and "FILE:LINE: what is wrong" appended
 * to `error` when it is damaged. A run that only lacks its end is none that is damaged.
 */
bool saved_read(saved_t *saved, const char *path, text_t *error);

void saved_free(saved_t *saved);

#endif
