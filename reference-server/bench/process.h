/* SPDX-License-Identifier: MIT */
/* A server under load: a program that says `ready …:PORT` when it listens, and what it costs. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct process {
    pid_t pid;
    uint16_t port;
} process_t;

/* Starts `argv` (NULL-terminated, argv[0] its path). False, with the reason on stderr, if it is not ready in
 * 10 s. */
bool process_start(process_t *process, const char *const *argv);
/* Ends it at once. */
void process_stop(const process_t *process);

/* Processor time so far, user and system, in nanoseconds. */
uint64_t process_cpu_ns(const process_t *process);
/* Resident memory, in bytes. */
size_t process_memory(const process_t *process);

#endif
