/* SPDX-License-Identifier: MIT */
/*
 * What is to be done before the loop's turn ends, first come first served: a channel with mail, a socket
 * whose own mail waits behind the frames of one read, a poll to be answered. Tasks live inside their owners.
 */
#ifndef TASKS_H
#define TASKS_H

#include <stdbool.h>

typedef struct task task_t;

struct task {
    void (*run)(task_t *task);
    task_t *next;
    task_t *prev;
    bool queued;
};

typedef struct tasks {
    task_t *first;
    task_t *last;
} tasks_t;

/* Queues a task; one that is queued already keeps its place. */
void tasks_push(tasks_t *tasks, task_t *task);
/* Takes a task out, if it is in. An owner does so before it goes. */
void tasks_remove(tasks_t *tasks, task_t *task);
/* Runs tasks, those queued meanwhile too, until none is left. */
void tasks_run(tasks_t *tasks);

#endif
