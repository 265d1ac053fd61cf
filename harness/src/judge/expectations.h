/* SPDX-License-Identifier: MIT */
/*
 * Files of expectations: what a target is known not to do, and why. One file may speak of cases, for phxspec
 * server, and of recordings, for phxspec replay; each command reads its own entries and leaves the others be.
 *     {"expectations": 1, "about": TEXT, "expected": [ENTRY, …]}
 *     ENTRY  {"case": PATTERN, "verdict": "fail" or "not applicable", "reason": TEXT, "link": TEXT}
 *            {"recording": GLOB, "verdict": "disagree", "reason": TEXT, "link": TEXT}
 * "about" and "link" may be left out. vectors/schema/expectations.schema.json says the same.
 */
#ifndef JUDGE_EXPECTATIONS_H
#define JUDGE_EXPECTATIONS_H

#include "base/jvalue.h"

/* One entry; everything is borrowed from the file. */
typedef struct expectation {
    const char *pattern, *verdict, *reason;
    const char *link; /* or NULL */
    bool of_recording;
    const json_t *json;
} expectation_t;

/* Zero-initialise; release with expectations_free. */
typedef struct expectations {
    char *path;
    json_t *document;
    expectation_t *at;
    size_t len;
} expectations_t;

/* False and lines of "FILE: entry 3: …" appended to `error` when the file is not so. */
bool expectations_load(const char *path, expectations_t *expectations, text_t *error);

/* The same for a file that is not there yet: no entries. */
void expectations_begin(const char *path, expectations_t *expectations);

/* Whether nobody has said yet why: the reason begins with "TODO". */
bool expectation_unexplained(const expectation_t *expectation);

/* Appends one line for every entry of the kind whose reason is still to be written. */
void expectations_unexplained(const expectations_t *expectations, bool of_recordings, text_t *notes);

/* Whether the file can be written anew; else a message. */
bool expectations_can_rewrite(const char *path, text_t *error);

/* Writes `entries` (a list) as the file's new ones, one a line, everything else as it was; the old file is
 * replaced at once or not at all. */
bool expectations_rewrite(const expectations_t *expectations, const json_t *entries, text_t *error);

void expectations_free(expectations_t *expectations);

#endif
