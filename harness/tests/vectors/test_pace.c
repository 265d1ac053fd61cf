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

static void assert_moment(moment_t moment, double earliest, double latest)
{
    ck_assert_msg(moment.earliest > earliest - 0.001 && moment.earliest < earliest + 0.001, "%f, not %f",
                  moment.earliest, earliest);
    ck_assert_msg(moment.latest > latest - 0.001 && moment.latest < latest + 0.001, "%f, not %f",
                  moment.latest, latest);
}

START_TEST(the_kernel_tells_when_something_came)
{
    double now = clock_ms(), looked = now - 1000;
    assert_moment(moment_last(looked, now - 600), now - 610, now - 600);
    assert_moment(moment_last(looked, looked + 3), looked, looked + 3);
    /* what cannot be is not believed */
    moment_t unknown[] = {moment_last(looked, 0), moment_last(looked, looked - 500),
                          moment_last(looked, now + 60000)};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        ck_assert_double_eq(unknown[i].earliest, looked);
        ck_assert_double_ge(unknown[i].latest, now);
    }
}
END_TEST

START_TEST(the_kernel_tells_when_something_was_done)
{
    double now = clock_ms(), begun = now - 1000;
    assert_moment(moment_done(begun, now - 600), begun, now - 590);
    assert_moment(moment_done(begun, begun - 4), begun, begun + 10);
    moment_t unknown[] = {moment_done(begun, 0), moment_done(begun, begun - 500)};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        ck_assert_double_eq(unknown[i].earliest, begun);
        ck_assert_double_ge(unknown[i].latest, now);
    }
}
END_TEST

TEST_MAIN("pace", a_loop_that_stands_still_is_noticed, the_kernel_tells_when_something_came,
          the_kernel_tells_when_something_was_done)
