/* SPDX-License-Identifier: MIT */
#include "sched.h"

#include <stddef.h>

void sched_push(sched_t *sched, task_t *task)
{
    if (task->queued) {
        return;
    }
    task->queued = true;
    task->next = NULL;
    task->prev = sched->last;
    if (sched->last != NULL) {
        sched->last->next = task;
    } else {
        sched->first = task;
    }
    sched->last = task;
}

void sched_remove(sched_t *sched, task_t *task)
{
    if (!task->queued) {
        return;
    }
    task->queued = false;
    if (task->prev != NULL) {
        task->prev->next = task->next;
    } else {
        sched->first = task->next;
    }
    if (task->next != NULL) {
        task->next->prev = task->prev;
    } else {
        sched->last = task->prev;
    }
}

void sched_run(sched_t *sched)
{
    while (sched->first != NULL) {
        task_t *task = sched->first;
        sched_remove(sched, task);
        task->run(task);
    }
}
