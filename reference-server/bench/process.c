/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_MS = 10000 };

/* The port at the end of the line a server prints when it listens; 0 if there is none. */
static uint16_t read_port(int fd)
{
    char line[256];
    size_t len = 0;
    while (len < sizeof line - 1 && memchr(line, '\n', len) == NULL) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        const ssize_t got = poll(&ready, 1, READY_MS) == 1 ? read(fd, line + len, sizeof line - 1 - len) : -1;
        if (got <= 0) {
            return 0;
        }
        len += (size_t)got;
    }
    line[len] = '\0';
    const char *colon = strrchr(line, ':');
    return colon != NULL ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

bool process_start(process_t *process, const char *const *argv)
{
    int out[2];
    *process = (process_t){0};
    if (pipe(out) != 0) {
        perror("bench: pipe");
        return false;
    }
    const pid_t parent = getpid();
    process->pid = fork();
    if (process->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it never outlives the bench */
        if (getppid() != parent) {
            _exit(127);
        }
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execv(argv[0], (char *const *)argv);
        perror(argv[0]);
        _exit(127);
    }
    close(out[1]);
    if (process->pid > 0) {
        process->port = read_port(out[0]);
    }
    close(out[0]);
    if (process->port == 0) {
        fprintf(stderr, "bench: %s did not say `ready …:PORT`\n", argv[0]);
        process_stop(process);
        return false;
    }
    return true;
}

void process_stop(const process_t *process)
{
    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
}

uint64_t process_cpu_ns(const process_t *process)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(process->pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
        return 0;
    }
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

size_t process_memory(const process_t *process)
{
    char path[64];
    unsigned long resident = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)process->pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%*u %lu", &resident) != 1) {
            resident = 0;
        }
        fclose(file);
    }
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}
