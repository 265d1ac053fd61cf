/* SPDX-License-Identifier: MIT */
/* A configuration file: a JSON object of settings, and under "mounts" one of settings for each path. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "options.h"

/* Takes over what the file says. When something in it is wrong, file, place and flaw go to stderr, and it
 * returns false. */
bool config_file_read(options_t *options, const char *path);

#endif
