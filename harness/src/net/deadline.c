/* SPDX-License-Identifier: MIT */
#include "net/deadline.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

struct deadline {
    uv_timer_t timer;
    deadline_cb *passed;
    void *ctx;
};

double clock_ms(void)
{
    return (double)uv_hrtime() / 1e6;
}

static void freed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_timer(uv_timer_t *timer)
{
    deadline_t *deadline = timer->data;
    uv_close((uv_handle_t *)timer, freed);
    deadline->passed(deadline->ctx);
}

deadline_t *deadline_start(uv_loop_t *loop, double ms, deadline_cb *passed, void *ctx)
{
    deadline_t *deadline = mem_new(1, sizeof *deadline);
    deadline->passed = passed;
    deadline->ctx = ctx;
    deadline->timer.data = deadline;
    uv_timer_init(loop, &deadline->timer);
    uv_update_time(loop); /* the loop's clock stands still during callbacks; "from now" is meant */
    uv_timer_start(&deadline->timer, on_timer, ms > 0 ? (uint64_t)ceil(ms) : 0, 0);
    return deadline;
}

void deadline_cancel(deadline_t **deadline)
{
    if (*deadline != NULL) {
        uv_close((uv_handle_t *)&(*deadline)->timer, freed);
        *deadline = NULL;
    }
}
