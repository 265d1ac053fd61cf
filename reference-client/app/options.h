/* SPDX-License-Identifier: MIT */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "phxspec/client.h"

enum { MAX_HEADERS = 64, MAX_DELAYS = 64 };

typedef struct options {
    phxc_config_t config; /* points into the rest, and into argv */
    bool json;
    bool raw;
    bool retry;
    bool driver;       /* nothing else counts then, but */
    const char *fault; /* of the driver; NULL: none */
    int first_word;    /* of the commands, in argv */
    phx_buf_t params;
    const char *headers[MAX_HEADERS + 1];
    size_t header_count;
    uint64_t reconnect[MAX_DELAYS];
    uint64_t rejoin[MAX_DELAYS];
    char *token; /* from a file */
} options_t;

typedef enum options_outcome {
    OPTIONS_RUN,
    OPTIONS_DONE,  /* --help, --version */
    OPTIONS_WRONG, /* said on stderr */
} options_outcome_t;

options_outcome_t options_parse(options_t *options, int argc, char **argv);
void options_free(options_t *options);

#endif
