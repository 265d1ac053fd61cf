/* SPDX-License-Identifier: MIT */
#include "base/files.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Adds "path: what the system says". */
static bool system_error(text_t *error, const char *path)
{
    const char *why = strerror(errno);
    text_printf(error, "%s: %s", path, why ? why : "unknown error");
    return false;
}

bool file_read(const char *path, text_t *out, text_t *error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return system_error(error, path);
    }
    char buffer[65536];
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, file)) > 0;) {
        text_add(out, buffer, got);
    }
    bool failed = ferror(file) != 0;
    if (failed) {
        system_error(error, path);
    }
    fclose(file);
    return !failed;
}

void names_add(names_t *names, const char *name)
{
    MEM_ROOM(names->at, names->len, names->cap);
    names->at[names->len++] = mem_string(name);
}

bool names_have(const names_t *names, const char *name)
{
    for (size_t i = 0; i < names->len; i++) {
        if (strcmp(names->at[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void names_add_list(names_t *names, const char *list)
{
    span_t rest = span_of(list), piece;
    while (span_next(&rest, ',', &piece)) {
        piece = span_trim(piece);
        if (piece.len > 0) {
            MEM_ROOM(names->at, names->len, names->cap);
            names->at[names->len++] = mem_string_n(piece.at, piece.len);
        }
    }
}

bool names_match(const names_t *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->len; i++) {
        if (fnmatch(patterns->at[i], name, 0) == 0) {
            return true;
        }
    }
    return false;
}

void names_free(names_t *names)
{
    for (size_t i = 0; i < names->len; i++) {
        free(names->at[i]);
    }
    free(names->at);
    *names = (names_t){0};
}

static bool has_suffix(const char *name, const char *const *suffixes)
{
    for (; *suffixes; suffixes++) {
        size_t len = strlen(name), end = strlen(*suffixes);
        if (len > end && strcmp(name + len - end, *suffixes) == 0) {
            return true;
        }
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool list_folder(const char *path, names_t *entries, text_t *error)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return system_error(error, path);
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            names_add(entries, entry->d_name);
        }
    }
    closedir(folder);
    if (entries->len > 0) {
        qsort(entries->at, entries->len, sizeof *entries->at, by_name);
    }
    return true;
}

static bool add_below(const char *folder, const char *const *suffixes, names_t *found, text_t *error)
{
    names_t entries = {0};
    bool ok = list_folder(folder, &entries, error);
    size_t len = strlen(folder);
    for (size_t i = 0; ok && i < entries.len; i++) {
        text_t path = {0};
        struct stat info;
        text_printf(&path, "%s%s%s", folder, len > 0 && folder[len - 1] == '/' ? "" : "/", entries.at[i]);
        /* lstat: a link that leads back up must not make this endless */
        if (lstat(path.at, &info) == 0 && S_ISDIR(info.st_mode)) {
            ok = add_below(path.at, suffixes, found, error);
        } else if (has_suffix(entries.at[i], suffixes)) {
            names_add(found, path.at);
        }
        text_free(&path);
    }
    names_free(&entries);
    return ok;
}

bool files_below(const char *path, const char *const *suffixes, names_t *found, text_t *error)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return system_error(error, path);
    }
    if (S_ISDIR(info.st_mode)) {
        return add_below(path, suffixes, found, error);
    }
    names_add(found, path);
    return true;
}
