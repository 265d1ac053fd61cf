/* SPDX-License-Identifier: MIT */
/* Lines of a terminal, a pipe or a file, as they come. */
#ifndef LINES_H
#define LINES_H

#include <uv.h>

typedef struct lines lines_t;

/* `line` may be altered; it is called for each, then `end` once, with 0 or libuv's error. Neither is called
 * from within this. NULL when the descriptor cannot be read. */
lines_t *lines_new(uv_loop_t *loop, int fd, void (*line)(void *user, char *line),
                   void (*end)(void *user, int error), void *user);
void lines_free(lines_t *lines);

#endif
