/* SPDX-License-Identifier: MIT */
/*
 * Many timers on one libuv timer: a binary heap. A timer lives inside its owner; starting, moving and
 * stopping one cost O(log n) and no memory per timer beyond its slot in the heap.
 */
#ifndef TIMERS_H
#define TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

typedef struct timers timers_t;
typedef struct loop_timer loop_timer_t;

typedef void (*timer_callback_t)(loop_timer_t *timer);

/* Zero-initialise; the fields are the module's, except `data`. */
struct loop_timer {
    uint64_t due_ms;
    timer_callback_t callback;
    void *data;
    uint64_t order; /* breaks ties of due_ms */
    size_t slot;    /* its place in the heap + 1; 0: not running */
};

/* NULL when memory ran out. */
timers_t *timers_new(uv_loop_t *loop);
/* Running timers are forgotten. The loop must run once more for the handle to go. */
void timers_free(timers_t *timers);
/* Milliseconds of the loop's clock, as of this turn. */
uint64_t timers_now(const timers_t *timers);
/* Starts or moves a timer: `callback` is called once, `delay_ms` from now. Timers due at the same millisecond
 * are called in the order they were started. Returns false when memory ran out. */
bool timers_start(timers_t *timers, loop_timer_t *timer, uint64_t delay_ms, timer_callback_t callback);
/* A timer that does not run may be stopped, too. */
void timers_stop(timers_t *timers, loop_timer_t *timer);
bool timer_running(const loop_timer_t *timer);

#endif
