/* SPDX-License-Identifier: MIT */
#include "vectors/pace.h"

#include "base/memory.h"
#include "net/deadline.h"

#include <math.h>
#include <stdlib.h>

/* How exactly the kernel keeps the times it tells. */
static const double KERNEL_TICK_MS = 10;

typedef struct stall {
    double began, ms;
} stall_t;

struct pace {
    uv_timer_t turn;   /* so that the loop never sleeps for longer */
    uv_check_t looked; /* behind every look at the sockets */
    double looked_at;  /* for sure */
    double turned_at;
    stall_t *stalls; /* in the order of time */
    size_t len, cap;
    unsigned open; /* handles that are not closed yet */
};

static void on_turn(uv_timer_t *timer)
{
    (void)timer;
}

static void on_looked(uv_check_t *handle)
{
    pace_t *pace = handle->data;
    double now = clock_ms(), ms = now - pace->turned_at;
    if (ms > PACE_USUAL_MS) {
        MEM_ROOM(pace->stalls, pace->len, pace->cap);
        pace->stalls[pace->len++] = (stall_t){pace->turned_at, ms};
    } else { /* a loop that was stopped goes on without a look when its wait is over, and looks in the next
                turn */
        pace->looked_at = now;
    }
    pace->turned_at = now;
}

pace_t *pace_new(uv_loop_t *loop)
{
    pace_t *pace = mem_new(1, sizeof *pace);
    pace->looked_at = pace->turned_at = clock_ms();
    pace->turn.data = pace->looked.data = pace;
    pace->open = 2;
    uv_timer_init(loop, &pace->turn);
    uv_timer_start(&pace->turn, on_turn, PACE_TURN_MS, PACE_TURN_MS);
    uv_check_init(loop, &pace->looked);
    uv_check_start(&pace->looked, on_looked);
    return pace;
}

double pace_looked(const pace_t *pace)
{
    return pace->looked_at;
}

moment_t moment_now(const pace_t *pace)
{
    return (moment_t){pace_looked(pace), clock_ms()};
}

moment_t moment_last(double looked, double arrived)
{
    moment_t moment = {looked, clock_ms()};
    if (arrived + KERNEL_TICK_MS > looked && arrived < moment.latest) {
        moment.earliest = fmax(looked, arrived - KERNEL_TICK_MS);
        moment.latest = fmax(looked, arrived);
    }
    return moment;
}

moment_t moment_done(double begun, double done)
{
    double now = clock_ms();
    bool told = done > begun - KERNEL_TICK_MS && done < now;
    return (moment_t){begun, told ? fmin(now, fmax(begun, done) + KERNEL_TICK_MS) : now};
}

double pace_stood_still(const pace_t *pace, double since)
{
    double now = clock_ms() - pace->turned_at; /* it may be standing still as this is asked */
    double longest = now > PACE_USUAL_MS ? now : 0;
    for (size_t i = pace->len; i > 0; i--) {
        const stall_t *stall = &pace->stalls[i - 1];
        if (stall->began + stall->ms < since) {
            break;
        }
        longest = stall->ms > longest ? stall->ms : longest;
    }
    return longest;
}

static void on_closed(uv_handle_t *handle)
{
    pace_t *pace = handle->data;
    if (--pace->open == 0) {
        free(pace->stalls);
        free(pace);
    }
}

void pace_free(pace_t *pace)
{
    uv_close((uv_handle_t *)&pace->turn, on_closed);
    uv_close((uv_handle_t *)&pace->looked, on_closed);
}
