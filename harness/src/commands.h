/* SPDX-License-Identifier: MIT */
/* The commands of phxspec. Each takes its own name as argv[0], behind which argv[-1] is that of the program,
 * and returns the program's exit code. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "base/text.h"

/* 0 all as expected, 1 a verdict failed, 2 wrong use or broken input, 3 the harness or the target's start
 * failed. */
enum { EXIT_AGREED = 0, EXIT_FAILED = 1, EXIT_USE = 2, EXIT_HARNESS = 3 };

int cmd_mutants(int argc, char **argv);
int cmd_proxy(int argc, char **argv);
int cmd_client(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_lint(int argc, char **argv);
int cmd_probe(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_server(int argc, char **argv);

/* A whole number from `least` to `most`; false for any other text. */
bool command_number(const char *text, long least, long most, long *number);

/* Says which option getopt_long (with opterr 0) did not take, and where the options are told. Always false.
 */
bool command_misread(const char *command, char *const *argv);

/* Whether the file an option names can be read; else false and a message that names both. */
bool command_file(const char *option, const char *path, text_t *error);

/* Says each line on stderr, behind "phxspec COMMAND: ", and releases the text. Always false. */
bool command_complain(const char *command, text_t *lines);

#endif
