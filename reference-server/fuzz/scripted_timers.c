/* SPDX-License-Identifier: MIT */
/* timers.h on a clock that moves when it is told to. */
#include "scripted_timers.h"

#include <stdlib.h>

struct timers {
    timers_t *next; /* a server has some, its carrier has others: they share the clock */
    loop_timer_t **row;
    size_t len;
    size_t cap;
};

static struct {
    timers_t *first;
    uint64_t now_ms;
    uint64_t next_order;
} clock_;

timers_t *timers_new(uv_loop_t *loop)
{
    (void)loop;
    timers_t *timers = calloc(1, sizeof *timers);
    if (timers != NULL) {
        timers->next = clock_.first;
        clock_.first = timers;
    }
    return timers;
}

void timers_free(timers_t *timers)
{
    timers_t **link = &clock_.first;
    while (*link != timers) {
        link = &(*link)->next;
    }
    *link = timers->next;
    free(timers->row);
    free(timers);
}

uint64_t timers_now(const timers_t *timers)
{
    (void)timers;
    return clock_.now_ms;
}

bool timers_start(timers_t *timers, loop_timer_t *timer, uint64_t delay_ms, timer_callback_t callback)
{
    if (timer->slot == 0) {
        if (timers->len == timers->cap) {
            timers->cap = timers->cap > 0 ? 2 * timers->cap : 16;
            loop_timer_t **row = realloc(timers->row, timers->cap * sizeof *row);
            if (row == NULL) {
                abort();
            }
            timers->row = row;
        }
        timers->row[timers->len++] = timer;
        timer->slot = timers->len;
    }
    timer->due_ms = clock_.now_ms + delay_ms;
    timer->order = clock_.next_order++;
    timer->callback = callback;
    return true;
}

void timers_stop(timers_t *timers, loop_timer_t *timer)
{
    if (timer->slot != 0) {
        loop_timer_t *last = timers->row[--timers->len];
        timers->row[timer->slot - 1] = last;
        last->slot = timer->slot;
        timer->slot = 0;
    }
}

bool timer_running(const loop_timer_t *timer)
{
    return timer->slot != 0;
}

bool scripted_timers_next(uint64_t until_ms)
{
    timers_t *owner = NULL;
    loop_timer_t *due = NULL;
    for (timers_t *timers = clock_.first; timers != NULL; timers = timers->next) {
        for (size_t i = 0; i < timers->len; i++) {
            loop_timer_t *timer = timers->row[i];
            if (timer->due_ms <= until_ms && (due == NULL || timer->due_ms < due->due_ms ||
                                              (timer->due_ms == due->due_ms && timer->order < due->order))) {
                owner = timers;
                due = timer;
            }
        }
    }
    if (due == NULL) {
        clock_.now_ms = until_ms;
        return false;
    }
    clock_.now_ms = due->due_ms > clock_.now_ms ? due->due_ms : clock_.now_ms;
    timers_stop(owner, due);
    due->callback(due);
    return true;
}

uint64_t scripted_timers_now(void)
{
    return clock_.now_ms;
}
