/* SPDX-License-Identifier: MIT */
/* phxspec lint: what is wrong with vectors. */
#include "commands.h"

#include "client_suite/play_check.h"
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

enum { SERVER, CLIENT, PARTS };

/* A file says by its schema whom its cases are for. */
static int part_of(const char *path)
{
    text_t ignored = {0};
    json_t *json = jvalue_parse_file(path, &ignored);
    const char *schema = json_string_value(json_object_get(json, "$schema"));
    int part = schema && strstr(schema, "client-vectors") ? CLIENT : SERVER;
    json_decref(json);
    text_free(&ignored);
    return part;
}

static bool add_file(const char *folder, suite_files_t *parts, const char *path, text_t *error)
{
    suite_files_t *files = &parts[part_of(path)];
    bool ready = files == &parts[SERVER] || files->beginnings ||
                 suite_files_use(folder, &client_dialect, files, error);
    return ready && vectors_add(&files->vectors, path, error);
}

static bool add(const char *folder, suite_files_t *parts, char *const *paths, text_t *error)
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
            good = add_file(folder, parts, found.at[i], error) && good;
        }
        names_free(&found);
    }
    return good;
}

/* The files named, with the requirements of the folder. */
static bool read_files(const char *folder, char *const *paths, suite_files_t *parts, text_t *error)
{
    text_t path = {0};
    if (!suite_folder_check(folder, error)) {
        return false;
    }
    text_printf(&path, "%s/requirements.json", folder);
    bool good = add(folder, parts, paths, error);
    json_t *requirements = requirements_load(text_str(&path), error);
    text_free(&path);
    for (int i = 0; i < PARTS; i++) {
        parts[i].requirements = json_incref(requirements);
        good = requirements && vectors_check_requirements(&parts[i].vectors, requirements, error) && good;
    }
    json_decref(requirements);
    return good;
}

static bool read_all(const char *folder, suite_files_t *parts, text_t *error)
{
    bool good = suite_files_load(folder, &parts[SERVER], error);
    return suite_files_load_any(folder, &client_dialect, &parts[CLIENT], error) && good;
}

static int lint(const char *folder, char *const *paths)
{
    suite_files_t parts[PARTS] = {0};
    text_t out = {0};
    size_t cases = 0, read = 0, flaws = 0;
    bool good = *paths ? read_files(folder, paths, parts, &out) : read_all(folder, parts, &out);
    for (int part = 0; good && part < PARTS; part++) {
        const vectors_t *vectors = &parts[part].vectors;
        cases += vectors->len;
        read += vectors->files.len;
        for (size_t i = 0; i < vectors->len; i++) {
            flaws += lint_case(&vectors->cases[i], parts[part].requirements, &out);
        }
    }
    if (good) {
        printf("%s%zu case%s in %zu file%s, %zu flaw%s\n", text_str(&out), cases, cases == 1 ? "" : "s", read,
               read == 1 ? "" : "s", flaws, flaws == 1 ? "" : "s");
        text_free(&out);
    } else {
        command_complain("lint", &out);
    }
    for (int part = 0; part < PARTS; part++) {
        suite_files_free(&parts[part]);
    }
    return !good ? EXIT_USE : flaws > 0 ? EXIT_FAILED : EXIT_AGREED;
}

int cmd_lint(int argc, char **argv)
{
    enum { VECTORS = 1 };
    static const struct option known[] = {
        {"vectors", 1, NULL, VECTORS}, {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *folder = NULL;
    int option;
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case VECTORS:
            folder = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return EXIT_AGREED;
        default:
            command_misread("lint", argv);
            return EXIT_USE;
        }
    }
    return lint(suite_folder(folder), argv + optind);
}
