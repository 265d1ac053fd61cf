/* SPDX-License-Identifier: MIT */
#include "timers.h"

#include <stdio.h>

#include "test_util.h"

static uv_loop_t loop;
static timers_t *timers;

/* What was called, in order. */
static char calls[64];
static size_t call_count;

typedef struct probe {
    loop_timer_t timer;
    char name;
    uint64_t called_at;
    loop_timer_t *other;
} probe_t;

static void setup(void)
{
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    timers = timers_new(&loop);
    ck_assert_ptr_nonnull(timers);
    call_count = 0;
}

static void teardown(void)
{
    timers_free(timers);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void note(loop_timer_t *timer)
{
    probe_t *probe = timer->data;
    ck_assert(!timer_running(timer));
    probe->called_at = timers_now(timers);
    ck_assert_uint_lt(call_count, sizeof calls - 1);
    calls[call_count++] = probe->name;
    calls[call_count] = '\0';
}

static void start(probe_t *probe, char name, uint64_t delay_ms)
{
    probe->name = name;
    probe->timer.data = probe;
    ck_assert(timers_start(timers, &probe->timer, delay_ms, note));
    ck_assert(timer_running(&probe->timer));
}

START_TEST(called_in_order_of_time)
{
    probe_t probes[5] = {0};
    const uint64_t delays[5] = {20, 5, 15, 0, 10};
    for (size_t i = 0; i < 5; i++) {
        start(&probes[i], (char)('a' + i), delays[i]);
    }
    const uint64_t began = timers_now(timers);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_str_eq(calls, "dbeca");
    for (size_t i = 0; i < 5; i++) {
        ck_assert_uint_ge(probes[i].called_at - began, delays[i]);
    }
}
END_TEST

START_TEST(ties_are_called_in_order_of_start)
{
    probe_t probes[26] = {0};
    for (size_t i = 0; i < 26; i++) {
        start(&probes[i], (char)('a' + i), 3);
    }
    start(&probes[0], 'a', 3); /* started anew: the last one now */
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_str_eq(calls, "bcdefghijklmnopqrstuvwxyza");
}
END_TEST

START_TEST(stopped_and_moved)
{
    probe_t a = {0}, b = {0}, c = {0}, d = {0};
    start(&a, 'a', 5);
    start(&b, 'b', 10);
    start(&c, 'c', 15);
    timers_stop(timers, &d.timer); /* never started */
    timers_stop(timers, &a.timer);
    timers_stop(timers, &a.timer);
    ck_assert(!timer_running(&a.timer));
    start(&b, 'b', 30);
    start(&c, 'c', 1);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_str_eq(calls, "cb");
}
END_TEST

static void stop_other(loop_timer_t *timer)
{
    note(timer);
    probe_t *probe = timer->data;
    timers_stop(timers, probe->other);
}

START_TEST(a_callback_may_stop_what_is_due_too)
{
    probe_t a = {0}, b = {0}, c = {0};
    start(&a, 'a', 1);
    a.timer.callback = stop_other;
    a.other = &b.timer;
    start(&b, 'b', 1);
    start(&c, 'c', 1);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_str_eq(calls, "ac");
}
END_TEST

static unsigned turns;

static void count_turn(uv_check_t *handle)
{
    (void)handle;
    turns++;
}

static void again(loop_timer_t *timer)
{
    note(timer);
    if (call_count < 5) {
        ck_assert(timers_start(timers, timer, 0, again));
    }
}

START_TEST(restarting_itself_without_delay_lets_the_loop_turn)
{
    uv_check_t check;
    ck_assert_int_eq(uv_check_init(&loop, &check), 0);
    ck_assert_int_eq(uv_check_start(&check, count_turn), 0);
    uv_unref((uv_handle_t *)&check);
    probe_t a = {.name = 'a'};
    a.timer.data = &a;
    turns = 0;
    ck_assert(timers_start(timers, &a.timer, 0, again));
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_str_eq(calls, "aaaaa");
    ck_assert_uint_ge(turns, 4);
    uv_close((uv_handle_t *)&check, NULL);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
}
END_TEST

START_TEST(far_future_does_not_overflow)
{
    probe_t a = {0}, b = {0};
    start(&a, 'a', UINT64_MAX);
    start(&b, 'b', 1);
    while (timer_running(&b.timer)) {
        /* UV_RUN_ONCE would wait for the other one, if this one is due before it gets to wait. */
        ck_assert_int_ne(uv_run(&loop, UV_RUN_NOWAIT), 0);
    }
    ck_assert_str_eq(calls, "b");
    ck_assert(timer_running(&a.timer)); /* forgotten by timers_free */
}
END_TEST

/* Against a plain list: starts, moves and stops at random, then all that is left in the order of (due,
 * order). */
START_TEST(like_a_sorted_list)
{
    enum { COUNT_OF_TIMERS = 500, STEPS = 20000 };
    static loop_timer_t all[COUNT_OF_TIMERS];
    rng_t rng = rng_new();
    for (int step = 0; step < STEPS; step++) {
        loop_timer_t *timer = &all[rng_below(&rng, COUNT_OF_TIMERS)];
        if (rng_below(&rng, 3) == 0) {
            timers_stop(timers, timer);
        } else {
            ck_assert(timers_start(timers, timer, 3600000 + rng_below(&rng, 100), note));
        }
    }
    /* Stopping the others lets each be seen as the first, by the timeout libuv would wait for. */
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    size_t running = 0;
    for (size_t i = 0; i < COUNT_OF_TIMERS; i++) {
        running += timer_running(&all[i]) ? 1 : 0;
    }
    while (running > 0) {
        const loop_timer_t *first = NULL;
        size_t left = 0;
        for (size_t i = 0; i < COUNT_OF_TIMERS; i++) {
            const loop_timer_t *timer = &all[i];
            if (!timer_running(timer)) {
                continue;
            }
            left++;
            if (first == NULL || timer->due_ms < first->due_ms ||
                (timer->due_ms == first->due_ms && timer->order < first->order)) {
                first = timer;
            }
        }
        ck_assert_uint_eq(left, running);
        ck_assert_uint_eq(first->slot, 1);
        ck_assert_int_eq(uv_backend_timeout(&loop), (int)(first->due_ms - timers_now(timers)));
        timers_stop(timers, &all[first - all]);
        running--;
    }
    ck_assert_int_eq(uv_loop_alive(&loop), 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("timers");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, called_in_order_of_time);
    tcase_add_test(tcase, ties_are_called_in_order_of_start);
    tcase_add_test(tcase, stopped_and_moved);
    tcase_add_test(tcase, a_callback_may_stop_what_is_due_too);
    tcase_add_test(tcase, restarting_itself_without_delay_lets_the_loop_turn);
    tcase_add_test(tcase, far_future_does_not_overflow);
    tcase_add_test(tcase, like_a_sorted_list);
    Suite *suite = suite_create("timers");
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
