/* SPDX-License-Identifier: MIT */
#include "replay/locks.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct locks {
    size_t count;
    size_t **numbers; /* by user: the numbers of its locks */
    size_t *lens;
    bool *taken; /* by number */
};

typedef struct lock_name {
    const char *server, *name;
} lock_name_t;

static int by_name(const void *a, const void *b)
{
    const lock_name_t *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->server, y->server);
}

static lock_name_t name_of(const lock_user_t *user, size_t i)
{
    return (lock_name_t){user->server != NULL ? user->server : "", user->recording->locks.at[i]};
}

/* All names, sorted, each once. */
static lock_name_t *all_names(const lock_user_t *users, size_t count, size_t *len)
{
    size_t total = 0, unique = 0;
    for (size_t i = 0; i < count; i++) {
        total += users[i].recording->locks.len;
    }
    lock_name_t *names = mem_new(total, sizeof *names);
    total = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < users[i].recording->locks.len; j++) {
            names[total++] = name_of(&users[i], j);
        }
    }
    qsort(names, total, sizeof *names, by_name);
    for (size_t i = 0; i < total; i++) {
        if (unique == 0 || by_name(&names[unique - 1], &names[i]) != 0) {
            names[unique++] = names[i];
        }
    }
    *len = unique;
    return names;
}

locks_t *locks_new(const lock_user_t *users, size_t count)
{
    locks_t *locks = mem_new(1, sizeof *locks);
    size_t names_len;
    lock_name_t *names = all_names(users, count, &names_len);
    locks->count = count;
    locks->numbers = mem_new(count, sizeof *locks->numbers);
    locks->lens = mem_new(count, sizeof *locks->lens);
    locks->taken = mem_new(names_len, sizeof *locks->taken);
    for (size_t i = 0; i < count; i++) {
        locks->lens[i] = users[i].recording->locks.len;
        locks->numbers[i] = mem_new(locks->lens[i], sizeof **locks->numbers);
        for (size_t j = 0; j < locks->lens[i]; j++) {
            const lock_name_t name = name_of(&users[i], j);
            const lock_name_t *found = bsearch(&name, names, names_len, sizeof *names, by_name);
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

bool locks_are_free(const locks_t *locks, size_t user)
{
    for (size_t i = 0; i < locks->lens[user]; i++) {
        if (locks->taken[locks->numbers[user][i]]) {
            return false;
        }
    }
    return true;
}

static void set(locks_t *locks, size_t user, bool taken)
{
    for (size_t i = 0; i < locks->lens[user]; i++) {
        locks->taken[locks->numbers[user][i]] = taken;
    }
}

void locks_take(locks_t *locks, size_t user)
{
    set(locks, user, true);
}

void locks_release(locks_t *locks, size_t user)
{
    set(locks, user, false);
}
