/* SPDX-License-Identifier: MIT */
/* A pipe to or from a driver, of which the kernel keeps when it was last written to. */
#ifndef CLIENT_SUITE_OUTLET_H
#define CLIENT_SUITE_OUTLET_H

#include "base/text.h"

#include <stdbool.h>

/* Both ends, which block, and are closed in programs that are started. False where no FIFO can be made. */
bool outlet_open(int *read_end, int *write_end);

/* Whether that can be done here; else what it means for a run, for people. */
bool outlet_possible(text_t *why);

/* When it was last written to (clock_ms), a few milliseconds more or less; 0: that is not known. */
double outlet_written_at(int end);

#endif
