/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool command_number(const char *text, long least, long most, long *number)
{
    char *end;
    errno = 0;
    *number = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && end != text && *number >= least && *number <= most;
}

bool command_misread(const char *command, char *const *argv)
{
    fprintf(stderr,
            "phxspec %s: %s: no such option, or its value is missing; phxspec %s --help tells the options\n",
            command, argv[optind - 1], command);
    return false;
}

bool command_file(const char *option, const char *path, text_t *error)
{
    bool good = access(path, R_OK) == 0;
    if (!good) {
        text_printf(error, "--%s %s: %s\n", option, path, strerror(errno));
    }
    return good;
}

bool command_complain(const char *command, text_t *lines)
{
    span_t rest = text_span(lines), line;
    while (span_next(&rest, '\n', &line)) {
        if (line.len > 0) { /* what files and peers say is in it, too */
            text_t shown = {0};
            text_show(&shown, line, 0);
            fprintf(stderr, "phxspec %s: %s\n", command, text_str(&shown));
            text_free(&shown);
        }
    }
    text_free(lines);
    return false;
}
