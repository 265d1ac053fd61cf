/* SPDX-License-Identifier: MIT */
/* phxspec report: saved runs, shown again or side by side. */
#include "commands.h"

#include "base/memory.h"
#include "report/report.h"
#include "report/saved.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: phxspec report [options] FILE...\n"
    "\n"
    "Shows runs that phxspec server or client saved with --report FILE.jsonl, as they\n"
    "were shown then. Several runs stand side by side in HTML and Markdown, and what\n"
    "differs is marked.\n"
    "\n"
    "  --report FILE       a report, in the format its suffix tells: .jsonl, .xml\n"
    "                      (JUnit), .tap, .md, .html, .txt; or FORMAT=FILE with\n"
    "                      jsonl, junit, tap, markdown, html, text; - is standard\n"
    "                      output, and the text goes to standard error; may be\n"
    "                      repeated\n"
    "  --quiet             failures and the summary only\n"
    "  --verbose           times and titles, too\n"
    "  --trace             everything that was said, as far as it was saved\n"
    "\n"
    "exit: the worst of the runs' own; 3 for a run that was cut short, 2 when a file\n"
    "is damaged\n";

typedef struct options {
    report_t *report;
    char **files;
    int len;
    bool help;
} options_t;

static bool read_options(int argc, char **argv, options_t *options)
{
    enum { REPORT = 1, QUIET, VERBOSE, TRACE, HELP };
    static const struct option known[] = {{"report", 1, NULL, REPORT},   {"quiet", 0, NULL, QUIET},
                                          {"verbose", 0, NULL, VERBOSE}, {"trace", 0, NULL, TRACE},
                                          {"help", 0, NULL, HELP},       {NULL, 0, NULL, 0}};
    int option;
    text_t error = {0};
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case REPORT:
            if (!report_add(options->report, optarg, &error)) {
                fprintf(stderr, "phxspec report: --report %s: %s\n", optarg, text_str(&error));
                text_free(&error);
                return false;
            }
            break;
        case QUIET:
            report_detail(options->report, DETAIL_QUIET);
            break;
        case VERBOSE:
            report_detail(options->report, DETAIL_VERBOSE);
            break;
        case TRACE:
            report_detail(options->report, DETAIL_TRACE);
            break;
        case HELP:
        case 'h':
            options->help = true;
            return true;
        default:
            return command_misread("report", argv);
        }
    }
    options->files = argv + optind;
    options->len = argc - optind;
    if (options->len == 0) {
        fputs("phxspec report: at least one file is needed; phxspec report --help tells the options\n",
              stderr);
        return false;
    }
    return true;
}

/* The worst of two exit codes: what is broken before what failed. */
static int worse(int a, int b)
{
    return a > b ? a : b;
}

static int show(report_t *report, const saved_t *saved)
{
    int code = EXIT_AGREED;
    text_t error = {0};
    run_t **runs = mem_new(saved->len, sizeof *runs);
    for (size_t i = 0; i < saved->len; i++) {
        size_t j;
        json_t *event;
        runs[i] = run_new(saved->at[i].label);
        report_run(report, runs[i]);
        json_array_foreach(saved->at[i].events, j, event)
        {
            report_event(report, json_incref(event), &error);
        }
        report_run_end(report);
        if (run_flaw(runs[i])) {
            text_printf(&error, "%s: %s\n", runs[i]->label, run_flaw(runs[i]));
        }
        code = worse(code, run_exit(runs[i]));
    }
    if (!report_close(report, &error)) {
        code = EXIT_HARNESS;
    }
    command_complain("report", &error);
    for (size_t i = 0; i < saved->len; i++) {
        run_free(runs[i]);
    }
    free(runs);
    return code;
}

static int read_and_show(const options_t *options)
{
    saved_t saved = {0};
    text_t error = {0};
    bool good = true;
    for (int i = 0; i < options->len; i++) {
        good = saved_read(&saved, options->files[i], &error) && good;
    }
    good = good && report_open(options->report, saved.len, false, &error);
    command_complain("report", &error);
    int code = good ? show(options->report, &saved) : EXIT_USE;
    saved_free(&saved);
    return code;
}

int cmd_report(int argc, char **argv)
{
    options_t options = {.report = report_new()};
    int code = EXIT_USE;
    if (read_options(argc, argv, &options)) {
        if (options.help) {
            fputs(usage, stdout);
            code = EXIT_AGREED;
        } else {
            code = read_and_show(&options);
        }
    }
    report_free(options.report);
    return code;
}
