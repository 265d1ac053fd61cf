/* SPDX-License-Identifier: MIT */
/*
 * Timers on a clock that somebody else turns: libuv's (clock_uv.c), or a test's own. A timer lives inside its
 * owner and takes no memory.
 */
#ifndef PHXC_TIMERS_H
#define PHXC_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct phxc_timer phxc_timer_t;
typedef struct phxc_timers phxc_timers_t;

/* Zero-initialise; the fields are the module's. */
struct phxc_timer {
    phxc_timer_t *prev;
    phxc_timer_t *next;
    uint64_t due_ms;
    void (*fire)(void *data);
    void *data;
    bool running;
};

struct phxc_timers {
    phxc_timer_t *first; /* by due_ms; of equal ones, the one started first */
    phxc_timer_t *last;
    uint64_t (*now)(void *clock);
    void (*changed)(void *clock); /* another timer is the first, or none */
    void *clock;
};

uint64_t phxc_timers_now(const phxc_timers_t *timers);
/* Starts or moves a timer: `fire` is called once with `data`, `delay_ms` from now. */
void phxc_timer_start(phxc_timers_t *timers, phxc_timer_t *timer, uint64_t delay_ms, void (*fire)(void *data),
                      void *data);
void phxc_timer_stop(phxc_timers_t *timers, phxc_timer_t *timer);
/* When the first timer is due; false if none runs. */
bool phxc_timers_due(const phxc_timers_t *timers, uint64_t *due_ms);
/* Fires what is due, timers that are started meanwhile excepted. */
void phxc_timers_run(phxc_timers_t *timers);

#endif
