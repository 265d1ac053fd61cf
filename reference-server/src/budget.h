/* SPDX-License-Identifier: MIT */
/*
 * Memory that all clients of a server share: what each may hold has a limit of its own, and what all of them
 * hold together has one, too, or enough of them would take everything.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdbool.h>
#include <stddef.h>

/* So much each holder may have whatever the others do: a shortage that some make does not stop those whose
 * messages are small. */
enum { BUDGET_FREE_BYTES = 65536 };

typedef struct budget {
    size_t used;
    size_t max; /* 0: no limit */
} budget_t;

static inline bool budget_exceeded(const budget_t *budget)
{
    return budget->max > 0 && budget->used > budget->max;
}

/*
 * A holder has `held` bytes now; `*charged` is what the budget counts of them, 0 at first. Returns false when
 * it has more than before and that is too much for all together: the holder has to let go.
 */
static inline bool budget_update(budget_t *budget, size_t *charged, size_t held)
{
    const size_t now = held > BUDGET_FREE_BYTES ? held - BUDGET_FREE_BYTES : 0;
    const bool more = now > *charged;
    budget->used = budget->used - *charged + now;
    *charged = now;
    return !more || !budget_exceeded(budget);
}

#endif
