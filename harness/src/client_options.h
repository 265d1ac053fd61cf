/* SPDX-License-Identifier: MIT */
/* The command line of phxspec client. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include "report/text_report.h"
#include "select/selection.h"

/* Zero-initialise; release with client_options_free. Strings are borrowed from the command line. */
typedef struct client_options {
    char *const *driver; /* its command line, ended by NULL; NULL only with `list` */
    const char *vectors, *expect, *report;
    names_t without;
    selection_t selection;
    detail_t detail;
    long jobs, deadline_s;
    bool strict, update, list, json, help;
    text_t rerun, rerun_driver; /* around "--run VARIANT" in the command line that runs one variant again */
} client_options_t;

extern const char client_usage[];

/* argv as cmd_client has it. False when it is wrong; that was said on stderr then. */
bool client_options_read(int argc, char **argv, client_options_t *options);
void client_options_free(client_options_t *options);

#endif
