/* SPDX-License-Identifier: MIT */
#include "vectors/pace.h"

#include "net/deadline.h"
#include "test_util.h"

#include <string.h>

typedef struct state {
    uv_loop_t loop;
    pace_t *pace;
    double stood_at, before, during, after, looked;
    double unsure; /* how long ago the loop last looked as `after` was asked for */
} state_t;

static void at_the_end(void *ctx)
{
    state_t *state = ctx;
    state->before = pace_stood_still(state->pace, 0);
    state->after = pace_stood_still(state->pace, clock_ms());
    state->unsure = clock_ms() - pace_looked(state->pace);
    state->looked = clock_ms() - pace_looked(state->pace);
    pace_free(state->pace);
}

static void stand_still(void *ctx)
{
    state_t *state = ctx;
    state->stood_at = clock_ms();
    while (clock_ms() < state->stood_at + 90) {
    }
    state->during = pace_stood_still(state->pace, state->stood_at);
    deadline_start(&state->loop, 60, at_the_end, state);
}

START_TEST(a_loop_that_stands_still_is_noticed)
{
    state_t state = {0};
    uv_loop_init(&state.loop);
    state.pace = pace_new(&state.loop);
    ck_assert_double_eq(pace_stood_still(state.pace, 0), 0);
    deadline_start(&state.loop, 30, stand_still, &state);
    uv_run(&state.loop, UV_RUN_DEFAULT);
    ck_assert_double_ge(state.during, 90);
    ck_assert_double_ge(state.before, 90);
    ck_assert_double_ge(state.looked, 0);
    /* what stood still before is no matter to what begins now; the time since the last look is all that is
     * not certain */
    ck_assert_double_le(state.after, state.unsure);
    ck_assert_int_eq(uv_loop_close(&state.loop), 0);
}
END_TEST

TEST_MAIN("pace", a_loop_that_stands_still_is_noticed)
