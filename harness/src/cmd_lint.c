/* SPDX-License-Identifier: MIT */
/* phxspec lint: what is wrong with vectors. */
#include "commands.h"

#include "select/suite_files.h"
#include "vectors/lint.h"
#include "vectors/requirements.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char *const usage =
    "usage: phxspec lint [--vectors DIR] [FILE|DIR...]\n\n"
    "Names every flaw of vectors, with file, case and step. Without FILE or DIR: all of\n"
    "the vectors folder.\n\n"
    "  --vectors DIR   the folder whose requirements.json is cited (default:\n"
    "                  $PHXSPEC_VECTORS, the installed one, ./vectors)\n"
    "  --help          this text\n\n"
    "Exit codes: 0 no flaw; 1 a case can be run, and is worth little; 2 broken input,\n"
    "or wrong use.\n";

static bool add(vectors_t *vectors, char *const *paths, text_t *error)
{
    static const char *const suffixes[] = {".json", NULL};
    bool good = true;
    for (; *paths; paths++) {
        names_t found = {0};
        if (!files_below(*paths, suffixes, &found, error)) {
            text_putc(error, '\n');
            good = false;
        } else if (found.len == 0) {
            text_printf(error, "%s: no *.json file is in it\n", *paths);
            good = false;
        }
        for (size_t i = 0; i < found.len; i++) {
            good = vectors_add(vectors, found.at[i], error) && good;
        }
        names_free(&found);
    }
    return good;
}

/* The files named, with the requirements of the folder. */
static bool read_files(const char *folder, char *const *paths, suite_files_t *files, text_t *error)
{
    text_t path = {0};
    text_printf(&path, "%s/requirements.json", folder);
    bool good = add(&files->vectors, paths, error);
    files->requirements = requirements_load(text_str(&path), error);
    text_free(&path);
    return files->requirements && vectors_check_requirements(&files->vectors, files->requirements, error) &&
           good;
}

static int lint(const char *folder, char *const *paths)
{
    suite_files_t files = {0};
    text_t out = {0};
    bool good = *paths ? read_files(folder, paths, &files, &out) : suite_files_load(folder, &files, &out);
    if (!good) {
        command_complain("lint", &out);
        suite_files_free(&files);
        return EXIT_USE;
    }
    const vectors_t *vectors = &files.vectors;
    size_t flaws = 0;
    for (size_t i = 0; i < vectors->len; i++) {
        flaws += lint_case(&vectors->cases[i], files.requirements, &out);
    }
    printf("%s%zu case%s in %zu file%s, %zu flaw%s\n", text_str(&out), vectors->len,
           vectors->len == 1 ? "" : "s", vectors->files.len, vectors->files.len == 1 ? "" : "s", flaws,
           flaws == 1 ? "" : "s");
    text_free(&out);
    suite_files_free(&files);
    return flaws > 0 ? EXIT_FAILED : EXIT_AGREED;
}

int cmd_lint(int argc, char **argv)
{
    enum { VECTORS = 1 };
    static const struct option known[] = {
        {"vectors", 1, NULL, VECTORS}, {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *folder = NULL;
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case VECTORS:
            folder = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return EXIT_AGREED;
        default:
            fputs("phxspec lint --help tells the options\n", stderr);
            return EXIT_USE;
        }
    }
    return lint(suite_folder(folder), argv + optind);
}
