/* SPDX-License-Identifier: MIT */
#ifndef COMMAND_H
#define COMMAND_H

#include "phxspec/client.h"

typedef enum command_kind {
    COMMAND_JOIN,
    COMMAND_TOPIC,
    COMMAND_PUSH,
    COMMAND_SEND,
    COMMAND_EXPECT,
    COMMAND_PRESENCE,
    COMMAND_LEAVE,
    COMMAND_PING,
    COMMAND_SLEEP,
    COMMAND_DISCONNECT,
    COMMAND_CONNECT,
    COMMAND_WATCH,
} command_kind_t;

typedef struct command {
    command_kind_t kind;
    phx_buf_t name; /* the topic or event; owned */
    phx_buf_t data; /* the payload; owned */
    phx_form_t form;
    uint64_t number; /* milliseconds, or a close code */
} command_t;

/*
 * Reads one command from `words`, of which `*used` it takes. Returns false for what is none, with the reason
 * for people in `error`.
 */
bool command_parse(command_t *command, char *const *words, size_t count, size_t *used, char *error,
                   size_t error_size);
/* The same from a line: the payload is what is left of it. An empty line, or one that begins with #, gives
 * `*empty`. */
bool command_parse_line(command_t *command, char *line, bool *empty, char *error, size_t error_size);
void command_free(command_t *command);

#endif
