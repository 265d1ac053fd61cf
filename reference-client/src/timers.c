/* SPDX-License-Identifier: MIT */
#include "timers.h"

#include <stddef.h>

uint64_t phxc_timers_now(const phxc_timers_t *timers)
{
    return timers->now(timers->clock);
}

static void take_out(phxc_timers_t *timers, phxc_timer_t *timer)
{
    *(timer->prev != NULL ? &timer->prev->next : &timers->first) = timer->next;
    *(timer->next != NULL ? &timer->next->prev : &timers->last) = timer->prev;
    timer->prev = timer->next = NULL;
    timer->running = false;
}

/* Most timers of a client have one of a few delays: looked for from the end, the place is near. */
static void put_in(phxc_timers_t *timers, phxc_timer_t *timer)
{
    phxc_timer_t *before = timers->last;
    while (before != NULL && before->due_ms > timer->due_ms) {
        before = before->prev;
    }
    timer->prev = before;
    timer->next = before != NULL ? before->next : timers->first;
    *(timer->prev != NULL ? &timer->prev->next : &timers->first) = timer;
    *(timer->next != NULL ? &timer->next->prev : &timers->last) = timer;
    timer->running = true;
}

void phxc_timer_start(phxc_timers_t *timers, phxc_timer_t *timer, uint64_t delay_ms, void (*fire)(void *data),
                      void *data)
{
    const phxc_timer_t *first = timers->first;
    if (timer->running) {
        take_out(timers, timer);
    }
    const uint64_t now = phxc_timers_now(timers);
    timer->due_ms = delay_ms < UINT64_MAX - now ? now + delay_ms : UINT64_MAX;
    timer->fire = fire;
    timer->data = data;
    put_in(timers, timer);
    if (timers->first != first || timer == first) {
        timers->changed(timers->clock);
    }
}

void phxc_timer_stop(phxc_timers_t *timers, phxc_timer_t *timer)
{
    if (timer->running) {
        const bool was_first = timers->first == timer;
        take_out(timers, timer);
        if (was_first) {
            timers->changed(timers->clock);
        }
    }
}

bool phxc_timers_due(const phxc_timers_t *timers, uint64_t *due_ms)
{
    if (timers->first != NULL) {
        *due_ms = timers->first->due_ms;
    }
    return timers->first != NULL;
}

/*
 * What a timer starts may be due at once, and must wait for the next run, or a loop would never get on. A
 * marker that is put behind what is due now tells the two apart.
 */
void phxc_timers_run(phxc_timers_t *timers)
{
    phxc_timer_t marker = {.due_ms = phxc_timers_now(timers)};
    put_in(timers, &marker);
    while (timers->first != NULL && timers->first != &marker) {
        phxc_timer_t *timer = timers->first;
        take_out(timers, timer);
        timer->fire(timer->data);
    }
    take_out(timers, &marker);
    timers->changed(timers->clock);
}
