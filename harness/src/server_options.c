/* SPDX-License-Identifier: MIT */
#include "server_options.h"

#include "commands.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_JOBS = 1024, DEFAULT_DEADLINE_S = 120 };

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
    "\n"
    "Which cases:\n"
    "  --run PATTERN       only these; may be repeated\n"
    "  --skip PATTERN      not these; may be repeated\n"
    "  --level LEVEL       only those at least this strong: must, should or may\n"
    "  --transport ws|lp   only over WebSocket, or only over long-poll\n"
    "  --vsn 1|2           only in this version of the protocol\n"
    "  --list              name what would run, and end; with --json as JSON\n"
    "  --vectors DIR       folder of the vectors\n"
    "                      ($PHXSPEC_VECTORS, the installed ones, ./vectors)\n"
    "PATTERN is a group, a case or a variant (join, join.ok, join.ok/ws,\n"
    "join.ok/ws/v2), a glob on the latter ('*/lp/v2'), tag:NAME, req:REQUIREMENT,\n"
    "group:GROUP, level:LEVEL, or @FILE with one of these a line. phxspec explain ID\n"
    "tells what a case is about.\n"
    "\n"
    "What is expected:\n"
    "  --strict            a failure fails the run whatever its level, not only of a\n"
    "                      must\n"
    "  --expect FILE       known failures, each with its reason; one that does not\n"
    "                      come true fails the run\n"
    "  --update-expectations\n"
    "                      write that file anew from this run, reasons kept; the exit\n"
    "                      code is still that of this run\n"
    "\n"
    "How:\n"
    "  --jobs N            so many at once (1024)\n"
    "  --deadline SEC      for the whole run (120)\n"
    "\n"
    "The result:\n"
    "  --report FILE       a report, in the format its suffix tells: .jsonl, .xml\n"
    "                      (JUnit), .tap, .md, .html, .txt; or FORMAT=FILE with\n"
    "                      jsonl, junit, tap, markdown, html, text; - is standard\n"
    "                      output, and the text goes to standard error; may be\n"
    "                      repeated\n"
    "  --quiet             failures and the summary only\n"
    "  --verbose           times and titles, too\n"
    "  --trace             everything that was said, too\n"
    "\n"
    "exit: 0 all as expected, 1 a verdict failed, 2 wrong use or broken input, 3 the\n"
    "harness or the target's start failed\n";

enum option_code {
    OPT_VECTORS = 256,
    OPT_PROFILE,
    OPT_WITHOUT,
    OPT_PHOENIX,
    OPT_RUN,
    OPT_SKIP,
    OPT_LEVEL,
    OPT_TRANSPORT,
    OPT_VSN,
    OPT_LIST,
    OPT_JSON,
    OPT_STRICT,
    OPT_EXPECT,
    OPT_UPDATE,
    OPT_JOBS,
    OPT_DEADLINE,
    OPT_REPORT,
    OPT_QUIET,
    OPT_VERBOSE,
    OPT_TRACE,
    OPT_HELP
};

static const struct option known[] = {
    {"vectors", 1, NULL, OPT_VECTORS}, {"profile", 1, NULL, OPT_PROFILE},
    {"without", 1, NULL, OPT_WITHOUT}, {"phoenix", 1, NULL, OPT_PHOENIX},
    {"run", 1, NULL, OPT_RUN},         {"skip", 1, NULL, OPT_SKIP},
    {"level", 1, NULL, OPT_LEVEL},     {"transport", 1, NULL, OPT_TRANSPORT},
    {"vsn", 1, NULL, OPT_VSN},         {"list", 0, NULL, OPT_LIST},
    {"json", 0, NULL, OPT_JSON},       {"strict", 0, NULL, OPT_STRICT},
    {"expect", 1, NULL, OPT_EXPECT},   {"update-expectations", 0, NULL, OPT_UPDATE},
    {"jobs", 1, NULL, OPT_JOBS},       {"deadline", 1, NULL, OPT_DEADLINE},
    {"report", 1, NULL, OPT_REPORT},   {"quiet", 0, NULL, OPT_QUIET},
    {"verbose", 0, NULL, OPT_VERBOSE}, {"trace", 0, NULL, OPT_TRACE},
    {"help", 0, NULL, OPT_HELP},       {NULL, 0, NULL, 0}};

/* What decides how a variant comes out stands in the command line that runs it again. */
static const enum option_code decisive[] = {OPT_VECTORS, OPT_PROFILE, OPT_WITHOUT,
                                            OPT_PHOENIX, OPT_STRICT,  OPT_EXPECT};

static void keep_for_rerun(server_options_t *options, int code, const char *argument)
{
    for (size_t i = 0; i < sizeof decisive / sizeof *decisive; i++) {
        if ((int)decisive[i] == code) {
            const struct option *option = known;
            while (option->val != code) {
                option++;
            }
            text_printf(&options->rerun, " --%s", option->name);
            if (argument) {
                text_putc(&options->rerun, ' ');
                text_shell_word(&options->rerun, argument);
            }
        }
    }
}

