/* SPDX-License-Identifier: MIT */
#include "replay/locks.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct locks {
    size_t count;
    size_t **numbers; /* by recording: the numbers of its locks */
    size_t *lens;
    bool *taken; /* by number */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All names, sorted, each once. */
static const char **all_names(const recording_t *const *recordings, size_t count, size_t *len)
{
    size_t total = 0, unique = 0;
    for (size_t i = 0; i < count; i++) {
        total += recordings[i]->locks.len;
    }
    const char **names = mem_new(total, sizeof *names);
    total = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < recordings[i]->locks.len; j++) {
            names[total++] = recordings[i]->locks.at[j];
        }
    }
    qsort(names, total, sizeof *names, by_name);
    for (size_t i = 0; i < total; i++) {
        if (unique == 0 || strcmp(names[unique - 1], names[i]) != 0) {
            names[unique++] = names[i];
        }
    }
    *len = unique;
    return names;
}

locks_t *locks_new(const recording_t *const *recordings, size_t count)
{
    locks_t *locks = mem_new(1, sizeof *locks);
    size_t names_len;
    const char **names = all_names(recordings, count, &names_len);
    locks->count = count;
    locks->numbers = mem_new(count, sizeof *locks->numbers);
    locks->lens = mem_new(count, sizeof *locks->lens);
    locks->taken = mem_new(names_len, sizeof *locks->taken);
    for (size_t i = 0; i < count; i++) {
        const names_t *own = &recordings[i]->locks;
        locks->lens[i] = own->len;
        locks->numbers[i] = mem_new(own->len, sizeof **locks->numbers);
        for (size_t j = 0; j < own->len; j++) {
            const char *name = own->at[j];
            const char **found = bsearch(&name, names, names_len, sizeof *names, by_name);
            locks->numbers[i][j] = (size_t)(found - names);
        }
    }
    free(names);
    return locks;
}

void locks_free(locks_t *locks)
{
    for (size_t i = 0; i < locks->count; i++) {
        free(locks->numbers[i]);
    }
    free(locks->numbers);
    free(locks->lens);
    free(locks->taken);
    free(locks);
}

bool locks_are_free(const locks_t *locks, size_t recording)
{
    for (size_t i = 0; i < locks->lens[recording]; i++) {
        if (locks->taken[locks->numbers[recording][i]]) {
            return false;
        }
    }
    return true;
}

static void set(locks_t *locks, size_t recording, bool taken)
{
    for (size_t i = 0; i < locks->lens[recording]; i++) {
        locks->taken[locks->numbers[recording][i]] = taken;
    }
}

void locks_take(locks_t *locks, size_t recording)
{
    set(locks, recording, true);
}

void locks_release(locks_t *locks, size_t recording)
{
    set(locks, recording, false);
}
