/* SPDX-License-Identifier: MIT */
#ifndef DRIVER_H
#define DRIVER_H

/* Lets a harness drive the library by JSON lines on stdin and stdout, as harness/DRIVER.md says, until stdin
 * ends. `fault` is one of the library's, by name; NULL: none. Returns the exit code. */
int driver_run(const char *fault);

#endif
