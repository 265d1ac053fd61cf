/* SPDX-License-Identifier: MIT */
/* Reading files and folders. Errors name the file and what the system says. */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include "base/text.h"

/* Appends the whole file to `out`. False and a message appended to `error` when it cannot be read. */
bool file_read(const char *path, text_t *out, text_t *error);

/* A list of names; zero-initialise, release with names_free. */
typedef struct names {
    char **at;
    size_t len, cap;
} names_t;

void names_add(names_t *names, const char *name);
bool names_have(const names_t *names, const char *name);
/* Splits "a,b,c" and adds the pieces, empty ones left out. */
void names_add_list(names_t *names, const char *list);
/* Whether one of the names, read as a shell pattern (fnmatch without flags: `*` also matches `/` and `.`),
 * matches. */
bool names_match(const names_t *patterns, const char *name);
void names_free(names_t *names);

/*
 * Adds to `found` the path itself when it is a file, or, sorted, all files below it whose name ends in one of
 * `suffixes` (a NULL-ended list such as {".json", ".jsonl", NULL}) when it is a folder.
 * False and a message when it is neither or cannot be read.
 */
bool files_below(const char *path, const char *const *suffixes, names_t *found, text_t *error);

#endif
