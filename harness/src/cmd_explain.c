/* SPDX-License-Identifier: MIT */
/* phxspec explain: what a case or a requirement is about. */
#include "commands.h"

#include "client_suite/play_check.h"
#include "select/explain.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: phxspec explain [--vectors DIR] ID...\n"
    "\n"
    "ID is a case, a variant of one, or a requirement, e.g. join_ref.push-null or\n"
    "JREF-02. Of a case: its rules, why it is there, its steps in words, what it\n"
    "becomes, and the recordings it was drawn from. Of a requirement: its text, when\n"
    "it holds, what releases of Phoenix made of it, and the cases that check it, or why\n"
    "there is none.\n"
    "\n"
    "  --vectors DIR  folder of the vectors\n"
    "                 ($PHXSPEC_VECTORS, the installed ones, ./vectors)\n";

static int explain_all(const char *folder, int count, char **ids)
{
    enum { SERVER, CLIENT, PARTS };
    suite_files_t parts[PARTS] = {0};
    recorded_t recorded = {0};
    text_t out = {0}, error = {0};
    folder = suite_folder(folder);
    bool loaded = suite_files_load(folder, &parts[SERVER], &error) &&
                  suite_files_load_any(folder, &client_dialect, &parts[CLIENT], &error);
    bool good = loaded;
    if (loaded) {
        recorded_load(folder, &recorded);
    }
    for (int i = 0; loaded && i < count; i++) {
        size_t before = out.len;
        text_puts(&out, before > 0 ? "\n\n" : "");
        if (!explain(&out, parts, PARTS, &recorded, ids[i], &error)) {
            good = false;
            out.len = before;
        }
    }
    command_complain("explain", &error);
    fwrite(text_str(&out), 1, out.len, stdout);
    text_free(&out);
    recorded_free(&recorded);
    suite_files_free(&parts[SERVER]);
    suite_files_free(&parts[CLIENT]);
    return good ? EXIT_AGREED : EXIT_USE;
}

int cmd_explain(int argc, char **argv)
{
    static const struct option known[] = {
        {"vectors", required_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *folder = NULL;
    int option;
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'v':
            folder = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return EXIT_AGREED;
        default:
            command_misread("explain", argv);
            return EXIT_USE;
        }
    }
    if (optind == argc) {
        fputs("phxspec explain: the id of a case or a requirement is needed; phxspec server --list and "
              "phxspec client --list name the cases\n",
              stderr);
        return EXIT_USE;
    }
    return explain_all(folder, argc - optind, argv + optind);
}
