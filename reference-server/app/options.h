/* SPDX-License-Identifier: MIT */
/* What phxspec-server is told: by its command line, and by a configuration file that the command line names.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "phxspec/server.h"

enum { MAX_MOUNTS = 16, MAX_LIST = 32 };

typedef struct option_mount {
    char path[128];
    phxs_mount_config_t config;
    const char *origins[MAX_LIST + 1]; /* what the lists of `config` point to */
    const char *subprotocols[MAX_LIST + 1];
} option_mount_t;

typedef struct options {
    phxs_config_t server;
    option_mount_t mounts[MAX_MOUNTS];
    size_t mount_count;
#ifdef PHXS_FAULTS
    const char *fault; /* NULL: none */
#endif
    struct option_text *texts; /* owned; all strings above are in it */
} options_t;

typedef enum options_outcome {
    OPTIONS_RUN,
    OPTIONS_DONE,  /* --help or --version has been answered */
    OPTIONS_WRONG, /* what is wrong has been printed to stderr */
} options_outcome_t;

/* Reads the command line, and before it the configuration files it names. Release with options_free whatever
 * it returns. */
options_outcome_t options_parse(options_t *options, int argc, char **argv);
void options_free(options_t *options);

/* The mount at `path`, made with the settings of /socket if there is none yet; NULL when that cannot be, and
 * `*reason` says why. */
option_mount_t *options_mount(options_t *options, const char *path, const char **reason);

/* A copy of `text` (of `len` bytes) that lives as long as `options`; NULL when memory ran out. */
char *options_keep(options_t *options, const char *text, size_t len);

#endif
