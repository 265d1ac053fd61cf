/* SPDX-License-Identifier: MIT */
#include "server_options.h"

#include <stdio.h>

enum { JOBS = 1024, DEADLINE_S = 120 };

const char server_usage[] =
    "usage: phxspec server [options] URL\n"
    "       phxspec server [options] --list\n"
    "\n"
    "Runs the vectors against a server. URL is where it listens, http://HOST:PORT or\n"
    "ws://HOST:PORT; the paths of its mounts are in the profile.\n"
    "\n"
    "The server:\n"
    "  --profile FILE      what it offers (default: the conformance application with\n"
    "                      its own settings)\n"
    "  --without CAP,...   capabilities it lacks; what needs them is not applicable\n"
    "  --phoenix RELEASE   the release of Phoenix whose rules apply (the profile's,\n"
    "                      or " PHOENIX_NEWEST ")\n"
    "\n" RUN_USAGE_CASES "PATTERN is a group, a case or a variant (join, join.ok, join.ok/ws,\n"
    "join.ok/ws/v2), a glob on the latter ('*/lp/v2'), tag:NAME, req:REQUIREMENT,\n"
    "group:GROUP, level:LEVEL, or @FILE with one of these a line. phxspec explain ID\n"
    "tells what a case is about.\n"
    "\n" RUN_USAGE_EXPECTED "\n"
    "How:\n"
    "  --jobs N            so many at once (1024)\n"
    "  --deadline SEC      for the whole run (120)\n"
    "\n" RUN_USAGE_RESULT "\n"
    "exit: 0 all as expected, 1 a verdict failed, 2 wrong use or broken input, 3 the\n"
    "harness or the target's start failed\n";

static bool take_profile(void *ctx, const char *value, text_t *error)
{
    (void)error;
    ((server_options_t *)ctx)->profile = value;
    return true;
}

bool server_options_read(int argc, char **argv, server_options_t *options)
{
    static const own_option_t own[] = {{"profile", true, take_profile}, {NULL, false, NULL}};
    static const run_syntax_t syntax = {"server", false, own, JOBS, DEADLINE_S};
    run_options_t *run = &options->run;
    int words;
    if (!run_options_read(run, &syntax, options, argc, argv, &words)) {
        return false;
    }
    if (run->help) {
        return true;
    }
    int urls = argc - words;
    const char *wrong = urls != 1 && !(run->list && urls == 0)
                            ? "one URL is needed; phxspec server --help tells the options"
                            : run_options_contradiction(run);
    if (wrong) {
        fprintf(stderr, "phxspec server: %s\n", wrong);
        return false;
    }
    if (urls == 1) {
        options->url = argv[words];
        text_putc(&run->rerun, ' ');
        text_shell_word(&run->rerun, options->url);
    }
    return true;
}
