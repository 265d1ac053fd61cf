/* SPDX-License-Identifier: MIT */
/* The command line of phxspec client. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include "run_options.h"

/* Zero-initialise; release with client_options_free. Strings are borrowed from the command line. */
typedef struct client_options {
    run_options_t run;
    char *const *driver; /* its command line, ended by NULL; NULL only with `run.list` */
    char *shell[4];      /* that of a driver given as one word */
    long hello_s;
    const char *faults, *mutant; /* what is altered on the way; NULL: nothing is between */
    text_t driver_words;         /* that of the driver */
} client_options_t;

extern const char client_usage[];

/* argv as cmd_client has it. False when it is wrong; that was said on stderr then. */
bool client_options_read(int argc, char **argv, client_options_t *options);
void client_options_free(client_options_t *options);

#endif
