/* SPDX-License-Identifier: MIT */
/* Runs commands on a socket, one after the other. */
#ifndef SESSION_H
#define SESSION_H

#include "command.h"
#include "options.h"
#include "printer.h"

typedef struct session session_t;

enum {
    EXIT_WELL = 0,
    EXIT_FAILED = 1,
    EXIT_WRONG = 2,
    EXIT_OFFLINE = 3,
};

/* Connects at once. `options` and `printer` are borrowed. `over` is called once, when the session is done and
 * the socket closed; the session may be freed in it. NULL when it cannot begin, said on stderr, with the exit
 * code in `*code`. */
session_t *session_new(uv_loop_t *loop, const options_t *options, const printer_t *printer,
                       void (*over)(void *user, int code), void *user, int *code);
/* Queues a command, which the session then owns. `stops`: when it fails, it is the last. */
void session_add(session_t *session, const command_t *command, bool stops);
/* A command could not be read: the exit code will say so. */
void session_wrong(session_t *session);
/* No more commands come: it ends after the last. */
void session_end(session_t *session);
/* Ends in order, whatever it was doing; the second time, at once. */
void session_interrupt(session_t *session);
void session_free(session_t *session);

#endif
