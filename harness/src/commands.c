/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <stdio.h>

bool command_complain(const char *command, text_t *lines)
{
    span_t rest = text_span(lines), line;
    while (span_next(&rest, '\n', &line)) {
        if (line.len > 0) {
            fprintf(stderr, "phxspec %s: %.*s\n", command, (int)line.len, line.at);
        }
    }
    text_free(lines);
    return false;
}
