/* SPDX-License-Identifier: MIT */
/* The command line of phxspec client. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include "report/report.h"
#include "select/selection.h"

/* Zero-initialise; release with client_options_free. Strings are borrowed from the command line. */
typedef struct client_options {
    char *const *driver; /* its command line, ended by NULL; NULL only with `list` */
    char *shell[4];      /* that of a driver given as one word */
    const char *vectors, *expect;
    names_t without;
    selection_t selection;
    report_t *report; /* owned; not yet open */
    long jobs, deadline_s;
    bool strict, update, list, json, help;
    text_t command;      /* the whole command line, as words for a shell */
    text_t driver_words; /* that of the driver */
    text_t rerun;        /* the command line that runs one variant again, but for "--run VARIANT" */
} client_options_t;

extern const char client_usage[];

/* argv as cmd_client has it. False when it is wrong; that was said on stderr then. */
bool client_options_read(int argc, char **argv, client_options_t *options);
void client_options_free(client_options_t *options);

#endif
