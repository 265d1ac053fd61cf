/* SPDX-License-Identifier: MIT */
/* The command line of phxspec-server. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "phxspec/server.h"

enum { MAX_MOUNTS = 16, MAX_LIST = 32 };

typedef struct option_mount {
    char path[128];
    phxs_mount_config_t config;
    char *origins_text; /* owned; the lists point into these */
    char *subprotocols_text;
    const char *origins[MAX_LIST + 1];
    const char *subprotocols[MAX_LIST + 1];
} option_mount_t;

typedef struct options {
    phxs_config_t server;
    option_mount_t mounts[MAX_MOUNTS];
    size_t mount_count;
} options_t;

typedef enum options_outcome {
    OPTIONS_RUN,
    OPTIONS_DONE,  /* --help or --version has been answered */
    OPTIONS_WRONG, /* what is wrong has been printed to stderr */
} options_outcome_t;

/* Reads the command line. Release with options_free whatever it returns. */
options_outcome_t options_parse(options_t *options, int argc, char **argv);
void options_free(options_t *options);

#endif
