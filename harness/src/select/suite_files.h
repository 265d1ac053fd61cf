/* SPDX-License-Identifier: MIT */
/* The folder of the vectors, and what is in it. */
#ifndef SELECT_SUITE_FILES_H
#define SELECT_SUITE_FILES_H

#include "vectors/vector.h"

/* `option` when it is not NULL, else $PHXSPEC_VECTORS, else where they are installed, else ./vectors;
 * borrowed. */
const char *suite_folder(const char *option);

/* Whether it is one; else a message that tells how to name another. */
bool suite_folder_check(const char *folder, text_t *error);

/* Zero-initialise; release with suite_files_free. */
typedef struct suite_files {
    const char *folder; /* borrowed */
    vectors_t vectors;
    json_t *requirements; /* object by id */
    json_t *beginnings;   /* the file of how cases begin; NULL: they need none */
} suite_files_t;

/* Reads and checks both. False and one line per flaw appended to `error`. */
bool suite_files_load(const char *folder, suite_files_t *files, text_t *error);
/* The same with the cases of another dialect than that of servers, and how they begin. */
bool suite_files_load_part(const char *folder, const dialect_t *dialect, suite_files_t *files, text_t *error);
/* The same, and nothing where the folder has no such cases. */
bool suite_files_load_any(const char *folder, const dialect_t *dialect, suite_files_t *files, text_t *error);
/* Only says which dialect the cases to be added are in, and reads how they begin. */
bool suite_files_use(const char *folder, const dialect_t *dialect, suite_files_t *files, text_t *error);
void suite_files_free(suite_files_t *files);

#endif
