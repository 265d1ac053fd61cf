/* SPDX-License-Identifier: MIT */
/*
 * The command template of --spawn: `{port}`, and `{NAME}` for the keys of a recording's config; a part in
 * square brackets is left out when the config lacks one of its keys.
 */
#ifndef REPLAY_COMMAND_H
#define REPLAY_COMMAND_H

#include "base/files.h"
#include "base/jvalue.h"

/* Whether the brackets and braces are in order, and every key but {port} stands in brackets; else a message.
 */
bool command_check(const char *template, text_t *error);

/*
 * Appends the command for this config, values quoted for a shell, `{port}` left as it is (command_port fills
 * it in): equal commands can share one server. Keys in `assumed` and in `without` (capabilities the target
 * lacks) need no place; those in `without` count as absent. False when the template has no place for a key:
 * *key names it, borrowed from the config.
 */
bool command_for(text_t *out, const char *template, const json_t *config, const names_t *assumed,
                 const names_t *without, const char **key);

/* Appends the command with `{port}` replaced. */
void command_port(text_t *out, const char *command, int port);

#endif