static bool read_count(const char *argument, long *count, text_t *error)
{
    bool good = command_number(argument, 1, 100000, count);
    if (!good) {
        text_puts(error, "a whole number from 1 to 100000 is needed");
    }
    return good;
}

static bool is_one_of(bool is, const char *what, text_t *error)
{
    if (!is) {
        text_printf(error, "it is %s", what);
    }
    return is;
}

static bool read_option(server_options_t *options, int code, const char *argument, text_t *error)
{
    selection_t *selection = &options->selection;
    switch (code) {
    case OPT_VECTORS:
        options->vectors = argument;
        return true;
    case OPT_PROFILE:
        options->profile = argument;
        return true;
    case OPT_WITHOUT:
        names_add(&options->without, argument);
        return true;
    case OPT_PHOENIX:
        options->phoenix = argument;
        return true;
    case OPT_RUN:
        return selection_add(&selection->run, argument, error);
    case OPT_SKIP:
        return selection_add(&selection->skip, argument, error);
    case OPT_LEVEL:
        return is_one_of(level_parse(argument, &selection->weakest), "must, should or may", error);
    case OPT_TRANSPORT:
        return is_one_of(selection_transport(selection, argument), "ws or lp", error);
    case OPT_VSN:
        return is_one_of(selection_vsn(selection, argument), "1 or 2", error);
    case OPT_LIST:
        options->list = true;
        return true;
    case OPT_JSON:
        options->json = true;
        return true;
    case OPT_STRICT:
        options->strict = true;
        return true;
    case OPT_EXPECT:
        options->expect = argument;
        return true;
    case OPT_UPDATE:
        options->update = true;
        return true;
    case OPT_JOBS:
        return read_count(argument, &options->jobs, error);
    case OPT_DEADLINE:
        return read_count(argument, &options->deadline_s, error);
    case OPT_REPORT:
        return report_add(options->report, argument, error);
    case OPT_QUIET:
        report_detail(options->report, DETAIL_QUIET);
        return true;
    case OPT_VERBOSE:
        report_detail(options->report, DETAIL_VERBOSE);
        return true;
    case OPT_TRACE:
        report_detail(options->report, DETAIL_TRACE);
        return true;
    default:
        options->help = true;
        return true;
    }
}

/* What is wrong with the options taken together; NULL: nothing. */
static const char *contradiction(const server_options_t *options, int urls)
{
    if (urls != 1 && !(options->list && urls == 0)) {
        return "one URL is needed; phxspec server --help tells the options";
    }
    if (options->json && !options->list) {
        return "--json goes with --list; --report FILE writes the results of a run";
    }
    if (options->update && !options->expect) {
        return "--update-expectations needs --expect FILE, the file to be written";
    }
    if (options->update && options->list) {
        return "--update-expectations needs a run, and --list runs nothing";
    }
    return NULL;
}

static bool read_all(int argc, char **argv, server_options_t *options)
{
    int code, which = 0;
    opterr = 0;
    optind = 0;
    while ((code = getopt_long(argc, argv, "h", known, &which)) != -1 && !options->help) {
        text_t error = {0};
        if (code == '?') {
            fprintf(
                stderr,
                "phxspec server: %s: no such option, or its value is missing; phxspec server --help tells "
                "the options\n",
                argv[optind - 1]);
            return false;
        }
        if (!read_option(options, code, optarg, &error)) {
            fprintf(stderr, "phxspec server: --%s %s: %s\n", known[which].name, optarg, text_str(&error));
            text_free(&error);
            return false;
        }
        keep_for_rerun(options, code, optarg);
    }
    return true;
}

bool server_options_read(int argc, char **argv, server_options_t *options)
{
    const char *environment = getenv("PHXSPEC_VECTORS");
    options->jobs = DEFAULT_JOBS;
    options->deadline_s = DEFAULT_DEADLINE_S;
    options->selection.weakest = LEVEL_MAY;
    options->report = report_new();
    text_shell_word(&options->rerun, argv[-1]);
    text_puts(&options->rerun, " server");
    for (int i = -1; i < argc; i++) {
        text_puts(&options->command, i < 0 ? "" : " ");
        text_shell_word(&options->command, argv[i]);
    }
    if (!read_all(argc, argv, options)) {
        return false;
    }
    if (options->help) {
        return true;
    }
    if (!options->vectors && environment && *environment) {
        keep_for_rerun(options, OPT_VECTORS, environment);
    }
    const char *wrong = contradiction(options, argc - optind);
    if (wrong) {
        fprintf(stderr, "phxspec server: %s\n", wrong);
        return false;
    }
    if (optind < argc) {
        options->url = argv[optind];
        text_putc(&options->rerun, ' ');
        text_shell_word(&options->rerun, options->url);
    }
    return true;
}

void server_options_free(server_options_t *options)
{
    names_free(&options->without);
    selection_free(&options->selection);
    text_free(&options->command);
    text_free(&options->rerun);
    report_free(options->report);
}
