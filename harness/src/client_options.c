/* SPDX-License-Identifier: MIT */
#include "client_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_JOBS = 12, DEFAULT_DEADLINE_S = 300 };

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
    "  --without CAP,...   capabilities its driver is not to be asked for; what needs\n"
    "                      them is not applicable\n"
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
    "PATTERN is as with phxspec server.\n"
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
    "  --jobs N            so many drivers at once (12)\n"
    "  --deadline SEC      for the whole run (300)\n"
    "\n"
    "The result:\n"
    "  --report FILE       a report, as with phxspec server; may be repeated\n"
    "  --quiet             failures and the summary only\n"
    "  --verbose           times and titles, too\n"
    "  --trace             everything that was said, too\n"
    "\n"
    "exit: 0 all as expected, 1 a verdict failed, 2 wrong use or broken input, 3 the\n"
    "harness or the driver's start failed\n";

enum option_code {
    OPT_VECTORS = 256,
    OPT_DRIVER,
    OPT_WITHOUT,
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

static const struct option known[] = {{"vectors", 1, NULL, OPT_VECTORS},
                                      {"driver", 1, NULL, OPT_DRIVER},
                                      {"without", 1, NULL, OPT_WITHOUT},
                                      {"run", 1, NULL, OPT_RUN},
                                      {"skip", 1, NULL, OPT_SKIP},
                                      {"level", 1, NULL, OPT_LEVEL},
                                      {"transport", 1, NULL, OPT_TRANSPORT},
                                      {"vsn", 1, NULL, OPT_VSN},
                                      {"list", 0, NULL, OPT_LIST},
                                      {"json", 0, NULL, OPT_JSON},
                                      {"strict", 0, NULL, OPT_STRICT},
                                      {"expect", 1, NULL, OPT_EXPECT},
                                      {"update-expectations", 0, NULL, OPT_UPDATE},
                                      {"jobs", 1, NULL, OPT_JOBS},
                                      {"deadline", 1, NULL, OPT_DEADLINE},
                                      {"report", 1, NULL, OPT_REPORT},
                                      {"quiet", 0, NULL, OPT_QUIET},
                                      {"verbose", 0, NULL, OPT_VERBOSE},
                                      {"trace", 0, NULL, OPT_TRACE},
                                      {"help", 0, NULL, OPT_HELP},
                                      {NULL, 0, NULL, 0}};

static bool read_count(const char *argument, long *count, text_t *error)
{
    char *end;
    errno = 0;
    *count = strtol(argument, &end, 10);
    if (errno == 0 && *end == 0 && end != argument && *count >= 1 && *count <= 100000) {
        return true;
    }
    text_puts(error, "a whole number from 1 to 100000 is needed");
    return false;
}

static bool read_option(client_options_t *options, int code, const char *argument, text_t *error)
{
    static char shell[] = "/bin/sh", flag[] = "-c";
    selection_t *selection = &options->selection;
    bool good = true;
    switch (code) {
    case OPT_VECTORS:
        options->vectors = argument;
        break;
    case OPT_DRIVER:
        text_clear(&options->driver_words);
        text_printf(&options->driver_words, "exec %s", argument);
        options->shell[0] = shell;
        options->shell[1] = flag;
        options->shell[2] = options->driver_words.at;
        break;
    case OPT_WITHOUT:
        names_add_list(&options->without, argument);
        break;
    case OPT_RUN:
        return selection_add(&selection->run, argument, error);
    case OPT_SKIP:
        return selection_add(&selection->skip, argument, error);
    case OPT_LEVEL:
        good = level_parse(argument, &selection->weakest);
        text_puts(error, good ? "" : "it is must, should or may");
        break;
    case OPT_TRANSPORT:
        good = selection_transport(selection, argument);
        text_puts(error, good ? "" : "it is ws or lp");
        break;
    case OPT_VSN:
        good = selection_vsn(selection, argument);
        text_puts(error, good ? "" : "it is 1 or 2");
        break;
    case OPT_LIST:
        options->list = true;
        break;
    case OPT_JSON:
        options->json = true;
        break;
    case OPT_STRICT:
        options->strict = true;
        break;
    case OPT_EXPECT:
        options->expect = argument;
        break;
    case OPT_UPDATE:
        options->update = true;
        break;
    case OPT_JOBS:
        return read_count(argument, &options->jobs, error);
    case OPT_DEADLINE:
        return read_count(argument, &options->deadline_s, error);
    case OPT_REPORT:
        return report_add(options->report, argument, error);
    case OPT_QUIET:
        report_detail(options->report, DETAIL_QUIET);
        break;
    case OPT_VERBOSE:
        report_detail(options->report, DETAIL_VERBOSE);
        break;
    case OPT_TRACE:
        report_detail(options->report, DETAIL_TRACE);
        break;
    default:
        options->help = true;
    }
    return good;
}

/* What is wrong with the options taken together; NULL: nothing. */
static const char *contradiction(const client_options_t *options, int words)
{
    if (!options->shell[0] && words == 0 && !options->list) {
        return "the command of a driver is needed behind --; phxspec client --help tells the options";
    }
    if (options->shell[0] && words > 0) {
        return "there are two drivers, one with --driver and one behind --";
    }
    if (options->json && !options->list) {
        return "--json goes with --list; --report FILE writes the results of a run";
    }
    if (options->update && (!options->expect || options->list)) {
        return "--update-expectations needs a run, and --expect FILE, the file to be written";
    }
    return NULL;
}

static bool read_all(int argc, char **argv, client_options_t *options)
{
    int code, which = 0;
    opterr = 0;
    optind = 0;
    while ((code = getopt_long(argc, argv, "+h", known, &which)) != -1 && !options->help) {
        text_t error = {0};
        if (code == '?') {
            fprintf(stderr,
                    "phxspec client: %s: no such option, or its value is missing; phxspec client --help "
                    "tells the options\n",
                    argv[optind - 1]);
            return false;
        }
        bool good = read_option(options, code, optarg ? optarg : "", &error);
        if (!good) {
            fprintf(stderr, "phxspec client: --%s %s: %s\n", known[which].name, optarg, text_str(&error));
        }
        text_free(&error);
        if (!good) {
            return false;
        }
        bool decisive =
            code == OPT_VECTORS || code == OPT_WITHOUT || code == OPT_STRICT || code == OPT_EXPECT;
        if (decisive) {
            text_printf(&options->rerun, " --%s", known[which].name);
        }
        if (decisive && optarg) {
            text_putc(&options->rerun, ' ');
            text_shell_word(&options->rerun, optarg);
        }
    }
    return true;
}

bool client_options_read(int argc, char **argv, client_options_t *options)
{
    options->jobs = DEFAULT_JOBS;
    options->deadline_s = DEFAULT_DEADLINE_S;
    options->selection.weakest = LEVEL_MAY;
    options->report = report_new();
    text_shell_word(&options->rerun, argv[-1]);
    text_puts(&options->rerun, " client");
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
    const char *wrong = contradiction(options, argc - optind);
    if (wrong) {
        fprintf(stderr, "phxspec client: %s\n", wrong);
        return false;
    }
    if (options->shell[0]) {
        options->driver = options->shell;
    } else if (optind < argc) {
        options->driver = argv + optind;
        for (int i = optind; i < argc; i++) {
            text_puts(&options->driver_words, i > optind ? " " : "");
            text_shell_word(&options->driver_words, argv[i]);
        }
    }
    if (options->driver) {
        text_puts(&options->rerun, " --driver ");
        text_shell_word(&options->rerun,
                        text_str(&options->driver_words) + (options->shell[0] ? strlen("exec ") : 0));
    }
    return true;
}

void client_options_free(client_options_t *options)
{
    names_free(&options->without);
    selection_free(&options->selection);
    text_free(&options->command);
    text_free(&options->driver_words);
    text_free(&options->rerun);
    report_free(options->report);
}
