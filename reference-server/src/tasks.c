/* SPDX-License-Identifier: MIT */
#include "tasks.h"

#include <stddef.h>

void tasks_push(tasks_t *tasks, task_t *task)
{
    if (task->queued) {
        return;
    }
    task->queued = true;
    task->next = NULL;
    task->prev = tasks->last;
    if (tasks->last != NULL) {
        tasks->last->next = task;
    } else {
        tasks->first = task;
    }
    tasks->last = task;
}

void tasks_remove(tasks_t *tasks, task_t *task)
{
    if (!task->queued) {
        return;
    }
    task->queued = false;
    if (task->prev != NULL) {
        task->prev->next = task->next;
    } else {
        tasks->first = task->next;
    }
    if (task->next != NULL) {
        task->next->prev = task->prev;
    } else {
        tasks->last = task->prev;
    }
}

void tasks_run(tasks_t *tasks)
{
    while (tasks->first != NULL) {
        task_t *task = tasks->first;
        tasks_remove(tasks, task);
        task->run(task);
    }
}
