/* SPDX-License-Identifier: MIT */
/* The command line of phxspec server. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "run_options.h"

/* Zero-initialise; release with run_options_free(&options->run). Strings are borrowed from the command line.
 */
typedef struct server_options {
    run_options_t run;
    const char *url; /* NULL only with `run.list` */
    const char *profile;
} server_options_t;

extern const char server_usage[];

/* argv as cmd_server has it. False when it is wrong; that was said on stderr then. */
bool server_options_read(int argc, char **argv, server_options_t *options);

#endif
