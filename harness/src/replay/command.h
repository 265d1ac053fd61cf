/* SPDX-License-Identifier: MIT */
/*
 * The command template of --spawn: `{port}`, `{release}` of the recorded server, and `{NAME}` for the keys of
 * a recording's config; a part in square brackets is left out when the config lacks one of its keys.
 */
#ifndef REPLAY_COMMAND_H
#define REPLAY_COMMAND_H

#include "base/files.h"
#include "base/jvalue.h"

/* Whether the brackets and braces are in order, and every key of a config stands in brackets; else a message.
 */
bool command_check(const char *template, text_t *error);

/* What a command is to be filled with; all of it is borrowed. */
typedef struct command_input {
    const char *release;
    const json_t *config;
    /* Keys that need no place; those of `without` (capabilities the target lacks) count as absent. */
    const names_t *assumed, *without;
} command_input_t;

/*
 * Appends the command for a recording, values quoted for a shell, `{port}` left as it is (command_port fills
 * it in): equal commands can share one server. False when the template has no place for a key: *key names
 * it, borrowed from the config.
 */
bool command_for(text_t *out, const char *template, const command_input_t *input, const char **key);

/* Appends the command with `{port}` replaced. */
void command_port(text_t *out, const char *command, int port);

/* Appends the command with every `{name}` replaced by `value`, quoted for a shell; how many there were. */
size_t command_set(text_t *out, const char *command, const char *name, const char *value);

#endif
