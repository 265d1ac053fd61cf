/* SPDX-License-Identifier: MIT */
/* What the command lines of phxspec server and phxspec client have in common. */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include "report/report.h"
#include "select/selection.h"

/* Zero-initialise; release with run_options_free. Strings are borrowed from the command line. */
typedef struct run_options {
    const char *vectors, *phoenix, *expect;
    names_t without;
    selection_t selection;
    report_t *report; /* owned; not yet open */
    long jobs, deadline_s;
    bool strict, update, list, json, help;
    text_t command; /* the whole command line, as words for a shell */
    text_t rerun;   /* the command line that runs one variant again, but for "--run VARIANT" */
} run_options_t;

/* An option that only one of the commands has. */
typedef struct own_option {
    const char *name;
    bool decisive; /* it decides how a variant comes out: it stands in `rerun` */
    /* Takes the value; false, and what would be right appended to `error`. */
    bool (*take)(void *ctx, const char *value, text_t *error);
} own_option_t;

typedef struct run_syntax {
    const char *command;     /* "server" */
    bool words_end_options;  /* what follows the first word is not read */
    const own_option_t *own; /* each with a value; ended by one without a name */
    long jobs, deadline_s;   /* where nothing is said */
} run_syntax_t;

enum { OWN_OPTIONS_MAX = 8 };

/* argv as commands have it. False when it is wrong; that was said on stderr then. `words` is the index of the
 * first word that is no option. */
bool run_options_read(run_options_t *options, const run_syntax_t *syntax, void *ctx, int argc, char **argv,
                      int *words);

/* What is wrong with the options taken together; NULL: nothing. */
const char *run_options_contradiction(const run_options_t *options);

void run_options_free(run_options_t *options);

/* Parts of the usage of both. */
#define RUN_USAGE_CASES                                                                                      \
    "Which cases:\n"                                                                                         \
    "  --run PATTERN       only these; may be repeated\n"                                                    \
    "  --skip PATTERN      not these; may be repeated\n"                                                     \
    "  --level LEVEL       only those at least this strong: must, should or may\n"                           \
    "  --transport ws|lp   only over WebSocket, or only over long-poll\n"                                    \
    "  --vsn 1|2           only in this version of the protocol\n"                                           \
    "  --list              name what would run, and end; with --json as JSON\n"                              \
    "  --vectors DIR       folder of the vectors\n"                                                          \
    "                      ($PHXSPEC_VECTORS, the installed ones, ./vectors)\n"
#define RUN_USAGE_EXPECTED                                                                                   \
    "What is expected:\n"                                                                                    \
    "  --strict            a failure fails the run whatever its level, not only of a\n"                      \
    "                      must\n"                                                                           \
    "  --expect FILE       known failures, each with its reason; one that does not\n"                        \
    "                      come true fails the run\n"                                                        \
    "  --update-expectations\n"                                                                              \
    "                      write that file anew from this run, reasons kept; the exit\n"                     \
    "                      code is still that of this run\n"
#define RUN_USAGE_RESULT                                                                                     \
    "The result:\n"                                                                                          \
    "  --report FILE       a report, in the format its suffix tells: .jsonl, .xml\n"                         \
    "                      (JUnit), .tap, .md, .html, .txt; or FORMAT=FILE with\n"                           \
    "                      jsonl, junit, tap, markdown, html, text; - is standard\n"                         \
    "                      output, and the text goes to standard error; may be\n"                            \
    "                      repeated\n"                                                                       \
    "  --quiet             failures and the summary only\n"                                                  \
    "  --verbose           times and titles, too\n"                                                          \
    "  --trace             everything that was said, too\n"

#endif
