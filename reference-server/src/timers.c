/* SPDX-License-Identifier: MIT */
#include "timers.h"

#include <stdlib.h>

/*
 * heap[0] is the next timer due; the children of heap[i] are heap[2i+1] and heap[2i+2]. A timer knows its
 * place, so that it can be moved and taken out without a search. The libuv timer is set to heap[0] or
 * stopped.
 */
struct timers {
    uv_timer_t handle;
    loop_timer_t **heap;
    size_t count;
    size_t cap;
    uint64_t next_order;
    bool firing;
};

static bool earlier(const loop_timer_t *a, const loop_timer_t *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void place(timers_t *timers, size_t index, loop_timer_t *timer)
{
    timers->heap[index] = timer;
    timer->slot = index + 1;
}

/* Lets `timer` find its place, starting from the free `index`. */
static void settle(timers_t *timers, size_t index, loop_timer_t *timer)
{
    while (index > 0) {
        const size_t parent = (index - 1) / 2;
        if (!earlier(timer, timers->heap[parent])) {
            break;
        }
        place(timers, index, timers->heap[parent]);
        index = parent;
    }
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= timers->count) {
            break;
        }
        if (child + 1 < timers->count && earlier(timers->heap[child + 1], timers->heap[child])) {
            child++;
        }
        if (!earlier(timers->heap[child], timer)) {
            break;
        }
        place(timers, index, timers->heap[child]);
        index = child;
    }
    place(timers, index, timer);
}

static void take_out(timers_t *timers, loop_timer_t *timer)
{
    const size_t index = timer->slot - 1;
    timer->slot = 0;
    loop_timer_t *last = timers->heap[--timers->count];
    if (last != timer) {
        settle(timers, index, last);
    }
}

static void on_due(uv_timer_t *handle);

static void arm(timers_t *timers, uint64_t least_ms)
{
    if (timers->count == 0) {
        uv_timer_stop(&timers->handle);
        return;
    }
    const uint64_t now = timers_now(timers);
    const uint64_t due = timers->heap[0]->due_ms;
    const uint64_t delay = due > now ? due - now : 0;
    /* Fails only for a closing handle, and timers_free has emptied the heap then. */
    (void)uv_timer_start(&timers->handle, on_due, delay > least_ms ? delay : least_ms, 0);
}

/* To be called when heap[0] may be another one, or none. */
static void first_changed(timers_t *timers)
{
    if (!timers->firing) {
        arm(timers, 0);
    }
}

static void on_due(uv_timer_t *handle)
{
    timers_t *timers = handle->data;
    const uint64_t now = timers_now(timers);
    const uint64_t first_new_order = timers->next_order;
    timers->firing = true;
    while (timers->count > 0 && timers->heap[0]->due_ms <= now && timers->heap[0]->order < first_new_order) {
        loop_timer_t *timer = timers->heap[0];
        take_out(timers, timer);
        timer->callback(timer);
    }
    timers->firing = false;
    /* libuv fires what is due at once without a look at sockets: a timer that starts itself with no delay
     * would keep the loop from going round. */
    arm(timers, 1);
}

timers_t *timers_new(uv_loop_t *loop)
{
    timers_t *timers = calloc(1, sizeof *timers);
    if (timers == NULL) {
        return NULL;
    }
    if (uv_timer_init(loop, &timers->handle) != 0) {
        free(timers);
        return NULL;
    }
    timers->handle.data = timers;
    return timers;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void timers_free(timers_t *timers)
{
    if (timers == NULL) {
        return;
    }
    for (size_t i = 0; i < timers->count; i++) {
        timers->heap[i]->slot = 0;
    }
    free(timers->heap);
    timers->heap = NULL;
    timers->count = 0;
    uv_close((uv_handle_t *)&timers->handle, on_closed);
}

uint64_t timers_now(const timers_t *timers)
{
    return uv_now(timers->handle.loop);
}

static bool make_room(timers_t *timers)
{
    if (timers->count < timers->cap) {
        return true;
    }
    const size_t cap = timers->cap == 0 ? 16 : 2 * timers->cap;
    loop_timer_t **heap = realloc(timers->heap, cap * sizeof *heap);
    if (heap == NULL) {
        return false;
    }
    timers->heap = heap;
    timers->cap = cap;
    return true;
}

bool timers_start(timers_t *timers, loop_timer_t *timer, uint64_t delay_ms, timer_callback_t callback)
{
    const uint64_t now = timers_now(timers);
    const bool was_first = timer->slot == 1;
    size_t index;
    if (timer->slot != 0) {
        index = timer->slot - 1;
    } else if (make_room(timers)) {
        index = timers->count++;
    } else {
        return false;
    }
    timer->due_ms = delay_ms < UINT64_MAX - now ? now + delay_ms : UINT64_MAX;
    timer->order = timers->next_order++;
    timer->callback = callback;
    settle(timers, index, timer);
    if (was_first || timer->slot == 1) {
        first_changed(timers);
    }
    return true;
}

void timers_stop(timers_t *timers, loop_timer_t *timer)
{
    if (timer->slot == 0) {
        return;
    }
    const bool was_first = timer->slot == 1;
    take_out(timers, timer);
    if (was_first) {
        first_changed(timers);
    }
}

bool timer_running(const loop_timer_t *timer)
{
    return timer->slot != 0;
}
