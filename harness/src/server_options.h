/* SPDX-License-Identifier: MIT */
/* The command line of phxspec server. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "report/report.h"
#include "select/selection.h"

/* Zero-initialise; release with server_options_free. Strings are borrowed from the command line. */
typedef struct server_options {
    const char *url; /* NULL only with `list` */
    const char *vectors, *profile, *phoenix, *expect;
    names_t without;
    selection_t selection;
    report_t *report; /* owned; not yet open */
    long jobs, deadline_s;
    bool strict, update, list, json, help;
    text_t command; /* the whole command line, as words for a shell */
    text_t rerun;   /* the command line that runs one variant again, but for "--run VARIANT" */
} server_options_t;

extern const char server_usage[];

/* argv as cmd_server has it. False when it is wrong; that was said on stderr then. */
bool server_options_read(int argc, char **argv, server_options_t *options);
void server_options_free(server_options_t *options);

#endif
