/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"server", cmd_server, "run the vectors against a server"},
    {"client", cmd_client, "run the vectors against a client"},
    {"replay", cmd_replay, "replay recorded sessions of a server against another one"},
    {"report", cmd_report, "show saved runs again, in any format, or side by side"},
    {"explain", cmd_explain, "tell what a case or a requirement is about"},
    {"lint", cmd_lint, "name every flaw of vectors"},
    {"probe", cmd_probe, "try a server and write a first profile of it"},
    {"proxy", cmd_proxy, "pass everything on to a server, with faults on the way"},
    {"mutants", cmd_mutants, "measure the vectors by peers that break a rule on purpose"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void help(FILE *to)
{
    fputs("usage: phxspec COMMAND [options]\n\n", to);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].about);
    }
    fputs("\nphxspec COMMAND --help tells the options; phxspec --version the version.\n"
          "Exit codes: 0 all as expected, 1 a verdict failed, 2 wrong use or broken input,\n"
          "3 the harness or the start of the target failed.\n",
          to);
}

/*
 * Where a standard descriptor is closed the next that is opened, a socket maybe, would take its place: then
 * nothing is read, and nothing can be written, there.
 */
static void hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            abort();
        }
    }
}

/* An answer that got lost is none; who has closed a pipe wants no more of it. */
static int told(int code)
{
    errno = 0;
    const bool whole = fflush(stdout) == 0 && !ferror(stdout);
    if (whole || code >= EXIT_USE) {
        return code;
    }
    if (errno != EPIPE) {
        fprintf(stderr, "phxspec: standard output: %s\n", errno ? strerror(errno) : "it cannot be written");
    }
    return EXIT_HARNESS;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return EXIT_USE;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(stdout);
        return EXIT_AGREED;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("phxspec " PHXSPEC_VERSION);
        return EXIT_AGREED;
    }
    fprintf(stderr, "phxspec: no command \"%s\"; phxspec --help names them\n", argv[1]);
    return EXIT_USE;
}

int main(int argc, char **argv)
{
    hold_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);
    return told(run(argc, argv));
}
