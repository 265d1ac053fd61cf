/* SPDX-License-Identifier: MIT */
#include "vectors/pace.h"

#include "base/memory.h"
#include "net/deadline.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The clock is looked at every TICK_MS; later than STALL_MS, and the loop stood still. */
static const double TICK_MS = 25, STALL_MS = 60;

struct pace {
    uv_loop_t *loop;
    deadline_t *tick;
    double due, lost_at; /* when it was last lost; 0: never */
    long processors;
};

/* Programs that run or wait for a processor: "0.00 0.01 0.05 RUNNING/ALL LAST", where there is such a file.
 */
static long running(void)
{
    long count = 0;
    FILE *file = fopen("/proc/loadavg", "r");
    if (file) {
        if (fscanf(file, "%*s %*s %*s %ld/", &count) != 1) {
            count = 0;
        }
        fclose(file);
    }
    return count;
}

static void tick(void *ctx)
{
    pace_t *pace = ctx;
    double now = clock_ms();
    if (now - pace->due > STALL_MS || running() >= 2 * pace->processors) {
        pace->lost_at = now;
    }
    pace->due = now + TICK_MS;
    pace->tick = deadline_start(pace->loop, TICK_MS, tick, pace);
}

pace_t *pace_new(uv_loop_t *loop)
{
    pace_t *pace = mem_new(1, sizeof *pace);
    pace->loop = loop;
    pace->due = clock_ms();
    pace->processors = sysconf(_SC_NPROCESSORS_ONLN);
    tick(pace);
    return pace;
}

bool pace_lost(const pace_t *pace, double since)
{
    return pace->lost_at >= since;
}

void pace_free(pace_t *pace)
{
    deadline_cancel(&pace->tick);
    free(pace);
}
