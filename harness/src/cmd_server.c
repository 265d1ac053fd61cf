/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <stdio.h>

int cmd_server(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    fputs("phxspec server: not built yet\n", stderr);
    return EXIT_HARNESS;
}
