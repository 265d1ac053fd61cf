/* SPDX-License-Identifier: MIT */
#include "client_options.h"

#include "commands.h"

#include <stdio.h>
#include <string.h>

enum { JOBS = 16, DEADLINE_S = 300, HELLO_S = 30 };

const char client_usage[] =
    "usage: phxspec client [options] -- DRIVER [ARGUMENT]...\n"
    "       phxspec client [options] --driver COMMAND\n"
    "       phxspec client [options] --list\n"
    "\n"
    "Runs the vectors for clients: DRIVER is a program that drives the client under\n"
    "test as harness/DRIVER.md says, and phxspec plays a scripted server to it.\n"
    "\n"
    "The client:\n"
    "  --driver COMMAND    the driver as one word, which a shell runs\n"
    "  --hello SEC         how long it may take to start (30)\n"
    "  --without CAP,...   capabilities its driver is not to be asked for; what needs\n"
    "                      them is not applicable\n"
    "  --phoenix RELEASE   the release of phoenix.js whose rules apply (the driver's,\n"
    "                      or " PHOENIX_NEWEST ")\n"
    "  --faults FILE       alter what passes between client and server as a mutant of\n"
    "                      this file or folder says (vectors/mutants/README.md), so\n"
    "                      that the client breaks a rule\n"
    "  --mutant ID         which of its mutants; none: all passes phxspec's proxy and\n"
    "                      nothing is altered\n"
    "\n" RUN_USAGE_CASES "PATTERN is a group, a case or a variant (client_push, client_push.reply,\n"
    "client_push.reply/ws, client_push.reply/ws/v2), a glob on the latter\n"
    "('*/lp/v2'), tag:NAME, req:REQUIREMENT, group:GROUP, level:LEVEL, or @FILE with\n"
    "one of these a line. phxspec explain ID tells what a case is about.\n"
    "\n" RUN_USAGE_EXPECTED "\n"
    "How:\n"
    "  --jobs N            so many drivers at once (16)\n"
    "  --deadline SEC      for the whole run (300)\n"
    "\n" RUN_USAGE_RESULT "\n"
    "exit: 0 all as expected, 1 a verdict failed, 2 wrong use or broken input, 3 the\n"
    "harness or the driver's start failed\n";

static bool take_driver(void *ctx, const char *value, text_t *error)
{
    static char shell[] = "/bin/sh", flag[] = "-c";
    client_options_t *options = ctx;
    (void)error;
    text_clear(&options->driver_words);
    text_printf(&options->driver_words, "exec %s", value);
    options->shell[0] = shell;
    options->shell[1] = flag;
    options->shell[2] = options->driver_words.at;
    return true;
}

static bool take_hello(void *ctx, const char *value, text_t *error)
{
    bool good = command_number(value, 1, 3600, &((client_options_t *)ctx)->hello_s);
    if (!good) {
        text_puts(error, "a whole number of seconds from 1 to 3600 is needed");
    }
    return good;
}

static bool take_faults(void *ctx, const char *value, text_t *error)
{
    (void)error;
    ((client_options_t *)ctx)->faults = value;
    return true;
}

static bool take_mutant(void *ctx, const char *value, text_t *error)
{
    (void)error;
    ((client_options_t *)ctx)->mutant = value;
    return true;
}

/* What is wrong with the options taken together; NULL: nothing. */
static const char *contradiction(const client_options_t *options, int words)
{
    if (!options->shell[0] && words == 0 && !options->run.list) {
        return "the command of a driver is needed behind --; phxspec client --help tells the options";
    }
    if (options->shell[0] && words > 0) {
        return "there are two drivers, one with --driver and one behind --";
    }
    if (options->mutant && !options->faults) {
        return "--mutant is one of the file that --faults names";
    }
    return run_options_contradiction(&options->run);
}

bool client_options_read(int argc, char **argv, client_options_t *options)
{
    static const own_option_t own[] = {{"driver", false, take_driver},
                                       {"hello", true, take_hello},
                                       {"faults", true, take_faults},
                                       {"mutant", true, take_mutant},
                                       {NULL, false, NULL}};
    static const run_syntax_t syntax = {"client", true, own, JOBS, DEADLINE_S};
    run_options_t *run = &options->run;
    int words;
    options->hello_s = HELLO_S;
    if (!run_options_read(run, &syntax, options, argc, argv, &words)) {
        return false;
    }
    if (run->help) {
        return true;
    }
    const char *wrong = contradiction(options, argc - words);
    if (wrong) {
        fprintf(stderr, "phxspec client: %s\n", wrong);
        return false;
    }
    if (options->shell[0]) {
        options->driver = options->shell;
    } else if (words < argc) {
        options->driver = argv + words;
        for (int i = words; i < argc; i++) {
            text_puts(&options->driver_words, i > words ? " " : "");
            text_shell_word(&options->driver_words, argv[i]);
        }
    }
    if (options->driver) {
        text_puts(&run->rerun, " --driver ");
        text_shell_word(&run->rerun,
                        text_str(&options->driver_words) + (options->shell[0] ? strlen("exec ") : 0));
    }
    return true;
}

void client_options_free(client_options_t *options)
{
    run_options_free(&options->run);
    text_free(&options->driver_words);
}
