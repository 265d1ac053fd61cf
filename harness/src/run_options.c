/* SPDX-License-Identifier: MIT */
#include "run_options.h"

#include "commands.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum option_code {
    OPT_VECTORS = 256,
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
    OPT_HELP,
    OPT_OWN
};

static const struct option common[] = {
    {"vectors", 1, NULL, OPT_VECTORS},
    {"without", 1, NULL, OPT_WITHOUT},
    {"phoenix", 1, NULL, OPT_PHOENIX},
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
};
enum { COMMON = sizeof common / sizeof *common };

/* What decides how a variant comes out stands in the command line that runs it again. */
static bool is_decisive(const run_syntax_t *syntax, int code)
{
    static const enum option_code decisive[] = {OPT_VECTORS, OPT_WITHOUT, OPT_PHOENIX, OPT_STRICT,
                                                OPT_EXPECT};
    if (code >= OPT_OWN) {
        return syntax->own[code - OPT_OWN].decisive;
    }
    for (size_t i = 0; i < sizeof decisive / sizeof *decisive; i++) {
        if ((int)decisive[i] == code) {
            return true;
        }
    }
    return false;
}

static void keep_for_rerun(run_options_t *options, const char *name, const char *value)
{
    text_printf(&options->rerun, " --%s", name);
    if (value) {
        text_putc(&options->rerun, ' ');
        text_shell_word(&options->rerun, value);
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

static bool must_be(bool is, const char *what, text_t *error)
{
    if (!is) {
        text_printf(error, "it is %s", what);
    }
    return is;
}

static bool read_option(run_options_t *options, int code, const char *argument, text_t *error)
{
    selection_t *selection = &options->selection;
    switch (code) {
    case OPT_VECTORS:
        options->vectors = argument;
        return true;
    case OPT_WITHOUT:
        names_add_list(&options->without, argument);
        return true;
    case OPT_PHOENIX:
        options->phoenix = argument;
        return true;
    case OPT_RUN:
        return selection_add(&selection->run, argument, error);
    case OPT_SKIP:
        return selection_add(&selection->skip, argument, error);
    case OPT_LEVEL:
        return must_be(level_parse(argument, &selection->weakest), "must, should or may", error);
    case OPT_TRANSPORT:
        return must_be(selection_transport(selection, argument), "ws or lp", error);
    case OPT_VSN:
        return must_be(selection_vsn(selection, argument), "1 or 2", error);
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

static bool read_all(run_options_t *options, const run_syntax_t *syntax, void *ctx, int argc, char **argv)
{
    struct option known[COMMON + OWN_OPTIONS_MAX + 1] = {{NULL, 0, NULL, 0}};
    int code, which = 0;
    memcpy(known, common, sizeof common);
    for (int i = 0; i < OWN_OPTIONS_MAX && syntax->own[i].name; i++) {
        known[COMMON + i] = (struct option){syntax->own[i].name, 1, NULL, OPT_OWN + i};
    }
    opterr = 0;
    optind = 0;
    while ((code = getopt_long(argc, argv, syntax->words_end_options ? "+h" : "h", known, &which)) != -1 &&
           !options->help) {
        text_t error = {0};
        if (code == '?') {
            return command_misread(syntax->command, argv);
        }
        bool good = code >= OPT_OWN ? syntax->own[code - OPT_OWN].take(ctx, optarg, &error)
                                    : read_option(options, code, optarg, &error);
        if (!good) {
            fprintf(stderr, "phxspec %s: --%s %s: %s\n", syntax->command, known[which].name, optarg,
                    text_str(&error));
        }
        text_free(&error);
        if (!good) {
            return false;
        }
        if (is_decisive(syntax, code)) {
            keep_for_rerun(options, known[which].name, optarg);
        }
    }
    return true;
}

bool run_options_read(run_options_t *options, const run_syntax_t *syntax, void *ctx, int argc, char **argv,
                      int *words)
{
    const char *environment = getenv("PHXSPEC_VECTORS");
    options->jobs = syntax->jobs;
    options->deadline_s = syntax->deadline_s;
    options->selection.weakest = LEVEL_MAY;
    options->report = report_new();
    text_shell_word(&options->rerun, argv[-1]);
    text_printf(&options->rerun, " %s", syntax->command);
    for (int i = -1; i < argc; i++) {
        text_puts(&options->command, i < 0 ? "" : " ");
        text_shell_word(&options->command, argv[i]);
    }
    if (!read_all(options, syntax, ctx, argc, argv)) {
        return false;
    }
    if (!options->help && !options->vectors && environment && *environment) {
        keep_for_rerun(options, "vectors", environment);
    }
    *words = optind;
    return true;
}

const char *run_options_contradiction(const run_options_t *options)
{
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

void run_options_free(run_options_t *options)
{
    names_free(&options->without);
    selection_free(&options->selection);
    text_free(&options->command);
    text_free(&options->rerun);
    report_free(options->report);
}
